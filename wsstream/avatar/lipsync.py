"""From sound to mouth: a pose for each picture, while the sound is still coming in.

Pure numpy, no clock and no drawing. Where the voice says which viseme it speaks, that decides;
where it does not, the sound's spectrum does. A pose depends on the sound up to its picture's end
and on nothing later, so that it needs no lookahead and comes out the same however the sound is cut
into chunks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..media.types import Viseme, VisemeHint
from .phonetics import NAMES, WINDOW_MS, Floats, Spectra, classify, spectra_at


class MouthPose(NamedTuple):
    """How a mouth stands. All are 0 at rest; lengths are in half mouth widths."""

    jaw: float = 0.0
    """How far the lower lip has gone down."""
    lift: float = 0.0
    """How far the upper lip has gone up."""
    width: float = 0.0
    """Corners apart (> 0) or together (< 0), as a part of the width at rest."""
    pucker: float = 0.0
    """Lips pushed forward, 0..1."""
    press: float = 0.0
    """Lips pressed together, 0..1."""
    tuck: float = 0.0
    """Lower lip under the upper teeth, 0..1."""
    teeth: float = 0.0
    """How much of the lower teeth shows, 0..1."""
    tongue: float = 0.0
    """The tongue's tip: lying (0) to between the teeth (1)."""


REST = MouthPose()
OPENING = 2
"""So many of a pose's numbers, the first, are the mouth's opening."""

SHAPES: dict[Viseme, MouthPose] = {
    #                      jaw   lift  width  pucker press tuck  teeth tongue
    Viseme.SIL: REST,
    Viseme.PP: MouthPose(0.00, 0.00, -0.03, 0.05, 1.00, 0.00, 0.00, 0.00),
    Viseme.FF: MouthPose(0.05, 0.15, 0.02, 0.00, 0.00, 1.00, 0.00, 0.00),
    Viseme.TH: MouthPose(0.22, 0.08, 0.00, 0.00, 0.00, 0.00, 0.10, 1.00),
    Viseme.DD: MouthPose(0.20, 0.10, 0.03, 0.00, 0.00, 0.00, 0.35, 0.55),
    Viseme.KK: MouthPose(0.28, 0.08, 0.00, 0.00, 0.00, 0.00, 0.20, 0.15),
    Viseme.CH: MouthPose(0.20, 0.17, -0.20, 0.75, 0.00, 0.00, 0.90, 0.00),
    Viseme.SS: MouthPose(0.12, 0.12, 0.10, 0.00, 0.00, 0.00, 1.00, 0.05),
    Viseme.NN: MouthPose(0.16, 0.06, 0.00, 0.00, 0.00, 0.00, 0.15, 0.75),
    Viseme.RR: MouthPose(0.20, 0.08, -0.14, 0.45, 0.00, 0.00, 0.15, 0.30),
    Viseme.AA: MouthPose(0.66, 0.12, -0.05, 0.00, 0.00, 0.00, 0.15, 0.00),
    Viseme.E: MouthPose(0.40, 0.13, 0.11, 0.00, 0.00, 0.00, 0.45, 0.10),
    Viseme.IH: MouthPose(0.24, 0.12, 0.14, 0.00, 0.00, 0.00, 0.60, 0.15),
    Viseme.OH: MouthPose(0.46, 0.08, -0.22, 0.60, 0.00, 0.00, 0.00, 0.00),
    Viseme.OU: MouthPose(0.20, 0.04, -0.38, 1.00, 0.00, 0.00, 0.00, 0.00),
}

HOP_MS = 10
SMOOTH_MS = 70
"""A pose is an average over this long, the latest sound weighing most: coarticulation."""
HOLD_MS = 80
"""Hints are followed this far into silence: the closure of a stop is silent too."""
HINT_LASTS_MS = 500
"""A hint older than this no longer decides: no sound of speech is that long."""
FLOOR_DBFS = -52.0
"""Below this is silence, however quiet the voice."""
RANGE_DB = 30.0
"""And so is what lies this far below the voice's loudest."""
LOUD_FALL_DB = 0.02
"""How quickly the loudest is forgotten, in dB a hop."""

_TARGETS = np.array([SHAPES[name] for name in NAMES], np.float32)
_WEIGHTS = np.sqrt(np.arange(1, SMOOTH_MS // HOP_MS + 1, dtype=np.float32))
_WEIGHTS /= _WEIGHTS.sum()


class LipSync:
    """One session's mouth. ``feed`` a turn's sound, ``finish`` it, ``reset`` for the next."""

    def __init__(self, fps: float = 25) -> None:
        self._period_ms = 1000 / fps
        self.reset()

    def reset(self) -> None:
        """Forget the turn. The next sound starts at 0 ms, with the mouth at rest."""
        self._odd = b""
        self._rate_hz = 0
        self._tail: Floats = np.zeros(0, np.float32)
        self._tail_at = 0
        self._fed_ms = 0.0
        self._hints: list[VisemeHint] = []
        self._targets: list[Floats] = []
        self._hops = 0
        self._frames = 0
        self._loudest_dbfs = -26.0
        self._quiet_ms = 0

    def feed(
        self, pcm: bytes, sample_rate: int, visemes: Sequence[VisemeHint] = ()
    ) -> list[MouthPose]:
        """The poses of the pictures whose sound is complete by now, in order.

        ``pcm`` is signed 16-bit little-endian mono of any length; half a sample at its end waits
        for the rest. The offsets of ``visemes`` count from the start of ``pcm``.
        """
        self._hints += [VisemeHint(self._fed_ms + h.offset_ms, h.viseme) for h in visemes]
        data = self._odd + pcm
        whole = len(data) & ~1
        self._odd = data[whole:]
        samples = np.frombuffer(data[:whole], "<i2").astype(np.float32)
        self._take(samples / 32768, sample_rate)
        return self._poses()

    def finish(self) -> list[MouthPose]:
        """The poses still owed: there are ``ceil(duration * fps)`` in all."""
        end_ms = math.ceil(self._fed_ms / self._period_ms - 1e-6) * self._period_ms
        owed = math.ceil((end_ms - self._fed_ms) * self._rate_hz / 1000)
        if owed > 0:
            self._take(np.zeros(owed, np.float32), self._rate_hz)
        return self._poses()

    def _take(self, samples: Floats, rate_hz: int) -> None:
        if rate_hz != self._rate_hz:
            self._change_rate(rate_hz)
        spectra, hop = spectra_at(rate_hz), rate_hz * HOP_MS / 1000
        self._tail = np.concatenate([self._tail, samples])
        self._fed_ms += len(samples) * 1000 / rate_hz
        starts: list[int] = []
        while (at := round((self._hops + len(starts)) * hop) - self._tail_at) <= (
            len(self._tail) - spectra.window
        ):
            starts.append(at)
        if not starts:
            return
        windows = self._tail[np.array(starts)[:, None] + np.arange(spectra.window)]
        self._targets += list(self._aim(windows, spectra))
        self._hops += len(starts)
        done = min(round(self._hops * hop) - self._tail_at, len(self._tail))
        self._tail, self._tail_at = self._tail[done:], self._tail_at + done

    def _change_rate(self, rate_hz: int) -> None:
        if self._rate_hz and len(self._tail):
            count = round(len(self._tail) * rate_hz / self._rate_hz)
            where = np.linspace(0, len(self._tail) - 1, count)
            self._tail = np.interp(where, np.arange(len(self._tail)), self._tail)
        self._tail_at = round(self._fed_ms * rate_hz / 1000) - len(self._tail)
        self._rate_hz = rate_hz

    def _aim(self, windows: Floats, spectra: Spectra) -> Floats:
        """Where each hop pulls the mouth: ``(n, 8)``."""
        level_dbfs = 10 * np.log10((windows**2).mean(1) + 1e-10)
        shapes = classify(spectra(windows), spectra.known) @ _TARGETS
        for i, level in enumerate(level_dbfs):
            self._loudest_dbfs = max(level, self._loudest_dbfs - LOUD_FALL_DB, FLOOR_DBFS + 12)
            loud = 1 + (level - self._loudest_dbfs) / RANGE_DB
            silent = level < FLOOR_DBFS or loud <= 0
            self._quiet_ms = self._quiet_ms + HOP_MS if silent else 0
            hint = self._hint((self._hops + i) * HOP_MS + WINDOW_MS)
            if hint is not None and self._quiet_ms <= HOLD_MS:
                shapes[i] = SHAPES[hint]
                shapes[i, :OPENING] *= min(1.0, 0.6 + 0.6 * max(loud, 0))
            else:
                shapes[i] *= 0 if silent else min(1.0, 1.7 * loud)
        return shapes

    def _hint(self, at_ms: float) -> Viseme | None:
        """What the voice says it speaks at ``at_ms``; ``None`` when it has not said so lately."""
        while len(self._hints) > 1 and self._hints[1].offset_ms < at_ms:
            self._hints.pop(0)
        if not self._hints or not 0 < at_ms - self._hints[0].offset_ms <= HINT_LASTS_MS:
            return None
        return self._hints[0].viseme

    def _poses(self) -> list[MouthPose]:
        out = []
        while (end_ms := (self._frames + 1) * self._period_ms) <= self._fed_ms + 1e-6:
            heard = int((end_ms - WINDOW_MS + 1e-6) // HOP_MS) + 1  # hops that end by then
            known = max(0, heard - (self._hops - len(self._targets)))
            recent = self._targets[max(0, known - len(_WEIGHTS)) : known]
            weights = _WEIGHTS[len(_WEIGHTS) - len(recent) :]
            pose = weights @ np.array(recent) if recent else np.zeros(len(REST))
            out.append(MouthPose(*(round(float(v), 3) for v in pose)))
            self._frames += 1
            del self._targets[: max(0, known - len(_WEIGHTS))]
        return out
