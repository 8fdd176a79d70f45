"""One live performance: what is released when, and what viewers are told."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from tests.fakes import (
    IDLE_SHADE,
    FakeAvatar,
    FakeViewer,
    FakeVoice,
    InlineExecutor,
    Performance,
    SlowExecutor,
    now,
    settled,
    shade,
    suspend,
    virtual,
)
from wsstream.avatar.base import AvatarFrame
from wsstream.errors import AvatarError, MediaError, TooMany, VoiceError
from wsstream.media.opus import OpusDecoder
from wsstream.media.types import AudioPacket, Picture, Rect
from wsstream.protocol.messages import Error, Flush, State, Transcript
from wsstream.session.session import SLIP_MS
from wsstream.voice.base import SpeechChunk


def states(viewer):
    return [message.value for message in viewer.of(State)]


def real_gaps_ms(viewer, kind):
    times = viewer.times_of(kind)
    return [(b - a) * 1000 for a, b in pairwise(times)]


# Silence.


@virtual
async def test_a_picture_is_there_as_soon_as_somebody_joins():
    async with Performance() as perf:
        assert perf.shades() == [(0, IDLE_SHADE)]


@virtual
async def test_somebody_who_joins_later_gets_the_newest_picture_at_once():
    async with Performance() as perf:
        await perf.until(1010)
        late = FakeViewer()
        perf.session.join(late)
        assert [p.media_ms for p in late.pictures] == [1000]
        await perf.until(1050)
        assert [p.media_ms for p in late.pictures] == [1000, 1040]
        assert [p.media_ms for p in late.packets] == [1020, 1040]


@pytest.mark.parametrize("fps", [15, 20, 25, 30])
@virtual
async def test_sound_and_pictures_come_at_their_rates_and_at_their_time(fps):
    async with Performance(fps=fps) as perf:
        began = now()
        await perf.until(2000)
    viewer = perf.viewer
    assert [p.media_ms for p in viewer.packets] == list(range(0, 2001, 20))
    assert len(viewer.pictures) == 2 * fps + 1
    for at, event in viewer.events:
        assert (at - began) * 1000 == pytest.approx(event.media_ms, abs=0.001)


@pytest.mark.parametrize("fps", [15, 20, 25, 30])
@virtual
async def test_media_time_strictly_increases(fps):
    async with Performance(fps=fps) as perf:
        await perf.until(1000)
    for released in (perf.viewer.packets, perf.viewer.pictures):
        assert all(a.media_ms < b.media_ms for a, b in pairwise(released))
    assert [p.seq for p in perf.viewer.pictures] == list(range(fps + 1))


@virtual
async def test_what_sessions_release_each_20_ms_they_release_together():
    async with Performance() as one:
        await asyncio.sleep(0.1)
        suspend(0.3333)  # its clock stands still
        await asyncio.sleep(0.1)
        async with Performance() as other:
            await other.until(400)
    ticks = [perf.viewer.times_of(AudioPacket)[-10:] for perf in (one, other)]
    assert ticks[0] == pytest.approx(ticks[1], abs=1e-6)


@virtual
async def test_silence_is_sent_as_opus_all_the_same():
    async with Performance() as perf:
        await perf.until(200)
    decoder, taker = OpusDecoder(), perf.session.sound.subscribe()
    for packet in perf.viewer.packets:
        assert not packet.pcm.any()
        assert not packet.speaking
        assert np.abs(decoder.decode(taker.take(packet))).max() < 10


@virtual
async def test_an_engine_with_sound_of_its_own_is_heard_in_silence_and_not_in_speech():
    class Humming(FakeAvatar):
        def get_idle_audio(self, media_ms):
            return np.full(960, 7, np.int16)

    async with Performance(avatar=Humming(), voice=FakeVoice()) as perf:
        await perf.until(100)
        perf.session.say("Hello.")
        await perf.until(600)
    assert {int(p.pcm[0]) for p in perf.viewer.packets if not p.speaking} == {7}
    assert {int(p.pcm[0]) for p in perf.viewer.packets if p.speaking} == {1000}


@virtual
async def test_an_engine_whose_own_sound_fails_is_silent():
    class Coughing(FakeAvatar):
        def get_idle_audio(self, media_ms):
            raise RuntimeError("cough")

    async with Performance(avatar=Coughing()) as perf:
        await perf.until(200)
        assert not perf.session.closed.is_set()
        assert len(perf.viewer.packets) == 11


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(480, np.int16),
        np.zeros(960, np.float32),
        np.zeros((960, 2), np.int16),
        b"\0" * 1920,
    ],
    ids=["short", "float", "stereo", "bytes"],
)
@virtual
async def test_an_engine_whose_own_sound_is_of_another_form_is_silent_and_counted(sound):
    class Odd(FakeAvatar):
        def get_idle_audio(self, media_ms):
            return sound

    async with Performance(avatar=Odd()) as perf:
        await perf.until(200)
        assert not perf.session.closed.is_set()
        assert {p.pcm.shape for p in perf.viewer.packets} == {(960,)}
        assert perf.session.counters()["avatar_failures"] == 11


# Speaking.


@virtual
async def test_what_is_said_is_told_heard_and_shown():
    async with Performance(voice=FakeVoice()) as perf:
        await perf.until(100)
        turn = perf.session.say("First one. Second one.")
        await perf.until(1500)
    speaking, first, second, idle = perf.viewer.messages
    started_ms = perf.viewer.said()[0]
    assert speaking == State(value="speaking", at=started_ms)
    assert first == Transcript(
        role="agent", text="First one.", final=True, at=started_ms, id=f"{turn}.0"
    )
    assert second == Transcript(
        role="agent", text="Second one.", final=True, at=started_ms + 200, id=f"{turn}.1"
    )
    assert idle == State(value="idle", at=started_ms + 420)
    assert perf.viewer.said() == list(range(started_ms, started_ms + 420, 20))
    assert started_ms - 100 <= 100


@pytest.mark.parametrize("fps", [15, 20, 25, 30])
@virtual
async def test_pictures_are_shown_with_their_sound(fps):
    async with Performance(voice=FakeVoice(), fps=fps) as perf:
        await perf.until(200)
        perf.session.say("x" * 50)  # a second
        await perf.until(2000)
    started_ms = perf.viewer.said()[0]
    speaking = [p for p in perf.viewer.pictures if p.speaking]
    assert len(speaking) == pytest.approx(fps, abs=1)
    for shown in speaking:
        place_ms = (int(shown.pixels[0, 0, 0]) - 100) * 1000 / fps
        assert 0 <= shown.media_ms - started_ms - place_ms < 1000 / fps + 1
    spoken_ms = [p.media_ms for p in speaking]
    assert started_ms <= spoken_ms[0] < started_ms + 1000 / fps
    assert spoken_ms[-1] < started_ms + 1000
    shades = [s for ms, s in perf.shades() if not started_ms <= ms < started_ms + 1000]
    assert set(shades) == {IDLE_SHADE}


@virtual
async def test_between_two_turns_it_stays_speaking():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("One.")
        perf.session.say("Two.")
        await perf.until(1000)
    assert states(perf.viewer) == ["speaking", "idle"]
    assert len(perf.told(Transcript)) == 2


@virtual
async def test_each_turn_after_a_pause_is_told():
    async with Performance(voice=FakeVoice()) as perf:
        for n in range(3):
            perf.session.say("Hello.")
            await perf.until((n + 1) * 500)
    assert states(perf.viewer) == ["speaking", "idle"] * 3


@virtual
async def test_ready_made_sound_is_played_at_any_rate():
    async with Performance() as perf:
        perf.session.play(np.full(8000, 500, np.int16), 16_000)
        await perf.until(1000)
    assert len(perf.viewer.said()) == pytest.approx(25, abs=1)
    assert np.abs(perf.viewer.packets[20].pcm.astype(int) - 500).max() < 20


@virtual
async def test_ready_made_sound_may_be_bytes():
    async with Performance() as perf:
        perf.session.play(np.full(9600, 500, "<i2").tobytes())
        await perf.until(1000)
    assert len(perf.viewer.said()) == 10


@virtual
async def test_ready_made_sound_may_be_empty():
    async with Performance() as perf:
        perf.session.play(b"")
        await perf.until(300)
    assert perf.viewer.said() == []
    assert states(perf.viewer) == []


@virtual
async def test_ready_made_sound_may_be_in_any_buffer_and_is_copied():
    pcm = np.full(9600, 500, "<i2")
    stereo = np.full((9600, 2), 500, np.int16)
    for sound in (bytearray(pcm.tobytes()), memoryview(pcm.tobytes()), pcm.data, stereo[:, 0]):
        async with Performance() as perf:
            perf.session.play(sound)
            if isinstance(sound, bytearray):
                sound[:] = bytes(len(sound))  # used again for what comes next
            await perf.until(600)
        assert len(perf.viewer.said()) == 10
        assert perf.viewer.packets[10].pcm[0] == 500


class Numbers:
    """Iterates, but not as sound comes."""

    def __iter__(self):
        return iter([1, 2, 3])


@pytest.mark.parametrize(
    ("sound", "rate_hz", "words"),
    [
        ([1, 2, 3], 48_000, "got list"),
        (Numbers(), 48_000, "got Numbers"),
        ("Hello.", 48_000, "got str"),
        (None, 48_000, "got NoneType"),
        (b"abc", 48_000, "got 3 bytes"),
        (np.zeros(480, np.float32), 48_000, r"got float32 of shape \(480,\)"),
        (np.zeros(480, np.float32).data, 48_000, "got a memoryview of 'f'"),
        (np.zeros((480, 2), np.int16), 48_000, r"got int16 of shape \(480, 2\)"),
        (np.zeros(480, np.int16), 0, "a sample rate of 0 Hz"),
        (np.zeros(480, np.int16), -48_000, "a sample rate of -48000 Hz"),
    ],
)
def test_what_is_no_sound_is_refused_at_once(sound, rate_hz, words):
    @virtual
    async def test():
        async with Performance() as perf:
            with pytest.raises(MediaError, match=words):
                perf.session.play(sound, rate_hz)

    test()


@virtual
async def test_chunks_of_an_iterator_that_cannot_be_closed_are_played(caplog):
    class Plain:
        left = 3

        def __aiter__(self):
            return self

        async def __anext__(self):
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return SpeechChunk(bytes(9600), 48_000)

    async with Performance() as perf:
        perf.session.play(Plain())
        await perf.until(1000)
    assert len(perf.viewer.said()) == 15
    assert caplog.text == ""


@virtual
async def test_chunks_are_played_as_they_come():
    async def live():
        for _ in range(10):
            yield SpeechChunk(bytes(4800 * 2), 48_000)
            await asyncio.sleep(0.1)

    async with Performance() as perf:
        perf.session.play(live())
        await perf.until(2000)
    assert len(perf.viewer.said()) == 50
    assert perf.viewer.said()[0] < 200  # while the rest was still being made


@virtual
async def test_without_a_voice_to_say_something_is_refused():
    async with Performance() as perf:
        with pytest.raises(VoiceError, match="no voice"):
            perf.session.say("Hello.")


@virtual
async def test_too_many_turns_are_refused():
    async with Performance(voice=FakeVoice(), queued_turns=1) as perf:
        perf.session.say("One.")
        with pytest.raises(TooMany):
            perf.session.say("Two.")


# Interruptions.


@virtual
async def test_an_interruption_is_heard_and_seen_at_once():
    async with Performance(voice=FakeVoice()) as perf:
        await perf.until(100)
        perf.session.say("x" * 100)
        await perf.until(1010)
        started_ms = perf.viewer.said()[0]
        assert perf.session.interrupt() == 1
        await perf.until(2000)
    flush, idle = perf.viewer.messages[-2:]
    assert flush == Flush(epoch=1, at=started_ms, until=1040)
    assert idle.value == "idle"
    assert states(perf.viewer) == ["speaking", "idle"]
    assert perf.viewer.said()[-1] == 1020  # the fade
    fade = next(p for p in perf.viewer.packets if p.media_ms == 1020).pcm
    assert not fade[480:].any()
    assert max(ms for ms, s in perf.shades() if s != IDLE_SHADE) <= 1040
    assert perf.told(Transcript)[-1].at == started_ms


@virtual
async def test_the_last_sound_is_at_hand_for_who_comes_unless_it_was_interrupted():
    async with Performance(voice=FakeVoice()) as perf:
        await perf.until(510)
        assert [p.media_ms for p in perf.session.recent_sound] == [440, 460, 480, 500]
        perf.session.interrupt()
        assert not perf.session.recent_sound


@virtual
async def test_viewers_drop_the_sound_that_waits_before_they_are_told():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("x" * 100)
        await perf.until(510)
        perf.session.interrupt()
        events = [event for _, event in perf.viewer.events]
        assert events.index("flush") < events.index(perf.told(Flush)[0])


@virtual
async def test_an_interruption_in_silence_is_told_too_and_does_no_harm():
    async with Performance(voice=FakeVoice()) as perf:
        await perf.until(110)
        perf.session.interrupt()
        await perf.until(300)
        assert perf.told(Flush) == [Flush(epoch=1, at=100, until=140)]
        assert states(perf.viewer) == []
        perf.session.say("Hello.")
        await perf.until(1000)
    assert states(perf.viewer) == ["speaking", "idle"]


@virtual
async def test_each_interruption_has_the_next_epoch():
    async with Performance(voice=FakeVoice()) as perf:
        for n in range(3):
            perf.session.say("x" * 50)
            await perf.until((n + 1) * 300)
            perf.session.interrupt()
        await perf.until(2000)
    assert [flush.epoch for flush in perf.told(Flush)] == [1, 2, 3]
    assert states(perf.viewer) == ["speaking", "idle"] * 3
    assert perf.avatar.epochs == [1, 2, 3]


@virtual
async def test_interruptions_between_which_nothing_was_sent_are_told_once():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("x" * 50)
        await perf.until(310)
        assert [perf.session.interrupt() for _ in range(300)] == list(range(1, 301))
        assert perf.told(Flush) == [Flush(epoch=1, at=perf.viewer.said()[0], until=340)]
        await perf.until(330)
        perf.session.interrupt()
    assert [flush.epoch for flush in perf.told(Flush)] == [1, 301]
    assert perf.session.counters()["interruptions"] == 301


@virtual
async def test_a_picture_being_drawn_when_it_is_interrupted_is_not_shown():
    drawing = SlowExecutor(0.01)
    async with Performance(voice=FakeVoice(), drawing=drawing) as perf:
        perf.session.say("x" * 100)
        await perf.until(1005)  # the picture of 1040 is being drawn
        perf.session.interrupt()
        await perf.until(2000)
    last_ms, last = [(ms, s) for ms, s in perf.shades() if s != IDLE_SHADE][-1]
    assert (last_ms, last) == (1000, 100 + (1000 - perf.viewer.said()[0]) // 40)
    times = [ms for ms, _ in perf.shades()]
    assert times == list(range(0, 1001, 40)) + list(range(1040, 2001, 40))


@virtual
async def test_after_a_picture_that_was_not_shown_nobody_knows_what_is_new():
    class Sparing(FakeAvatar):
        """Says what differs from the picture drawn before."""

        def _frame(self, shade):
            frame = super()._frame(shade)
            return AvatarFrame(draw=lambda ms: (frame.render(ms)[0], Rect(0, 0, 8, 8)))

        def get_idle_frame(self, media_ms=0):
            return AvatarFrame(self.pixels(IDLE_SHADE), dirty=Rect(0, 0, 8, 8))

    async with Performance(avatar=Sparing(), voice=FakeVoice(), drawing=SlowExecutor(0.01)) as perf:
        perf.session.say("x" * 100)
        await perf.until(1005)
        perf.session.interrupt()
        await perf.until(1100)
    [first_idle] = [p for p in perf.viewer.pictures if p.media_ms == 1040]
    assert first_idle.dirty is None


# When engines fail or are late.


@virtual
async def test_a_voice_that_fails_is_told_to_viewers_and_the_session_goes_on():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("This is nonsense.")
        await perf.until(500)
        assert perf.told(Error) == [
            Error(code="speech_failed", message="cannot speak 'This is nonsense.'", fatal=False)
        ]
        assert states(perf.viewer) == []
        perf.session.say("Hello.")
        await perf.until(1000)
    assert states(perf.viewer) == ["speaking", "idle"]
    assert [p.media_ms for p in perf.viewer.packets] == list(range(0, 1001, 20))


@virtual
async def test_a_voice_that_crashes_midway_leaves_the_session_idle():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("This will crash.")
        await perf.until(1000)
    assert states(perf.viewer) == ["speaking", "idle"]
    assert len(perf.viewer.said()) == 5


@pytest.mark.parametrize("broken", ["draw", "idle"])
@virtual
async def test_an_avatar_that_fails_keeps_its_last_picture_and_is_counted(broken):
    async with Performance(voice=FakeVoice()) as perf:
        await perf.until(100)
        perf.avatar.broken.add(broken)
        perf.session.say("x" * 25)
        await perf.until(1000)
        failures = perf.session.counters()["avatar_failures"]
        assert failures > 5
        assert len(perf.viewer.pictures) == 26
        assert len(perf.viewer.said()) == 25
        perf.avatar.broken.clear()
        await perf.until(1200)
        assert perf.shades()[-1][1] == IDLE_SHADE
        assert perf.session.counters()["avatar_failures"] == failures


@virtual
async def test_sound_waits_for_a_late_avatar_at_most_250_ms():
    avatar = FakeAvatar(late=True)

    async def endless():
        while True:
            yield SpeechChunk(bytes(4800 * 2), 48_000)
            await asyncio.sleep(0.1)

    async with Performance(avatar=avatar) as perf:
        await perf.until(100)
        perf.session.play(endless())
        await perf.until(2000)
        # The first block is there at 120; a turn is looked at each 20 ms, and starts 40 later.
        assert 120 + 250 <= perf.viewer.said()[0] <= 120 + 250 + 20 + 40
        assert {shade for _, shade in perf.shades()} == {IDLE_SHADE}
        assert [p.media_ms for p in perf.viewer.packets] == list(range(0, 2001, 20))


@virtual
async def test_an_engine_that_draws_slower_than_the_clock_gives_fewer_pictures_not_later_ones():
    async with Performance(drawing=SlowExecutor(0.1)) as perf:
        began = now()
        await perf.until(3000)
        counters = perf.session.counters()
    shown = zip(perf.viewer.times_of(Picture), perf.viewer.pictures, strict=True)
    late_ms = [(at - began) * 1000 - picture.media_ms for at, picture in shown]
    assert max(late_ms) < 120
    assert counters["pictures_skipped"] > 30
    assert counters["pictures_skipped"] + counters["pictures_released"] == pytest.approx(76, abs=3)


@virtual
async def test_a_picture_that_takes_long_never_holds_up_the_sound():
    drawing = SlowExecutor(0.001)
    async with Performance(voice=FakeVoice(), drawing=drawing) as perf:
        perf.session.say("x" * 100)
        await perf.until(500)
        drawing.seconds = 0.4
        await perf.until(900)
        drawing.seconds = 0.001
        await perf.until(2000)
    gaps = real_gaps_ms(perf.viewer, AudioPacket)
    assert max(gaps) == pytest.approx(20, abs=1)
    assert perf.session.clock.slipped_ms == 0


# When the process itself was held up.


@virtual
async def test_after_a_suspension_the_clock_stood_still_and_nothing_is_rushed_or_lost():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("x" * 100)
        await asyncio.sleep(0.5)
        suspend(10.0)
        resumed = now()
        await asyncio.sleep(2.5)
        assert perf.session.stats()["slipped_ms"] == pytest.approx(10_000, abs=50)
    media_ms = [p.media_ms for p in perf.viewer.packets]
    assert media_ms == list(range(0, media_ms[-1] + 1, 20))
    assert len(perf.viewer.said()) == 100
    after = [at for at in perf.viewer.times_of(AudioPacket) if at >= resumed]
    assert max(b - a for a, b in pairwise(after)) < 0.06
    assert after.count(after[0]) <= 2


@pytest.mark.parametrize("offset_ms", [1, 15, 25, 39, 45, 63, 85])
@pytest.mark.parametrize("fps", [25, 30])
@virtual
async def test_after_a_suspension_pictures_go_on_with_their_sound(fps, offset_ms):
    # Whichever of the two loops wakes first, the other has to follow.
    drawing = SlowExecutor(0.001)
    async with Performance(voice=FakeVoice(), drawing=drawing, fps=fps) as perf:
        perf.session.say("x" * 100)
        await asyncio.sleep(0.5 + offset_ms / 1000)
        suspend(10.0)
        resumed = now()
        await asyncio.sleep(2.5)
    after = [at for at in perf.viewer.times_of(Picture) if at >= resumed]
    assert after[0] - resumed < 0.15
    assert max(b - a for a, b in pairwise(after)) < 0.15
    sound_ms, picture_ms = perf.viewer.packets[-1].media_ms, perf.viewer.pictures[-1].media_ms
    assert abs(sound_ms - picture_ms) < 80


@virtual
async def test_a_short_hold_up_is_caught_up_with_and_the_clock_goes_on():
    async with Performance() as perf:
        await asyncio.sleep(0.5)
        suspend((SLIP_MS - 50) / 1000)
        await asyncio.sleep(0.5)
        assert perf.session.clock.slipped_ms == 0
        media_ms = [p.media_ms for p in perf.viewer.packets]
    assert media_ms == list(range(0, 1200, 20))


# Coming, going and the end.


@virtual
async def test_everybody_gets_the_same():
    async with Performance(voice=FakeVoice()) as perf:
        other = FakeViewer()
        perf.session.join(other)
        perf.session.say("Hello there.")
        await perf.until(1000)
    first = [e for e in perf.viewer.events if e[0] > 1000]
    assert first == [e for e in other.events if e[0] > 1000]
    assert perf.avatar.calls["feed"] == 3  # made once, for everybody


@virtual
async def test_who_leaves_midway_gets_nothing_more_and_the_others_go_on():
    async with Performance(voice=FakeVoice()) as perf:
        leaving = FakeViewer()
        perf.session.join(leaving)
        perf.session.say("x" * 50)
        await perf.until(500)
        perf.session.leave(leaving)
        got = len(leaving.events)
        await perf.until(2000)
        perf.session.leave(leaving)  # twice does no harm
    assert len(leaving.events) == got
    assert len(perf.viewer.said()) == 50


@virtual
async def test_while_nobody_watches_nothing_is_drawn():
    async with Performance() as perf:
        await perf.until(200)
        perf.session.leave(perf.viewer)
        await perf.until(300)
        drawn = perf.avatar.calls["idle"]
        await perf.until(3000)
        assert perf.avatar.calls["idle"] == drawn
        assert perf.session.counters()["pictures_skipped"] == 0


@pytest.mark.parametrize("away_ms", [5, 30, 45, 100, 1000, 2007])
def test_who_comes_when_nobody_watched_gets_a_picture_of_now_at_once(away_ms):
    @virtual
    async def test():
        async with Performance() as perf:
            await perf.until(210)
            perf.session.leave(perf.viewer)
            came_ms = 210 + away_ms
            await perf.until(came_ms)
            viewers = [FakeViewer(), FakeViewer()]
            for viewer in viewers:
                perf.session.join(viewer)
            await settled()  # no time passes
            await perf.until(came_ms + 200)
        for viewer in viewers:
            times = [p.media_ms for p in viewer.pictures]
            assert viewer.times_of(Picture)[0] == pytest.approx(1000 + came_ms / 1000, abs=0.001)
            assert came_ms - 40 <= times[0] <= came_ms
            assert set(np.diff(times)) == {40}
            assert len(times) >= 5

    test()


@virtual
async def test_what_is_said_to_nobody_is_drawn_for_who_comes_midway():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.leave(perf.viewer)
        await perf.until(1010)
        perf.session.say("x" * 50)
        await perf.until(1510)
        late = FakeViewer()
        perf.session.join(late)
        assert [p.media_ms for p in late.pictures] == [1480]
        assert shade(late.pictures[0].pixels) > IDLE_SHADE
        await perf.until(3000)
        assert shade(late.pictures[-1].pixels) == IDLE_SHADE


@virtual
async def test_a_viewer_may_leave_while_it_is_being_told():
    class Leaving(FakeViewer):
        def post(self, message):
            super().post(message)
            perf.session.leave(self)

        offer_sound = offer_picture = lambda self, item: perf.session.leave(self)

    async with Performance(voice=FakeVoice()) as perf:
        for _ in range(3):
            perf.session.join(Leaving())
        perf.session.say("Hello.")
        await perf.until(500)
        assert perf.session.viewers == {perf.viewer}


@virtual
async def test_counters_never_go_down():
    async with Performance(voice=FakeVoice()) as perf:
        last = perf.session.counters()
        others = [FakeViewer() for _ in range(3)]
        for n, other in enumerate(others):
            perf.session.join(other)
            perf.session.say("Hello.")
            await perf.until((n + 1) * 250)
            counters = perf.session.counters()
            assert all(counters[name] >= value for name, value in last.items())
            last = counters
        for other in (*others, perf.viewer):
            perf.session.leave(other)
            counters = perf.session.counters()
            assert all(counters[name] >= value for name, value in last.items())
            last = counters
        perf.session.interrupt()
        assert perf.session.counters()["interruptions"] == 1
    assert last["packets_sent"] == sum(len(v.packets) for v in (*others, perf.viewer))


@virtual
async def test_what_happened_is_counted():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("Hello.")
        await perf.until(1000)
        counters = perf.session.counters()
    assert counters["packets_released"] == 51
    assert counters["pictures_released"] == 26
    assert counters["underruns"] == counters["avatar_failures"] == 0
    assert counters["packets_sent"] == 51


@virtual
async def test_speech_that_runs_dry_is_counted():
    async with Performance(voice=FakeVoice(seconds=0.15)) as perf:
        perf.session.say("x" * 25)
        await perf.until(2000)
        assert perf.session.counters()["underruns"] > 0
    assert len(perf.viewer.said()) == 25


@virtual
async def test_people_are_told_what_it_does():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("x" * 50)
        await perf.until(500)
        stats = perf.session.stats()
    assert stats["agent"] == "ada"
    assert stats["state"] == "speaking"
    assert stats["media_ms"] == 500
    assert stats["epoch"] == 0
    assert stats["ahead_ms"] == pytest.approx(540, abs=40)
    assert [viewer["transport"] for viewer in stats["viewers"]] == ["fake"]


@virtual
async def test_closing_ends_the_performance_and_stops_the_engine():
    async with Performance(voice=FakeVoice()) as perf:
        perf.session.say("x" * 100)
        await perf.until(300)
        perf.session.close()
        await settled()
        assert perf.task.done()
        assert perf.avatar.calls["stop"] == 1
        assert perf.voice.open == 0
        got = len(perf.viewer.events)
        await asyncio.sleep(1)
        assert len(perf.viewer.events) == got


@virtual
async def test_cancelling_ends_the_performance_too():
    async with Performance() as perf:
        await perf.until(100)
        perf.task.cancel()
        await settled()
        assert perf.avatar.calls["stop"] == 1
        assert perf.session.closed.is_set()


@virtual
async def test_an_avatar_that_cannot_start_is_no_session():
    avatar = FakeAvatar()
    avatar.broken.add("start")
    with pytest.raises(AvatarError):
        await Performance(avatar=avatar).__aenter__()
    assert avatar.calls["stop"] == 1


@virtual
async def test_an_avatar_whose_session_is_given_up_while_it_starts_is_stopped():
    class Heavy(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await asyncio.sleep(5)

    for avatar, drawing in ((Heavy(), None), (FakeAvatar(), SlowExecutor(5))):
        starting = asyncio.create_task(Performance(avatar=avatar, drawing=drawing).__aenter__())
        await asyncio.sleep(1)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        assert starting.cancelled()
        assert avatar.calls["stop"] == 1


@virtual
async def test_starting_may_take_its_time_without_the_clock_running():
    class Heavy(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await asyncio.sleep(5)
            await super().start(reference_image, width=width, height=height)

    async with Performance(avatar=Heavy()) as perf:
        await perf.until(200)
        assert perf.session.clock.slipped_ms == 0
        assert [p.media_ms for p in perf.viewer.packets] == list(range(0, 201, 20))


@virtual
async def test_sessions_have_names_nobody_guesses():
    ids = {Performance(drawing=InlineExecutor()).session.id for _ in range(20)}
    assert len(ids) == 20
    assert min(map(len, ids)) >= 12
