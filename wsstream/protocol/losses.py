"""How many packets a link loses, by what an RTP receiver reports. Pure: time is an argument.

A report is of what came since the one before: some times a second, and then of a handful of
packets, of which one lost is a third. So many are put together, and what may be chance is none.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

WINDOW_S = 5.0
PACKETS_MIN = 20
"""Of fewer nobody knows."""
MANY, FEW = 0.1, 0.02
"""Of the packets, 0 to 1: more means congestion, less means none; between, nobody knows
(draft-ietf-rmcat-gcc-02 section 6)."""
DEVIATIONS = 2.0
"""More than many is what is so many standard deviations beyond it."""
STRAY = 2
"""So many packets more than usual may be lost at once, by chance."""
_REPORTS = 128


class _Report(NamedTuple):
    at: float
    lost: float
    packets: int


class Losses:
    """Of one stream, lately."""

    def __init__(self) -> None:
        self._reports: deque[_Report] = deque(maxlen=_REPORTS)

    def report(self, fraction: float, packets: int, now: float) -> None:
        """``fraction`` (0 to 1) of so many packets was lost."""
        if packets > 0:
            self._reports.append(_Report(now, fraction * packets, packets))
        while self._reports and self._reports[0].at < now - WINDOW_S:
            self._reports.popleft()

    def forget(self) -> None:
        """Something else is sent from here on."""
        self._reports.clear()

    @property
    def share(self) -> float:
        """Of the packets, 0 to 1."""
        lost, packets = self._sums
        return lost / max(1, packets)

    @property
    def few(self) -> bool:
        """Whether next to nothing is lost, as far as is known."""
        lost, packets = self._sums
        return lost <= FEW * packets

    @property
    def many(self) -> bool:
        """Whether certainly more is lost than a link loses that is large enough."""
        lost, packets = self._sums
        chance = DEVIATIONS * math.sqrt(packets * MANY * (1 - MANY))
        return packets >= PACKETS_MIN and lost > MANY * packets + chance

    @staticmethod
    def are_more(fraction: float, packets: int, usual: float) -> bool:
        """Whether one report of so many packets tells of more than the usual share, for certain."""
        expected = usual * packets
        return fraction * packets > expected + DEVIATIONS * math.sqrt(expected) + STRAY

    @property
    def _sums(self) -> tuple[float, int]:
        lost = sum(report.lost for report in self._reports)
        return lost, sum(report.packets for report in self._reports)
