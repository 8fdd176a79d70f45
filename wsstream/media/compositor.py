"""Putting pictures together: on a canvas of another shape, or one into the other."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .types import Pixels

BACKDROP_BLUR = 0.045
"""Of the canvas's longer side: no shape of the picture may be known again in its backdrop."""
BACKDROP_LIGHT = 0.55
FEATHER = 0.02
"""Of the canvas's longer side: how softly the picture ends on its backdrop."""
BLUR_SIDE = 160
"""The backdrop is blurred at this size; it has no detail to lose."""


class Placement(NamedTuple):
    """Where a picture lies on a canvas: its point ``p`` is at ``p * scale + (x, y)``."""

    scale: float
    x: float
    y: float


def fit(picture: Pixels, width: int, height: int) -> tuple[Pixels, Placement]:
    """The whole picture on a canvas of ``width`` x ``height``, as large as it goes.

    What it leaves free is filled with the picture itself, enlarged, blurred and darkened. Takes
    and returns ``(height, width, 3)`` uint8 BGR; the result is a new array.

    Raises:
        ValueError: when the picture or the canvas is empty.
    """
    rows, columns = picture.shape[:2]
    if min(rows, columns, width, height) < 1:
        raise ValueError(f"nothing to fit: {columns}x{rows} on {width}x{height}")
    scale = min(width / columns, height / rows)
    inner_width, inner_height = max(1, round(columns * scale)), max(1, round(rows * scale))
    inner = _resized(picture, inner_width, inner_height)
    x, y = (width - inner_width) // 2, (height - inner_height) // 2
    if (inner_width, inner_height) == (width, height):
        return inner, Placement(scale, 0, 0)
    out = _backdrop(picture, width, height)
    feather = max(1, round(FEATHER * max(width, height)))
    keep = _feathered(inner_width, inner_width < width, feather)[None]
    keep = keep * _feathered(inner_height, inner_height < height, feather)[:, None]
    part = out[y : y + inner_height, x : x + inner_width]
    part[:] = np.rint(part + (inner.astype(np.float32) - part) * keep[..., None])
    return out, Placement(scale, x, y)


def crossfade(a: Pixels, b: Pixels, t: float) -> Pixels:
    """``a`` at ``t`` = 0, ``b`` at ``t`` = 1, a mixture between; ``t`` outside is clamped.

    Both ``(height, width, 3)`` uint8 of one shape. At the ends the array itself is returned, else
    a new one.

    Raises:
        ValueError: when the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"cannot blend {a.shape} into {b.shape}")
    if t <= 0:
        return a
    if t >= 1:
        return b
    return np.asarray(cv2.addWeighted(a, 1 - t, b, t, 0), np.uint8)


def _resized(picture: Pixels, width: int, height: int) -> Pixels:
    smaller = width * height < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _backdrop(picture: Pixels, width: int, height: int) -> Pixels:
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows)
    wide, high = (max(1, min(n, round(m / scale))) for n, m in ((columns, width), (rows, height)))
    x, y = (columns - wide) // 2, (rows - high) // 2
    k = BLUR_SIDE / max(width, height)
    small = _resized(
        picture[y : y + high, x : x + wide], max(2, round(width * k)), max(2, round(height * k))
    )
    soft = cv2.GaussianBlur(small, (0, 0), BACKDROP_BLUR * BLUR_SIDE)
    dark = np.rint(soft * BACKDROP_LIGHT).astype(np.uint8)
    return _resized(dark, width, height)


def _feathered(
    length: int, soft: bool, feather: int
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The weight along one side: 1, or falling to 0 at both ends."""
    ends = np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5
    return np.clip(ends / feather, 0, 1).astype(np.float32) if soft else np.ones(length, np.float32)
