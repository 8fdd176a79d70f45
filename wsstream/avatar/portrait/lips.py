"""Finding the mouth of a face whose eyes are known: its corners, and the line between its lips."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ...media.types import Pixels, Rect
from .landmarks import Point

Grey: TypeAlias = NDArray[np.uint8]
Seam: TypeAlias = tuple[Point, ...]

MOUTH_DOWN, MOUTH_HALF = 1.04, 0.385
"""The mouth's distance from between the eyes, and half its width, in eye distances."""
SAG = 0.10
"""How far the closed lips' middle hangs below their corners, in half mouth widths."""
TEETH_COLOUR = 0.5
"""Teeth have at most this part of the lips' saturation."""


class Axis:
    """A face's own directions: along the eyes, and down from between them."""

    def __init__(self, left: Point, right: Point) -> None:
        self.middle = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
        self.across = right[0] - left[0], right[1] - left[1]

    def down(self, down: float, across: float = 0.0) -> Point:
        """The point so many eye distances down and to the right."""
        ax, ay = self.across
        return (
            self.middle[0] + across * ax - down * ay,
            self.middle[1] + across * ay + down * ax,
        )


def mouth_corners(grey: Grey, axis: Axis, smiles: Callable[[Grey, float], list[Rect]]) -> Seam:
    """The corners, from the eyes; moved to where the smile detector sees the mouth. ``smiles``
    finds the mouths of a part of the picture, none smaller than a side."""
    x, y = axis.down(MOUTH_DOWN)
    span = float(np.hypot(*axis.across))
    left, top = max(round(x - 0.6 * span), 0), max(round(y - 0.36 * span), 0)
    part = np.ascontiguousarray(grey[top : round(y + 0.40 * span), left : round(x + 0.6 * span)])
    down, half = MOUTH_DOWN, MOUTH_HALF
    boxes = smiles(part, 0.2 * span) if min(part.shape) > 16 else []
    if boxes:
        box = max(boxes, key=lambda b: b.width)
        seen = (top + box.y + 0.5 * box.height - y) / span
        down += float(np.clip(seen, -0.16, 0.16))
    down = _dark_row(grey, axis, down)
    return axis.down(down, -half), axis.down(down, half)


def _dark_row(grey: Grey, axis: Axis, down: float) -> float:
    """The height near ``down`` where it is darkest all along the mouth: between the lips."""
    soft = cv2.GaussianBlur(grey, (0, 0), max(0.02 * float(np.hypot(*axis.across)), 0.8))
    tries = np.linspace(down - 0.15, down + 0.15, 31)
    across = np.linspace(-0.26, 0.26, 21)
    values = []
    for d in tries:
        points = np.array([axis.down(float(d), float(a)) for a in across])
        x = np.clip(points[:, 0].round().astype(int), 0, grey.shape[1] - 1)
        y = np.clip(points[:, 1].round().astype(int), 0, grey.shape[0] - 1)
        values.append(float(soft[y, x].mean()) + 90 * abs(d - down))
    return float(tries[int(np.argmin(values))])


def dark_line(grey: Grey, left: Point, right: Point) -> Seam:
    """The dark line between the lips: the darkest way from corner to corner that bends little."""
    half = float(np.hypot(right[0] - left[0], right[1] - left[1])) / 2
    count, reach = 25, 0.22
    steps = np.linspace(-reach, reach, 23)
    s = np.linspace(-1, 1, count)
    base = SAG * (1 - s * s)
    lean = (right[0] - left[0]) / 2, (right[1] - left[1]) / 2
    x = (left[0] + right[0]) / 2 + s[:, None] * lean[0] - (base[:, None] + steps) * lean[1]
    y = (left[1] + right[1]) / 2 + s[:, None] * lean[1] + (base[:, None] + steps) * lean[0]
    soft = cv2.GaussianBlur(grey, (0, 0), max(0.035 * half, 0.8))
    xi = np.clip(x.round().astype(int), 0, grey.shape[1] - 1)
    yi = np.clip(y.round().astype(int), 0, grey.shape[0] - 1)
    cost = soft[yi, xi].astype(np.float32) + 260 * np.square(steps / reach) * 0.35
    cost[[0, -1]] += 400 * np.abs(steps)
    total, back = cost.copy(), np.zeros(cost.shape, int)
    bend = 9.0 * np.square(np.subtract.outer(np.arange(len(steps)), np.arange(len(steps))))
    for i in range(1, count):
        ways = total[i - 1][None] + bend
        back[i] = ways.argmin(1)
        total[i] += ways.min(1)
    k = int(total[-1].argmin())
    path = [k, *(k := int(back[i, k]) for i in range(count - 1, 0, -1))]
    offsets = np.convolve(np.pad(steps[path[::-1]], 2, mode="edge"), np.ones(5) / 5, "valid")
    t = base + offsets
    return tuple(
        (
            float((left[0] + right[0]) / 2 + a * lean[0] - b * lean[1]),
            float((left[1] + right[1]) / 2 + a * lean[1] + b * lean[0]),
        )
        for a, b in zip(s, t, strict=True)
    )


def under_teeth(picture: Pixels, seam: Seam) -> tuple[Seam, bool]:
    """The seam, moved below the upper teeth where a smile shows them: teeth have far less colour
    than the lips above and below them."""
    points = np.array(seam)
    along = (points[-1] - points[0]) / 2
    half, down = float(np.hypot(*along)), np.array([-along[1], along[0]])
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.02 * half, 0.6))
    colour = cv2.cvtColor(soft, cv2.COLOR_BGR2HSV)[..., 1].astype(np.float32)
    depths = np.arange(0, 0.62, 0.04)
    middle = points[len(points) // 4 : -(len(points) // 4)]
    x, y = np.moveaxis((middle[None] + depths[:, None, None] * down).round().astype(int), 2, 0)
    x, y = np.clip(x, 0, picture.shape[1] - 1), np.clip(y, 0, picture.shape[0] - 1)
    profile = colour[y, x].mean(axis=1)
    palest = int(profile.argmin())
    ends = np.flatnonzero(profile[palest:] > (profile[palest] + profile[0]) / 2)
    if profile[palest] > TEETH_COLOUR * profile[0] or len(ends) == 0:
        return seam, False
    s = np.linspace(-1, 1, len(points))
    depth = depths[palest + ends[0]] * np.clip(1 - s * s, 0, 1) ** 0.6
    moved = points + depth[:, None] * down
    return tuple((float(px), float(py)) for px, py in moved), True
