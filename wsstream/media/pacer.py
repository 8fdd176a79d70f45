"""Deadlines of something periodic on the media clock, without drift."""

from __future__ import annotations

from fractions import Fraction


class Pacer:
    """Counts periods; the n-th is due at ``round(n * 1000 / per_second)`` ms.

    Pure: it says when, somebody else sleeps.
    """

    def __init__(self, per_second: float) -> None:
        self._period_ms = 1000 / Fraction(per_second).limit_denominator(1001)
        self._count = 0

    @property
    def due_ms(self) -> int:
        """When the next one is due."""
        return round(self._count * self._period_ms)

    @property
    def next_due_ms(self) -> int:
        """When the one after it is due."""
        return round((self._count + 1) * self._period_ms)

    def advance(self) -> None:
        """The next one has been dealt with."""
        self._count += 1
