"""A session's JPEG encodings: each picture, and each patch, once, however many viewers take it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np

from ..media.jpeg import encode_jpeg, encode_small_jpeg
from ..media.regions import Blocks, area_share, changed_blocks, no_blocks, regions_of
from ..media.renewal import Settling, strips_between
from ..media.types import Picture, Pixels, Rect
from ..protocol.frames import FrameType, Region, encode_regions

FINE_QUALITY = 92
"""Of a picture that stands still."""
HISTORY = 64
"""A viewer that has not had any of so many pictures gets a whole one."""
PATCH_SHARE = 0.6
"""When more of the picture has changed, a whole one is smaller than its parts."""

Encoded: TypeAlias = tuple[FrameType, bytes]


@dataclass(frozen=True, slots=True)
class JpegLevel:
    """One step of the ladder. ``quality`` is relative to the agent's, ``cost`` the bytes relative
    to the best level, on a portrait."""

    scale: float
    quality: float
    cost: float


JPEG_LEVELS = (
    JpegLevel(1, 1, 1),
    JpegLevel(1, 0.7, 0.7),
    JpegLevel(0.75, 0.7, 0.45),
    JpegLevel(0.5, 0.7, 0.24),
    JpegLevel(0.5, 0.4, 0.16),
    JpegLevel(0.35, 0.35, 0.09),
)

BYTES_PER_PIXEL = 0.1
"""Of a whole picture of a face at the best level, at most: 0.06 to 0.1."""


@dataclass(frozen=True, slots=True)
class _Step:
    """From one picture to the next: what a viewer of the one is sent of the other."""

    seq: int
    blocks: Blocks
    strips: list[Rect]


class JpegRung:
    """Pictures of one size and quality. Made in the pool's threads; asked for on the event loop."""

    def __init__(self, width: int, height: int, quality: int, pool: Executor) -> None:
        self.width, self.height, self.quality = width, height, quality
        self.encoded = self.patches = 0
        self._pool = pool
        self._jobs: dict[tuple[int, int | None], asyncio.Future[Encoded | None]] = {}
        self._newest = -1
        # What follows belongs to the threads.
        self._lock = threading.Lock()
        self._last: Pixels | None = None
        self._seq = -1
        self._last_ms = 0
        self._steps: deque[_Step] = deque(maxlen=HISTORY)
        self._settling = Settling()

    def whole(self, picture: Picture) -> asyncio.Future[Encoded | None]:
        """The picture as a ``VIDEO``."""
        return self._once(picture, None, lambda: self._whole(picture, self.quality))

    def fine(self, picture: Picture) -> asyncio.Future[Encoded | None]:
        """The same, at the quality of a picture that will be looked at for longer."""
        return self._once(
            picture, -1, lambda: self._whole(picture, max(FINE_QUALITY, self.quality))
        )

    def patch(self, picture: Picture, since: int) -> asyncio.Future[Encoded | None]:
        """What of the picture differs from the one with ``seq == since``, and what it is time to
        send again, as a ``VIDEO_PATCH``; as a ``VIDEO`` where that is smaller; ``None`` where there
        is nothing of either."""
        return self._once(picture, since, lambda: self._patch(picture, since))

    def _once(
        self, picture: Picture, since: int | None, job: Callable[[], Encoded | None]
    ) -> asyncio.Future[Encoded | None]:
        if picture.seq > self._newest:
            self._newest = picture.seq
            self._jobs.clear()
        key = (picture.seq, since)
        if key not in self._jobs:
            self._jobs[key] = asyncio.get_running_loop().run_in_executor(self._pool, job)
        return self._jobs[key]

    def _whole(self, picture: Picture, quality: int) -> Encoded:
        with self._lock:
            pixels = self._follow(picture)
            self.encoded += 1
        return FrameType.VIDEO, encode_jpeg(pixels, quality)

    def _patch(self, picture: Picture, since: int) -> Encoded | None:
        with self._lock:
            pixels = self._follow(picture)
            # A picture between two of the history's may differ from both where they are the same.
            known = self._seq == picture.seq and any(step.seq == since for step in self._steps)
            if not known:
                self.encoded += 1
                return FrameType.VIDEO, encode_jpeg(pixels, self.quality)
            later = [step for step in self._steps if step.seq > since]
        if not later:
            return None
        blocks = np.logical_or.reduce([step.blocks for step in later])
        if area_share(blocks) > PATCH_SHARE:
            self.encoded += 1
            return FrameType.VIDEO, encode_jpeg(pixels, self.quality)
        strips = dict.fromkeys(strip for step in later for strip in step.strips)
        regions = [*regions_of(blocks, self.height, self.width), *strips]
        if not regions:
            return None
        self.patches += 1
        return FrameType.VIDEO_PATCH, encode_regions(
            [
                Region(
                    r.x,
                    r.y,
                    r.width,
                    r.height,
                    encode_small_jpeg(
                        pixels[r.y : r.y + r.height, r.x : r.x + r.width], self.quality
                    ),
                )
                for r in regions
            ]
        )

    def _follow(self, picture: Picture) -> Pixels:
        """The picture in this rung's size; what it changes is noted."""
        if picture.seq == self._seq and self._last is not None:
            return self._last
        pixels = picture.pixels
        if pixels.shape[:2] != (self.height, self.width):
            size = (self.width, self.height)
            pixels = cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        if picture.seq < self._seq:
            return pixels  # somebody is behind: it gets a whole picture, and history goes on
        within = None
        if picture.seq == self._seq + 1 and pixels is picture.pixels:
            within = picture.dirty
        strips: list[Rect] = []
        if self._last is not None and self._last.shape == pixels.shape:
            blocks = changed_blocks(self._last, pixels, within)
            blocks |= self._settling.due(blocks, picture.media_ms)
            if picture.speaking:
                strips = strips_between(self._last_ms, picture.media_ms, self.height, self.width)
        else:
            blocks = ~no_blocks(self.height, self.width)
        self._steps.append(_Step(picture.seq, blocks, strips))
        self._last, self._seq, self._last_ms = pixels, picture.seq, picture.media_ms
        return pixels


class JpegRungs:
    """All of a session's; a rung is made when it is first asked for."""

    def __init__(self, width: int, height: int, quality: int, pool: Executor) -> None:
        self._width, self._height = width, height
        self._quality = quality
        self._pool = pool
        self._rungs: dict[tuple[int, int, int], JpegRung] = {}

    def at(self, level: int, bound: float = 1.0) -> JpegRung:
        """The rung of a level, no larger than ``bound`` times the session's picture."""
        step = JPEG_LEVELS[level]
        scale = min(step.scale, bound)
        width, height = _even(self._width * scale), _even(self._height * scale)
        key = (width, height, max(10, round(self._quality * step.quality)))
        if key not in self._rungs:
            self._rungs[key] = JpegRung(*key, self._pool)
        return self._rungs[key]

    def level_within(self, size_bytes: int) -> int:
        """The best level whose whole pictures should be no larger, else the last."""
        best_bytes = self._width * self._height * BYTES_PER_PIXEL
        fits = (n for n, level in enumerate(JPEG_LEVELS) if best_bytes * level.cost <= size_bytes)
        return next(fits, len(JPEG_LEVELS) - 1)

    def counters(self) -> dict[str, int]:
        """By the names ``/metrics`` has."""
        rungs = self._rungs.values()
        return {
            "jpegs_encoded": sum(rung.encoded for rung in rungs),
            "patches_encoded": sum(rung.patches for rung in rungs),
        }


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
