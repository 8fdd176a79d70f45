"""Many at once, stopping, and what goes wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from wsstream.errors import VoiceError
from wsstream.voice import espeak, espeak_process
from wsstream.voice.base import SpeechChunk
from wsstream.voice.espeak import EspeakVoice
from wsstream.voice.espeak_chunks import SpeechCutter
from wsstream.voice.espeak_process import EspeakProcess

from .speaking import GREETING, Spoken, say, say_with

# --- Many at once ---


async def test_voices_at_once_do_not_mix() -> None:
    options: list[dict[str, Any]] = [
        {"language": "de"}, {"language": "en-us", "rate_wpm": 300}, {"language": "fr-fr"},
    ]  # fmt: skip
    text = "Paris ist eine Stadt in Europa."
    alone = [await say_with(text, **option) for option in options]
    together = await asyncio.gather(*(say_with(text, **option) for option in options * 4))
    for spoken, expected in zip(together, alone * 4, strict=True):
        assert spoken.shapes == expected.shapes
        assert spoken.ms == pytest.approx(expected.ms, rel=0.01)


async def test_a_long_text_lets_others_in_between_its_sentences(voice: EspeakVoice) -> None:
    finished = []

    async def read(name: str, text: str) -> None:
        await say(voice, text)
        finished.append(name)

    await asyncio.gather(read("long", GREETING * 20), *(read("short", "Yes.") for _ in range(5)))
    assert finished == ["short"] * 5 + ["long"]


async def test_what_is_not_listened_to_does_not_stop_others(voice: EspeakVoice) -> None:
    async with aclosing(voice.synthesize(GREETING)) as unheard:
        await anext(unheard)
        assert (await say(voice, GREETING)).ms > 1500
        assert [chunk async for chunk in unheard]


# --- Stopping ---


class Counted(SpeechCutter):
    """Counts what all of them are given."""

    fed = 0

    def feed(self, pcm: bytes, phonemes: Iterable[tuple[int, str]]) -> list[SpeechChunk]:
        Counted.fed += 1
        return super().feed(pcm, phonemes)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    monkeypatch.setattr(Counted, "fed", 0)
    monkeypatch.setattr(espeak, "SpeechCutter", Counted)
    return Counted


async def test_closing_stops_the_library_and_lets_the_next_speak(
    counted: type[Counted], voice: EspeakVoice
) -> None:
    endless = "你" * 200  # to an English voice, two minutes of "Chinese letter"
    await say(voice, endless)
    whole, counted.fed = counted.fed, 0
    async with aclosing(voice.synthesize(endless)) as chunks:
        await anext(chunks)
    assert (await say(voice, "Yes.")).ms > 200
    assert counted.fed < whole / 3


async def test_a_sentence_cancelled_in_line_is_never_spoken(
    counted: type[Counted], voice: EspeakVoice
) -> None:
    await say(voice, "Yes.")
    whole, counted.fed = counted.fed, 0
    tasks = [asyncio.create_task(say(voice, GREETING)) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await say(voice, "Yes.")
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in done)
    assert counted.fed < whole + 25  # the first may have been at it


async def test_stopping_tells_who_listens_and_a_second_start_works(voice: EspeakVoice) -> None:
    async with aclosing(voice.synthesize(GREETING)) as chunks:
        await anext(chunks)
        await voice.stop()
        await voice.stop()
        with pytest.raises(VoiceError, match="the voice was stopped"):
            async for _ in chunks:
                pass
    with pytest.raises(VoiceError, match="the voice is not started"):
        await say(voice, GREETING)
    await voice.start()
    await voice.start()
    assert (await say(voice, GREETING)).ms > 1500


async def test_one_voice_stopping_leaves_the_others(voice: EspeakVoice) -> None:
    await say_with("Hola.", language="es")
    assert (await say(voice, GREETING)).ms > 1500


# --- When it goes wrong ---


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"rate_wpm": 79}, "rate_wpm must be a whole number from 80 to 450, not 79"),
        ({"rate_wpm": 165.0}, "rate_wpm must be a whole number from 80 to 450, not 165.0"),
        ({"pitch": 100}, "pitch must be a whole number from 0 to 99, not 100"),
        ({"volume": True}, "volume must be a whole number from 0 to 200, not True"),
        ({"volume": -1}, "volume must be a whole number from 0 to 200, not -1"),
        ({"language": None}, "language must be a string, not None"),
        ({"variant": 3}, "variant must be a string, not 3"),
    ],
)
def test_options_are_checked(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(VoiceError) as refused:
        EspeakVoice(**options)
    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"language": "germn"}, "no language 'germn'; did you mean 'German'"),
        ({"variant": "annnie"}, "no variant 'annnie'; did you mean 'Annie'"),
        ({"language": "xex"}, "no pronunciation for language 'xex'"),
    ],
)
async def test_what_espeak_lacks_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(VoiceError, match=complaint.replace("?", r"\?")):
        await EspeakVoice(**options).start()
    assert espeak_process._users == 0


async def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(VoiceError, match=r"pip install 'wsstream\[voice\]'"):
        await EspeakVoice().start()


async def test_a_text_that_crashes_the_library_costs_one_sentence(voice: EspeakVoice) -> None:
    """libespeak-ng 1.52 overruns its stack here; a later one may speak it."""
    hostile, good = await asyncio.gather(
        say(voice, "s'" * 100), say(voice, GREETING), return_exceptions=True
    )
    assert isinstance(good, Spoken)
    assert good.ms > 1500
    assert isinstance(hostile, Spoken) or "espeak-ng crashed" in str(hostile)


async def test_a_library_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, voice: EspeakVoice
) -> None:
    script = tmp_path / "hangs.py"
    script.write_text(
        """print('{"sample_rate_hz": 22050, "voices": [], "variants": []}', flush=True)\n"""
        "input()\n"
        "input()\n"
    )
    assert voice._thread is not None
    with monkeypatch.context() as patch:
        patch.setattr(espeak_process, "_SCRIPT", script)
        voice._thread.run(EspeakProcess.close).result(10)
        patch.setattr(espeak, "STALLED_S", 0.3)
        with pytest.raises(VoiceError, match="gave no sound"):
            await say(voice, GREETING)
    assert (await say(voice, GREETING)).ms > 1500
