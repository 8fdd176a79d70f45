"""One viewer's way to WebRTC and back: offers, proofs, doubts, ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_peers import FakePeers, FakeSource
from tests.fakes import now, settled, virtual
from wsstream.errors import BadMessage, Unavailable
from wsstream.protocol.messages import Answer, Candidate, Error, Media, Offer, Rtp, Switched
from wsstream.protocol.states import PINNED, Path
from wsstream.session.upgrade import CANDIDATES_MAX, OFFERS_BURST, SILENT_S, Upgrade


class Host:
    """Takes down what it is told."""

    def __init__(self):
        self.messages = []
        self.paths = []
        self.said = []
        self.media_ms = 1234

    def post(self, message):
        self.messages.append(message)

    def on_path(self, path):
        self.paths.append(path.state)

    def on_peer_opened(self, peer):
        pass

    def on_peer_message(self, text):
        self.said.append(text)

    def of(self, kind):
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def codes(self):
        return [error.code for error in self.of(Error)]


class Rig:
    def __init__(self, peers=None):
        self.host = Host()
        self.peers = peers or FakePeers()
        self.upgrade = Upgrade(self.host, self.peers, FakeSource(), now)

    @property
    def state(self):
        return self.upgrade.path.state

    @property
    def peer(self):
        return self.peers.made[-1]

    async def send(self, message):
        self.upgrade.handle(message)
        await settled()

    async def offer(self, epoch=1):
        await self.send(Offer(epoch=epoch, sdp=f"offer {epoch}"))

    async def switch(self, to="webrtc", reason="", epoch=None):
        epoch = self.upgrade.path.epoch if epoch is None else epoch
        await self.send(Switched(epoch=epoch, to=to, reason=reason))

    async def go_up(self, epoch=1):
        """All the way to WebRTC."""
        await self.offer(epoch)
        self.peer.connect()
        await self.switch()
        assert self.state is Path.WEBRTC

    async def stay(self, seconds):
        """Time passes, and the receiver reports each second as it does."""
        until = now() + seconds
        while now() < until:
            self.peer.hear()
            await asyncio.sleep(min(1.0, until - now()))
        await settled()


@asynccontextmanager
async def upgrading(**options):
    rig = Rig(FakePeers(**options))
    rig.upgrade.start()
    try:
        yield rig
    finally:
        await rig.upgrade.close()
    assert [peer for peer in rig.peers.made if not peer.closed] == []


# The way up.


@virtual
async def test_an_offer_is_answered_with_the_codec():
    async with upgrading() as rig:
        await rig.offer()
        assert rig.host.messages == [Answer(epoch=1, sdp="answer 1", codec="h264")]
        assert rig.peer.offered == ["offer 1"]
        assert rig.state is Path.PROBING
        assert rig.host.paths == [Path.PROBING]


@virtual
async def test_what_the_client_proves_is_taken_as_the_switch():
    async with upgrading() as rig:
        await rig.offer()
        rig.peer.connect()
        await rig.switch()
        assert rig.state is Path.WEBRTC
        assert rig.host.of(Media) == [Media(transport="webrtc", at=1234, epoch=1, reason="")]
        assert rig.upgrade.counters()["switches_up"] == 1
        assert rig.upgrade.counters()["peers_connected"] == 1


@virtual
async def test_a_switch_to_a_peer_that_is_not_connected_is_refused():
    async with upgrading() as rig:
        await rig.offer()
        await rig.switch()
        assert rig.host.codes == ["not_connected"]
        assert rig.state is Path.PROBING


@virtual
async def test_a_new_offer_replaces_the_attempt_and_frees_its_peer():
    async with upgrading() as rig:
        await rig.offer(1)
        await rig.offer(2)
        old, new = rig.peers.made
        assert (old.closed, new.closed) == (True, False)
        assert [answer.epoch for answer in rig.host.of(Answer)] == [1, 2]
        assert rig.host.of(Media) == []  # nothing of it concerns the media
        assert rig.upgrade.peer is new


@virtual
async def test_a_switch_for_a_new_offer_is_not_taken_for_the_old_peer():
    async with upgrading() as rig:
        await rig.offer(1)
        rig.peer.connect()
        rig.upgrade.handle(Offer(epoch=2, sdp="offer 2"))
        await rig.switch(epoch=2)
        assert rig.state is Path.PROBING
        assert rig.host.codes == ["not_connected"]


@virtual
async def test_with_one_place_left_a_second_attempt_finds_it_free():
    async with upgrading(limit=1) as rig:
        await rig.offer(1)
        await rig.offer(2)
        assert rig.host.codes == []
        assert [answer.epoch for answer in rig.host.of(Answer)] == [1, 2]


@virtual
async def test_an_attempt_that_takes_too_long_ends():
    async with upgrading() as rig:
        await rig.offer()
        await asyncio.sleep(9.9)
        assert rig.state is Path.PROBING
        await asyncio.sleep(0.5)
        assert rig.state is Path.WS
        [media] = rig.host.of(Media)
        assert (media.transport, media.epoch) == ("ws", 1)
        assert media.reason == "no WebRTC connection in time"
        assert rig.peer.closed
        assert rig.upgrade.counters()["connect_failures"] == 1


@virtual
async def test_the_client_gives_an_attempt_up():
    async with upgrading() as rig:
        await rig.offer()
        await rig.switch("ws", "failed")
        assert rig.state is Path.WS
        assert rig.peer.closed
        assert rig.upgrade.peer is None


@virtual
async def test_an_attempt_given_up_while_it_is_answered_is_not_answered():
    def slowly(peer):
        peer.seconds = 1.0

    async with upgrading(prepare=slowly) as rig:
        await rig.offer()
        await rig.switch("ws", "failed")
        await asyncio.sleep(2.0)
        assert rig.host.of(Answer) == []
        assert rig.host.codes == []
        assert rig.state is Path.WS
        assert rig.peer.closed


@virtual
async def test_a_peer_that_breaks_while_it_is_answered_is_not_answered():
    def slowly(peer):
        peer.seconds = 1.0

    async with upgrading(prepare=slowly) as rig:
        await rig.offer()
        rig.peer.break_down()
        await asyncio.sleep(2.0)
        assert rig.host.of(Answer) == []
        assert [media.transport for media in rig.host.of(Media)] == ["ws"]


@virtual
async def test_the_origins_of_rtp_time_are_told_for_the_present_peer_only():
    async with upgrading() as rig:
        await rig.offer(1)
        await rig.offer(2)
        old, new = rig.peers.made
        old.tell_origins(1, 2)
        new.tell_origins(3, 4)
        assert rig.host.of(Rtp) == [Rtp(epoch=2, audio=3, video=4)]


# What cannot be.


@virtual
async def test_without_webrtc_everything_is_refused():
    host = Host()
    upgrade = Upgrade(host, None, FakeSource(), now)
    upgrade.start()
    for message in (
        Offer(epoch=1, sdp="x"),
        Candidate(epoch=1, candidate="c"),
        Switched(epoch=1, to="ws"),
    ):
        upgrade.handle(message)
    await settled()
    await upgrade.close()
    assert host.codes == ["no_webrtc"] * 3


@virtual
@pytest.mark.parametrize(
    "prepare",
    [
        lambda peer: setattr(peer, "error", BadMessage("the offer is garbage")),
        lambda peer: setattr(peer, "error", Unavailable("no addresses")),
        lambda peer: setattr(peer, "answers", None),
        lambda peer: setattr(peer, "sounds", False),
    ],
    ids=["garbage", "no addresses", "no codec", "no sound"],
)
async def test_an_offer_that_cannot_be_answered_ends_the_attempt_in_words(prepare):
    async with upgrading(prepare=prepare) as rig:
        await rig.offer()
        [error] = rig.host.of(Error)
        assert (error.code, error.fatal) == ("bad_offer", False)
        assert len(error.message) > 5
        assert rig.state is Path.WS
        assert rig.peer.closed
        [media] = rig.host.of(Media)
        assert (media.transport, media.epoch, media.reason) == ("ws", 1, error.message)
        assert rig.upgrade.counters()["connect_failures"] == 1


@virtual
async def test_an_error_that_nobody_foresaw_ends_the_attempt_and_no_more(caplog):
    errors = [RuntimeError("boom")]

    def prepare(peer):
        peer.error = errors.pop() if errors else None

    async with upgrading(prepare=prepare) as rig:
        await rig.offer(1)
        assert rig.host.codes == ["bad_offer"]
        assert "boom" not in rig.host.of(Error)[0].message  # that is for the log
        assert "boom" in caplog.text
        assert rig.state is Path.WS
        await rig.offer(2)
        assert [answer.epoch for answer in rig.host.of(Answer)] == [2]


@virtual
async def test_a_server_that_is_full_says_so_and_the_viewer_stays_on_its_socket():
    async with upgrading(limit=0) as rig:
        await rig.offer()
        [error] = rig.host.of(Error)
        assert "WebRTC viewers already" in error.message
        assert not error.fatal
        assert rig.state is Path.WS


@virtual
@pytest.mark.parametrize("epoch", [0, 1])
async def test_an_offer_of_an_old_epoch_is_refused(epoch):
    async with upgrading() as rig:
        await rig.offer(1)
        await rig.offer(epoch)
        assert rig.host.codes == ["stale_epoch"]
        assert f"got {epoch}" in rig.host.of(Error)[0].message
        assert len(rig.peers.made) == 1


@virtual
@pytest.mark.parametrize("epoch", [0, 2, 2**31 - 1])
@pytest.mark.parametrize("kind", ["candidate", "switched"])
async def test_what_is_of_another_epoch_is_refused(epoch, kind):
    async with upgrading() as rig:
        await rig.offer(1)
        rig.peer.connect()
        await rig.send(
            Candidate(epoch=epoch, candidate="c")
            if kind == "candidate"
            else Switched(epoch=epoch, to="webrtc")
        )
        assert rig.host.codes == ["stale_epoch"]
        assert f"expected epoch 1, got {epoch}" in rig.host.of(Error)[0].message
        assert rig.peer.candidates == []
        assert rig.state is Path.PROBING


@virtual
async def test_on_webrtc_no_offer_is_taken():
    async with upgrading() as rig:
        await rig.go_up()
        await rig.offer(2)
        assert rig.host.codes == ["bad_offer"]
        assert rig.state is Path.WEBRTC
        assert len(rig.peers.made) == 1
        assert rig.upgrade.path.epoch == 1


@virtual
async def test_offers_in_a_row_cost_a_few_peers_and_a_pause_makes_room():
    async with upgrading() as rig:
        for epoch in range(1, 101):
            await rig.offer(epoch)
        assert len(rig.peers.made) == OFFERS_BURST
        assert set(rig.host.codes) == {"bad_offer"}  # "too_many" would speak of turns of speech
        assert "too many" in rig.host.of(Error)[0].message
        assert len(rig.peers.open_ones) == 1
        await asyncio.sleep(2.1)
        await rig.offer(101)
        assert rig.host.of(Answer)[-1].epoch == 101


@virtual
async def test_offers_that_come_while_one_is_answered_are_answered_by_the_newest_alone():
    def slowly(peer):
        peer.seconds = 1.0

    async with upgrading(prepare=slowly) as rig:
        for epoch in (1, 2, 3):
            await rig.offer(epoch)
        await asyncio.sleep(3.0)
        assert [peer.epoch for peer in rig.peers.made] == [1, 3]
        assert [answer.epoch for answer in rig.host.of(Answer)] == [3]
        assert rig.state is Path.PROBING


@virtual
async def test_an_old_offer_that_fails_does_not_end_the_newer_attempt():
    def prepare(peer):
        peer.seconds = 1.0
        peer.error = BadMessage("garbage") if peer.epoch == 1 else None

    async with upgrading(prepare=prepare) as rig:
        await rig.offer(1)
        await rig.offer(2)
        await asyncio.sleep(3.0)
        assert rig.host.codes == []
        assert [media for media in rig.host.of(Media) if media.epoch == 2] == []
        assert [answer.epoch for answer in rig.host.of(Answer)] == [2]


# Candidates.


@virtual
async def test_candidates_reach_the_peer_with_their_place():
    async with upgrading() as rig:
        await rig.offer()
        await rig.send(Candidate(epoch=1, candidate="candidate:1", sdpMid="0", sdpMLineIndex=0))
        await rig.send(Candidate(epoch=1, candidate="candidate:2", sdpMLineIndex=1))
        assert rig.peer.candidates == [("candidate:1", "0", 0), ("candidate:2", None, 1)]


@virtual
@pytest.mark.parametrize("end", [None, ""])
async def test_the_end_of_candidates_is_kept_from_the_peer(end):
    async with upgrading() as rig:
        await rig.offer()
        await rig.send(Candidate(epoch=1, candidate=end))
        assert rig.peer.candidates == []
        assert rig.host.codes == []


@virtual
async def test_candidates_that_come_before_the_answer_wait_for_it():
    def slowly(peer):
        peer.seconds = 1.0

    async with upgrading(prepare=slowly) as rig:
        await rig.offer()
        await rig.send(Candidate(epoch=1, candidate="candidate:1"))
        assert rig.peer.candidates == []
        await asyncio.sleep(1.1)
        assert [text for text, _, _ in rig.peer.candidates] == ["candidate:1"]


@virtual
async def test_candidates_of_a_newer_offer_are_not_lost_while_the_old_one_is_answered():
    def slowly(peer):
        peer.seconds = 1.0

    async with upgrading(prepare=slowly) as rig:
        await rig.offer(1)
        await rig.offer(2)
        await rig.send(Candidate(epoch=2, candidate="candidate:1"))
        await asyncio.sleep(3.0)
        assert [text for text, _, _ in rig.peer.candidates] == ["candidate:1"]
        assert rig.peers.made[0].candidates == []


@virtual
async def test_candidates_by_the_thousand_take_a_bounded_place():
    def slowly(peer):
        peer.seconds = 1.0

    async with upgrading(prepare=slowly) as rig:
        await rig.offer()
        for n in range(5000):
            rig.upgrade.handle(Candidate(epoch=1, candidate=f"candidate:{n}"))
        await asyncio.sleep(1.1)
        assert len(rig.peer.candidates) == CANDIDATES_MAX


# The way back.


@virtual
@pytest.mark.parametrize("reason", ["stalled", "disconnected", PINNED])
async def test_a_client_that_wants_its_socket_back_gets_it_at_once_beside_the_peer(reason):
    async with upgrading() as rig:
        await rig.go_up()
        await rig.switch("ws", reason)
        assert rig.state is Path.HEDGE
        assert rig.host.of(Media)[-1] == Media(transport="ws", at=1234, epoch=1, reason=reason)
        assert not rig.peer.closed
        assert rig.upgrade.counters()["switches_down"] == 1


@virtual
async def test_from_the_hedge_it_goes_up_again_when_the_client_says_so():
    async with upgrading() as rig:
        await rig.go_up()
        await rig.switch("ws", "stalled")
        await rig.stay(2.0)
        await rig.switch()
        assert rig.state is Path.WEBRTC
        assert rig.host.of(Media)[-1].transport == "webrtc"
        counts = rig.upgrade.counters()
        assert (counts["switches_up"], counts["transit_failures"]) == (2, 0)
        await rig.stay(20.0)
        assert rig.state is Path.WEBRTC


@virtual
async def test_a_hedge_lasts_five_seconds():
    async with upgrading() as rig:
        await rig.go_up()
        await rig.switch("ws", "stalled")
        await asyncio.sleep(4.9)
        assert not rig.peer.closed
        await asyncio.sleep(0.5)
        assert rig.state is Path.WS
        assert rig.peer.closed
        assert rig.host.of(Media)[-1].reason == "WebRTC did not recover"
        assert rig.upgrade.counters()["transit_failures"] == 1


@virtual
async def test_a_pinned_viewer_goes_down_without_a_failure():
    async with upgrading() as rig:
        await rig.go_up()
        await rig.switch("ws", PINNED)
        rig.peer.break_down()
        await settled()
        assert rig.state is Path.WS
        assert rig.upgrade.counters()["transit_failures"] == 0
        await rig.go_up(epoch=2)


@virtual
@pytest.mark.parametrize(("reason", "failures"), [(PINNED, 0), ("failed", 1)])
async def test_a_client_that_gives_its_peer_up_in_the_hedge_is_rid_of_it_at_once(reason, failures):
    async with upgrading() as rig:
        await rig.go_up()
        await rig.switch("ws", "stalled")
        await rig.switch("ws", reason)
        assert rig.state is Path.WS
        assert rig.peer.closed
        assert rig.upgrade.counters()["transit_failures"] == failures
        await rig.go_up(epoch=2)


@virtual
@pytest.mark.parametrize(("reason", "failures"), [(PINNED, 0), ("failed", 1)])
async def test_a_client_that_waits_no_longer_for_its_peer_has_failed_to_connect(reason, failures):
    async with upgrading() as rig:
        await rig.offer()
        await rig.switch("ws", reason)
        assert rig.state is Path.WS
        assert rig.upgrade.counters()["connect_failures"] == failures


@virtual
async def test_a_browser_that_is_silent_is_doubted():
    async with upgrading() as rig:
        await rig.go_up()
        await rig.stay(10.0)
        assert rig.state is Path.WEBRTC
        await asyncio.sleep(SILENT_S + 1.5)
        assert rig.state is Path.HEDGE
        assert rig.host.of(Media)[-1].reason == "the browser has gone silent"
        await asyncio.sleep(5.5)
        assert rig.state is Path.WS


@virtual
async def test_a_peer_that_cannot_tell_whether_it_is_heard_is_not_doubted():
    async with upgrading() as rig:
        await rig.go_up()
        rig.peer.heard_at = None  # as with raw frames
        await asyncio.sleep(60)
        assert rig.state is Path.WEBRTC


@virtual
async def test_a_peer_that_breaks_brings_the_socket_back():
    async with upgrading() as rig:
        await rig.go_up()
        rig.peer.break_down()
        await settled()
        assert rig.state is Path.WS
        assert rig.host.of(Media)[-1].transport == "ws"
        assert rig.host.of(Media)[-1].reason == "the peer connection closed"
        assert rig.peer.closed
        assert rig.upgrade.counters()["transit_failures"] == 1


@virtual
async def test_what_a_retired_peer_goes_through_is_nobodys_business():
    async with upgrading() as rig:
        await rig.offer(1)
        await rig.offer(2)
        old, new = rig.peers.made
        new.connect()
        await rig.switch()
        old.say("late")
        old.break_down()
        old.owner.on_peer_connected(old)
        await settled()
        assert rig.state is Path.WEBRTC
        assert rig.host.said == []
        assert rig.upgrade.counters()["peers_connected"] == 1


@virtual
async def test_what_went_over_peers_stays_counted():
    async with upgrading() as rig:
        for epoch in (1, 2):
            await rig.go_up(epoch)
            rig.peer.packets += [0, 20, 40]
            assert rig.upgrade.counters()["rtc_packets"] == 3 * epoch
            rig.peer.break_down()
            await settled()
            assert rig.upgrade.counters()["rtc_packets"] == 3 * epoch


# Without a socket.


@virtual
async def test_without_a_peer_a_lost_socket_is_the_end():
    async with upgrading() as rig:
        assert not rig.upgrade.lose_socket()
        assert rig.upgrade.ended.is_set()


@virtual
async def test_an_attempt_does_not_outlive_the_socket():
    async with upgrading() as rig:
        await rig.offer()
        rig.peer.connect()
        assert not rig.upgrade.lose_socket()
        assert rig.upgrade.ended.is_set()


@virtual
async def test_a_peer_that_works_plays_on_for_fifteen_seconds():
    async with upgrading() as rig:
        await rig.go_up()
        assert rig.upgrade.lose_socket()
        await rig.stay(14.9)
        assert not rig.upgrade.ended.is_set()
        await asyncio.sleep(0.5)
        assert rig.upgrade.ended.is_set()
        assert rig.peer.closed
        assert rig.upgrade.counters()["transit_failures"] == 0


@virtual
@pytest.mark.parametrize("how", ["silent", "broken"])
async def test_an_orphan_whose_peer_fails_ends_at_once(how):
    async with upgrading() as rig:
        await rig.go_up()
        rig.upgrade.lose_socket()
        if how == "broken":
            rig.peer.break_down()
            await settled()
        else:
            await asyncio.sleep(SILENT_S + 1)
        assert rig.upgrade.ended.is_set()
        await settled()
        assert rig.peer.closed


@virtual
async def test_a_viewer_that_comes_back_goes_on_with_its_peer():
    async with upgrading() as rig:
        await rig.go_up()
        rig.upgrade.lose_socket()
        await rig.stay(10.0)
        newcomer = Host()
        rig.upgrade.resume(newcomer)
        assert rig.state is Path.WEBRTC
        assert newcomer.of(Media) == [Media(transport="webrtc", at=1234, epoch=1, reason="resumed")]
        assert newcomer.paths == [Path.WEBRTC]
        before = len(rig.host.messages)
        await rig.stay(20.0)
        assert rig.state is Path.WEBRTC
        await rig.switch("ws", "stalled")
        assert newcomer.of(Media)[-1].transport == "ws"
        assert len(rig.host.messages) == before


# Ends.


@virtual
async def test_closing_twice_does_nothing_more():
    async with upgrading() as rig:
        await rig.go_up()
        await rig.upgrade.close()
        await rig.upgrade.close()
        assert rig.peer.closes == 1


@virtual
async def test_a_peer_that_is_being_closed_when_the_viewer_goes_is_closed_to_the_end():
    def prepare(peer):
        peer.close_seconds = 1.0

    async with upgrading(prepare=prepare) as rig:
        await rig.offer(1)
        await rig.switch("ws", "failed")  # its end has begun
        await rig.upgrade.close()
        assert rig.peer.closed


@virtual
async def test_peers_that_take_their_time_to_close_are_all_closed():
    def prepare(peer):
        peer.close_seconds = 0.5

    async with upgrading(prepare=prepare) as rig:
        for epoch in range(1, 5):
            await rig.offer(epoch)
            await asyncio.sleep(0.3)
            await rig.switch("ws", "failed", epoch=epoch)
        await asyncio.sleep(5.0)
        assert rig.peers.open_ones == []
        assert max(peer.closes for peer in rig.peers.made) == 1


@virtual
async def test_a_peer_that_cannot_be_closed_holds_nobody_up(caplog):
    async def fail():
        rig.peer.closed = True
        raise AttributeError("transport")

    async with upgrading() as rig:
        await rig.offer(1)
        rig.peer.close = fail
        await rig.switch("ws", "failed")
        await rig.offer(2)
        assert rig.host.of(Answer)[-1].epoch == 2
        rig.peer.close = fail
    assert "transport" in caplog.text


@virtual
async def test_it_leaves_no_task_behind():
    before = asyncio.all_tasks()
    async with upgrading() as rig:
        await rig.go_up()
    await settled()
    assert asyncio.all_tasks() == before


@virtual
async def test_stats_tell_the_state_and_why():
    async with upgrading() as rig:
        assert rig.upgrade.stats() == {"state": "ws", "epoch": 0, "reason": "", "peer": None}
        await rig.go_up()
        await rig.switch("ws", "stalled")
        stats = rig.upgrade.stats()
        assert (stats["state"], stats["epoch"], stats["reason"]) == ("hedge", 1, "stalled")
        assert stats["peer"]["transport"] == "webrtc"


# Whatever the order.

STEPS = st.lists(
    st.sampled_from(
        [
            "offer",
            "stale",
            "connect",
            "up",
            "down",
            "pin",
            "break",
            "lose",
            "resume",
            "candidate",
            "wait",
            "long",
            "hear",
        ]
    ),
    max_size=25,
)


@given(STEPS)
@virtual
async def test_in_whatever_order_things_happen_media_flow_and_nothing_is_left(steps):
    async with upgrading() as rig:
        hosts, epoch, told = [rig.host], 0, "ws"
        for step in steps:
            if rig.upgrade.ended.is_set():
                break
            socket = rig.state is not Path.ORPHAN
            peer = rig.peers.made[-1] if rig.peers.made else None
            if step in ("offer", "stale") and socket:
                epoch += step == "offer"
                await rig.offer(epoch)
            elif step == "connect" and peer is not None and not peer.closed:
                peer.connect()
            elif step in ("up", "down", "pin") and socket:
                to = "webrtc" if step == "up" else "ws"
                await rig.switch(to, PINNED if step == "pin" else "")
            elif step == "break" and peer is not None and not peer.closed:
                peer.break_down()
            elif step == "lose" and socket:
                rig.upgrade.lose_socket()
            elif step == "resume" and not socket:
                hosts.append(Host())
                rig.upgrade.resume(hosts[-1])
            elif step == "candidate" and socket:
                await rig.send(Candidate(epoch=epoch, candidate="candidate:1"))
            elif step == "hear" and peer is not None:
                peer.hear()
            elif step in ("wait", "long"):
                await asyncio.sleep(1.0 if step == "wait" else 20.0)
            await settled()
            path = rig.upgrade.path
            assert len(rig.peers.open_ones) <= 1
            if path.state in (Path.WEBRTC, Path.HEDGE, Path.ORPHAN):
                assert rig.upgrade.peer is not None
                assert not rig.upgrade.peer.closed
            if path.state is Path.WS:
                assert rig.peers.open_ones == []
            if path.state not in (Path.ORPHAN, Path.ENDED):
                medias = hosts[-1].of(Media)
                told = medias[-1].transport if medias else told
                assert told == path.transport  # the client knows
