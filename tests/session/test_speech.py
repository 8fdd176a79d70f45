"""Turns wait in line, and are made at most a second ahead of being heard."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.fakes import FakeAvatar, FakeVoice, InlineExecutor, settled, virtual
from wsstream.errors import TooMany, VoiceError
from wsstream.media.timeline import Timeline
from wsstream.session.speech import AHEAD_MAX_MS, Sentence, Speech
from wsstream.session.stage import Stage
from wsstream.voice.base import SpeechChunk


class Rig:
    """Speech, and the timeline that hears it."""

    def __init__(self, voice="fake", avatar=None, **options):
        self.avatar = avatar or FakeAvatar()
        self.timeline = Timeline(lead_ms=40)
        self.stage = Stage(self.avatar, width=64, height=64, drawing=InlineExecutor())
        self.voice = FakeVoice() if voice == "fake" else voice
        self.errors = []
        self.speech = Speech(
            self.timeline, self.stage, voice=self.voice, on_error=self.errors.append, **options
        )
        self.media_ms = 0
        self.heard, self.cues, self.ended = [], [], []

    async def __aenter__(self):
        await self.stage.start(None)
        self.task = asyncio.create_task(self.speech.run())
        return self

    async def __aexit__(self, *exception):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await settled()

    async def hear(self, ms):
        """Let the timeline release so much, and the makers go on meanwhile."""
        for _ in range(ms // 20):
            await settled()
            released = self.timeline.release_sound(self.media_ms)
            if released.pcm is not None:
                self.heard.append(released.pcm)
            self.cues += released.cues
            self.ended += released.ended
            self.speech.heard()
            self.media_ms += 20
        await settled()

    @property
    def heard_ms(self):
        return len(self.heard) * 20


class Source:
    """Ready-made chunks; remembers that it was closed."""

    def __init__(self, *chunks, then=None):
        self.chunks = list(chunks)
        self.then = then
        self.closed = 0
        self.asked = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.asked += 1
        await asyncio.sleep(0)
        if self.chunks:
            return self.chunks.pop(0)
        if isinstance(self.then, BaseException):
            raise self.then
        if self.then is not None:
            await self.then
        raise StopAsyncIteration

    async def aclose(self):
        self.closed += 1


def chunk(ms=100, rate_hz=48_000, level=1000):
    return SpeechChunk(np.full(round(ms * rate_hz / 1000), level, "<i2").tobytes(), rate_hz)


# What is said.


@virtual
async def test_a_text_is_heard_sentence_by_sentence():
    async with Rig() as rig:
        turn = rig.speech.say("First one. Second one.")
        await rig.hear(2000)
    assert rig.voice.spoken == ["First one.", "Second one."]
    assert rig.cues == [
        Sentence(f"{turn}.0", "First one."),
        Sentence(f"{turn}.1", "Second one."),
    ]
    assert rig.heard_ms == 21 * 20
    assert rig.ended == [turn]
    assert rig.errors == []


@virtual
async def test_turns_get_ids_of_their_own_or_keep_the_one_given():
    async with Rig() as rig:
        ids = [rig.speech.say("One."), rig.speech.say("Two.", "mine"), rig.speech.say("Three.")]
        await rig.hear(2000)
    assert len(set(ids)) == 3
    assert ids[1] == "mine"
    assert rig.ended == ids


@virtual
async def test_turns_are_heard_in_the_order_they_were_asked_for():
    async with Rig() as rig:
        rig.speech.say("One one.")
        rig.speech.play(Source(chunk(level=7), chunk(level=7)))
        rig.speech.say("Three three.")
        await rig.hear(2000)
    levels = [int(block[0]) for block in rig.heard]
    assert levels == [1000] * 8 + [7] * 10 + [1000] * 12


@virtual
async def test_the_avatar_is_fed_the_sound_as_it_came():
    async with Rig() as rig:
        rig.speech.play(Source(chunk(100, 16_000), chunk(60, 16_000)))
        await rig.hear(1000)
    assert rig.avatar.calls["feed"] == 2
    assert rig.avatar.calls["end_turn"] == rig.avatar.calls["flush"] == 1
    assert rig.heard_ms == pytest.approx(160, abs=20)


@virtual
async def test_resampled_sound_is_heard_to_its_end():
    async with Rig() as rig:
        rig.speech.play(Source(chunk(200, 16_000)))
        await rig.hear(500)
    assert np.count_nonzero(np.concatenate(rig.heard)) == pytest.approx(200 * 48, abs=10)


@virtual
async def test_the_rate_may_change_within_a_turn():
    async with Rig() as rig:
        rig.speech.play(Source(chunk(200, 16_000), chunk(200, 24_000), chunk(200, 48_000)))
        await rig.hear(1500)
    assert rig.errors == []
    assert rig.heard_ms == pytest.approx(600, abs=20)


@virtual
async def test_a_sentence_without_sound_does_not_end_the_turn_and_is_not_told():
    async with Rig() as rig:
        rig.speech.say("One here. This is mute. Three here.")
        await rig.hear(2000)
    assert [cue.text for cue in rig.cues] == ["One here.", "Three here."]
    assert rig.errors == []


@virtual
async def test_a_voice_that_gives_empty_chunks_says_nothing():
    class Breathless(FakeVoice):
        async def synthesize(self, text):
            yield SpeechChunk(b"", 48_000)

    async with Rig(voice=Breathless()) as rig:
        rig.speech.say("One here. Two here.")
        await rig.hear(300)
    assert rig.cues == []
    assert rig.errors == []


@virtual
async def test_an_empty_source_is_a_turn_that_ends():
    async with Rig() as rig:
        turn = rig.speech.play(Source())
        await rig.hear(200)
    assert rig.ended == [turn]
    assert rig.avatar.calls["end_turn"] == 0  # it was never fed


# How far ahead.


@virtual
async def test_no_more_than_a_second_is_made_ahead():
    async with Rig(FakeVoice(ms_per_char=200)) as rig:
        rig.speech.say("A rather long sentence that takes many seconds.")
        await settled()
        assert AHEAD_MAX_MS <= rig.timeline.ahead_ms < AHEAD_MAX_MS + 100 + 20
        made = rig.avatar.calls["feed"]
        await settled()
        assert rig.avatar.calls["feed"] == made
        await rig.hear(2000)
        assert AHEAD_MAX_MS - 200 < rig.timeline.ahead_ms < AHEAD_MAX_MS + 100 + 20


@virtual
async def test_the_next_turn_waits_for_room_too():
    async with Rig(FakeVoice(ms_per_char=100)) as rig:
        rig.speech.say("Ten chars.")
        rig.speech.say("Ten more..")
        await settled()
        assert rig.timeline.ahead_ms < AHEAD_MAX_MS + 120
        await rig.hear(3000)
        assert rig.heard_ms == 2000


# Who waits.


@virtual
async def test_only_so_many_turns_wait():
    async with Rig(queued_turns=2) as rig:
        rig.speech.play(Source(then=asyncio.Event().wait()))
        await settled()
        rig.speech.say("One.")
        rig.speech.say("Two.")
        with pytest.raises(TooMany, match="2 turns wait already"):
            rig.speech.say("Three.")
        with pytest.raises(TooMany):
            rig.speech.play(Source())


@virtual
async def test_an_interruption_makes_room_at_once():
    async with Rig(queued_turns=2) as rig:
        for _ in range(2):
            rig.speech.play(Source())
        rig.speech.interrupt()
        rig.speech.say("One.")
        rig.speech.say("Two.")
        with pytest.raises(TooMany):
            rig.speech.say("Three.")
        await settled()
        rig.speech.say("Three.")


@virtual
async def test_half_a_character_is_told_as_a_question_mark():
    async with Rig() as rig:
        rig.speech.say("Hi \ud83d.")
        await settled()
        assert rig.voice.spoken == ["Hi ?."]


@virtual
async def test_with_something_to_make_it_is_pending():
    async with Rig() as rig:
        assert not rig.speech.pending
        rig.speech.say("One.")
        assert rig.speech.pending
        await rig.hear(1000)
        assert not rig.speech.pending


@virtual
async def test_without_a_voice_it_says_why():
    async with Rig(voice=None, voiceless="espeak is not installed") as rig:
        with pytest.raises(VoiceError, match="espeak is not installed"):
            rig.speech.say("Hello.")
        rig.speech.play(Source(chunk()))
        await rig.hear(300)
    assert rig.heard_ms == 100


# Interruptions.


@virtual
async def test_an_interruption_stops_what_is_made_and_forgets_what_waits():
    async with Rig(FakeVoice(ms_per_char=200)) as rig:
        waiting = Source(chunk())
        rig.speech.say("A rather long sentence that takes many seconds.")
        rig.speech.say("Another one.")
        rig.speech.play(waiting)
        await rig.hear(300)
        assert rig.speech.interrupt() == 1
        heard_ms = rig.heard_ms
        await rig.hear(1000)
        assert rig.heard_ms <= heard_ms + 20
        assert rig.voice.open == 0
        assert len(rig.voice.spoken) == 1
        assert waiting.closed == 1
        assert waiting.asked == 0
        assert not rig.speech.pending


@virtual
async def test_the_avatar_is_told_of_the_interruption_before_it_is_fed_again():
    async with Rig() as rig:
        rig.speech.say("First sentence.")
        await rig.hear(100)
        rig.speech.interrupt()
        assert rig.avatar.epochs == [1]
        before = rig.avatar.calls["feed"]
        rig.speech.say("Second.")
        await rig.hear(1000)
        assert rig.avatar.calls["feed"] > before
        assert rig.heard_ms >= 140


@virtual
async def test_what_is_said_after_an_interruption_is_heard():
    async with Rig() as rig:
        rig.speech.say("First.")
        await rig.hear(80)
        rig.speech.interrupt()
        turn = rig.speech.say("Second.")
        await rig.hear(1000)
        assert rig.ended == [turn]


@virtual
async def test_an_interruption_while_making_waits_for_room_ends_it():
    async with Rig() as rig:
        source = Source(*[chunk(1000) for _ in range(5)])
        rig.speech.play(source)
        await settled()
        assert source.closed == 0
        rig.speech.interrupt()
        await settled()
        assert source.closed == 1


@virtual
async def test_interrupting_silence_does_no_harm():
    async with Rig() as rig:
        assert [rig.speech.interrupt(), rig.speech.interrupt()] == [1, 2]
        rig.speech.say("Hello.")
        await rig.hear(500)
        assert rig.heard_ms == 120


@virtual
async def test_a_turn_interrupted_the_moment_it_was_to_be_made_is_closed():
    async with Rig() as rig:
        sources = []
        for steps in range(8):
            sources.append(Source(chunk()))
            rig.speech.play(sources[-1])
            for _ in range(steps):
                await asyncio.sleep(0)
            rig.speech.interrupt()
            await settled()
        assert [source.closed for source in sources] == [1] * len(sources)


# Failures.


@virtual
async def test_a_voice_that_cannot_speak_this_is_reported_and_the_next_turn_is_heard():
    async with Rig() as rig:
        rig.speech.say("This is nonsense.")
        rig.speech.say("Hello.")
        await rig.hear(1000)
    assert rig.errors == ["cannot speak 'This is nonsense.'"]
    assert rig.heard_ms == 120
    assert len(rig.ended) == 2


@virtual
async def test_of_the_sentences_of_a_turn_that_cannot_be_spoken_the_first_is_reported():
    async with Rig() as rig:
        rig.speech.say("This is nonsense. Hello. " + "More nonsense. " * 300)
        rig.speech.say("Again nonsense.")
        await rig.hear(1000)
    assert rig.errors == ["cannot speak 'This is nonsense.'", "cannot speak 'Again nonsense.'"]
    assert rig.heard_ms == 120


@virtual
async def test_after_a_turn_that_failed_the_avatar_forgets_what_it_was_fed():
    for turn in (
        lambda rig: rig.speech.say("This will crash."),
        lambda rig: rig.speech.play(Source(chunk(), SpeechChunk(b"\0\0", 7))),
    ):
        async with Rig() as rig:
            turn(rig)
            rig.speech.say("Hello.")
            await rig.hear(100)
            assert rig.avatar.epochs == [0]
            await rig.hear(1000)
            assert rig.heard_ms == 100 + 120


@virtual
async def test_a_voice_that_crashes_midway_ends_its_turn_with_what_it_gave(caplog):
    async with Rig() as rig:
        rig.speech.say("This will crash.")
        rig.speech.say("Hello.")
        await rig.hear(1000)
    assert rig.errors == ["the turn could not be spoken: RuntimeError"]
    assert rig.heard_ms == 100 + 120
    assert rig.voice.open == 0
    assert "engine crashed" in caplog.text


@virtual
async def test_sound_of_an_impossible_rate_is_reported():
    async with Rig() as rig:
        source = Source(SpeechChunk(b"\0\0", 7))
        rig.speech.play(source)
        await rig.hear(200)
    assert "sample rate of 7 Hz" in rig.errors[0]
    assert source.closed == 1


@virtual
async def test_a_source_that_fails_is_closed():
    async with Rig() as rig:
        source = Source(chunk(), then=ValueError("oh"))
        rig.speech.play(source)
        await rig.hear(300)
    assert source.closed == 1
    assert rig.heard_ms == 100


class Clinging(Source):
    """Cannot even be closed."""

    async def aclose(self):
        await super().aclose()
        raise ConnectionError("cannot close")


@virtual
async def test_a_source_that_cannot_be_closed_ends_no_session(caplog):
    sources = [Clinging(chunk()), Clinging(chunk(), then=asyncio.Event().wait()), Clinging()]
    async with Rig() as rig:
        for source in sources:
            rig.speech.play(source)
        await rig.hear(300)
        rig.speech.interrupt()
        rig.speech.say("Hello.")
        await rig.hear(500)
        assert rig.heard_ms == 100 + 100 + 120
    assert [source.closed for source in sources] == [1, 1, 1]
    assert "cannot close" in caplog.text


@virtual
async def test_at_the_end_a_source_that_cannot_be_closed_keeps_no_other_from_being_closed(caplog):
    sources = [Clinging(chunk(), then=asyncio.Event().wait()), Clinging(), Source()]
    async with Rig() as rig:
        for source in sources:
            rig.speech.play(source)
        await rig.hear(40)
    assert [source.closed for source in sources] == [1, 1, 1]


@virtual
async def test_an_avatar_that_fails_does_not_take_the_voice_with_it():
    avatar = FakeAvatar()
    avatar.broken.add("feed")
    async with Rig(avatar=avatar) as rig:
        rig.speech.say("A sentence of some length.")
        await rig.hear(2000)
        assert rig.heard_ms == 26 * 20
        assert rig.stage.failures > 0


@virtual
async def test_half_a_sample_at_the_end_of_a_chunk_does_not_stop_the_session():
    async with Rig() as rig:
        rig.speech.play(Source(SpeechChunk(b"\0\0\0", 48_000)))
        rig.speech.say("Hello.")
        await rig.hear(500)
    assert len(rig.errors) == 1
    assert rig.heard_ms == 120


# The end.


@virtual
async def test_at_the_end_what_is_being_made_is_closed():
    source = Source(chunk(), then=asyncio.Event().wait())
    async with Rig() as rig:
        rig.speech.play(source)
        await rig.hear(40)
    assert source.closed == 1


@virtual
async def test_at_the_end_what_waits_is_closed():
    waiting = Source(chunk())
    async with Rig() as rig:
        rig.speech.play(Source(chunk(), then=asyncio.Event().wait()))
        rig.speech.play(waiting)
        await rig.hear(40)
    assert waiting.closed == 1
