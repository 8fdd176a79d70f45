"""Whether a link has a queue, by its round trips. Pure: time is an argument."""

from __future__ import annotations

import math

QUEUE_S = 0.15
"""A round trip that takes so much longer than the shortest has waited in a queue."""
LATE_S = 0.3
"""What tells of a queue still, or again, so much later is no jitter."""
FORGET_S = 60.0
"""What was the shortest counts for about so long: a link may have become another one."""


class RoundTrips:
    """Of one link, as they are reported: some times a second, or each second."""

    def __init__(self) -> None:
        self._least_s = math.inf
        self._reported = 0.0
        self._queued_since: float | None = None
        self.waited_s = 0.0
        """By how much the last one took longer than the shortest."""

    def report(self, seconds: float, now: float) -> float | None:
        """One more. For how long there has been a queue; ``None`` where there is none."""
        if self._least_s < seconds:
            fade = min(1.0, (now - self._reported) / FORGET_S)
            self._least_s += (seconds - self._least_s) * fade
        else:
            self._least_s = seconds
        self._reported = now
        self.waited_s = seconds - self._least_s
        if self.waited_s <= QUEUE_S:
            self._queued_since = None
            return None
        if self._queued_since is None:
            self._queued_since = now
        return now - self._queued_since
