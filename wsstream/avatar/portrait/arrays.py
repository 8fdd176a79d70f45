"""The few things all of the portrait does with arrays and boxes."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...media.types import Pixels, Rect

Floats: TypeAlias = NDArray[np.floating[Any]]


def pixels(values: ArrayLike) -> Pixels:
    """As bytes: rounded and clamped if they are not yet."""
    out = np.asarray(values)
    if out.dtype != np.uint8:
        out = np.rint(np.clip(out, 0, 255)).astype(np.uint8)
    return out


def smooth(x: Floats) -> Floats:
    """0 below 0, 1 above 1, no corners between."""
    x = np.clip(x, 0, 1)
    out: Floats = x * x * (3 - 2 * x)
    return out


def cut(box: Rect) -> tuple[slice, slice]:
    """The rows and columns of a box."""
    return slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)


def empty(box: Rect) -> bool:
    """Whether it covers nothing."""
    return box.width <= 0 or box.height <= 0


def overlap(a: Rect, b: Rect) -> Rect:
    """What both cover; of no size when they do not meet."""
    x, y = max(a.x, b.x), max(a.y, b.y)
    right, bottom = min(a.x + a.width, b.x + b.width), min(a.y + a.height, b.y + b.height)
    return Rect(x, y, max(right - x, 0), max(bottom - y, 0))


def join(a: Rect, b: Rect) -> Rect:
    """The smallest box that covers both; an empty one counts for nothing."""
    if empty(a):
        return b
    return a if empty(b) else a.union(b)
