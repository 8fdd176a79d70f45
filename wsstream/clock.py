"""The media clock, and arithmetic on its 32-bit form on the wire."""

from __future__ import annotations

_U32 = 1 << 32


def tick_before(now_s: float, tick_ms: int) -> float:
    """The last of the instants at which a tick of so many milliseconds falls, for everybody in this
    process. Whose clocks begin at one have what is due each tick due together: it is done in one
    go, while code and caches are warm, which halves what many sessions cost."""
    ticks = now_s * 1000 // tick_ms
    return ticks * tick_ms / 1000


def to_u32(media_ms: int) -> int:
    """``media_ms`` as the wire carries it: modulo 2^32, so that it wraps after 49.7 days."""
    return media_ms % _U32


def u32_newer(a: int, b: int) -> bool:
    """Whether wire timestamp ``a`` is later than ``b`` (serial arithmetic, RFC 1982)."""
    return 0 < (a - b) % _U32 < _U32 // 2


class MediaClock:
    """Maps monotonic seconds to ``media_ms``. One per session; never goes back, never restarts.

    It may stand still: after the process was suspended, sound that was not released is not skipped
    but comes later, so the clock is moved by as much.
    """

    __slots__ = ("_origin_s", "slipped_ms")

    def __init__(self, now_s: float) -> None:
        self._origin_s = now_s
        self.slipped_ms = 0.0

    def media_ms(self, now_s: float) -> float:
        """The media time at ``now_s``."""
        return (now_s - self._origin_s) * 1000

    def due_s(self, media_ms: float) -> float:
        """When, in monotonic seconds, the clock shows ``media_ms``."""
        return self._origin_s + media_ms / 1000

    def slip(self, ms: float) -> None:
        """Let the clock stand still for ``ms``. By whole ticks, it stays with the others'."""
        self._origin_s += ms / 1000
        self.slipped_ms += ms
