"""What speech sounds look like: band spectra, and how near each is to a viseme's own.

The vowels' templates are computed from their formants (Peterson and Barney 1952, averaged and
rounded), for three lengths of vocal tract; the hissing consonants' are drawn by hand.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..media.types import Viseme

Floats: TypeAlias = NDArray[np.floating[Any]]

WINDOW_MS = 20
SOFTNESS_DB = 0.8
"""How close two templates' fits must be for both to shape the mouth."""
FITTED_DB = 45.0
"""A spectrum is compared this far down from its highest band."""

BANDS = 22
LOWEST_HZ, HIGHEST_HZ = 120.0, 8000.0

_FORMANTS_HZ: tuple[tuple[Viseme, tuple[int, ...]], ...] = (
    (Viseme.AA, (760, 1200, 2550)),
    (Viseme.AA, (680, 1650, 2500)),
    (Viseme.E, (540, 1850, 2550)),
    (Viseme.IH, (340, 2250, 2950)),
    (Viseme.OH, (520, 880, 2450)),
    (Viseme.OU, (330, 850, 2300)),
    (Viseme.OU, (340, 1250, 2250)),
    (Viseme.RR, (430, 1250, 1650)),
    (Viseme.NN, (260, 1600, 2600)),
    (Viseme.PP, (250, 1050, 2300)),
)
_UPPER_FORMANTS_HZ = (3600, 4500)
_NASAL_LOSS_DB = 7.0
_TRACTS = (0.95, 1.08, 1.22)
_NOISE_DB = {  # breakpoints (Hz, dB) of the hissing sounds
    Viseme.SS: (
        (120, -18),
        (700, -24),
        (2500, -22),
        (3500, -14),
        (4500, -4),
        (5500, 0),
        (8000, -4),
    ),
    Viseme.CH: (
        (120, -32),
        (500, -25),
        (1300, -25),
        (2400, -3),
        (3000, 0),
        (4500, -5),
        (8000, -13),
    ),
    Viseme.FF: ((120, -8), (500, -10), (1000, -12), (2500, -8), (5000, -4), (8000, 0)),
}


def _centres_hz() -> Floats:
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges: Floats = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    return edges.astype(np.float32)


def _vowel_db(formants_hz: tuple[int, ...], tract: float, hz: Floats) -> Floats:
    """A vowel's envelope: resonances in series, a glottal source at -12 dB an octave, the lips'
    +6."""
    out = -6.0 * np.log2(np.maximum(hz, 100) / 100)
    for k, formant in enumerate(formants_hz + _UPPER_FORMANTS_HZ):
        centre, breadth = formant * tract, 90.0 + 50.0 * k
        x = (hz / centre) ** 2
        out = out - 10 * np.log10((1 - x) ** 2 + (breadth / centre) ** 2 * x + 1e-3)
    envelope: Floats = out.astype(np.float32)
    return envelope


def _templates() -> tuple[list[Viseme], Floats]:
    hz = _centres_hz()[1:-1]
    names: list[Viseme] = []
    rows: list[Floats] = []
    for viseme, formants_hz in _FORMANTS_HZ:
        for tract in _TRACTS:
            names.append(viseme)
            row = _vowel_db(formants_hz, tract, hz)
            if viseme in (Viseme.NN, Viseme.PP):  # a nose is a damped and narrow way out
                row = row - _NASAL_LOSS_DB * (hz > 500)
            rows.append(row)
    for viseme, points in _NOISE_DB.items():
        names.append(viseme)
        x, y = zip(*points, strict=True)
        rows.append(np.interp(hz, x, y).astype(np.float32))
    return names, np.array(rows, np.float32)


NAMES, _TEMPLATES = _templates()


class Spectra:
    """Band levels of one sample rate: ``WINDOW_MS`` windows in, ``(n, BANDS)`` dB out."""

    def __init__(self, rate_hz: int) -> None:
        self.window = rate_hz * WINDOW_MS // 1000
        size = 1 << (self.window - 1).bit_length()
        hz = np.fft.rfftfreq(size, 1 / rate_hz)
        edges = _centres_hz()
        rise = (hz[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        fall = (edges[2:, None] - hz[None]) / (edges[2:] - edges[1:-1])[:, None]
        self._weights = np.clip(np.minimum(rise, fall), 0, None).astype(np.float32)
        # A narrow band may fall between two bins: then the nearest one stands for it.
        empty = np.flatnonzero(self._weights.sum(1) == 0)
        self._weights[empty, np.abs(hz[None] - edges[1:-1][empty, None]).argmin(1)] = 1
        self._weights /= self._weights.sum(1, keepdims=True)
        self.known = edges[2:] <= rate_hz / 2
        """Which bands this rate can carry."""
        self._hann = np.hanning(self.window).astype(np.float32)
        self._size = size

    def __call__(self, windows: Floats) -> Floats:
        power = np.abs(np.fft.rfft(windows * self._hann, self._size)) ** 2
        bands: Floats = 10 * np.log10(power.astype(np.float32) @ self._weights.T + 1e-9)
        return bands


def classify(bands_db: Floats, known: NDArray[np.bool_]) -> Floats:
    """How well each template fits each spectrum: ``(n, len(NAMES))``, rows adding up to 1."""
    x = bands_db[:, known]
    x, t = (np.maximum(m, m.max(1, keepdims=True) - FITTED_DB) for m in (x, _TEMPLATES[:, known]))
    x, t = (m - m.mean(1, keepdims=True) for m in (x, t))
    distance = np.sqrt(((x[:, None] - t[None]) ** 2).mean(2))
    score = np.exp(-(distance - distance.min(1, keepdims=True)) / SOFTNESS_DB)
    fit: Floats = score / score.sum(1, keepdims=True)
    return fit


@lru_cache(maxsize=8)
def spectra_at(rate_hz: int) -> Spectra:
    """One for each rate is enough."""
    return Spectra(rate_hz)
