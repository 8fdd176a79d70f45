"""How the head's stand bends the picture."""

from __future__ import annotations

import numpy as np

from ...media.types import Rect
from .arrays import Floats, cut, empty, join, overlap, smooth
from .landmarks import Landmarks
from .life import Posture

UNITS_PER_SPAN = 184
"""A face unit is this part of the distance between the eyes."""
BREATH_UNITS = 0.38
"""One step of breath."""
ROLL_RAD = 1 / 400
CHEST_ASIDE, CHEST_HALF = 0.6, 1.1
"""Where the breath shows, to the right of the chin, and how far it reaches from there, in eye
distances: much of a chest costs many bytes, little of it looks as alive."""
GLANCE_UNITS = 3.0


class Field:
    """A weight for each pixel of a box, 0 outside it."""

    def __init__(self, weight: Floats) -> None:
        rows, columns = (np.flatnonzero((weight > 1e-3).any(axis)) for axis in (1, 0))
        if len(rows) == 0:
            self.box = Rect(0, 0, 0, 0)
        else:
            x, y = int(columns[0]), int(rows[0])
            self.box = Rect(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)
        self._weight = np.ascontiguousarray(weight[cut(self.box)])

    def add(self, to: Floats, box: Rect, amount: float | Floats) -> None:
        """``to``, which covers ``box``, gets ``weight * amount``; ``amount`` is one number, or one
        for each row or column of ``box`` (shaped to broadcast)."""
        both = overlap(self.box, box)
        if empty(both):
            return
        mine = cut(Rect(both.x - self.box.x, both.y - self.box.y, both.width, both.height))
        theirs = cut(Rect(both.x - box.x, both.y - box.y, both.width, both.height))
        if isinstance(amount, np.ndarray):
            amount = np.broadcast_to(amount, to.shape)[theirs]
        to[theirs] += self._weight[mine] * amount


class Motion:
    """Maps from a picture's pixels to those of the still it is drawn from, ``zoom`` times finer."""

    def __init__(
        self, marks: Landmarks, width: int, height: int, zoom: tuple[float, float]
    ) -> None:
        """``marks`` are in the picture's pixels."""
        self._zoom = zoom
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        (ex, ey), (cx, cy), span = marks.eyes, marks.chin, marks.span
        self._unit = span / UNITS_PER_SPAN
        self._pivot = cx, cy + 0.5 * span
        r = np.hypot((x - ex) / (1.65 * span), (y - ey + 0.1 * span) / (1.95 * span))
        self._head = Field(1 - smooth((r - 1) / 0.32))
        mx, my = ex + 0.28 * (cx - ex), ey + 0.28 * (cy - ey)
        r = np.hypot((x - mx) / (0.98 * span), (y - my) / (1.39 * span))
        self._face = Field(np.square(np.clip(1 - r * r, 0, 1)))
        top = min(cy + 0.65 * span, height - 0.5 * span)
        side = 1 - smooth(np.abs(x - cx - CHEST_ASIDE * span) / (CHEST_HALF * span))
        self._chest = Field(smooth((y - top) / (0.65 * span)) * side)
        self._size = width, height

    def box(self, old: Posture, new: Posture) -> Rect:
        """What of the picture differs between two stands of the head and the chest."""
        moved = Rect(0, 0, 0, 0)
        if old[-3:] != new[-3:]:
            moved = self._head.box
        elif (old.turn, old.bow) != (new.turn, new.bow):
            moved = self._face.box
        if old.breath != new.breath:
            moved = join(moved, self._chest.box)
        return moved

    def reach(self, at: Posture, scale: float = 1.0) -> int:
        """No point of the picture is further from its place than this, in pixels."""
        steps = abs(at.turn) + abs(at.bow) + abs(at.sway) + abs(at.nod)
        width, height = self._size
        roll = abs(at.roll) * ROLL_RAD * (width + height)
        way = (steps + at.breath * BREATH_UNITS) * self._unit + roll
        return int(np.ceil(way * scale)) + 2

    def maps(self, at: Posture, box: Rect, scale: float = 1.0) -> tuple[Floats, Floats]:
        """Which point of the still each pixel of ``box`` shows: x and y, ``(height, width)``.
        ``scale``: how much of the way the head and the chest go."""
        unit = self._unit * scale
        x = np.arange(box.x, box.x + box.width, dtype=np.float32)[None]
        y = np.arange(box.y, box.y + box.height, dtype=np.float32)[:, None]
        mx, my = (np.broadcast_to(v, (box.height, box.width)).copy() for v in (x, y))
        if at.turn or at.bow:
            self._face.add(mx, box, -at.turn * unit)
            self._face.add(my, box, -at.bow * unit)
        if at.sway or at.nod or at.roll:
            roll = at.roll * ROLL_RAD * scale
            self._head.add(mx, box, roll * (y - self._pivot[1]) - at.sway * unit)
            self._head.add(my, box, -roll * (x - self._pivot[0]) - at.nod * unit)
        if at.breath:
            self._chest.add(my, box, at.breath * BREATH_UNITS * unit)
        for m, zoom in ((mx, self._zoom[0]), (my, self._zoom[1])):
            m += 0.5
            m *= zoom
            m -= 0.5
        return mx, my
