"""When large pictures are held back for a moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsstream.protocol.squeeze import AGAIN_S, HOLD_S, WAIT_MS, Squeeze

LONG_MS = WAIT_MS + 1


def test_what_takes_no_longer_is_not_held():
    squeeze = Squeeze()
    assert not squeeze.holds(WAIT_MS, 5.0)
    assert squeeze.seen == 0


def test_what_would_take_long_is_held_for_a_moment():
    squeeze = Squeeze()
    assert squeeze.holds(LONG_MS, 5.0)
    assert squeeze.holds(LONG_MS, 5.0 + HOLD_S - 0.01)
    assert not squeeze.holds(LONG_MS, 5.0 + HOLD_S)
    assert not squeeze.holds(LONG_MS, 5.0 + AGAIN_S - 0.01)
    assert squeeze.holds(LONG_MS, 5.0 + AGAIN_S)
    assert squeeze.seen == 2


def test_a_small_one_between_passes_and_the_moment_goes_on():
    squeeze = Squeeze()
    assert squeeze.holds(LONG_MS, 5.0)
    assert not squeeze.holds(0.0, 5.0 + HOLD_S / 3)
    assert squeeze.holds(LONG_MS, 5.0 + HOLD_S / 2)
    assert not squeeze.holds(LONG_MS, 5.0 + HOLD_S)


@given(st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(0, 1000)), max_size=100))
def test_never_for_long_and_never_again_soon(asked):
    squeeze, now, held = Squeeze(), 100.0, []
    for gap_s, wait_ms in asked:
        now += gap_s
        if squeeze.holds(wait_ms, now):
            held.append(now)
    for at in held:
        within = [one for one in held if at <= one < at + AGAIN_S - HOLD_S]
        assert within[-1] - at < HOLD_S
