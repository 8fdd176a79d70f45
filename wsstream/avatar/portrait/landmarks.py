"""Where the parts of a face are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Points in a picture's pixels, x to the right, y down. Left and right are the viewer's."""

    left_eye: Point
    right_eye: Point
    """The middles of the irises."""
    seam: tuple[Point, ...]
    """Where the closed lips meet, from the left corner to the right one."""
    chin: Point
    """Its lowest point."""
    toothy: bool = False
    """Whether the picture smiles with its upper teeth, which are then above the seam."""

    @property
    def eyes(self) -> Point:
        """Midway between the eyes."""
        (ax, ay), (bx, by) = self.left_eye, self.right_eye
        return (ax + bx) / 2, (ay + by) / 2

    @property
    def span(self) -> float:
        """From eye to eye: what every other length of a face is measured by."""
        (ax, ay), (bx, by) = self.left_eye, self.right_eye
        return float(np.hypot(bx - ax, by - ay))

    def moved(self, scale: float, dx: float = 0.0, dy: float = 0.0) -> Landmarks:
        """The same points in a picture resized by ``scale`` and then shifted."""

        def move(p: Point) -> Point:
            return p[0] * scale + dx, p[1] * scale + dy

        return Landmarks(
            move(self.left_eye),
            move(self.right_eye),
            tuple(move(p) for p in self.seam),
            move(self.chin),
            self.toothy,
        )
