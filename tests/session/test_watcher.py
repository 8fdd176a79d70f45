"""A player without a socket: it watches, and goes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.fake_peers import FakePeers
from tests.fakes import Performance, settled, virtual
from wsstream.errors import BadMessage, Unavailable
from wsstream.session.watcher import CONNECT_S, SILENT_S, Watcher


@asynccontextmanager
async def watching(peers=None, **agent):
    """A session, a player of it, its peer, and its task."""
    peers = peers or FakePeers()
    async with Performance(**agent) as perf:
        watcher = Watcher(perf.session, peers)
        assert await watcher.answer("offer") == "answer 0"
        task = asyncio.create_task(watcher.run())
        await settled()
        try:
            yield perf, watcher, peers.made[0], task
        finally:
            await watcher.close()
            await task
    assert peers.open_ones == []


@virtual
async def test_a_player_gets_every_packet_and_counts_as_a_viewer():
    async with watching() as (perf, watcher, peer, _):
        peer.connect(channel=False)
        await perf.until(1000)
        assert peer.packets == list(range(20, 1001, 20))
        assert watcher in perf.session.viewers
        counters = perf.session.counters()
        assert (counters["rtc_packets"], counters["peers_connected"]) == (50, 1)
        assert watcher.stats()["client"] == "whep"
        perf.session.interrupt()
        assert peer.flushes == 1


@virtual
async def test_a_player_that_never_connects_is_given_up():
    async with watching() as (perf, watcher, peer, task):
        await asyncio.sleep(CONNECT_S - 1)
        assert not task.done()
        await asyncio.sleep(3)
        assert task.done()
        assert peer.closed
        assert watcher not in perf.session.viewers


@virtual
async def test_a_player_that_falls_silent_is_given_up_and_one_that_reports_is_not():
    async with watching() as (_, _, peer, task):
        peer.connect()
        for _ in range(60):
            await asyncio.sleep(1)
            peer.hear()
        assert not task.done()
        await asyncio.sleep(SILENT_S + 2)
        assert task.done()


@virtual
async def test_a_player_of_whom_nobody_knows_whether_it_hears_may_stay():
    async with watching() as (perf, _, peer, task):
        peer.connect()
        peer.heard_at = None  # as with raw frames
        await perf.until(60_000)
        assert not task.done()


@virtual
@pytest.mark.parametrize("how", ["player", "server", "session"])
async def test_it_ends_at_once_with_its_peer_or_its_session(how):
    async with watching() as (perf, watcher, peer, task):
        peer.connect()
        if how == "player":
            peer.break_down()
        elif how == "server":
            await watcher.close()
        else:
            perf.session.close()
        await settled()
        assert task.done()
        assert peer.closed
        assert watcher not in perf.session.viewers


@virtual
async def test_what_a_player_says_is_not_listened_to():
    async with watching() as (perf, _, peer, task):
        peer.connect()
        peer.say('{"type":"interrupt"}')
        peer.tell_origins(1, 2)
        await settled()
        assert perf.session.counters()["interruptions"] == 0
        assert not task.done()


@virtual
@pytest.mark.parametrize(("codec", "sounds"), [("h264", False), (None, True)])
async def test_a_player_of_one_of_the_two_is_welcome(codec, sounds):
    def prepare(peer):
        peer.answers, peer.sounds = codec, sounds

    async with watching(FakePeers(prepare=prepare)):
        pass


@virtual
async def test_a_player_of_neither_is_refused():
    def prepare(peer):
        peer.answers, peer.sounds = None, False

    peers = FakePeers(prepare=prepare)
    async with Performance() as perf:
        watcher = Watcher(perf.session, peers)
        with pytest.raises(BadMessage, match=r"H\.264 or VP8"):
            await watcher.answer("offer")
        await watcher.close()
        assert peers.open_ones == []


@virtual
async def test_candidates_are_handed_on():
    async with watching() as (_, watcher, peer, _):
        assert await watcher.add_candidate("candidate:1", "0")
        assert peer.candidates == [("candidate:1", "0", None)]


@virtual
async def test_a_full_server_has_no_place_for_it():
    async with Performance() as perf:
        with pytest.raises(Unavailable):
            Watcher(perf.session, FakePeers(limit=0))


@virtual
async def test_it_leaves_no_task_behind():
    async with Performance():
        await settled()
    before = asyncio.all_tasks()
    async with watching() as (_, _, peer, _):
        peer.connect()
    await settled()
    assert asyncio.all_tasks() == before
