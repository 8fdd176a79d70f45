"""Whether pictures come late because the link is full, or because the way has got longer. Pure.

On a full link each one takes its bytes' time, and that of the bytes before it. On a longer way all
take the same time, whatever their size. Each of the two says when the last few should have come;
what they really took tells which is right. In doubt the link is full.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

RECENT = 9
"""So many pictures are looked at."""
LONGER_MS = 20.0
"""By no less is the way longer: what matters, and more than screens and decoders take."""
EVEN_SHARE = 0.1
"""They differ by no more than this part of it."""
CLEARLY = 0.35
"""A longer way explains them when it leaves no more than this part of what a full link leaves,"""
LEFT_MS = 8.0
"""and that is no less,"""
RATES = (0.8, 0.9, 1.0, 1.1, 1.25)
"""whatever part of what is thought of the link's rate is right."""


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
        if len(recent) < RECENT or one.rtt_ms - base_ms < LONGER_MS:
            return None
        least_ms = min(one.rtt_ms for one in recent)
        even = _spread(one.rtt_ms for one in recent)
        if least_ms - base_ms < max(LONGER_MS, even / EVEN_SHARE):
            return None
        full = min(self._left_by_full(rate_bps, part, base_ms) for part in RATES)
        if full < LEFT_MS or even > full * CLEARLY:
            return None
        recent.clear()
        return least_ms

    def _left_by_full(self, rate_bps: float | None, part: float, base_ms: float) -> float:
        """What a full link of that part of the rate does not explain."""
        recent = self._recent
        if rate_bps is None:  # none had to wait for the one before it
            late_ms = statistics.median(one.rtt_ms for one in recent) - base_ms
            per_byte = part * late_ms / statistics.median(one.size for one in recent)
            return _spread(one.rtt_ms - one.size * per_byte for one in recent)
        on_link = self._on_link_ms(rate_bps * part)
        return _spread(one.rtt_ms - on for one, on in zip(recent, on_link, strict=True))

    def _on_link_ms(self, rate_bps: float) -> Iterable[float]:
        """How long each would take, the wait for those before it included."""
        off_at = 0.0
        for one in self._recent:
            off_at = max(off_at, one.sent_at) + one.size * 8 / rate_bps
            yield (off_at - one.sent_at) * 1000


def _spread(values: Iterable[float]) -> float:
    """What they differ by from the one in the middle; one that was held up does not count."""
    some = list(values)
    middle = statistics.median(some)
    return statistics.median(abs(value - middle) for value in some)
