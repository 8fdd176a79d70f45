"""Deadlines of something periodic on the media clock, without drift."""

from __future__ import annotations

from fractions import Fraction


class Pacer:
    """Counts periods; the n-th is due at ``n * 1000 / per_second`` ms, rounded.

    Pure: it says when, somebody else sleeps.
    """

    def __init__(self, per_second: float) -> None:
        period_ms = 1000 / Fraction(per_second).limit_denominator(1001)
        self._period_ms = period_ms.as_integer_ratio()  # exact, at a tenth of a Fraction's cost
        self._count = 0

    @property
    def due_ms(self) -> int:
        """When the next one is due."""
        return self._due_ms(self._count)

    @property
    def next_due_ms(self) -> int:
        """When the one after it is due."""
        return self._due_ms(self._count + 1)

    def advance(self) -> None:
        """The next one has been dealt with."""
        self._count += 1

    def _due_ms(self, count: int) -> int:
        numerator, denominator = self._period_ms
        return (2 * count * numerator + denominator) // (2 * denominator)
