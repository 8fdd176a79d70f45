"""What a link carries, from when the pictures sent over it were drawn. Pure: time is an argument.

A link takes one picture after the other, and jitter looks much like a picture's own time on it.
Only one that had to wait for the one before it tells for certain: it came as long after that one as
the link took for its bytes.
"""

from __future__ import annotations

import statistics
from collections import deque
from typing import NamedTuple

from .ways import Passed, Ways

BASE_WINDOW_S = 30.0
"""The quickest ack is remembered for so long: routes change."""
SAMPLES = 9
"""Of pictures that waited, the median counts: what was held up on its own says little."""
NOISE_MS = 12.0
"""Decoders and screens take their time: what is shorter says nothing about the link."""
MIN_BYTES = 1500
COMPARE_S = 10.0
QUICKER_MS, QUICKER_SHARE = 8.0, 0.4
"""An ack is quicker by so much, and by so much of its picture's own time on the link, than the
quickest of a while ago: it is another link now. One of twice the rate takes half the time."""


class Quickest(NamedTuple):
    at: float
    rtt_ms: float
    size: int


class LinkEstimate:
    """One viewer's link."""

    def __init__(self) -> None:
        self.queue_ms = 0.0
        """What the last picture took beyond the least it could."""
        self.samples = 0
        self._base: deque[Quickest] = deque()
        self._earlier: Quickest | None = None
        self._compared_at = 0.0
        self._rates: deque[float] = deque(maxlen=SAMPLES)
        self._ways = Ways()
        self._through = 0.0
        self._sent_at = 0.0

    @property
    def min_rtt_ms(self) -> float | None:
        """The quickest ack lately."""
        return self._base[0].rtt_ms if self._base else None

    @property
    def rate_bps(self) -> float | None:
        """Bits per second that are left for pictures; ``None`` while the link is too quick to
        tell."""
        return statistics.median(self._rates) if self._rates else None

    @property
    def way_ms(self) -> float:
        """What there and back takes without any bytes: even the quickest picture had some."""
        return max(0.0, self._bare_ms(self._base[0])) if self._base else 0.0

    def on_link_ms(self, size: int) -> float:
        """How long the link has to do with so many bytes."""
        rate = self.rate_bps
        return size * 8000 / rate if rate else 0.0

    def acked(self, sent_at: float, size: int, at: float, *, tells: bool = True) -> None:
        """A picture of so many bytes (0: unknown) was sent, and would have been acknowledged at
        ``at`` by a client that needs no time; both in seconds. ``tells``: whether it took as long
        as the link does."""
        rtt_ms = (at - sent_at) * 1000
        ack = Quickest(at, rtt_ms, size)
        self._compare(ack)
        self._remember(ack)
        self.queue_ms = rtt_ms - self._base[0].rtt_ms
        self.samples += 1
        waited_ms = (self._through - sent_at) * 1000 - self._base[0].rtt_ms
        tells = tells and size > 0
        if waited_ms > NOISE_MS and tells and at > self._through:
            came_ms, left_ms = (at - self._through) * 1000, (sent_at - self._sent_at) * 1000
            self._waited(size, came_ms, left_ms)
        else:
            self._passed(size if tells else 0)
        self._through, self._sent_at = max(self._through, at), sent_at
        if tells:
            self._revise(Passed(sent_at, size, rtt_ms), at)

    def _revise(self, passed: Passed, at: float) -> None:
        """Where the way has got longer, nothing waits, and how quick it once was is no measure."""
        longer_ms = self._ways.passed(passed, self._base[0].rtt_ms, self.rate_bps)
        if longer_ms is not None:
            self._rates.clear()
            self._base.clear()
            self._base.append(Quickest(at, longer_ms, passed.size))
            self.queue_ms = passed.rtt_ms - longer_ms

    def _waited(self, size: int, came_ms: float, left_ms: float) -> None:
        """A picture had to wait for the one before it, came so long after that one, and was sent so
        long after it."""
        if size >= MIN_BYTES:
            self._rates.append(size * 8000 / max(1.0, came_ms))

    def _passed(self, size: int) -> None:
        """One did not, or nobody knows."""

    def _bare_ms(self, ack: Quickest) -> float:
        return ack.rtt_ms - self.on_link_ms(ack.size)

    def _compare(self, ack: Quickest) -> None:
        if self._earlier is not None:
            gained_ms = self._bare_ms(self._earlier) - self._bare_ms(ack)
            if gained_ms > max(QUICKER_MS, self.on_link_ms(ack.size) * QUICKER_SHARE):
                self._rates.clear()  # how quick it is now will be seen
                self._earlier = ack
        if not self._base:
            self._compared_at = ack.at
        elif ack.at - self._compared_at > COMPARE_S:
            self._earlier, self._compared_at = self._base[0], ack.at

    def _remember(self, ack: Quickest) -> None:
        base = self._base  # a monotonic queue: the front is the least within the window
        while base and base[-1].rtt_ms >= ack.rtt_ms:
            base.pop()
        base.append(ack)
        while base[0].at < ack.at - BASE_WINDOW_S:
            base.popleft()
