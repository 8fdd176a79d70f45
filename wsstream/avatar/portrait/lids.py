"""Lids for a face that has only a photograph: the skin above the eye is pulled down over it."""

from __future__ import annotations

import cv2
import numpy as np

from ...media.types import Pixels, Rect
from .arrays import Floats, cut, overlap, pixels, smooth
from .eyes import LIDS_SHUT, Eyes
from .landmarks import Landmarks

# In eye distances, about the middle of the iris.
HALF_WIDTH = 0.26
UPPER, LOWER = -0.115, 0.12
"""The lids' edges over the iris; a little outside the real ones, so that none of the eye stays."""
FOLD = -0.18
"""Up to here the skin over the eye stretches."""
IRIS = 0.10
LASH_BGR = (24.0, 26.0, 38.0)


class PhotoEyes(Eyes):
    """The eyes of a picture that was not made for it."""

    def __init__(self, still: Pixels, marks: Landmarks) -> None:
        span, ey = marks.span, marks.eyes[1]
        left, right = marks.left_eye[0] - 0.62 * span, marks.right_eye[0] + 0.62 * span
        box = Rect(round(left), round(ey - 0.62 * span), round(right - left), round(0.92 * span))
        box = overlap(box, Rect(0, 0, still.shape[1], still.shape[0]))
        super().__init__(marks, box)
        self._still = still[cut(box)]

    def _paint(self, lids: int, dx: float, dy: float) -> Pixels:
        out = self._still
        if dx or dy:
            out = self._glance(out, dx, dy)
        if lids:
            for eye in (self._marks.left_eye, self._marks.right_eye):
                out = self._close(out, eye, lids / LIDS_SHUT)
        return out

    def _glance(self, picture: Pixels, dx: float, dy: float) -> Pixels:
        x, y = self._grid
        felt = np.zeros(x.shape, np.float32)
        for ex, ey in (self._marks.left_eye, self._marks.right_eye):
            r = np.hypot(x - ex, (y - ey) * 1.3) / (IRIS * self._marks.span)
            felt += (1 - smooth((r - 0.7) / 1.1)).astype(np.float32)
        maps = (x - felt * dx).astype(np.float32), (y - felt * dy).astype(np.float32)
        return pixels(cv2.remap(picture, *maps, cv2.INTER_LINEAR))

    def _close(self, picture: Pixels, eye: tuple[float, float], closure: float) -> Pixels:
        span, (ex, ey) = self._marks.span, eye
        x, y = self._grid
        lean = (self._marks.right_eye[1] - self._marks.left_eye[1]) / span
        s = (x - ex) / (HALF_WIDTH * span)
        t = (y - ey) / span - lean * (x - ex) / span
        almond = np.clip(1 - s * s, 0, 1) ** 0.75
        upper, lower = UPPER * almond, LOWER * almond
        edge = upper + (lower - upper) * closure
        # From the fold to the lid's edge, what lay between the fold and the upper lid.
        fold = FOLD * (1 - smooth((np.abs(s) - 0.8) / 0.5)) - 1e-3
        part = np.clip((t - fold) / np.maximum(edge - fold, 1e-3), 0, 1)
        source = np.where((t > fold) & (t < edge), fold + part * (upper - fold), t)
        map_y = (source - t) * span + y
        maps = x.astype(np.float32), map_y.astype(np.float32)
        out = pixels(cv2.remap(picture, *maps, cv2.INTER_LINEAR))
        # What lies under the lid is gone; the lashes make its edge dark.
        return self._lash(out, (t - edge) * span, almond, closure)

    def _lash(self, picture: Pixels, below: Floats, almond: Floats, closure: float) -> Pixels:
        breadth = 0.018 * self._marks.span * (0.5 + almond)
        dark = np.exp(-np.square(below / np.maximum(breadth, 0.6))) * (almond > 0)
        dark *= np.minimum(1, almond * 3) * float(np.clip(1.6 * closure - 0.3, 0, 1)) * 0.75
        out = picture + (np.array(LASH_BGR, np.float32) - picture) * dark[..., None]
        return pixels(out)
