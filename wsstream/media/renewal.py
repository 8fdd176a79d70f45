"""What of a picture is sent again though it has not changed, so that a patch that was lost is made
good without anybody noticing that it was.

What moves is sent again by moving. What changed and then stands still is sent once more
(``Settling``), and while the agent speaks all of the picture goes round, strip by strip
(``strips_between``), whatever was lost. Time is the pictures' own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .regions import BLOCK, Blocks
from .types import Rect

SETTLED_MS = 800
"""What has stood still for so long is sent again. A viewer gets a picture each second at least: it
has it within 2 s."""
NEARLY_MS = 500
"""What has stood still for so long goes along: fewer and larger regions. It is apart enough from
the change that one hiccup does not take both, and longer than an idle face rests between two steps
of a breath."""
ROUND_MS = 10_000
STRIPS = 15
"""Few enough that their JPEG headers weigh little, many enough that none delays sound."""
_NEVER = np.iinfo(np.int64).max


class Settling:
    """Which blocks of a series of pictures have changed, and were not sent again since."""

    def __init__(self) -> None:
        self._changed_ms: NDArray[np.int64] | None = None

    def due(self, changed: Blocks, media_ms: int) -> Blocks:
        """Which to send again with the picture of ``media_ms``, of which ``changed`` are sent
        anyway."""
        if self._changed_ms is None:
            self._changed_ms = np.full(changed.shape, _NEVER)
        self._changed_ms[changed] = media_ms
        if self._changed_ms.min() > media_ms - SETTLED_MS:
            return np.zeros_like(changed)
        again: Blocks = self._changed_ms <= media_ms - NEARLY_MS
        self._changed_ms[again] = _NEVER
        return again


def strips_between(before_ms: int, after_ms: int, height: int, width: int) -> list[Rect]:
    """What of the round falls between two pictures: strips as wide as the picture, which together
    are all of it each ``ROUND_MS``."""
    first, end = before_ms * STRIPS // ROUND_MS, after_ms * STRIPS // ROUND_MS
    rows = -(-height // BLOCK)
    strips = []
    for n in range(first, min(end, first + STRIPS)):
        top, bottom = (rows * (n % STRIPS + edge) // STRIPS * BLOCK for edge in (0, 1))
        if bottom > top:
            strips.append(Rect(0, top, width, min(bottom, height) - top))
    return strips
