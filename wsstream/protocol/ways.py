"""Whether pictures come late because the link is full, or because the way has got longer. Pure.

On a full link each one takes its bytes' time, and that of the bytes before it. On a longer way all
take the same time, whatever their size. Each of the two says when the last few should have come;
what they really took tells which is right.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

RECENT = 9
"""So many pictures are looked at."""
CLEARLY = 0.5
"""A longer way explains them when it leaves no more than this part of what a full link leaves,"""
LEFT_MS = 8.0
"""and that is no less: screens and decoders leave some."""


class Passed(NamedTuple):
    """A picture that was acknowledged: when it was sent (s), its bytes, its round trip."""

    sent_at: float
    size: int
    rtt_ms: float


class Ways:
    """Of one link's last pictures."""

    def __init__(self) -> None:
        self._recent: deque[Passed] = deque(maxlen=RECENT)

    def passed(self, one: Passed, base_ms: float, rate_bps: float | None) -> float | None:
        """After each picture of known size: the least round trip of a way that has got longer than
        ``base_ms``; ``None`` where a full link of ``rate_bps`` (``None``: unknown) explains it as
        well."""
        recent = self._recent
        recent.append(one)
        if len(recent) < RECENT or one.rtt_ms - base_ms < LEFT_MS:
            return None
        least_ms = min(one.rtt_ms for one in recent)
        late_ms = statistics.median(one.rtt_ms for one in recent) - base_ms
        if late_ms <= 0:
            return None
        if rate_bps is None:  # none had to wait for the one before it
            middle = statistics.median(one.size for one in recent)
            on_link = [late_ms * one.size / middle for one in recent]
        else:
            on_link = list(self._full(rate_bps))
        full = _spread(one.rtt_ms - on for one, on in zip(recent, on_link, strict=True))
        even = _spread(one.rtt_ms for one in recent)
        if full < LEFT_MS or even > full * CLEARLY:
            return None
        recent.clear()
        return least_ms

    def _full(self, rate_bps: float) -> Iterable[float]:
        """How long each would take on a full link, the wait for those before it included."""
        off_at = 0.0
        for one in self._recent:
            off_at = max(off_at, one.sent_at) + one.size * 8 / rate_bps
            yield (off_at - one.sent_at) * 1000


def _spread(values: Iterable[float]) -> float:
    """What they differ by from the one in the middle; one that was held up does not count."""
    some = list(values)
    middle = statistics.median(some)
    return statistics.median(abs(value - middle) for value in some)
