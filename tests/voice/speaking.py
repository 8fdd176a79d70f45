"""Lets a voice speak, and measures what it said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsstream.media.types import Viseme
from wsstream.voice.espeak import EspeakVoice

RATE_HZ = 22050
GREETING = "Hello there, my name is Ada."


@dataclass
class Spoken:
    samples: NDArray[np.float64]
    hints: list[tuple[float, Viseme]]
    """In ms from the start."""
    chunk_ms: list[float]

    @property
    def ms(self) -> float:
        return 1000 * len(self.samples) / RATE_HZ

    @property
    def shapes(self) -> list[Viseme]:
        return [shape for _, shape in self.hints]

    def rms(self, since_ms: float = 0, until_ms: float | None = None) -> float:
        end = None if until_ms is None else round(until_ms * RATE_HZ / 1000)
        return float(np.sqrt(np.mean(self.samples[round(since_ms * RATE_HZ / 1000) : end] ** 2)))

    def pitch_hz(self) -> float:
        """The median over voiced pieces of 46 ms, by autocorrelation."""
        pitches = []
        for piece in self.samples[: len(self.samples) // 1024 * 1024].reshape(-1, 1024):
            if piece.std() > 1000:
                alike = np.correlate(piece, piece, "full")[len(piece) - 1 :]
                lags = slice(RATE_HZ // 400, RATE_HZ // 70)
                pitches.append(RATE_HZ / (lags.start + int(np.argmax(alike[lags]))))
        return float(np.median(pitches))


async def say(voice: EspeakVoice, text: str) -> Spoken:
    pcm, hints, chunk_ms = [], [], []
    start_ms = 0.0
    async for chunk in voice.synthesize(text):
        assert chunk.sample_rate == RATE_HZ
        hints += [(start_ms + hint.offset_ms, hint.viseme) for hint in chunk.visemes]
        pcm.append(chunk.pcm)
        chunk_ms.append(500 * len(chunk.pcm) / RATE_HZ)
        start_ms += chunk_ms[-1]
    return Spoken(np.frombuffer(b"".join(pcm), "<i2").astype(float), hints, chunk_ms)


async def say_with(text: str, **options: Any) -> Spoken:
    voice = EspeakVoice(**options)
    await voice.start()
    try:
        return await say(voice, text)
    finally:
        await voice.stop()
