"""Buffers whose names state their policy, and which count what they drop."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from .types import BLOCK_MS

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """One deep, newest wins: a reader that is slow gets fewer, fresh ones."""

    def __init__(self) -> None:
        self._item: T | None = None
        self.replaced = 0

    def put(self, item: T) -> None:
        """Replace what was not taken yet."""
        self.replaced += self._item is not None
        self._item = item

    def take(self) -> T | None:
        """The newest, once."""
        item, self._item = self._item, None
        return item

    def __bool__(self) -> bool:
        return self._item is not None


class DropOldestAudio(Generic[T]):
    """Blocks of sound: ordered, bounded in milliseconds; when it is full the oldest goes."""

    def __init__(self, max_ms: int) -> None:
        self._packets: deque[T] = deque()
        self._max = max(1, max_ms // BLOCK_MS)
        self.dropped = 0

    def put(self, packet: T) -> None:
        """Append, dropping the oldest when there is no room."""
        if len(self._packets) >= self._max:
            self._packets.popleft()
            self.dropped += 1
        self._packets.append(packet)

    def take(self) -> T | None:
        """The oldest."""
        return self._packets.popleft() if self._packets else None

    def clear(self) -> None:
        """An interruption: none of it will be said. Not counted as dropped."""
        self._packets.clear()

    def __len__(self) -> int:
        return len(self._packets)

    def __bool__(self) -> bool:
        return bool(self._packets)
