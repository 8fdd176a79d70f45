"""When large pictures are held back for a moment, and when pictures tell nothing of the link."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsstream.protocol.squeeze import AGAIN_S, HOLD_S, UNTOLD_S, WAIT_MS, Felt, Squeeze

LONG_MS = WAIT_MS + 1
AS_EVER = Felt(holds=False, tells=True)


def test_what_takes_no_longer_goes_out_as_ever():
    squeeze = Squeeze()
    assert squeeze.feel(0.0, 5.0) == AS_EVER
    assert squeeze.seen == 0


def test_what_would_take_long_is_held_for_a_moment():
    squeeze = Squeeze()
    assert squeeze.feel(LONG_MS, 5.0).holds
    assert squeeze.feel(LONG_MS, 5.0 + HOLD_S - 0.01).holds
    assert not squeeze.feel(LONG_MS, 5.0 + HOLD_S).holds
    assert not squeeze.feel(LONG_MS, 5.0 + AGAIN_S - 0.01).holds
    assert squeeze.feel(LONG_MS, 5.0 + AGAIN_S).holds
    assert squeeze.seen == 2


def test_what_would_take_a_little_longer_is_not_held_and_tells_nothing_for_a_moment():
    squeeze = Squeeze()
    assert squeeze.feel(WAIT_MS, 0.0) == Felt(holds=False, tells=False)
    assert squeeze.feel(1.0, UNTOLD_S - 0.01) == Felt(holds=False, tells=False)
    assert squeeze.feel(0.0, UNTOLD_S - 0.01) == AS_EVER
    assert squeeze.feel(1.0, UNTOLD_S) == AS_EVER


def test_a_small_one_between_passes_and_the_moment_goes_on():
    squeeze = Squeeze()
    assert squeeze.feel(LONG_MS, 5.0).holds
    assert squeeze.feel(0.0, 5.0 + HOLD_S / 3) == AS_EVER
    assert squeeze.feel(LONG_MS, 5.0 + HOLD_S / 2).holds
    assert not squeeze.feel(LONG_MS, 5.0 + HOLD_S).holds


@given(st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(0, 1000)), max_size=100))
def test_never_for_long_and_never_again_soon(asked):
    squeeze, now = Squeeze(), 100.0
    held, untold = [], []
    for gap_s, wait_ms in asked:
        now += gap_s
        felt = squeeze.feel(wait_ms, now)
        held += [now] * felt.holds
        untold += [now] * (not felt.tells)
    for times, longest_s in ((held, HOLD_S), (untold, UNTOLD_S)):
        for at in times:
            within = [one for one in times if at <= one < at + AGAIN_S - longest_s]
            assert within[-1] - at < longest_s
