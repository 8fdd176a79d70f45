"""What of a picture has changed, and the few rectangles that cover it.

Rectangles are aligned to 16 pixels, the MCU of a 4:2:0 JPEG (ITU-T T.81 section A.2), so that a
region's edge is also an edge of the coder's own blocks, and no seam shows.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Pixels, Rect

BLOCK = 16

Blocks: TypeAlias = NDArray[np.bool_]
"""``(ceil(height / 16), ceil(width / 16))``: which blocks have changed."""

_REGION_BLOCKS = 12
"""A JPEG's own tables cost as much as about so many blocks: nearer regions are sent as one."""


def no_blocks(height: int, width: int) -> Blocks:
    """For a picture of this size: nothing changed."""
    return np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.bool_)


def changed_blocks(before: Pixels, after: Pixels, within: Rect | None = None) -> Blocks:
    """Which blocks differ, however little. Both ``(height, width, 3)``; only ``within`` is looked
    at, where it is known that nothing outside differs.

    >>> a = np.zeros((32, 48, 3), np.uint8); b = a.copy(); b[20, 40] = 1
    >>> changed_blocks(a, b).nonzero()
    (array([1]), array([2]))
    """
    height, width = after.shape[:2]
    blocks = no_blocks(height, width)
    top, bottom, left, right = 0, height, 0, width
    if within is not None:
        top, left = max(0, within.y) // BLOCK * BLOCK, max(0, within.x) // BLOCK * BLOCK
        bottom = min(height, within.y + within.height)
        right = min(width, within.x + within.width)
    if bottom <= top or right <= left:
        return blocks
    differs = cv2.absdiff(before[top:bottom, left:right], after[top:bottom, left:right])
    rows, columns = -(-(bottom - top) // BLOCK), -(-(right - left) // BLOCK)
    if differs.shape[0] % BLOCK or differs.shape[1] % BLOCK:
        padded = np.zeros((rows * BLOCK, columns * BLOCK, 3), np.uint8)
        padded[: differs.shape[0], : differs.shape[1]] = differs
        differs = padded
    # 16 pixels are 48 bytes are six words: "any byte set" is asked word by word.
    words = np.ascontiguousarray(differs).reshape(rows * BLOCK, -1).view(np.uint64)
    lines = np.bitwise_or.reduce(words.reshape(rows, BLOCK, -1), axis=1)
    found = np.bitwise_or.reduce(lines.reshape(rows, columns, -1), axis=2) != 0
    blocks[top // BLOCK : top // BLOCK + rows, left // BLOCK : left // BLOCK + columns] = found
    return blocks


def regions_of(blocks: Blocks, height: int, width: int) -> list[Rect]:
    """Rectangles that cover the blocks, few and not much larger than they need be."""
    near = cv2.dilate(blocks.view(np.uint8), np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(near, connectivity=8)
    boxes = []
    for label in range(1, count):
        ys, xs = np.nonzero(blocks & (labels == label))
        boxes.append(Rect(int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1))
    return [_in_pixels(box, height, width) for box in _merged(boxes)]


def area_share(blocks: Blocks) -> float:
    """How much of the picture has changed, 0 to 1."""
    return float(blocks.mean())


def _merged(boxes: list[Rect]) -> list[Rect]:
    """Join boxes while one JPEG around two costs less than two JPEGs."""
    merged: list[Rect] = []
    for box in boxes:
        i = 0
        while i < len(merged):
            both = box.union(merged[i])
            if _area(both) - _area(box) - _area(merged[i]) <= _REGION_BLOCKS:
                box = both
                del merged[i]
                i = 0
            else:
                i += 1
        merged.append(box)
    return merged


def _area(box: Rect) -> int:
    return box.width * box.height


def _in_pixels(box: Rect, height: int, width: int) -> Rect:
    x, y = box.x * BLOCK, box.y * BLOCK
    right, bottom = x + box.width * BLOCK, y + box.height * BLOCK
    return Rect(x, y, min(width, right) - x, min(height, bottom) - y)
