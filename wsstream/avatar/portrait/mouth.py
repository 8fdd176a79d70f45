"""The mouth of one face at any pose.

The closed lips of the still are cut along their seam and bent apart: what is above the seam goes
up with the upper lip, what is below goes down with the lower lip and the jaw, each less the
further it is away. Between them shows the inside. Lengths are in half mouth widths, ``s`` from the
left corner (-1) to the right one (1), ``t`` downwards from the line between the corners.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...media.types import Pixels, Rect
from ..lipsync import REST, MouthPose
from .arrays import Floats, cut, overlap, pixels, smooth
from .inside import Inside
from .landmarks import Landmarks

LEFT, RIGHT, ABOVE, BELOW = -2.1, 2.1, 0.95, 2.55
"""How far a mouth's movement is felt."""
UPPER_LIP, UPPER_END = 0.30, 0.90
"""Above the seam: up to the first the lip moves as one, from the second on nothing moves."""
LOWER_LIP, LOWER_END = 0.35, 1.05
JAW, JAW_END = 1.3, 2.5
"""Below the corners: the jaw moves as one, and nothing moves."""
CHIN = 0.45
"""How much of the lower lip's way the chin goes."""
JAW_BREADTH = 1.25
ASIDE = 1.6
"""How far to the sides the lips' own movement is felt."""
CORNERS = 0.24
"""How much of the lower lip's way the corners go."""
PRESSED, TUCKED, PUCKERED = 0.55, 0.60, -0.28
"""How much thinner (> 0) or fuller a lip looks."""


class Mouth:
    """``box`` is the part of the still that the mouth moves; ``draw`` fills it."""

    def __init__(self, still: Pixels, marks: Landmarks, inside: Inside) -> None:
        (ax, ay), (bx, by) = marks.seam[0], marks.seam[-1]
        self._half = max(float(np.hypot(bx - ax, by - ay)) / 2, 1.0)
        self._slope = (by - ay) / max(bx - ax, 1.0)
        cx, cy = (ax + bx) / 2, (ay + by) / 2
        seam = np.array(marks.seam, np.float32) - (cx, cy)
        self._seam_s = seam[:, 0] / self._half
        self._seam_t = (seam[:, 1] - self._slope * seam[:, 0]) / self._half
        height, width = still.shape[:2]
        left, top = round(cx + LEFT * self._half), round(cy - ABOVE * self._half)
        right, bottom = round(cx + RIGHT * self._half), round(cy + BELOW * self._half)
        self.box = overlap(Rect(left, top, right - left, bottom - top), Rect(0, 0, width, height))
        box = self.box
        self._still = still[cut(box)]
        self._x = np.arange(box.width, dtype=np.float32)[None]
        self._y = np.arange(box.height, dtype=np.float32)[:, None]
        # ``t`` of a pixel is its row's share less its column's.
        self._s = (self._x[0] + (box.x - cx)) / self._half
        self._rows = (self._y + (box.y - cy)) / self._half
        self._tilt = self._slope * self._s
        self._near = 1 - smooth((np.abs(self._s) - 1.0) / (ASIDE - 1.0))
        self._lip = 1 - smooth((np.abs(self._s) - 0.8) / 0.5)
        far = smooth((np.abs(self._s) - 1.5) / (RIGHT - 1.5))
        self._jaw = CHIN * np.exp(-np.square(self._s / JAW_BREADTH)) * (1 - far)
        self._inside = inside.fitted(self._half)
        self._origin = (
            cx - box.x,
            cy - box.y + float(np.interp(0, self._seam_s, self._seam_t)) * (self._half),
        )

    def draw(self, pose: MouthPose) -> Pixels:
        """``(box.height, box.width, 3)`` uint8 BGR, not to be written to."""
        if pose == REST:
            return self._still
        width = 1 + pose.width
        at = self._s / width
        open_ = np.clip(1 - at * at, 0, 1) ** (0.85 - 0.30 * pose.pucker)
        seam = np.interp(at, self._seam_s, self._seam_t).astype(np.float32) + self._tilt
        corners = CORNERS * pose.jaw
        # The lips' inner edges meet at the corners, which go down with the jaw; so does, less and
        # less, what lies beyond them.
        up = (pose.lift * open_ - corners * (1 - np.sqrt(open_))) * self._near
        down = (corners + (pose.jaw - corners) * open_) * self._near
        map_x, map_y = self._warp(pose, seam, up, down, self._spread(width))
        patch = pixels(
            cv2.remap(self._still, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
        self._fill(patch, pose, seam - up, seam + down, at)
        return patch

    def _spread(self, width: float) -> Floats:
        """How far to the side each column's point of the still lies."""
        far = np.abs(self._s)
        fades = 1 - smooth((far - width) / (ASIDE - width))
        out: Floats = np.where(far < width, far / width - far, (1 - width) * fades)
        out *= np.sign(self._s)
        return out

    def _warp(
        self, pose: MouthPose, seam: Floats, up: Floats, down: Floats, spread: Floats
    ) -> tuple[Floats, Floats]:
        """Which point of the still each pixel shows."""
        top, bottom = seam - up, seam + down
        middle = (top + bottom) / 2
        split = int(np.clip(np.searchsorted(self._rows[:, 0], middle.min()), 0, self.box.height))
        end = int(np.clip(np.searchsorted(self._rows[:, 0], middle.max()) + 1, 0, self.box.height))
        thin = PRESSED * pose.press + PUCKERED * pose.pucker
        dx, dy = np.empty((2, self.box.height, self.box.width), np.float32)

        d = np.maximum(top - self._rows[:end], 0)
        felt = 1 - smooth((d - UPPER_LIP) / (UPPER_END - UPPER_LIP))
        dx[:end] = felt * spread
        dy[:end] = felt * (up - thin * self._lip * d)

        upper = (dx[split:end].copy(), dy[split:end].copy())
        d = np.maximum(self._rows[split:] - bottom, 0)
        felt = 1 - smooth((d - LOWER_LIP) / (LOWER_END - LOWER_LIP))
        dx[split:] = felt * spread
        way = down + smooth((d - 0.25) / 0.9) * (self._jaw * pose.jaw - down)
        way *= 1 - smooth((self._rows[split:] - self._tilt - JAW) / (JAW_END - JAW))
        dy[split:] = (thin + TUCKED * pose.tuck) * self._lip * d * felt - way

        above = self._rows[split:end] < middle
        for part, kept in zip((dx, dy), upper, strict=True):
            np.copyto(part[split:end], kept, where=above)
        dy += self._slope * dx
        return dx * self._half + self._x, dy * self._half + self._y

    def _fill(
        self, patch: Pixels, pose: MouthPose, top: Floats, bottom: Floats, at: Floats
    ) -> None:
        gap = (bottom - top) * self._half
        columns = np.flatnonzero(gap > 0.05)
        if len(columns) == 0:
            return
        x0, x1 = int(columns[0]), int(columns[-1]) + 1
        first, last = top[x0:x1].min(), bottom[x0:x1].max()
        y0 = max(int(np.searchsorted(self._rows[:, 0], first)) - 1, 0)
        y1 = min(int(np.searchsorted(self._rows[:, 0], last)) + 1, self.box.height)
        if y0 >= y1:
            return
        rows = self._rows[y0:y1]
        below = (rows - top[x0:x1]) * self._half
        above = (bottom[x0:x1] - rows) * self._half
        cover = np.clip(below + 0.5, 0, 1) * np.clip(above + 0.5, 0, 1)
        cover *= np.minimum(gap[x0:x1], 1)
        shade = 1 - 0.55 * np.clip(1 - below / (0.17 * self._half), 0, 1)
        shade *= (1 - 0.7 * np.abs(at[x0:x1]) ** 3) * (1 - 0.8 * pose.pucker * (1 - pose.teeth))
        origin = self._origin[0] - x0, self._origin[1] - y0
        inner = self._inside.paint((y1 - y0, x1 - x0), origin, pose) * shade[..., None]
        part = patch[y0:y1, x0:x1]
        part[:] = np.rint(part + (inner - part) * cover[..., None])
