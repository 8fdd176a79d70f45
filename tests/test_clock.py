"""The media clock, and its 32-bit form on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.clock import MediaClock, tick_before, to_u32, u32_newer

U32 = 1 << 32
TIMESTAMPS = st.integers(0, U32 - 1)


@pytest.mark.parametrize(
    ("media_ms", "wire"),
    [(0, 0), (1000, 1000), (U32 - 1, U32 - 1), (U32, 0), (3 * U32 + 7, 7), (-1, U32 - 1)],
)
def test_the_wire_carries_media_time_modulo_2_to_32(media_ms, wire):
    assert to_u32(media_ms) == wire


@pytest.mark.parametrize(
    ("a", "b", "newer"),
    [
        (1, 0, True),
        (0, 1, False),
        (5, 5, False),
        (0, U32 - 1, True),
        (U32 - 1, 0, False),
        (U32 // 2 - 1, 0, True),
        (U32 // 2, 0, False),
        (0, U32 // 2, False),
    ],
)
def test_newer_is_ahead_by_less_than_half_the_circle(a, b, newer):
    assert u32_newer(a, b) is newer


@given(TIMESTAMPS, st.integers(1, U32 // 2 - 1))
def test_of_two_near_timestamps_exactly_one_is_newer(b, ahead):
    a = to_u32(b + ahead)
    assert u32_newer(a, b)
    assert not u32_newer(b, a)


def test_the_clock_begins_at_zero_and_runs_with_the_seconds():
    clock = MediaClock(100.0)
    assert clock.media_ms(100.0) == 0
    assert clock.media_ms(100.5) == pytest.approx(500)


@given(st.floats(0, 1e6), st.floats(0, 1e8))
def test_a_media_time_is_due_when_the_clock_shows_it(now_s, media_ms):
    clock = MediaClock(now_s)
    assert clock.media_ms(clock.due_s(media_ms)) == pytest.approx(media_ms, abs=1e-3)


@given(st.floats(0, 1e6))
def test_a_tick_is_the_last_one_and_the_same_for_all(now_s):
    tick_s = tick_before(now_s, 20)
    assert -1e-9 <= now_s - tick_s < 0.02 + 1e-9
    assert tick_s * 50 == pytest.approx(round(tick_s * 50), abs=1e-6)


def test_a_slip_lets_the_clock_stand_still():
    clock = MediaClock(0.0)
    before = clock.media_ms(1.0)
    clock.slip(400)
    assert clock.media_ms(1.4) == pytest.approx(before)
    assert clock.due_s(1000) == pytest.approx(1.4)


def test_slips_add_up():
    clock = MediaClock(0.0)
    clock.slip(250)
    clock.slip(50)
    assert clock.slipped_ms == 300
    assert clock.media_ms(1.0) == pytest.approx(700)
