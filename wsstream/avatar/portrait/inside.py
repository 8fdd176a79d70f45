"""What an open mouth shows: the dark, the teeth, the tongue."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...media.types import Pixels
from ..lipsync import MouthPose
from .arrays import Floats, pixels

DRAWN_HALF = 200
"""Half a mouth in the pixels of the sprites; the closed lips meet at y = 500."""
DRAWN_SEAM = 500
CAVITY_BGR = (18.0, 13.0, 42.0)
LOWER_TEETH_TOP = (552 - DRAWN_SEAM) / DRAWN_HALF
TONGUE_TOP = (504 - DRAWN_SEAM) / DRAWN_HALF
TONGUE_LIES, TONGUE_BETWEEN = 0.15, 0.05
"""The tongue's top: lying, above the lower lip's edge; between the teeth, below the seam."""
TONGUE_RISES, TONGUE_SHOWS = 0.45, 0.80
"""From here on it is before the lower teeth, and the upper ones."""


@dataclass(frozen=True, eq=False)
class Sprite:
    """A part of the inside: premultiplied BGRA bytes, and where its corner lies from the middle of
    the closed lips, in its own pixels."""

    pixels: Pixels
    x: float
    y: float

    def resized(self, scale: float) -> Sprite:
        size = (max(1, round(n * scale)) for n in self.pixels.shape[1::-1])
        small = cv2.resize(self.pixels, tuple(size), interpolation=cv2.INTER_AREA)
        return Sprite(pixels(small), self.x * scale, self.y * scale)


@dataclass(frozen=True, eq=False)
class Inside:
    """``half``: half the mouth's width in the sprites' pixels."""

    upper_teeth: Sprite | None
    """``None`` when the face shows its own."""
    lower_teeth: Sprite
    tongue: Sprite
    half: float = DRAWN_HALF
    glow: float = 1.0
    """How brightly the face is lit, against the shipped one."""

    def fitted(self, half: float) -> Inside:
        """The same for a mouth of another size."""
        k = half / self.half
        upper = self.upper_teeth.resized(k) if self.upper_teeth else None
        return Inside(upper, self.lower_teeth.resized(k), self.tongue.resized(k), half, self.glow)

    def paint(self, size: tuple[int, int], origin: tuple[float, float], pose: MouthPose) -> Floats:
        """``(*size, 3)`` float32 BGR. ``origin``: x and y of the closed lips' middle in it."""
        out = np.empty((*size, 3), np.float32)
        out[:] = CAVITY_BGR
        lies = pose.jaw - TONGUE_LIES
        tongue = lies + (TONGUE_BETWEEN - lies) * pose.tongue - TONGUE_TOP
        lower = pose.jaw - 0.03 - 0.10 * pose.teeth - LOWER_TEETH_TOP
        layers = [(self.lower_teeth, lower)]
        if self.upper_teeth:
            layers.append((self.upper_teeth, 0.0))
        before = (pose.tongue > TONGUE_RISES) + (pose.tongue > TONGUE_SHOWS)
        layers.insert(before, (self.tongue, tongue))
        for sprite, down in layers:
            x, y = origin[0] + sprite.x, origin[1] + sprite.y + down * self.half
            move = np.array([[1, 0, x], [0, 1, y]], np.float32)
            over = cv2.warpAffine(sprite.pixels, move, size[::-1]).astype(np.float32)
            out *= 1 - over[..., 3:] / 255
            out += over[..., :3]
        return out * self.glow
