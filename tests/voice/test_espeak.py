"""What one hears and sees of it."""

from __future__ import annotations

import time
from contextlib import aclosing

import numpy as np
import pytest

from wsstream.media.types import Viseme
from wsstream.voice.espeak import EspeakVoice
from wsstream.voice.espeak_chunks import CHUNK_MS, LEAD_MAX_MS, TAIL_MAX_MS

from .speaking import GREETING, RATE_HZ, say, say_with

AA, IH, PP, SIL = Viseme.AA, Viseme.IH, Viseme.PP, Viseme.SIL


# --- The sound ---


async def test_it_sounds_like_speech(voice: EspeakVoice) -> None:
    spoken = await say(voice, GREETING)
    assert 1500 < spoken.ms < 3000
    assert 1500 < spoken.rms() < 6000
    assert 8000 < abs(spoken.samples).max() < 32000
    blocks = spoken.samples[: len(spoken.samples) // 441 * 441].reshape(-1, 441).std(axis=1)
    assert 0.4 < np.mean(blocks > 500) < 0.95  # syllables and gaps, neither tone nor noise
    assert 150 < spoken.pitch_hz() < 260  # a woman's


async def test_options_are_heard() -> None:
    plain = await say_with(GREETING)
    assert (await say_with(GREETING, rate_wpm=330)).ms < 0.7 * plain.ms
    assert (await say_with(GREETING, volume=45)).rms() < 0.6 * plain.rms()
    assert (await say_with(GREETING, pitch=90)).pitch_hz() > 1.15 * plain.pitch_hz()
    assert (await say_with(GREETING, variant="")).pitch_hz() < 0.75 * plain.pitch_hz()


async def test_chunks_have_one_length_but_the_last(voice: EspeakVoice) -> None:
    *whole, last = (await say(voice, GREETING)).chunk_ms
    assert len(whole) > 10
    assert set(whole) == {CHUNK_MS}
    assert 0 < last <= CHUNK_MS


@pytest.mark.parametrize("text", [GREETING, "“Hello.”", "(Papa)", "Hello...", "Hello", "Yes, yes"])
async def test_sentences_join_without_long_silence(voice: EspeakVoice, text: str) -> None:
    spoken = await say(voice, text)
    loud = 1000 * np.flatnonzero(abs(spoken.samples) >= 64) / RATE_HZ
    assert loud[0] <= LEAD_MAX_MS + 20
    assert spoken.ms - loud[-1] <= TAIL_MAX_MS + 1


async def test_the_first_chunk_comes_soon_after_the_start() -> None:
    voice = EspeakVoice(language="it")
    await voice.start()
    began = time.perf_counter()
    async with aclosing(voice.synthesize("Buongiorno a tutti.")) as chunks:
        await anext(chunks)
    assert time.perf_counter() - began < 0.15
    await voice.stop()


# --- The mouth ---


async def test_lips_are_closed_where_the_sound_is_weakest(voice: EspeakVoice) -> None:
    spoken = await say(voice, "A papa.")
    closing = [at for at, shape in spoken.hints if shape is PP]
    opening = [at for at, shape in spoken.hints if shape in (AA, Viseme.E)]
    assert len(closing) == 2
    for at in closing:
        vowel = max(spoken.rms(since, since + 40) for since in opening)
        assert spoken.rms(at + 5, at + 30) < 0.1 * vowel


async def test_the_mouth_rests_in_silence_and_only_there(voice: EspeakVoice) -> None:
    spoken = await say(voice, "One, two. Three.")
    ends = [at for at, _ in spoken.hints[1:]] + [spoken.ms]
    spans = [(at, end, shape) for (at, shape), end in zip(spoken.hints, ends, strict=True)]
    rests = [(at, end) for at, end, shape in spans if shape is SIL and end - at > 100]
    assert len(rests) >= 2
    assert all(spoken.rms((at + end) / 2, end) < 0.05 * spoken.rms() for at, end in rests)
    vowels = [(at, end) for at, end, shape in spans if shape in (AA, Viseme.OU)]
    assert all(spoken.rms(at, end) > 0.3 * spoken.rms() for at, end in vowels)


async def test_a_diphthong_is_two_shapes(voice: EspeakVoice) -> None:
    spoken = await say(voice, "I.")
    assert spoken.shapes[-3:] == [AA, IH, SIL]
    (open_at, _), (closing_at, _), (end, _) = spoken.hints[-3:]
    assert closing_at == pytest.approx((open_at + end) / 2, abs=2)


async def test_hints_are_in_order_and_begin_with_the_sound(voice: EspeakVoice) -> None:
    spoken = await say(voice, GREETING)
    times = [at for at, _ in spoken.hints]
    assert times[0] == 0
    assert times == sorted(set(times))
    assert times[-1] < spoken.ms
    assert spoken.shapes[-1] is SIL
    assert len(set(spoken.shapes)) >= 8


# --- Languages ---


async def test_it_lists_its_languages(voice: EspeakVoice) -> None:
    languages = dict(voice.languages())
    assert languages["de"] == "German"
    assert languages["en-us"] == "English (America)"
    assert len(languages) > 100


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Guten Tag, wie geht es Ihnen?"),
        ("fr-fr", "Bonjour, comment allez-vous ?"),
        ("es", "Buenos días, ¿cómo está usted?"),
        ("it", "Buongiorno, come sta?"),
        ("pt-br", "Bom dia, como vai você?"),
        ("pl", "Dzień dobry, jak się pan ma?"),
        ("ru", "Добрый день, как ваши дела?"),
        ("hi", "नमस्ते, आप कैसे हैं?"),
        ("cmn", "你好，你今天好吗？"),
        ("ja", "こんにちは、おげんきですか"),
        ("ar", "مرحبا، كيف حالك؟"),
    ],
)
async def test_languages_speak(language: str, text: str) -> None:
    spoken = await say_with(text, language=language)
    assert 800 < spoken.ms < 4000
    assert 1500 < spoken.rms() < 6000
    assert len(set(spoken.shapes)) >= 6


async def test_languages_read_the_same_letters_otherwise() -> None:
    text = "Six chats chantent."
    english, french = await say_with(text), await say_with(text, language="fr-fr")
    assert english.shapes != french.shapes


# --- Text ---


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\t", "...", "?!", "—", "()", "\x00", "\x07\x1b", "\u200b", "\ud800", "ͅ"]
)
async def test_text_without_words_gives_nothing(voice: EspeakVoice, text: str) -> None:
    assert (await say(voice, text)).chunk_ms == []


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("he\x00llo", "hello"),
        ("\x01100Phello", "100Phello"),
        ("hel\x07lo\x9f \udfff", "hello"),
        ("hello\r\nthere", "hello\nthere"),
    ],
)
async def test_control_characters_are_harmless(voice: EspeakVoice, odd: str, plain: str) -> None:
    heard, expected = await say(voice, odd), await say(voice, plain)
    assert heard.shapes == expected.shapes
    assert heard.ms == pytest.approx(expected.ms, rel=0.1)


async def test_markup_is_spoken_as_text(voice: EspeakVoice) -> None:
    plain = await say(voice, "pause now")
    assert (await say(voice, '<break time="5s"/> pause now')).ms > 2 * plain.ms
    assert (await say(voice, "[[f'aIv]]")).shapes != (await say(voice, "five")).shapes
    assert (await say(voice, "pause & now")).shapes == (await say(voice, "pause and now")).shapes


@pytest.mark.parametrize(
    "text", ["😀", "👩‍👩‍👧", "Hello 世界, привет नमस्ते!", "3.14 €", "ﷺ", "e\u0301te\u0301", "𝔘𝔫𝔦"]
)
async def test_odd_scripts_are_spoken(voice: EspeakVoice, text: str) -> None:
    assert (await say(voice, text)).ms > 200


async def test_a_very_long_text_is_spoken_to_its_end(voice: EspeakVoice) -> None:
    short, long = await say(voice, "blue balloons, "), await say(voice, "blue balloons, " * 200)
    assert 100 * short.ms < long.ms < 250 * short.ms
    assert long.ms < 400_000
