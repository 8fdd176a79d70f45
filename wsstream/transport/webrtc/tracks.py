"""Tracks for aiortc: what waits to be sent. Normally that is encoded already, and the sender takes
it past aiortc's encoders (``hooks.send_payloads``); else it is frames, which aiortc encodes for
each viewer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Generic, TypeAlias, TypeVar

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from ...media.types import SAMPLE_RATE_HZ, Pcm, Pixels

_MILLISECONDS = Fraction(1, 1000)


Item = TypeVar("Item")
Frame: TypeAlias = av.AudioFrame | av.VideoFrame


def as_sound(media_ms: int, pcm: Pcm) -> Frame:
    """For aiortc to encode: ``(n,)`` int16 at 48 kHz."""
    frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts = media_ms * SAMPLE_RATE_HZ // 1000
    frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
    return frame


def as_picture(media_ms: int, pixels: Pixels) -> Frame:
    """For aiortc to encode: ``(height, width, 3)`` BGR."""
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
    frame.pts, frame.time_base = media_ms, _MILLISECONDS
    return frame


class MediaTrack(MediaStreamTrack, Generic[Item]):
    """At most ``max_items`` wait. Timestamps come from the media clock and strictly increase: what
    would go back is dropped."""

    def __init__(
        self, kind: str, max_items: int, make: Callable[[int, Item], Frame] | None
    ) -> None:
        """``kind`` is ``audio`` or ``video``; ``make`` turns an item into a frame, where aiortc
        is to encode it."""
        super().__init__()
        self.kind = kind
        self._make = make
        self.dropped = 0
        self.on_sent: Callable[[int], None] | None = None
        """Called with the media_ms of one when all of it has been sent."""
        self._items: deque[tuple[int, Item]] = deque()
        self._max = max_items
        self._last_ms = -1
        self._taken_ms: int | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether the next would push one out."""
        return len(self._items) >= self._max

    def put(self, media_ms: int, item: Item) -> bool:
        """Append, dropping the oldest when there is no room. ``False`` when it would go back."""
        if media_ms <= self._last_ms:
            self.dropped += 1
            return False
        if self.full:
            self._items.popleft()
            self.dropped += 1
        self._last_ms = media_ms
        self._items.append((media_ms, item))
        self._wake()
        return True

    def clear(self) -> int:
        """Forget what waits. Returns how many."""
        count = len(self._items)
        self._items.clear()
        return count

    async def take(self) -> tuple[int, Item]:
        """The next one and its media_ms, when there is one.

        Raises:
            MediaStreamError: when the track has ended.
        """
        if self._taken_ms is not None and self.on_sent is not None:
            self.on_sent(self._taken_ms)  # the sender asks for more: the last one is out
        self._taken_ms = None
        while not self._items and self.readyState == "live":
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.readyState != "live":
            raise MediaStreamError("the track has ended")
        self._taken_ms, item = self._items.popleft()
        return self._taken_ms, item

    async def recv(self) -> Frame:
        """The next one as a frame, for aiortc to encode."""
        assert self._make is not None
        return self._make(*await self.take())

    def stop(self) -> None:
        super().stop()
        self.on_sent = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
