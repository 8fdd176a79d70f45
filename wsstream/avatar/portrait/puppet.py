"""Draws one session's pictures, each by what differs from the one before it."""

from __future__ import annotations

import cv2
import numpy as np

from ...media.types import Pixels, Rect
from ..base import NOTHING
from ..lipsync import REST, MouthPose
from . import life
from .arrays import Floats, cut, empty, join, overlap
from .life import Posture
from .rig import Rig

CLOSING_MS = 80
"""How long a mouth takes to close when the sound has ended or was cut off."""
STEPS = 40
"""A mouth's lengths are rounded to one part in so many; smaller steps cannot be seen."""


class Puppet:
    """One drawing thread's picture and what it last showed."""

    def __init__(self, rig: Rig, seed: int, motion: float) -> None:
        self.rig = rig
        self._seed, self._motion = seed, motion
        self._neutral = rig.still.copy()
        """The still with the eyes and the mouth of now, the head where it was painted."""
        self._posture, self._pose = Posture(), REST
        whole = Rect(0, 0, rig.width, rig.height)
        self._maps = rig.motion.maps(self._posture, whole)
        self._shown: Pixels | None = None
        self._spoke_ms, self._spoken = 0, REST
        self._gesture: int | None = None

    def speak(self, pose: MouthPose, media_ms: int) -> tuple[Pixels, Rect | None]:
        """The face at ``media_ms`` with its mouth at ``pose``: the picture, and what is new."""
        self._spoke_ms, self._spoken = media_ms, pose
        return self._draw(media_ms, pose, speaking=True)

    def idle(self, media_ms: int) -> tuple[Pixels, Rect | None]:
        """The face at ``media_ms``, saying nothing."""
        left = 1 - (media_ms - self._spoke_ms) / CLOSING_MS
        pose = MouthPose(*(v * left for v in self._spoken)) if 0 < left <= 1 else REST
        return self._draw(media_ms, pose, speaking=False)

    def _draw(self, media_ms: int, pose: MouthPose, speaking: bool) -> tuple[Pixels, Rect | None]:
        posture = self._stand(media_ms, speaking)
        pose = MouthPose(*(round(v * STEPS) / STEPS for v in pose))
        dirty = self._move(posture, pose)
        if self._shown is None:
            dirty = Rect(0, 0, self.rig.width, self.rig.height)
        elif empty(dirty):
            return self._shown, NOTHING
        self._show(dirty)
        assert self._shown is not None
        return self._shown, dirty

    def _stand(self, media_ms: int, speaking: bool) -> Posture:
        at = life.posture(media_ms, self._seed)
        made = life.gesture(media_ms, self._seed)
        if made is None or not ((speaking and made.begun) or made.number == self._gesture):
            self._gesture = None
        else:
            self._gesture = made.number
            at = at._replace(sway=made.sway, nod=made.nod, roll=made.roll, brow=made.brow)
        return at if self._motion else Posture(at.lids, at.gaze, at.drift)

    def _move(self, posture: Posture, pose: MouthPose) -> Rect:
        """Bring the neutral picture and the maps up to date; what of the picture that changes."""
        rig, old = self.rig, self._posture
        dirty = rig.motion.box(old, posture)
        if not empty(dirty):
            for whole, part in zip(
                self._maps, rig.motion.maps(posture, dirty, self._motion), strict=True
            ):
                whole[cut(dirty)] = part
        self._posture = posture
        if old[:4] != posture[:4]:
            dirty = join(dirty, self._place(rig.eyes.box, rig.eyes.draw(*posture[:4])))
        if self._pose != pose:
            self._pose = pose
            dirty = join(dirty, self._place(rig.mouth.box, rig.mouth.draw(pose)))
        return dirty

    def _place(self, box: Rect, patch: Pixels) -> Rect:
        """A patch into the neutral picture; the region of the pictures where that shows."""
        part = self._neutral[cut(box)]
        # Three columns a pixel: cheaper than to find the largest of its channels.
        differs = cv2.absdiff(part, patch).reshape(box.height, 3 * box.width)
        first, y, columns, high = cv2.boundingRect(differs)
        if columns == 0:
            return Rect(0, 0, 0, 0)
        x, wide = first // 3, -(-(first + columns) // 3) - first // 3
        np.copyto(part, patch)
        reach = self.rig.motion.reach(self._posture, self._motion)
        height, width = self._neutral.shape[:2]
        x0, x1 = (v * self.rig.width / width for v in (box.x + x, box.x + x + wide))
        y0, y1 = (v * self.rig.height / height for v in (box.y + y, box.y + y + high))
        left, top = int(x0) - reach, int(y0) - reach
        seen = Rect(left, top, int(x1) + reach + 1 - left, int(y1) + reach + 1 - top)
        return overlap(seen, Rect(0, 0, self.rig.width, self.rig.height))

    def _show(self, dirty: Rect) -> None:
        """A new picture: the old one with ``dirty`` drawn afresh."""
        part = cut(dirty)
        maps: tuple[Floats, Floats] = self._maps[0][part], self._maps[1][part]
        fresh = cv2.remap(self._neutral, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        size = self.rig.height, self.rig.width, 3
        shown = np.empty(size, np.uint8) if self._shown is None else self._shown.copy()
        shown[part] = fresh
        self._shown = shown
