"""Whether a link carries more than it is given: tried out with padding, before anybody sees the
difference. Pure: time is an argument.

A step up that does not hold is two changes of the picture. Padding that does not pass is a short
queue, of a link whose pictures are small; where a link has next to none, it is packets that have to
be sent again, until the next report of losses.
"""

from __future__ import annotations

import math

from .round_trips import LATE_S

RAMP_S, RAMP_FROM = 2.0, 1 / 3
"""From this part of the rate that is tried it takes so long to all of it: a link that carries no
more than before has a short queue when it tells, where all at once would fill one of a second."""
TRIAL_S = 2.5
"""Then so much is sent as takes so long at that rate: a link that is too small by a tenth has a
queue of 250 ms then."""
IN_ALL_S = (1 + RAMP_FROM) / 2 * RAMP_S + TRIAL_S
"""In all as much is sent as takes so long at that rate."""
MARGIN = 1.45
"""The rate that is tried is so many times what a level needs on average: it may take a quarter more
for a while, begins with a key picture, and is not to be left soon."""
MOST_S = 20.0
"""Of what has not shown by then, nobody knows what came of it."""
STRETCH_MAX_S = 0.1
"""A picture that comes after longer is padded as if it had come after so long: more at once would
fill queues that no level fills."""


class Trial:
    """Of ``need`` bits per second, from ``now`` on."""

    def __init__(self, need: float, now: float) -> None:
        self.need = need
        self._until = now + MOST_S
        self._bytes_per_s = need * MARGIN / 8
        self._left = self._bytes_per_s * IN_ALL_S
        self._padded_s = self._owed = 0.0
        self._queued_at = math.inf
        self._padded_at = now

    @property
    def over(self) -> bool:
        """Whether all of it was sent."""
        return self._left <= 0

    def is_late(self, now: float) -> bool:
        """Whether it took too long for anybody to tell what came of it."""
        return now > self._until

    def queued(self, now: float) -> bool:
        """A round trip tells of a queue. Whether another did some time ago: nothing is added while
        there is one, so that it comes and goes where the rate is too much."""
        self._queued_at = min(self._queued_at, now)
        return now - self._queued_at >= LATE_S

    def padding(self, size: int, now: float) -> int:
        """How many bytes are to be added to a picture of so many."""
        if self.over:
            return 0
        stretch_s = min(STRETCH_MAX_S, now - self._padded_at)
        self._padded_at = now
        self._padded_s += stretch_s
        share = RAMP_FROM + (1 - RAMP_FROM) * min(1.0, self._padded_s / RAMP_S)
        self._owed = min(0.0, self._owed) + self._bytes_per_s * share * stretch_s - size
        padding = max(0, round(self._owed))
        self._owed -= padding
        self._left -= size + padding
        return padding
