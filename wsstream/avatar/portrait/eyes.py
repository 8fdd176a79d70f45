"""The eyes of one face: lids at any step, glances, brows."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

import cv2
import numpy as np

from ...media.types import Pixels, Rect
from .arrays import Floats, pixels, smooth
from .landmarks import Landmarks
from .life import DRIFTS, GLANCES
from .motion import GLANCE_UNITS, UNITS_PER_SPAN

BROW_UNITS = 1.7
"""How far one step of the brows takes them."""
BROW_LOW, BROW_PEAK, BROW_HIGH = -0.17, -0.36, -0.56
"""The brows' height over the eyes, and where their movement ends, in eye distances."""
LIDS_SHUT = 4
KEPT = 24
"""How many drawings are remembered: a blink or two, wherever the eyes look."""
LIDS_ASIDE, LIDS_HIGH, LIDS_FADE = 0.36, 0.15, 0.05
"""Half the breadth and the height of what the lids move about an iris, and of its edge."""


class Eyes(ABC):
    """``box`` is the part of the still that the eyes move; ``draw`` fills it."""

    def __init__(self, marks: Landmarks, box: Rect) -> None:
        self.box = box
        self._marks = marks.moved(1, -box.x, -box.y)
        self.unit = marks.span / UNITS_PER_SPAN
        self._drawn: dict[tuple[int, int, int, int], Pixels] = {}
        self._lock = threading.Lock()
        x = np.arange(box.width, dtype=np.float32)[None]
        y = np.arange(box.height, dtype=np.float32)[:, None]
        self._grid = np.broadcast_to(x, (box.height, box.width)), y
        self._brows = self._brow_field(x, y)

    def draw(self, lids: int, gaze: int, drift: int = 0, brow: int = 0) -> Pixels:
        """``(box.height, box.width, 3)`` uint8 BGR, not to be written to. Safe from any thread.

        ``lids``: 0 open .. 4 shut. ``gaze``: which of ``GLANCES``. ``drift``: which of ``DRIFTS``.
        ``brow``: steps up.
        """
        if lids == LIDS_SHUT:
            gaze = drift = 0
        key = lids, gaze, drift, brow
        drawn = self._drawn.get(key)
        if drawn is None:
            drawn = self._raised(*key) if brow else self._looking(*key[:3])
            with self._lock:
                while len(self._drawn) >= KEPT:
                    del self._drawn[next(iter(self._drawn))]
                self._drawn[key] = drawn
        return drawn

    def _looking(self, lids: int, gaze: int, drift: int) -> Pixels:
        width = GLANCE_UNITS * self.unit
        dx, dy = (width * (a + b) for a, b in zip(GLANCES[gaze], DRIFTS[drift], strict=True))
        return self._paint(lids, dx, dy)

    def _raised(self, lids: int, gaze: int, drift: int, brow: int) -> Pixels:
        x, y = self._grid
        my = y + self._brows * (brow * BROW_UNITS * self.unit)
        below = self.draw(lids, gaze, drift)
        return pixels(
            cv2.remap(below, x.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR)
        )

    @abstractmethod
    def _paint(self, lids: int, dx: float, dy: float) -> Pixels:
        """The eyes with the irises ``dx``, ``dy`` pixels from where they are in the still."""

    def _brow_field(self, x: Floats, y: Floats) -> Floats:
        span = self._marks.span
        out = np.zeros((self.box.height, self.box.width), np.float32)
        for ex, ey in (self._marks.left_eye, self._marks.right_eye):
            t = (y - ey) / span
            rise = smooth((BROW_LOW - t) / (BROW_LOW - BROW_PEAK))
            fall = smooth((t - BROW_HIGH) / (BROW_PEAK - BROW_HIGH))
            side = 1 - smooth((np.abs((x - ex) / span) - 0.25) / 0.3)
            out = np.maximum(out, np.where(t > BROW_PEAK, rise, fall) * side)
        return out


class PaintedEyes(Eyes):
    """Eyes that came in layers, premultiplied BGRA bytes of the box's size: balls, irises, and
    the face around them at each step of the lids, with holes."""

    def __init__(
        self, marks: Landmarks, box: Rect, balls: Pixels, irises: Pixels, lids: list[Pixels]
    ) -> None:
        super().__init__(marks, box)
        self._balls, self._irises, self._lids = balls, irises, lids
        self._zone = self._lid_zone()[..., None]
        self._open = self._layered(0, 0, 0)

    def _paint(self, lids: int, dx: float, dy: float) -> Pixels:
        # Layers saved one by one differ a little everywhere: let that not look like movement.
        changed = (self._layered(lids, dx, dy) - self._open) * self._zone
        return pixels(self._open + changed)

    def _layered(self, lids: int, dx: float, dy: float) -> Floats:
        move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        irises = cv2.warpAffine(self._irises, move, self._irises.shape[1::-1])
        out = self._balls[..., :3].astype(np.float32)
        for layer in (irises, self._lids[lids]):
            out *= 1 - layer[..., 3:].astype(np.float32) / 255
            out += layer[..., :3]
        return out

    def _lid_zone(self) -> Floats:
        """1 where the lids move, falling to 0 about it."""
        x, y = self._grid
        span, out = self._marks.span, np.zeros(x.shape, np.float32)
        for ex, ey in (self._marks.left_eye, self._marks.right_eye):
            aside, down = (x - ex) / span, (y - ey) / span
            across = 1 - smooth((np.abs(aside) - LIDS_ASIDE) / LIDS_FADE)
            along = 1 - smooth((np.abs(down - 0.01) - LIDS_HIGH) / LIDS_FADE)
            out = np.maximum(out, (across * along).astype(np.float32))
        return out
