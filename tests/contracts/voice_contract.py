"""What the rest of the server relies on in every ``TextToSpeech``.

A voice's tests inherit from ``VoiceContract`` and give it the voice, started, as a fixture.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from wsstream.media.types import Viseme
from wsstream.voice.base import SpeechChunk, TextToSpeech

SENTENCE = "Good morning, how are you today?"
LONG = "We walked along the river, over the bridge, through the park, and back to the house. " * 5


async def speak(voice: TextToSpeech, text: str) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.synthesize(text)]


def duration_ms(chunks: list[SpeechChunk]) -> float:
    return sum(500 * len(chunk.pcm) / chunk.sample_rate for chunk in chunks)


class VoiceContract:
    @pytest.fixture
    def voice(self) -> TextToSpeech:
        """All that differs between voices, so that there is no default: whose tests forget it see
        every one of them fail, and why."""
        raise NotImplementedError("a voice, started; stop it afterwards")

    def test_it_has_a_name(self, voice: TextToSpeech) -> None:
        assert voice.name != TextToSpeech.name

    async def test_chunks_are_sound(self, voice: TextToSpeech) -> None:
        chunks = await speak(voice, SENTENCE)
        assert 500 < duration_ms(chunks) < 10_000
        for chunk in chunks:
            assert len(chunk.pcm) > 0
            assert len(chunk.pcm) % 2 == 0
        assert any(any(chunk.pcm) for chunk in chunks)

    async def test_the_rate_is_one_that_sound_has_and_keeps(self, voice: TextToSpeech) -> None:
        rates = {chunk.sample_rate for chunk in await speak(voice, SENTENCE)}
        assert len(rates) == 1
        assert 8_000 <= rates.pop() <= 48_000

    async def test_speech_comes_in_pieces(self, voice: TextToSpeech) -> None:
        chunks = await speak(voice, LONG)
        assert len(chunks) > 3
        assert max(duration_ms([chunk]) for chunk in chunks) < 2_000

    async def test_hints_are_within_their_chunk_and_in_order(self, voice: TextToSpeech) -> None:
        for chunk in await speak(voice, SENTENCE):
            offsets = [hint.offset_ms for hint in chunk.visemes]
            assert offsets == sorted(offsets)
            assert all(0 <= offset < duration_ms([chunk]) for offset in offsets)
            assert all(isinstance(hint.viseme, Viseme) for hint in chunk.visemes)

    @pytest.mark.parametrize("text", ["", " ", "\n", "\x00"])
    async def test_nothing_to_say_is_no_sound(self, voice: TextToSpeech, text: str) -> None:
        assert await speak(voice, text) == []

    @pytest.mark.parametrize(
        "text", ["<b>Bold</b> & new.", "Hi 😀!", "Ünïcödé 你好 мир.", "a\x07b"]
    )
    async def test_odd_text_is_spoken(self, voice: TextToSpeech, text: str) -> None:
        assert duration_ms(await speak(voice, text)) > 100

    async def test_more_text_is_more_sound(self, voice: TextToSpeech) -> None:
        assert duration_ms(await speak(voice, LONG)) > 3 * duration_ms(await speak(voice, SENTENCE))

    async def test_two_at_once_are_both_spoken_whole(self, voice: TextToSpeech) -> None:
        alone = duration_ms(await speak(voice, SENTENCE))
        for chunks in await asyncio.gather(*(speak(voice, SENTENCE) for _ in range(4))):
            assert duration_ms(chunks) == pytest.approx(alone, rel=0.1)

    async def test_closed_midway_it_speaks_on(self, voice: TextToSpeech) -> None:
        for _ in range(5):
            async with aclosing(voice.synthesize(LONG)) as chunks:
                await anext(chunks)
        assert duration_ms(await speak(voice, SENTENCE)) > 500

    async def test_cancelled_midway_it_speaks_on(self, voice: TextToSpeech) -> None:
        begun = asyncio.Event()

        async def listen() -> None:
            async for _ in voice.synthesize(LONG):
                begun.set()
                await asyncio.Event().wait()

        listener = asyncio.create_task(listen())
        await begun.wait()
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener
        assert duration_ms(await speak(voice, SENTENCE)) > 500

    async def test_a_slow_listener_holds_up_nobody(self, voice: TextToSpeech) -> None:
        async with aclosing(voice.synthesize(LONG)) as slow:
            first = await anext(slow)
            assert duration_ms(await speak(voice, SENTENCE)) > 500
            rest = [chunk async for chunk in slow]
        whole = duration_ms(await speak(voice, LONG))
        assert duration_ms([first, *rest]) == pytest.approx(whole, rel=0.1)

    async def test_it_may_be_stopped_twice(self, voice: TextToSpeech) -> None:
        await voice.stop()
        await voice.stop()
