"""From the buffers and phonemes of espeak-ng to chunks of speech with their mouth shapes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..media.types import Viseme, VisemeHint
from .base import SpeechChunk
from .phonemes import PAUSE, visemes_of

CHUNK_MS = 80
LEAD_MAX_MS = 60
"""Silence before the first sound: enough for the lips to close for a "p", no more."""
TAIL_MAX_MS = 250
"""Silence after the last sound. What espeak-ng leaves there follows the punctuation, and is
usually less: 160 ms behind a full stop, none behind a comma."""

_SHORTEST_SHAPE_MS = 20
_SHORTEST_PAUSE_MS = 60
"""In a shorter one the mouth does not come to rest."""
_CLOSURE_MAX_MS = 80
_CLOSED = frozenset({Viseme.PP, Viseme.DD, Viseme.KK, Viseme.CH})
"""Shapes that shut the mouth off in silence before they are heard: espeak-ng reports a "p" when
the lips part, but a face must have closed them before."""
_CLOSURE_LEVEL = 1 / 16
"""Of the sound before it (-24 dB). Nothing is heard then but the echo that some variants have."""
_SILENCE_PEAK = 64
"""Of int16 (-54 dBFS): below it nothing is heard."""
_SAMPLE_BYTES = 2


class SpeechCutter:
    """Cuts one sentence into chunks, as its sound arrives.

    A phoneme's shapes are known when the next begins, so sound leaves when the phoneme that it
    belongs to is over; no later hint can reach back into what has left.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._pcm = bytearray()
        self._first = 0
        """The sample that ``_pcm`` begins with, counted like all below from the sentence's own."""
        self._hints: list[tuple[int, Viseme]] = []
        self._shape: Viseme | None = None
        self._open_since = 0
        self._open_shapes: tuple[Viseme, ...] = PAUSE
        self._speaking = False

    def feed(self, pcm: bytes, phonemes: Iterable[tuple[int, str]]) -> list[SpeechChunk]:
        """More 16-bit mono PCM, and the phonemes that begin in it with their first samples.
        Returns the chunks that are complete."""
        self._pcm += pcm
        for sample, name in phonemes:
            self._begin(sample, visemes_of(name))
        return self._cut(self._open_since)

    def finish(self) -> list[SpeechChunk]:
        """The sentence is over. Returns the chunks that are left: none if nothing was said."""
        if not self._speaking:
            return []
        end = self._first + len(self._pcm) // _SAMPLE_BYTES
        silence = _quiet_at_end(self._loudness(self._first, end), _SILENCE_PEAK)
        end -= max(0, silence - self._n(TAIL_MAX_MS))
        del self._pcm[(end - self._first) * _SAMPLE_BYTES :]
        self._close(end, last=True)
        chunks = self._cut(end)
        return [*chunks, self._take(end)] if self._pcm else chunks

    def _n(self, ms: float) -> int:
        return round(ms * self._rate_hz / 1000)

    def _begin(self, sample: int, shapes: tuple[Viseme, ...]) -> None:
        if shapes == PAUSE == self._open_shapes:
            return
        if not self._speaking:
            self._speaking = True
            self._drop_lead(sample)
        if not self._open_shapes and shapes != PAUSE:
            self._open_shapes = shapes  # an "h" looks like the vowel behind it
            return
        since = sample
        if shapes and shapes[0] in _CLOSED:
            before = self._loudness(self._open_since, sample)
            level = max(before.max(initial=0) * _CLOSURE_LEVEL, _SILENCE_PEAK)
            quiet = min(_quiet_at_end(before, level), self._n(_CLOSURE_MAX_MS))
            earliest = min(sample, self._open_since + self._n(_SHORTEST_SHAPE_MS))
            since = max(sample - quiet, earliest)
        self._close(since)
        self._open_since, self._open_shapes = since, shapes

    def _drop_lead(self, sample: int) -> None:
        excess = max(0, sample - self._n(LEAD_MAX_MS))
        del self._pcm[: excess * _SAMPLE_BYTES]
        self._first = self._open_since = excess

    def _close(self, end: int, *, last: bool = False) -> None:
        """Settle the shapes of the open phoneme, which share its time equally."""
        since = self._open_since
        shapes = self._open_shapes[: max(0, end - since)]  # no two in one sample
        inside = self._shape is not None and not last
        if shapes == PAUSE and inside and end - since < self._n(_SHORTEST_PAUSE_MS):
            return
        for number, shape in enumerate(shapes):
            at = since + (end - since) * number // len(shapes)
            if shape != self._shape:
                self._hints.append((at, shape))
                self._shape = shape

    def _loudness(self, since: int, until: int) -> NDArray[np.int32]:
        held = self._pcm[
            (since - self._first) * _SAMPLE_BYTES : (until - self._first) * _SAMPLE_BYTES
        ]
        return np.abs(np.frombuffer(held, "<i2").astype(np.int32))

    def _cut(self, end: int) -> list[SpeechChunk]:
        chunks = []
        while self._speaking and self._first + self._n(CHUNK_MS) <= end:
            chunks.append(self._take(self._first + self._n(CHUNK_MS)))
        return chunks

    def _take(self, end: int) -> SpeechChunk:
        length = (end - self._first) * _SAMPLE_BYTES
        hints = tuple(
            VisemeHint(1000 * (at - self._first) / self._rate_hz, shape)
            for at, shape in self._hints
            if at < end
        )
        chunk = SpeechChunk(bytes(self._pcm[:length]), self._rate_hz, hints)
        del self._pcm[:length], self._hints[: len(hints)]
        self._first = end
        return chunk


def _quiet_at_end(loudness: NDArray[np.int32], level: float) -> int:
    """How many samples at the end stay below ``level``."""
    loud = np.flatnonzero(loudness >= level)
    return len(loudness) - (int(loud[-1]) + 1 if loud.size else 0)
