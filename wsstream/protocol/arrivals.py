"""What a link carries, from when pictures left and when they came. Pure: time is an argument.

When they came is told by a clock of the receiver's own: what both clocks differ by is the same for
each picture, and an estimate goes by differences alone.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..clock import to_u32, u32_newer
from .estimate import MIN_BYTES, NOISE_MS, LinkEstimate, Quickest
from .ways import Passed

REMEMBERED = 64
"""So many pictures' arrivals are looked out for."""
RUN_MS = 150.0
"""Pictures that have to wait for one another tell the rate by twice so long: jitter evens out."""
EVEN = 0.9, 1.1
"""Those that come as far apart as they were sent wait for nothing: the way has got longer."""
MORE = 1.25
"""What passes so much faster than the link was thought to be shows that it is another one now,"""
SURE_S = 3.0
"""if something does again so much later: while a queue gets shorter, all seem to pass quickly."""


class _Sent(NamedTuple):
    timestamp_ms: int
    at: float
    size: int


class _Run(NamedTuple):
    """Some pictures in a row that waited."""

    size: int = 0
    came_ms: float = 0.0
    left_ms: float = 0.0

    @property
    def pace(self) -> int:
        """Whether they came slower (1) or quicker (-1) than they left, or neither, as none do."""
        least, most = EVEN
        ratio = self.came_ms / max(1.0, self.left_ms)
        return (ratio > most) - (0 < ratio < least)


class ArrivalEstimate(LinkEstimate):
    """Pictures of a low rate are small: some in a row tell what one of them does not.

    A link that is thought to be too small is not filled, so that nothing waits on it, and nothing
    tells that it has grown. But each large picture that passes quickly, as a key picture now and
    then is, shows what it carries at least.
    """

    def __init__(self) -> None:
        super().__init__()
        self._run = self._before = _Run()
        self._quick: Quickest | None = None

    @property
    def may_have_grown(self) -> bool:
        """Whether something passed more quickly than the link as it is known would let it."""
        return self._quick is not None

    def _waited(self, size: int, came_ms: float, left_ms: float) -> None:
        sofar, before = self._run, self._before
        run = _Run(sofar.size + size, sofar.came_ms + came_ms, sofar.left_ms + left_ms)
        self._run = run
        if run.came_ms < RUN_MS:
            return
        self._before, self._run = run, _Run()
        both = before.size + run.size
        # Where only one of the two is uneven, the way has got longer or shorter in it.
        if run.pace == before.pace != 0 and both >= MIN_BYTES:
            self._rates.append(both * 8000 / (before.came_ms + run.came_ms))
            self._quick = None

    def _compare(self, ack: Quickest) -> None:
        """A queue that is gone is not another link."""

    def _revise(self, passed: Passed, at: float) -> None:
        """What waits in a queue that is always full, and drops the rest, is late by as much."""

    def _passed(self, size: int) -> None:
        self._run = self._before = _Run()
        rate, least, now = self.rate_bps, self._base[0], self._base[-1].at
        if rate is None or not least.size:
            return
        more_bits = max(0, size - least.size) * 8  # than that one had, in so much more time
        if more_bits * 1000 / (self.queue_ms + NOISE_MS) <= rate * MORE:
            return
        if self._quick is None or least.rtt_ms < self._quick.rtt_ms - NOISE_MS:
            self._quick = Quickest(now, least.rtt_ms, size)
        elif now - self._quick.at >= SURE_S:
            self._rates.clear()
            self._quick = None


class Arrivals:
    """Of one link's pictures, in the order in which they were sent."""

    def __init__(self) -> None:
        self.estimate = ArrivalEstimate()
        self._sent: deque[_Sent] = deque(maxlen=REMEMBERED)
        self._ahead_s: float | None = None

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
                self.estimate.acked(one.at, one.size, at + self._ahead_s, tells=covered == 1)
                return True
        return False
