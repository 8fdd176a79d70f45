"""A viewer on WebRTC: what goes where, the data channel, and coming back after a lost socket."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.fake_peers import FakePeers
from tests.fakes import FakeVoice, Performance, now, settled, virtual
from tests.session.clients import join
from wsstream.errors import Superseded, TooMany, Unavailable
from wsstream.media.jpeg import decode_jpeg
from wsstream.protocol.messages import Error, Flush, Pong, State, Transcript, Welcome
from wsstream.protocol.states import PINNED


async def go_up(client, peers, epoch=1):
    """All the way to WebRTC; its peer."""
    await client.send("offer", epoch=epoch, sdp="offer")
    peers.made[-1].connect()
    await client.send("switched", epoch=epoch, to="webrtc")
    assert client.viewer.stats()["transport"] == "webrtc"
    return peers.made[-1]


async def stay(perf, peer, media_ms):
    """Until then the receiver reports as it does."""
    for ms in range(round(perf.session.clock.media_ms(now())) + 1000, media_ms, 1000):
        peer.hear()
        await perf.until(ms)
    peer.hear()
    await perf.until(media_ms)


def token(client):
    return client.of("welcome")[-1]["resume"]


# Offered.


@virtual
async def test_the_welcome_tells_how_to_connect():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        [user] = peers.users
        assert client.of("welcome")[0]["webrtc"] == {
            "enabled": True,
            "ice_servers": [
                {"urls": ["turn:turn.example.com"], "username": user, "credential": "c"}
            ],
            "policy": "all",
            "mode": "auto",
            "reason": "",
        }
        assert user != perf.session.id  # which lets others in, and travels in clear


@virtual
async def test_an_agent_that_stays_on_the_socket_offers_nothing():
    async with Performance(mode="ws") as perf:
        client = await join(perf, FakePeers())
        webrtc = client.of("welcome")[0]["webrtc"]
        assert (webrtc["enabled"], webrtc["mode"], webrtc["ice_servers"]) == (False, "ws", [])
        assert webrtc["reason"] == "this agent stays on the WebSocket"
        await client.send("offer", epoch=1, sdp="offer")
        assert client.of("error")[0]["code"] == "no_webrtc"


# What goes where.


@virtual
async def test_a_peer_knows_from_the_start_how_the_viewer_sees_it():
    peers = FakePeers()
    async with Performance(size="128x64") as perf:
        client = await join(perf, peers)
        await client.send("view", width=60, height=30)
        await client.send("offer", epoch=1, sdp="offer")
        assert peers.made[0].shown == [(True, 0.5)]
        await client.send("view", width=0, height=0, visible=False)
        assert peers.made[0].shown[1:] == [(False, 0.5)]
        await client.send("offer", epoch=2, sdp="offer")
        assert peers.made[1].shown == [(False, 0.5)]


@virtual
async def test_while_a_peer_is_tried_the_socket_misses_nothing():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        await perf.until(500)
        await client.send("offer", epoch=1, sdp="offer")
        await perf.until(1000)
        peers.made[0].connect()
        await perf.until(2000)
        assert client.socket.sounds == list(range(0, 2001, 20))
        assert client.socket.pictures == list(range(0, 2001, 40))
        assert peers.made[0].packets == list(range(1020, 2001, 20))


@virtual
async def test_on_webrtc_the_socket_carries_no_media_and_the_peer_all():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        await perf.until(1000)
        peer = await go_up(client, peers)
        await stay(perf, peer, 3000)
        assert client.socket.sounds[-1] == client.socket.pictures[-1] == 1000
        assert peer.packets == list(range(1020, 3001, 20))
        assert peer.pictures == list(range(1040, 3001, 40))
        await client.send("ping", t=1)
        assert client.of("pong")[-1]["t"] == 1


@virtual
async def test_back_on_the_socket_there_is_a_picture_at_once_and_no_gap_in_the_sound():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await stay(perf, peer, 2030)
        await client.send("switched", epoch=1, to="ws", reason="stalled")
        assert client.socket.pictures[-1] == 2000  # the newest there is
        await perf.until(3000)
        assert [ms for ms in client.socket.sounds if ms > 2000] == list(range(2040, 3001, 20))
        assert peer.packets[-1] == 3000  # both, for the while


@virtual
async def test_what_was_not_acknowledged_before_the_switch_does_not_hold_pictures_back_after_it():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        await client.send("ack", video=0)
        await perf.until(210)
        assert client.socket.pictures == [0, 40, 80]  # the window is shut
        await go_up(client, peers)
        await perf.until(1000)
        await client.send("switched", epoch=1, to="ws", reason="stalled")
        assert client.socket.pictures == [0, 40, 80, 1000]


@virtual
@pytest.mark.parametrize("how", ["offer fails", "hedge ends"])
async def test_a_window_that_is_in_use_stays_as_it_is(how):
    # A slow viewer must not get credit for nothing each time that an attempt fails.
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        if how == "hedge ends":
            peer = await go_up(client, peers)
            await client.send("switched", epoch=1, to="ws", reason="stalled")
        else:
            await client.send("offer", epoch=1, sdp="offer")
            peer = peers.made[0]
        await client.send("ack", video=0)
        await perf.until(210)
        shut = list(client.socket.pictures)
        peer.break_down()
        await perf.until(1000)
        assert client.viewer.stats()["transport"] == "ws"
        assert client.socket.pictures == shut


@virtual
async def test_after_a_pin_the_socket_goes_on_when_the_peer_is_closed():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await perf.until(1000)
        await client.send("switched", epoch=1, to="ws", reason=PINNED)
        peer.break_down()
        await perf.until(3000)
        assert [ms for ms in client.socket.sounds if ms > 1000] == list(range(1020, 3001, 20))
        assert [m["transport"] for m in client.of("media")] == ["webrtc", "ws", "ws"]


@virtual
async def test_an_interruption_empties_both_ways():
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        perf.session.interrupt()
        await settled()
        assert peer.flushes == 1


@virtual
async def test_captions_states_and_flushes_go_both_ways_and_answers_where_they_were_asked():
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.send("say", text="Hello.", id="a1")
        await perf.until(500)
        await client.send("interrupt")
        await client.send("ping", t=1)
        kinds = {type(message) for message in peer.posted}
        assert kinds == {State, Transcript, Flush}
        for kind in ("state", "transcript", "flush"):
            assert client.of(kind)
        assert client.of("pong")
        [told] = [m for m in peer.posted if isinstance(m, Transcript)]
        assert told.id == client.of("transcript")[0]["id"]


@virtual
async def test_a_picture_and_a_packet_more_are_counted_where_they_went():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        await perf.until(500)
        peer = await go_up(client, peers)
        await stay(perf, peer, 1000)
        counts = client.viewer.counters()
        assert (counts["packets_sent"], counts["rtc_packets"]) == (26, 25)
        assert (counts["switches_up"], counts["peers_connected"]) == (1, 1)
        before = perf.session.counters()
        await client.leave()
        assert perf.session.counters() == before


# The data channel.


@virtual
async def test_on_the_data_channel_a_viewer_may_talk():
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        peer.say('{"type":"say","text":"Hello.","id":"a1"}')
        await perf.until(100)
        assert client.of("transcript")[0]["id"] == "a1.0"
        peer.say('{"type":"interrupt"}')
        await perf.until(200)
        assert client.of("flush")


@virtual
async def test_when_pictures_came_is_told_to_the_peer_that_sent_them():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        peer.say('{"type":"arrived","pictures":[[40,1.5],[80,41.25]]}')
        assert peer.arrivals == [(40, 1.5), (80, 41.25)]


@virtual
async def test_a_ping_on_the_data_channel_is_answered_there():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        peer.say('{"type":"ping","t":12.5}')
        assert [m.t for m in peer.posted if isinstance(m, Pong)] == [12.5]
        await settled()
        assert client.of("pong") == []


@virtual
async def test_what_is_refused_on_the_data_channel_is_refused_there():
    peers = FakePeers()
    async with Performance() as perf:  # which has no voice
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        peer.say('{"type":"say","text":"Hello."}')
        peer.say('{"type":"say","text":""}')
        told = [m.code for m in peer.posted if isinstance(m, Error)]
        assert told == ["no_voice", "bad_message"]


@virtual
@pytest.mark.parametrize(
    "text",
    [
        '{"type":"hello","protocol":1,"resume":"x"}',
        '{"type":"offer","epoch":2,"sdp":"x"}',
        '{"type":"candidate","epoch":1,"candidate":"candidate:1"}',
        '{"type":"switched","epoch":1,"to":"ws"}',
        '{"type":"bye"}',
        '{"type":"hologram"}',
    ],
)
async def test_what_belongs_on_the_socket_is_not_taken_from_the_data_channel(text):
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        sent = len(client.socket.messages)
        peer.say(text)
        await settled()
        assert client.viewer.stats()["transport"] == "webrtc"
        assert len(client.socket.messages) == sent
        assert (peer.candidates, peer.posted) == ([], [])
        assert not client.task.done()


@virtual
async def test_who_breaks_the_rules_on_the_data_channel_is_closed():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers, messages_per_s=5)
        peer = await go_up(client, peers)
        for _ in range(20):
            peer.say('{"type":"ping","t":1}')
        with pytest.raises(TooMany):
            await client.task
        assert peer.closed


# A lost socket.


@virtual
@pytest.mark.parametrize("how", ["end", "error"])
async def test_a_lost_socket_leaves_a_working_peer_for_fifteen_seconds(how):
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        if how == "error":
            client.socket.error = ConnectionResetError("gone")
            await client.send("ping", t=1)
        else:
            await client.disconnect()
        await stay(perf, peer, 14_000)
        assert peer.packets[-1] == 14_000
        assert client.viewer in perf.session.viewers
        assert not client.task.done()
        await stay(perf, peer, 15_500)
        assert client.task.done()
        assert peer.closed
        assert perf.session.viewers == {perf.viewer}
        assert isinstance(client.task.exception(), ConnectionResetError | None)


@virtual
async def test_who_says_bye_is_not_waited_for():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.send("bye")
        await settled()
        assert client.task.done()
        assert peer.closed


@virtual
async def test_without_a_socket_captions_and_answers_go_over_the_data_channel():
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.disconnect()
        peer.say('{"type":"say","text":"Hello."}')
        peer.say('{"type":"ping","t":1}')
        await stay(perf, peer, 500)
        kinds = [type(message) for message in peer.posted]
        assert {Transcript, Pong, State} <= set(kinds)
        assert kinds.count(Transcript) == 1


@virtual
async def test_an_orphan_whose_peer_breaks_is_gone():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.disconnect()
        peer.break_down()
        await settled()
        assert client.task.done()
        assert perf.session.viewers == {perf.viewer}


@virtual
async def test_an_orphan_goes_with_its_session():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.disconnect()
        perf.session.close()
        await settled()
        assert client.task.done()
        assert peer.closed


# Coming back.


async def come_back(perf, peers, resume, **fields):
    """On a new socket, as our client does."""
    client = await join(perf, peers)
    await client.send("hello", protocol=1, webrtc=True, resume=resume, **fields)
    return client


@virtual
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "half open"])
async def test_with_its_token_a_viewer_goes_on_where_it_was(lost):
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        if lost:
            await client.disconnect()
        await stay(perf, peer, 5000)
        again = await come_back(perf, peers, token(client))
        assert again.of("welcome")[-1]["resume"] == token(client)
        assert again.of("welcome")[-1]["session"] == perf.session.id
        [media] = again.of("media")
        assert (media["transport"], media["epoch"]) == ("webrtc", 1)
        if lost:
            assert client.task.done()
        else:
            with pytest.raises(Superseded):
                await client.task
        assert perf.session.viewers == {perf.viewer, again.viewer}
        assert again.viewer.id == client.viewer.id

        await stay(perf, peer, 25_000)  # no deadline any more
        assert not peer.closed
        assert [one for one in peers.made if not one.closed] == [peer]
        # Each packet once, from the first to the last.
        assert peer.packets == list(range(20, 25_001, 20))
        assert again.socket.sounds == []  # what it heard of the new one went over WebRTC
        await again.send("switched", epoch=1, to="ws", reason="stalled")
        await perf.until(26_000)
        assert again.socket.sounds[-1] == 26_000
        await again.send("switched", epoch=1, to="webrtc")
        await again.disconnect()
        third = await come_back(perf, peers, token(client))
        assert third.of("media")[-1]["transport"] == "webrtc"
        assert peer.owner.host is third.viewer


@virtual
async def test_after_coming_back_the_data_channel_talks_to_the_new_socket():
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.disconnect()
        again = await come_back(perf, peers, token(client))
        peer.say('{"type":"say","text":"Hello.","id":"b1"}')
        await perf.until(500)
        assert [m["id"] for m in again.of("transcript")] == ["b1.0"]
        assert [m.id for m in peer.posted if isinstance(m, Transcript)] == ["b1.0"]


@virtual
async def test_conversation_and_epoch_go_on_after_coming_back():
    peers = FakePeers()
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.send("say", text="x" * 100)
        await client.disconnect()
        await perf.until(500)
        again = await come_back(perf, peers, token(client))
        await again.send("interrupt")
        assert again.of("flush")[-1]["epoch"] == 1
        await again.send("offer", epoch=1, sdp="offer")
        assert again.of("error")[-1]["code"] == "stale_epoch"
        peer.break_down()
        await settled()
        await go_up(again, peers, epoch=2)


@virtual
@pytest.mark.parametrize("state", ["ws", "probing"])
async def test_a_viewer_on_its_socket_is_superseded_and_the_new_one_begins_anew(state):
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        if state == "probing":
            await client.send("offer", epoch=1, sdp="offer")
        again = await come_back(perf, peers, token(client))
        with pytest.raises(Superseded):
            await client.task
        assert token(again) == token(client)
        assert peers.open_ones == []
        await go_up(again, peers, epoch=1)


@virtual
async def test_a_wrong_token_takes_nobodys_place():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        await go_up(client, peers)
        for guess in ("", "guess", token(client) + "x", "世界"):
            again = await come_back(perf, peers, guess)
            assert token(again) != token(client)
            assert again.of("media") == []
            assert again.of("error") == []
        assert not client.task.done()


@virtual
async def test_a_token_said_again_on_the_same_socket_changes_nothing():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.send("hello", protocol=1, resume=token(client))
        assert not client.task.done()
        assert not peer.closed
        assert client.viewer.stats()["transport"] == "webrtc"


@virtual
async def test_who_comes_back_is_shown_no_larger_pictures_than_before():
    peers = FakePeers()
    async with Performance(size="128x64") as perf:
        client = await join(perf, peers)
        await client.send("view", width=60, height=30)
        peer = await go_up(client, peers)
        await client.disconnect()
        again = await come_back(perf, peers, token(client))
        peer.break_down()
        await stay(perf, peer, 2000)
        assert decode_jpeg(again.socket.frames[-1].payload).shape == (32, 64, 3)


@virtual
async def test_a_token_is_no_good_once_its_viewer_is_gone():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.disconnect()
        await stay(perf, peer, 16_000)
        again = await come_back(perf, peers, token(client))
        assert token(again) != token(client)
        assert again.viewer.stats()["transport"] == "ws"


@virtual
async def test_two_that_come_with_the_same_token_follow_one_another():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await client.disconnect()
        two = [await join(perf, peers) for _ in range(2)]
        for one in two:
            one._incoming.put_nowait(
                json.dumps({"type": "hello", "protocol": 1, "resume": token(client)})
            )
        await settled()
        with pytest.raises(Superseded):
            await two[0].task
        assert two[1].viewer.stats()["transport"] == "webrtc"
        assert peer.owner.host is two[1].viewer
        assert len(perf.session.viewers) == 2


@virtual
async def test_nothing_is_counted_twice_or_lost_by_a_change_of_sockets():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        await stay(perf, peer, 2000)
        before = perf.session.counters()
        await client.disconnect()
        again = await come_back(perf, peers, token(client))
        after = perf.session.counters()
        for name in ("rtc_packets", "rtc_pictures", "switches_up", "peers_connected"):
            assert before[name] > 0
            assert after[name] - before[name] <= (name == "rtc_pictures")  # it is shown the newest
        assert isinstance(again.viewer.stats()["upgrade"]["peer"], dict)


@virtual
async def test_it_all_leaves_no_task_behind():
    peers = FakePeers()
    async with Performance() as perf:
        await settled()
        before = asyncio.all_tasks()
        client = await join(perf, peers)
        await go_up(client, peers)
        await client.disconnect()
        again = await come_back(perf, peers, token(client))
        await again.leave()
        await settled()
        assert asyncio.all_tasks() == before
        assert peers.open_ones == []


@virtual
async def test_when_the_session_ends_a_viewer_on_webrtc_is_told_too():
    peers = FakePeers()
    async with Performance() as perf:
        client = await join(perf, peers)
        peer = await go_up(client, peers)
        perf.session.close()
        await settled()
        with pytest.raises(Unavailable):
            await client.task
        assert peer.closed
        assert not [m for m in peer.posted if isinstance(m, Welcome)]
