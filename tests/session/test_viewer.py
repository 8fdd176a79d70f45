"""One viewer of a session: what it sends is carried out, what it is sent is its own."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.fakes import FakeVoice, Performance, now, packet, settled, virtual
from tests.session.clients import join
from wsstream.errors import BadMessage, TooMany, Unauthorized, Unavailable
from wsstream.media.jpeg import decode_jpeg
from wsstream.protocol.frames import FrameType
from wsstream.protocol.messages import Emotion
from wsstream.transport.websocket import SlowViewer

# Coming in.


@virtual
async def test_a_plain_client_gets_a_welcome_and_a_picture_without_saying_anything():
    async with Performance(title="Ada", fps=30, size="128x64") as perf:
        client = await join(perf)
        welcome, state = client.socket.messages
        assert state == {"type": "state", "value": "idle", "at": 0}
        assert welcome == {
            "type": "welcome",
            "protocol": 1,
            "session": perf.session.id,
            "resume": welcome["resume"],
            "agent": {"name": "ada", "title": "Ada"},
            "video": {"codec": "jpeg", "width": 128, "height": 64, "fps": 30},
            "audio": {"codec": "opus", "rate": 48_000, "channels": 1, "frame_ms": 20},
            "webrtc": {
                "enabled": False,
                "ice_servers": [],
                "policy": "all",
                "mode": "auto",
                "reason": "this server offers no WebRTC",
            },
            "media_ms": 0,
        }
        assert client.socket.pictures == [0]
        assert client.socket.sent.index(client.socket.sent[0]) == 0
        await perf.until(1000)
        assert len(client.socket.pictures) == 31
        assert client.socket.sounds == list(range(0, 1001, 20))


@virtual
async def test_the_welcome_is_the_first_thing_sent():
    async with Performance() as perf:
        await perf.until(500)
        client = await join(perf)
        assert json.loads(client.socket.sent[0])["type"] == "welcome"
        assert client.of("welcome")[0]["media_ms"] == 500


@virtual
async def test_an_agent_without_a_title_goes_by_its_name():
    async with Performance() as perf:
        client = await join(perf)
        assert client.of("welcome")[0]["agent"] == {"name": "ada", "title": "ada"}


@virtual
async def test_with_a_token_nothing_is_sent_before_it_comes():
    async with Performance() as perf:
        client = await join(perf, token="s3cret")
        await perf.until(500)
        assert client.socket.sent == []
        assert perf.session.viewers == {perf.viewer}
        await client.send("hello", protocol=1, token="s3cret")
        assert [m["type"] for m in client.socket.messages] == ["welcome", "state"]
        assert client.socket.pictures == [480]
        await perf.until(1000)
        assert client.socket.sounds == list(range(520, 1001, 20))


@virtual
async def test_without_its_token_a_viewer_is_closed_in_time():
    async with Performance() as perf:
        client = await join(perf, token="s3cret", hello_timeout_s=5.0)
        await asyncio.sleep(4.99)
        assert not client.task.done()
        await asyncio.sleep(0.02)
        with pytest.raises(Unauthorized):
            await client.task
        assert client.socket.sent == []


@virtual
async def test_the_deadline_holds_though_a_timer_fires_early():
    # uvloop rounds a timer to milliseconds, down as well as up.
    async with Performance() as perf:
        began = now()
        perf.session.now = lambda: began + (now() - began) * 0.9999
        client = await join(perf, token="s3cret", hello_timeout_s=5.0)
        await asyncio.sleep(6.0)
        assert client.task.done()


@virtual
async def test_a_wrong_token_closes():
    async with Performance() as perf:
        client = await join(perf, token="s3cret")
        await client.send("hello", protocol=1, token="guess")
        with pytest.raises(Unauthorized, match="wrong"):
            await client.task


@virtual
async def test_hello_brings_another_welcome_and_no_second_place_in_the_session():
    async with Performance() as perf:
        client = await join(perf)
        await client.send("hello", protocol=1, video=["jpeg"], client="test/1")
        first, second = client.of("welcome")
        assert (first["session"], first["resume"]) == (second["session"], second["resume"])
        assert len(perf.session.viewers) == 2
        assert client.viewer.stats()["client"] == "test/1"
        await perf.until(200)
        assert client.socket.pictures == [0, 40, 80, 120, 160, 200]


@virtual
async def test_a_client_without_opus_gets_plain_pcm():
    async with Performance() as perf:
        client = await join(perf)
        await client.send("hello", protocol=1, audio=["pcm"])
        assert client.of("welcome")[1]["audio"] == {
            "codec": "pcm",
            "rate": 24_000,
            "channels": 1,
            "frame_ms": 20,
        }
        await perf.until(200)
        late = [f for f in client.socket.frames if f.timestamp_ms > 0 and f.type != FrameType.VIDEO]
        assert {f.type for f in late} == {FrameType.AUDIO_PCM}
        assert {len(f.payload) for f in late} == {960}
        await client.send("hello", protocol=1, audio=["opus", "pcm"])
        await perf.until(300)
        assert client.socket.frames[-2].type in (FrameType.AUDIO, FrameType.VIDEO)
        assert client.socket.sounds[-1] == 300


# What it sends.


@virtual
async def test_what_it_says_is_spoken_to_everybody():
    async with Performance(voice=FakeVoice()) as perf:
        client, other = await join(perf), await join(perf)
        await client.send("say", text="Hello.", id="a1")
        await perf.until(1000)
        for each in (client, other):
            assert [m["value"] for m in each.of("state")] == ["idle", "speaking", "idle"]
            assert [(m["text"], m["id"]) for m in each.of("transcript")] == [("Hello.", "a1.0")]


@virtual
async def test_who_comes_while_it_speaks_is_told_so():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("x" * 100)
        await perf.until(500)
        client = await join(perf)
        assert [m["type"] for m in client.socket.messages] == ["welcome", "state"]
        assert client.of("state")[0]["value"] == "speaking"


@virtual
async def test_its_interruption_silences_everybody():
    async with Performance(voice=FakeVoice()) as perf:
        client, other = await join(perf), await join(perf)
        await client.send("say", text="x" * 100)
        await perf.until(500)
        await client.send("interrupt")
        await perf.until(1000)
        for each in (client, other):
            assert [m["epoch"] for m in each.of("flush")] == [1]
            assert [m["value"] for m in each.of("state")] == ["idle", "speaking", "idle"]


@virtual
async def test_sound_that_waits_at_its_socket_is_dropped_by_an_interruption():
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf)
        await client.send("say", text="x" * 100)
        await perf.until(500)
        client.socket.block()
        await perf.until(800)
        perf.session.interrupt()
        client.socket.unblock()
        await settled()
        assert client.socket.sounds[-2:] == [500, 520]  # 520 was at the socket already


@virtual
@pytest.mark.parametrize(
    ("voice", "queued_turns", "code", "words"),
    [(None, 16, "no_voice", "no voice"), (FakeVoice(), 1, "too_many", "turns wait")],
)
async def test_what_cannot_be_said_is_told_to_who_asked_and_nobody_else(
    voice, queued_turns, code, words
):
    async with Performance(voice=voice, queued_turns=queued_turns) as perf:
        client = await join(perf)
        for _ in range(2):
            client._incoming.put_nowait('{"type":"say","text":"Hello."}')
        await settled()
        error = client.of("error")[-1]
        assert (error["code"], error["fatal"]) == (code, False)
        assert words in error["message"]
        assert perf.viewer.of(type(error)) == []
        assert not client.task.done()


@virtual
async def test_a_ping_is_answered_with_the_media_clock():
    async with Performance() as perf:
        client = await join(perf)
        await perf.until(700)
        await client.send("ping", t=12.5)
        assert client.of("pong") == [{"type": "pong", "t": 12.5, "media_ms": 700}]


@virtual
async def test_an_ack_makes_room_for_the_next_picture():
    async with Performance() as perf:
        client = await join(perf)
        await client.send("ack", video=0)
        await perf.until(130)
        assert client.socket.pictures == [0, 40, 80]
        await client.send("ack", video=40)
        assert client.socket.pictures == [0, 40, 80, 120]


@virtual
async def test_what_webrtc_would_need_is_refused_in_words():
    async with Performance() as perf:
        client = await join(perf)
        await client.send("offer", epoch=1, sdp="v=0")
        assert [m["code"] for m in client.of("error")] == ["no_webrtc"]


# What it is shown.


@virtual
@pytest.mark.parametrize(
    ("can", "codec", "first"),
    [
        (["jpeg", "patch", "h264"], "h264", FrameType.VIDEO_H264_KEY),
        (["patch", "jpeg"], "patch", FrameType.VIDEO),
        (["jpeg"], "jpeg", FrameType.VIDEO),
        ([], "jpeg", FrameType.VIDEO),
    ],
)
async def test_it_gets_the_best_form_that_it_can_show(can, codec, first):
    async with Performance() as perf:
        client = await join(perf)
        await client.send("hello", protocol=1, video=can)
        assert client.of("welcome")[-1]["video"]["codec"] == codec
        await perf.until(1000)
        assert client.viewer.stats()["feed"]["codec"] == codec
        after = [f.type for f in client.socket.frames if f.timestamp_ms and f.type != 0x02]
        assert after[0] == first
        kinds = {"h264": {0x04, 0x05}, "patch": {0x01, 0x03}, "jpeg": {0x01}}
        assert set(after) <= kinds[codec]


@virtual
async def test_it_gets_no_larger_pictures_than_it_shows():
    async with Performance(size="128x64") as perf:
        client = await join(perf)
        await client.send("view", width=60, height=30)
        await perf.until(200)
        shown = [decode_jpeg(f.payload).shape for f in client.socket.frames if f.type == 0x01]
        assert (shown[0], shown[-1]) == ((64, 128, 3), (32, 64, 3))
        await client.send("view", width=1000, height=500)
        await perf.until(400)
        assert decode_jpeg(client.socket.frames[-1].payload).shape == (64, 128, 3)


@virtual
async def test_hidden_it_gets_sound_alone_and_shown_again_a_picture_at_once():
    async with Performance() as perf:
        client = await join(perf)
        await perf.until(200)
        await client.send("view", width=0, height=0, visible=False)
        before = len(client.socket.pictures)
        await perf.until(1000)
        assert len(client.socket.pictures) == before
        assert client.socket.sounds[-1] == 1000
        await client.send("view", width=64, height=64)
        await perf.until(1080)
        assert client.socket.pictures[-1] > 1000


@virtual
async def test_who_asks_for_a_refresh_gets_a_whole_picture():
    async with Performance() as perf:
        client = await join(perf)
        await client.send("hello", protocol=1, video=["patch"])
        await perf.until(500)
        before = client.socket.pictures
        await client.send("refresh")
        await perf.until(560)
        assert len(client.socket.pictures) == len(before) + 1


# Leaving.


@virtual
@pytest.mark.parametrize("how", ["bye", "disconnect"])
async def test_a_viewer_that_goes_is_gone(how):
    async with Performance() as perf:
        client = await join(perf)
        await (client.send("bye") if how == "bye" else client.disconnect())
        assert client.task.done()
        assert client.task.exception() is None
        assert perf.session.viewers == {perf.viewer}
        sent = len(client.socket.sent)
        await perf.until(200)
        assert len(client.socket.sent) == sent


@virtual
async def test_a_viewer_that_breaks_the_rules_goes_and_the_others_do_not_notice():
    async with Performance() as perf:
        client, other = await join(perf), await join(perf)
        await perf.until(500)
        await client.send_raw("{")
        with pytest.raises(BadMessage):
            await client.task
        assert perf.session.viewers == {perf.viewer, other.viewer}
        await perf.until(1000)
        assert other.socket.sounds == list(range(20, 1001, 20))
        assert other.socket.pictures == list(range(0, 1001, 40))


@virtual
async def test_too_many_messages_close_it():
    async with Performance() as perf:
        client = await join(perf, messages_per_s=5)
        for _ in range(11):
            await client.send("ping", t=1)
        with pytest.raises(TooMany):
            await client.task
        assert len(client.of("pong")) <= 10


@virtual
async def test_a_socket_that_breaks_ends_it():
    async with Performance() as perf:
        client = await join(perf)
        client.socket.error = ConnectionResetError("gone")
        await perf.until(100)
        with pytest.raises(ConnectionResetError):
            await client.task
        assert perf.session.viewers == {perf.viewer}


@virtual
async def test_a_viewer_that_reads_nothing_is_given_up_once_it_reads_again():
    async with Performance(voice=FakeVoice()) as perf:
        client = await join(perf)
        client.socket.block()
        for n in range(300):
            perf.session.post(Emotion(value="joy", at=n))
        client.socket.unblock()
        await perf.until(100)
        with pytest.raises(SlowViewer):
            await client.task


@virtual
async def test_when_the_session_ends_its_viewers_are_told():
    async with Performance() as perf:
        client = await join(perf)
        perf.session.close()
        await settled()
        with pytest.raises(Unavailable, match="the session has ended"):
            await client.task


@virtual
async def test_one_that_comes_after_the_end_is_told():
    async with Performance() as perf:
        perf.session.close()
        await settled()
        client = await join(perf)
        with pytest.raises(Unavailable):
            await client.task


@virtual
async def test_what_was_sent_to_it_stays_counted_after_it_left():
    async with Performance() as perf:
        client = await join(perf)
        await perf.until(500)
        before = perf.session.counters()
        await client.leave()
        after = perf.session.counters()
        assert after == before
        assert after["packets_sent"] >= 26


@virtual
async def test_it_leaves_no_task_behind():
    async with Performance() as perf:
        await settled()
        before = asyncio.all_tasks()
        client = await join(perf)
        await client.leave()
        await settled()
        assert asyncio.all_tasks() == before


@virtual
async def test_a_slow_viewer_gets_fewer_fresh_pictures_and_the_others_all():
    async with Performance() as perf:
        slow, quick = await join(perf), await join(perf)
        await slow.send("ack", video=0)
        for n in range(50):
            await perf.until(40 * n)
            if n % 5 == 0:
                await slow.send("ack", video=40 * n)
        assert quick.socket.pictures == list(range(0, 1961, 40))
        assert 15 < len(slow.socket.pictures) < 30
        assert slow.socket.sounds[1:] == quick.socket.sounds


@virtual
async def test_stats_tell_who_it_is_and_what_it_got():
    async with Performance() as perf:
        client = await join(perf)
        await client.send("ping", t=1)
        stats = client.viewer.stats()
        assert stats["id"] == client.viewer.id
        assert stats["received"] == {"text": 1, "microphone": 0, "skipped": 0}
        assert stats["transport"] == "ws"
        client.viewer.offer_sound(packet(10_000))
        await client.leave()
