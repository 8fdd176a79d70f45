"""What a link carries, from when pictures left and when they came. Pure: time is an argument.

When they came is told by a clock of the receiver's own: what both clocks differ by is the same for
each picture, and an estimate goes by differences alone.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..clock import to_u32, u32_newer
from .estimate import LinkEstimate

REMEMBERED = 64
"""So many pictures' arrivals are looked out for."""
KNOWN_S = 120.0
"""What a link carries is known for so long after a picture had to wait on it: others may have had
their share of it then."""


class _Sent(NamedTuple):
    timestamp_ms: int
    at: float
    size: int


class Arrivals:
    """Of one link's pictures, in the order in which they were sent."""

    def __init__(self) -> None:
        self.estimate = LinkEstimate(together=True)
        self._rated_at = 0.0
        self._sent: deque[_Sent] = deque(maxlen=REMEMBERED)
        self._ahead_s: float | None = None

    def rate_bps(self, now: float) -> float | None:
        """What the link carries, in bits per second; ``None`` where that is not known."""
        known = now - self._rated_at < KNOWN_S
        return self.estimate.rate_bps if known else None

    def sent(self, media_ms: int, size: int, now: float) -> None:
        """A picture of so many bytes went out."""
        self._sent.append(_Sent(to_u32(media_ms), now, size))

    def came(self, timestamp_ms: int, at_ms: float, now: float) -> bool:
        """The last of that picture came at ``at_ms``, as the receiver's clock has it, and is told
        of now. Whether anything is known by that."""
        covered = 0
        while self._sent and not u32_newer(self._sent[0].timestamp_ms, timestamp_ms):
            one = self._sent.popleft()
            covered += 1
            if one.timestamp_ms == timestamp_ms:
                at = at_ms / 1000
                if self._ahead_s is None:
                    self._ahead_s = now - at
                # Where one between was not shown, nobody knows when each came.
                size, before = one.size if covered == 1 else 0, self.estimate.rated
                self.estimate.acked(one.at, size, at + self._ahead_s)
                if self.estimate.rated != before:
                    self._rated_at = now
                return True
        return False
