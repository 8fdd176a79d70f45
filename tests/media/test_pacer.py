"""Deadlines without drift."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.media.pacer import Pacer


def due(per_second: float, count: int) -> list[int]:
    pacer, times = Pacer(per_second), []
    for _ in range(count):
        times.append(pacer.due_ms)
        pacer.advance()
    return times


@pytest.mark.parametrize(
    ("per_second", "times"),
    [
        (50, [0, 20, 40, 60]),
        (25, [0, 40, 80, 120]),
        (20, [0, 50, 100, 150]),
        (30, [0, 33, 67, 100]),
        (15, [0, 67, 133, 200]),
        (1, [0, 1000, 2000, 3000]),
    ],
)
def test_the_first_deadlines(per_second, times):
    assert due(per_second, 4) == times


def after(per_second: float, count: int) -> Pacer:
    pacer = Pacer(per_second)
    for _ in range(count):
        pacer.advance()
    return pacer


@pytest.mark.parametrize(
    ("per_second", "count", "due_ms"),
    [
        (15, 54_000, 3_600_000),
        (30, 108_000, 3_600_000),
        (60, 216_000, 3_600_000),
        (29.97, 29_970, 1_000_000),
        (30_000 / 1001, 30_000, 1_001_000),
    ],
)
def test_there_is_no_drift(per_second, count, due_ms):
    assert after(per_second, count).due_ms == due_ms


@given(st.floats(1, 60), st.integers(0, 500))
def test_the_next_deadline_is_the_due_one_after_an_advance(per_second, count):
    pacer = after(per_second, count)
    now, then = pacer.due_ms, pacer.next_due_ms
    pacer.advance()
    assert pacer.due_ms == then > now
