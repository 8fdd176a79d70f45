"""The WebSocket transport: what goes first, what is dropped, and what is counted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.fakes import FakeFeed, FakeSocket, now, packet, picture, settled, virtual
from wsstream.clock import MediaClock
from wsstream.protocol import frames
from wsstream.protocol.flow import MAX_UNACKED, AckWindow
from wsstream.protocol.frames import FrameType
from wsstream.protocol.messages import Emotion, State
from wsstream.protocol.squeeze import HOLD_S, WAIT_MS
from wsstream.transport.base import LinkState
from wsstream.transport.websocket import (
    MESSAGES_MAX,
    PICTURE_MAX_AGE_MS,
    QUEUED_MIN_BYTES,
    SOUND_MAX_MS,
    STALLED_S,
    SlowViewer,
    WebSocketTransport,
)


class FakeSound:
    """Each packet is its media time."""

    def __init__(self):
        self.followed = []

    def encode(self, packet):
        return FrameType.AUDIO, b"%d" % packet.media_ms

    def follow(self, levels_left):
        self.followed.append(levels_left)

    def stats(self):
        return {}


class Rig:
    """A transport and everything around it."""

    def __init__(self, clock_ahead_ms=0):
        self.socket = FakeSocket()
        self.feed = FakeFeed()
        self.sound = FakeSound()
        self.window = AckWindow(40)
        self.link = WebSocketTransport(
            self.socket,
            clock=MediaClock(now() - clock_ahead_ms / 1000),
            now=now,
            window=self.window,
            feed=self.feed,
            sound=self.sound,
            gauges=self,
        )
        self.queued = lambda: 0
        self.waits_ms = 0.0

    @property
    def queued_bytes(self):
        return self.queued()

    def wait_ms(self, size):
        return self.waits_ms

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.link.run())
        await settled()
        try:
            yield task
            await settled()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def kinds(self):
        return [
            "message" if isinstance(data, str) else FrameType(frames.decode(data).type).name
            for data in self.socket.sent
        ]


def note(n=0):
    return State(value="speaking", at=n)


# What goes first.


@virtual
async def test_messages_go_before_sound_and_sound_before_pictures():
    rig = Rig()
    rig.link.offer_picture(picture(0, 0))
    rig.link.offer_sound(packet(0))
    rig.link.post(note())
    async with rig.running():
        pass
    assert rig.kinds() == ["message", "AUDIO", "VIDEO"]


@virtual
async def test_a_message_overtakes_the_sound_that_waits():
    rig = Rig()
    rig.socket.block()
    async with rig.running():
        rig.link.offer_sound(packet(0))
        await settled()  # this one is at the socket already
        rig.link.offer_sound(packet(20))
        rig.link.post(note())
        rig.socket.unblock()
    assert rig.kinds() == ["AUDIO", "message", "AUDIO"]


@virtual
async def test_all_messages_go_before_any_sound():
    rig = Rig()
    for n in range(3):
        rig.link.offer_sound(packet(n * 20))
        rig.link.post(note(n))
    async with rig.running():
        pass
    assert rig.kinds() == ["message"] * 3 + ["AUDIO"] * 3


@virtual
async def test_messages_keep_their_order():
    rig = Rig()
    async with rig.running():
        for n in range(20):
            rig.link.post(note(n))
    assert [message["at"] for message in rig.socket.messages] == list(range(20))


@virtual
async def test_sound_that_comes_while_a_picture_is_encoded_goes_before_it():
    rig = Rig()
    rig.feed.seconds = 0.03
    async with rig.running():
        rig.link.offer_picture(picture(0, 0))
        await asyncio.sleep(0.01)
        rig.link.offer_sound(packet(0))
        rig.link.post(note())
        await asyncio.sleep(0.05)
    assert rig.kinds() == ["message", "AUDIO", "VIDEO"]


@virtual
async def test_what_is_offered_goes_out_at_once():
    rig = Rig()
    async with rig.running():
        for media_ms in range(0, 400, 40):
            rig.link.offer_picture(picture(media_ms, media_ms))
            rig.link.offer_sound(packet(media_ms))
            await settled()
            assert rig.socket.pictures[-1] == rig.socket.sounds[-1] == media_ms
            await asyncio.sleep(0.04)


# Pictures.


@virtual
async def test_the_newest_picture_wins_and_the_others_are_never_encoded():
    rig = Rig()
    rig.socket.block()
    async with rig.running():
        rig.link.post(note())
        await settled()
        for n in range(4):
            rig.link.offer_picture(picture(n, n * 40))
        rig.socket.unblock()
    assert rig.socket.pictures == rig.feed.made == [0, 120]  # there was credit for the first
    assert rig.link.counters()["pictures_replaced"] == 2


@virtual
async def test_two_unacked_pictures_close_the_window_and_an_ack_opens_it():
    rig = Rig()
    rig.window.acked(0, now())
    async with rig.running():
        for n in range(1, 6):
            rig.link.offer_picture(picture(n, n * 40))
            await settled()
        assert rig.socket.pictures == [40, 80]
        assert rig.feed.made == [40, 80]  # no credit, no work
        rig.window.acked(40, now())
        rig.link.credit()
        await settled()
        assert rig.socket.pictures == [40, 80, 200]


@virtual
async def test_a_closed_window_stops_neither_sound_nor_messages():
    rig = Rig()
    rig.window.acked(0, now())
    async with rig.running():
        for n in range(1, 4):
            rig.link.offer_picture(picture(n, n * 40))
            await settled()
        rig.link.offer_sound(packet(0))
        rig.link.post(note())
    assert rig.kinds() == ["VIDEO", "VIDEO", "message", "AUDIO"]


@virtual
async def test_a_client_that_never_acks_gets_every_picture():
    rig = Rig()
    async with rig.running():
        for n in range(50):
            rig.link.offer_picture(picture(n, n * 40))
            await asyncio.sleep(0.04)
    assert len(rig.socket.pictures) == 50


@virtual
@pytest.mark.parametrize(("age_ms", "sent"), [(PICTURE_MAX_AGE_MS - 1, 1), (251, 0)])
async def test_a_picture_that_is_too_old_is_not_sent(age_ms, sent):
    rig = Rig(clock_ahead_ms=1000 + age_ms)
    async with rig.running():
        rig.link.offer_picture(picture(0, 1000))
    assert len(rig.socket.pictures) == sent
    assert rig.link.counters()["pictures_stale"] == 1 - sent
    assert rig.feed.told == ["refresh"] * (1 - sent)  # what is not sent, the viewer does not have


@virtual
async def test_a_picture_that_grew_too_old_while_the_socket_was_blocked_is_not_sent():
    rig = Rig()
    async with rig.running():
        rig.feed.seconds = 0.01
        rig.link.offer_picture(picture(0, 0))
        await settled()
        rig.socket.block()
        rig.link.offer_sound(packet(0))
        await asyncio.sleep(1.0)  # encoded long since; sound is before it, and cannot go
        rig.socket.unblock()
        await asyncio.sleep(0.1)
    assert rig.socket.pictures == []
    assert rig.link.counters()["pictures_stale"] == 1


@virtual
async def test_timestamps_of_pictures_strictly_increase():
    rig = Rig()
    async with rig.running():
        for n, media_ms in enumerate([0, 40, 40, 0, 80]):
            rig.link.offer_picture(picture(n, media_ms))
            await settled()
    assert rig.socket.pictures == [0, 40, 80]


@virtual
async def test_timestamps_wrap_on_the_wire_and_go_on():
    rig = Rig(clock_ahead_ms=2**32)
    async with rig.running():
        for n in range(-2, 2):
            rig.link.offer_picture(picture(n, 2**32 + n * 40))
            rig.link.offer_sound(packet(2**32 + n * 40))
            await settled()
    assert rig.socket.pictures == rig.socket.sounds == [2**32 - 80, 2**32 - 40, 0, 40]


@virtual
async def test_after_the_wrap_an_ack_still_tells_the_round_trip_time():
    rig = Rig(clock_ahead_ms=2**32)
    async with rig.running():
        rig.link.offer_picture(picture(0, 2**32 + 40))
        await asyncio.sleep(0.03)
        rig.window.acked(40, now())
    assert rig.link.stats()["rtt_ms"] == pytest.approx(30)


# Sound.


@virtual
async def test_of_sound_that_cannot_go_the_last_400_ms_are_kept():
    rig = Rig()
    rig.socket.block()
    async with rig.running():
        rig.link.offer_sound(packet(0))
        await settled()  # at the socket
        for n in range(1, 51):
            rig.link.offer_sound(packet(n * 20))
        rig.socket.unblock()
    kept = SOUND_MAX_MS // 20
    assert rig.socket.sounds == [0, *range((51 - kept) * 20, 51 * 20, 20)]
    assert rig.link.counters()["packets_dropped"] == 50 - kept


@virtual
async def test_a_flush_forgets_the_sound_that_waits_and_nothing_else():
    rig = Rig()
    rig.socket.block()
    async with rig.running():
        rig.link.post(note(1))
        await settled()
        rig.link.offer_sound(packet(0))
        rig.link.offer_picture(picture(0, 0))
        rig.link.post(note(2))
        rig.link.flush()
        rig.link.offer_sound(packet(20))
        rig.socket.unblock()
    assert [message["at"] for message in rig.socket.messages] == [1, 2]
    assert (rig.socket.sounds, rig.socket.pictures) == ([20], [0])
    assert rig.link.counters()["packets_dropped"] == 0


class Loud:
    def encode(self, packet):
        return FrameType.AUDIO_PCM, b"pcm"


@virtual
async def test_the_form_of_sound_may_change_while_it_runs():
    rig = Rig()
    async with rig.running():
        rig.link.offer_sound(packet(0))
        await settled()
        rig.link.sound = Loud()
        rig.link.offer_sound(packet(20))
    assert rig.kinds() == ["AUDIO", "AUDIO_PCM"]


# When the link fails.


@virtual
async def test_a_viewer_that_reads_no_messages_is_given_up():
    rig = Rig()
    rig.socket.block()
    async with rig.running() as run:
        for n in range(MESSAGES_MAX + 2):
            rig.link.post(note(n))
            await settled()
        rig.socket.unblock()
        await settled()
        with pytest.raises(SlowViewer):
            run.result()


@virtual
async def test_a_viewer_that_never_reads_again_is_given_up():
    rig = Rig()
    rig.socket.block()
    async with rig.running() as run:
        for n in range(MESSAGES_MAX + 2):
            rig.link.post(note(n))
            await settled()
        await asyncio.sleep(10.0)
        assert run.done()


@virtual
async def test_a_viewer_that_takes_nothing_is_given_up_though_there_is_little_to_tell_it():
    rig = Rig()
    rig.socket.block()
    async with rig.running() as run:
        rig.link.post(note())
        await asyncio.sleep(STALLED_S - 1)
        assert not run.done()
        await asyncio.sleep(STALLED_S + 2)
        with pytest.raises(SlowViewer):
            run.result()


@virtual
async def test_a_viewer_that_takes_a_little_now_and_then_is_not():
    rig = Rig()
    async with rig.running() as run:
        for n in range(10):
            rig.socket.block()
            rig.link.post(note(n))
            await asyncio.sleep(STALLED_S * 0.9)
            rig.socket.unblock()
            await settled()
        await asyncio.sleep(3 * STALLED_S)  # nothing to tell it at all
        assert not run.done()
    assert len(rig.socket.messages) == 10


@virtual
async def test_as_many_messages_as_fit_are_no_reason_to_give_up():
    rig = Rig()
    rig.socket.block()
    async with rig.running() as run:
        for n in range(MESSAGES_MAX):
            rig.link.post(note(n))
        rig.socket.unblock()
        await settled()
        await settled()
        assert not run.done()
    assert len(rig.socket.messages) == MESSAGES_MAX


@virtual
async def test_what_the_socket_raises_ends_it():
    rig = Rig()
    rig.socket.error = ConnectionResetError("gone")
    async with rig.running() as run:
        rig.link.post(note())
        await settled()
        with pytest.raises(ConnectionResetError):
            run.result()


@virtual
async def test_with_nothing_to_send_it_waits():
    rig = Rig()
    before = now()
    async with rig.running() as run:
        await asyncio.sleep(1000)  # would take for ever if it asked again and again
        assert not run.done()
    assert now() - before == pytest.approx(1000)
    assert rig.socket.sent == []


# What is counted.


@virtual
async def test_everything_sent_is_counted_in_pieces_and_in_bytes():
    rig = Rig()
    async with rig.running():
        rig.link.post(note())
        rig.link.offer_sound(packet(0))
        rig.link.offer_picture(picture(0, 0))
    text, sound, shown = rig.socket.sent
    assert rig.link.counters() == {
        "messages_sent": 1,
        "packets_sent": 1,
        "pictures_sent": 1,
        "text_bytes": len(text),
        "audio_bytes": len(sound),
        "video_bytes": len(shown),
        "pictures_stale": 0,
        "pictures_replaced": 0,
        "packets_dropped": 0,
        "level_steps": 0,
    }
    assert len(sound) == 12 + 1


@virtual
async def test_the_bytes_of_a_text_are_those_on_the_wire():
    rig = Rig()
    async with rig.running():
        rig.link.post(Emotion(value="世界", at=0))
    [text] = rig.socket.sent
    assert rig.link.counters()["text_bytes"] == len(text.encode())


@virtual
async def test_people_are_told_of_the_window_once_there_is_one():
    rig = Rig()
    stats = rig.link.stats()
    assert (stats["transport"], stats["window"], stats["rtt_ms"]) == ("ws", None, None)
    async with rig.running():
        rig.link.offer_picture(picture(0, 0))
        await asyncio.sleep(0.05)
        rig.window.acked(0, now(), hold_ms=20)
    stats = rig.link.stats()
    assert (stats["window"], stats["unacked_pictures"]) == (3, 0)
    assert stats["rtt_ms"] == stats["min_rtt_ms"] == pytest.approx(30)


# Pictures are pulled from a feed.


@virtual
async def test_a_picture_is_wanted_only_while_there_is_room_for_it():
    rig = Rig()
    rig.window.acked(0, now())
    async with rig.running():
        for n in range(1, 30):
            rig.link.offer_picture(picture(n, n * 40))
            await asyncio.sleep(0.01)
        assert rig.feed.made == rig.socket.pictures == [40, 80]
        assert rig.window.unacked == MAX_UNACKED


@virtual
async def test_while_the_socket_takes_nothing_none_is_made_that_would_grow_old():
    rig = Rig()
    async with rig.running():
        rig.socket.block()
        rig.link.offer_picture(picture(0, 0))
        await settled()  # this one is at the socket
        rig.link.offer_picture(picture(1, 40))
        rig.link.credit()
        await settled()
        assert rig.feed.made == [0]
        rig.link.offer_picture(picture(2, 80))
        rig.socket.unblock()
    assert rig.feed.made == [0, 80]


@virtual
async def test_a_picture_that_is_made_slowly_is_not_asked_for_twice():
    rig = Rig()
    rig.feed.seconds = 0.03
    rig.window.acked(0, now())
    async with rig.running():
        for n in range(1, 30):
            rig.link.offer_picture(picture(n, n * 40))
            rig.link.offer_sound(packet(n * 20))
            await asyncio.sleep(0.02)
        assert len(rig.feed.made) == rig.window.unacked == MAX_UNACKED


@virtual
async def test_one_that_acknowledges_nothing_is_bounded_by_what_waits_in_its_connection():
    rig = Rig()
    rig.feed.payload = bytes(QUEUED_MIN_BYTES * 2)
    size = len(rig.feed.payload) + 12
    rig.queued = lambda: size + 1 if rig.socket.pictures else 0
    async with rig.running():
        rig.link.offer_picture(picture(0, 0))
        await settled()
        rig.link.offer_picture(picture(1, 40))
        rig.link.offer_sound(packet(20))
        await settled()
        assert (rig.socket.pictures, rig.socket.sounds) == ([0], [20])
        rig.queued = lambda: size
        rig.link.offer_sound(packet(40))
        await settled()
        assert rig.socket.pictures == [0, 40]


@virtual
async def test_little_may_always_wait_in_the_connection():
    rig = Rig()
    rig.queued = lambda: QUEUED_MIN_BYTES
    async with rig.running():
        rig.link.offer_picture(picture(0, 0))
    assert rig.socket.pictures == [0]


@virtual
async def test_one_that_acknowledges_is_bounded_by_its_acks_alone():
    rig = Rig()
    rig.window.acked(0, now())
    rig.queued = lambda: 10**9  # bytes on a long way, not waiting
    async with rig.running():
        rig.link.offer_picture(picture(1, 40))
    assert rig.socket.pictures == [40]


def squeezed():
    """One that acknowledges, and whose connection takes little just now."""
    rig = Rig()
    rig.window.acked(0, now())
    rig.waits_ms = WAIT_MS + 1
    return rig


@virtual
async def test_a_moment_in_which_the_connection_takes_little_is_left_to_the_sound():
    rig = squeezed()
    async with rig.running():
        rig.link.offer_picture(picture(1, 40))
        for ms in (40, 60, 80):
            rig.link.offer_sound(packet(ms))
            rig.link.offer_picture(picture(ms, ms))
        await settled()
        assert (rig.socket.pictures, rig.socket.sounds) == ([], [40, 60, 80])
        rig.waits_ms = 0.0
        rig.link.offer_picture(picture(2, 100))
        await settled()
        assert rig.socket.pictures == [40, 100]
    assert rig.link.stats()["squeezes"] == 1


@virtual
async def test_where_it_takes_little_for_longer_pictures_go_out_all_the_same():
    rig = squeezed()
    async with rig.running():
        rig.link.offer_picture(picture(1, 40))
        await asyncio.sleep(HOLD_S)
        rig.link.offer_sound(packet(40))
        await settled()
        assert rig.socket.pictures == [40]


@virtual
async def test_a_stream_is_not_held_back():
    rig = squeezed()
    rig.feed.codec = "h264"
    async with rig.running():
        rig.link.offer_picture(picture(1, 40))
    assert rig.socket.pictures == [40]


@virtual
@pytest.mark.parametrize(("waits_ms", "rate_bps"), [(0.0, 800_000), (1.0, None)])
async def test_what_goes_out_while_it_takes_little_tells_no_rate(waits_ms, rate_bps):
    rig = squeezed()
    rig.waits_ms = waits_ms
    rig.feed.payload = bytes(3000 - frames.HEADER.size)
    async with rig.running():
        # 30 ms after the one before it, which it waited for
        for then_ms, offered_ms, acked_ms in (
            (0, 40, None),
            (20, 80, 40),
            (40, 120, None),
            (60, None, 80),
            (30, None, 120),
        ):
            await asyncio.sleep(then_ms / 1000)
            if acked_ms:
                rig.window.acked(acked_ms, now())
                rig.link.credit()
            if offered_ms:
                rig.link.offer_picture(picture(offered_ms, offered_ms))
    assert rig.socket.pictures == [40, 80, 120]
    assert rig.feed.links[-1].rate_bps == (rate_bps and pytest.approx(rate_bps))


@virtual
async def test_what_is_held_is_not_sent_to_who_sees_nothing():
    rig = squeezed()
    async with rig.running():
        rig.link.offer_picture(picture(1, 40))
        await settled()
        rig.link.show(False)
        rig.waits_ms = 0.0
        rig.link.offer_sound(packet(60))
        await settled()
        assert (rig.socket.pictures, rig.socket.sounds) == ([], [60])


@virtual
async def test_what_is_held_is_not_sent_in_a_form_that_was_left():
    rig = squeezed()
    async with rig.running():
        rig.link.offer_picture(picture(1, 40))
        await settled()
        rig.link.feed = FakeFeed()
        rig.waits_ms = 0.0
        rig.link.offer_picture(picture(2, 80))
        await settled()
        assert rig.socket.pictures == [80]


@virtual
async def test_who_sees_nothing_gets_no_pictures_and_all_of_the_sound():
    rig = Rig()
    async with rig.running():
        rig.link.show(False)
        for n in range(10):
            rig.link.offer_picture(picture(n, n * 40))
            rig.link.offer_sound(packet(n * 20))
            await settled()
        assert (rig.socket.pictures, len(rig.socket.sounds)) == ([], 10)
        rig.link.show(True)
        rig.link.offer_picture(picture(10, 400))
    assert rig.feed.told == ["pause", "refresh"]
    assert rig.socket.pictures == [400]


@virtual
async def test_a_picture_that_is_refused_makes_the_feed_begin_anew():
    rig = Rig()
    async with rig.running():
        for media_ms in (40, 40):
            rig.link.offer_picture(picture(0, media_ms))
            await settled()
    assert (rig.socket.pictures, rig.feed.told) == ([40], ["refresh"])


@virtual
async def test_each_ack_is_judged_once():
    rig = Rig()
    async with rig.running():
        rig.link.offer_picture(picture(0, 0))
        await asyncio.sleep(0.05)
        rig.window.acked(0, now())
        rig.feed.steps_to = 1
        rig.link.credit()
        rig.link.credit()
        assert rig.feed.links == [LinkState(0.0, None)]
        assert rig.sound.followed == [3]
        assert rig.link.counters()["level_steps"] == 1


@virtual
async def test_after_a_time_elsewhere_nothing_from_before_counts():
    rig = Rig()
    rig.window.acked(0, now())
    async with rig.running():
        for n in range(1, 4):
            rig.link.offer_picture(picture(n, n * 40))
            await settled()
        assert rig.window.unacked == 2
        rig.link.resume()
        assert (rig.window.unacked, rig.feed.told) == (0, ["refresh"])
        rig.link.offer_picture(picture(5, 200))
    assert rig.socket.pictures[-1] == 200


@virtual
async def test_another_feed_takes_over_and_the_old_one_is_closed_and_stays_counted():
    rig = Rig()
    old, new = rig.feed, FakeFeed("patch")
    old.replaced = 3
    async with rig.running():
        rig.link.feed = new
        assert old.told == ["close"]
        rig.link.offer_picture(picture(0, 0))
    assert (old.made, new.made, rig.socket.pictures) == ([], [0], [0])
    assert rig.link.counters()["pictures_replaced"] == 3
    rig.link.close()
    rig.link.close()
    assert rig.link.counters()["pictures_replaced"] == 3
