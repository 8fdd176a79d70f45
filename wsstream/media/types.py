"""What travels through the server: sound, pictures, and the hints that move a mouth.

Shapes and units are fixed here for every floor above:

- PCM is signed 16-bit mono. Inside the server it is 48 kHz, in blocks of ``BLOCK_SAMPLES``
  (20 ms: one Opus packet, RFC 6716 section 2.1.4).
- Pixels are ``(height, width, 3)`` ``uint8`` in BGR order, as OpenCV has them.
- ``media_ms`` is milliseconds on the session's media clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Pcm: TypeAlias = NDArray[np.int16]

SAMPLE_RATE_HZ = 48_000
BLOCK_MS = 20
BLOCK_SAMPLES = SAMPLE_RATE_HZ * BLOCK_MS // 1000
INAUDIBLE = 33
"""Of int16: -60 dB."""
_GLANCE = 64


def is_block(pcm: object) -> TypeGuard[Pcm]:
    """Whether it is 20 ms of sound: ``(960,)`` int16."""
    return isinstance(pcm, np.ndarray) and pcm.shape == (BLOCK_SAMPLES,) and pcm.dtype == np.int16


def is_silent(pcm: Pcm) -> bool:
    """Whether nothing is to be heard in it."""
    few = pcm[::_GLANCE].tolist()  # tells of speech at once, and lets no other thread run
    if max(few) >= INAUDIBLE or min(few) <= -INAUDIBLE:
        return False
    return bool(pcm.max() < INAUDIBLE and pcm.min() > -INAUDIBLE)


class Viseme(StrEnum):
    """The shapes a mouth takes: the fifteen of the Oculus/Meta lip-sync set, by its own names."""

    SIL = "sil"
    PP = "PP"  # p b m
    FF = "FF"  # f v
    TH = "TH"  # th
    DD = "DD"  # t d
    KK = "kk"  # k g
    CH = "CH"  # ch j sh
    SS = "SS"  # s z
    NN = "nn"  # n l
    RR = "RR"  # r
    AA = "aa"  # father
    E = "E"  # bed
    IH = "ih"  # bit
    OH = "oh"  # toe
    OU = "ou"  # boot


@dataclass(frozen=True, slots=True)
class VisemeHint:
    """From ``offset_ms`` on (counted from the start of the PCM it came with) the mouth has this
    shape, until the next hint."""

    offset_ms: float
    viseme: Viseme


@dataclass(frozen=True, slots=True)
class Rect:
    """A region of a picture, in its pixels."""

    x: int
    y: int
    width: int
    height: int

    def union(self, other: Rect) -> Rect:
        """The smallest region that covers both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Rect(x, y, right - x, bottom - y)


@dataclass(frozen=True, slots=True)
class Picture:
    """One released picture of a session. ``seq`` counts them; nobody may write to ``pixels``."""

    seq: int
    media_ms: int
    pixels: Pixels
    speaking: bool = False
    dirty: Rect | None = None
    """What may differ from picture ``seq - 1``; ``None`` when nobody knows."""


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """20 ms of released sound, as each way to a viewer gets it before it is encoded."""

    media_ms: int
    pcm: Pcm
    speaking: bool = False
