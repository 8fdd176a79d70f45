"""A face made ready to be moved, at one size. Rigs are made once and shared between sessions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ...media.types import Pixels, Viseme
from ..lipsync import SHAPES
from .eyes import LIDS_SHUT, Eyes
from .landmarks import Landmarks
from .motion import Motion
from .mouth import Mouth

FINER = 1.5
FINE_PIXELS = 1_440_000
"""The still is up to ``FINER`` times as wide as the pictures drawn from it, so that bending it
does not blur it, but has no more pixels than this."""
KEPT = 4
"""How many rigs are remembered; one takes some 15 MB at 512x512, 30 MB at 1280x720."""


@dataclass(frozen=True, eq=False)
class Rig:
    """Everything that does not change from picture to picture."""

    width: int
    height: int
    still: Pixels
    """The face at rest, eyes open, larger than the pictures. Nobody writes to it."""
    eyes: Eyes
    mouth: Mouth
    motion: Motion

    def warm(self) -> None:
        """Draw what every session soon needs: a blink, an open mouth."""
        for lids in range(LIDS_SHUT + 1):
            self.eyes.draw(lids, 0)
        self.mouth.draw(SHAPES[Viseme.AA])


def still_size(width: int, height: int) -> tuple[int, int]:
    """Of the still for pictures of ``width`` x ``height``."""
    finer = max(1.0, min(FINER, float(np.sqrt(FINE_PIXELS / (width * height)))))
    return round(width * finer), round(height * finer)


def assemble(
    still: Pixels, marks: Landmarks, eyes: Eyes, mouth: Mouth, width: int, height: int
) -> Rig:
    """``marks`` are in the still's pixels."""
    zoom = still.shape[1] / width, still.shape[0] / height
    motion = Motion(marks.moved(1 / zoom[0]), width, height, zoom)
    return Rig(width, height, still, eyes, mouth, motion)


Key: TypeAlias = tuple[object, ...]


class RigCache:
    """The ``kept`` rigs used last. Safe to use from any thread; a rig asked for by two at once may
    be made twice."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._rigs: OrderedDict[Key, Rig] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Rig]) -> Rig:
        """The rig of this key, made if need be."""
        with self._lock:
            rig = self._rigs.get(key)
        if rig is None:
            rig = make()
        with self._lock:
            self._rigs[key] = rig
            self._rigs.move_to_end(key)
            while len(self._rigs) > self._kept:
                self._rigs.popitem(last=False)
        return rig

    def clear(self) -> None:
        with self._lock:
            self._rigs.clear()


rigs = RigCache(KEPT)
