"""Whether a link carries more, tried out with padding."""

from __future__ import annotations

import pytest

from wsstream.protocol.trial import (
    IN_ALL_S,
    MARGIN,
    MOST_S,
    RAMP_FROM,
    RAMP_S,
    STRETCH_MAX_S,
    TRIAL_S,
    Trial,
)

NEED = 200_000
BYTES_PER_S = NEED * MARGIN / 8
PERIOD_S = 0.05


def play(trial, sizes, since=0.0):
    return [trial.padding(size, since + (n + 1) * PERIOD_S) for n, size in enumerate(sizes)]


def ramped():
    """One that has come to its rate, and when."""
    trial = Trial(NEED, 0.0)
    play(trial, [100] * round(RAMP_S / PERIOD_S))
    return trial, RAMP_S


def test_it_begins_with_a_part_of_the_rate_and_grows():
    padding = play(Trial(NEED, 0.0), [0] * round(RAMP_S / PERIOD_S))
    assert padding == sorted(padding)
    assert padding[0] == pytest.approx(BYTES_PER_S * RAMP_FROM * PERIOD_S, rel=0.1)
    assert padding[-1] == pytest.approx(BYTES_PER_S * PERIOD_S, rel=0.02)


def test_then_pictures_and_padding_take_the_rate_that_is_tried():
    trial, since = ramped()
    sizes = [300, 900, 100, 500] * 5
    padding = play(trial, sizes, since)
    assert sum(sizes) + sum(padding) == pytest.approx(BYTES_PER_S * PERIOD_S * len(sizes), rel=0.01)
    assert min(padding) > 0


def test_what_a_large_picture_took_is_not_padded_again():
    trial, since = ramped()
    padding = play(trial, [round(BYTES_PER_S * 0.1), 0, 0], since)
    assert padding == pytest.approx([0, 0, BYTES_PER_S * PERIOD_S], abs=1)


def test_it_is_over_when_all_of_it_was_sent():
    trial, since = ramped()
    play(trial, [500] * (round(TRIAL_S / PERIOD_S) - 2), since)
    assert not trial.over
    play(trial, [500] * 3, since + TRIAL_S)
    assert trial.over
    assert play(trial, [500] * 20, since + TRIAL_S + 1.0) == [0] * 20


def test_in_all_so_much_is_sent():
    padding = play(Trial(NEED, 0.0), [0] * round(MOST_S / PERIOD_S))
    assert sum(padding) == pytest.approx(BYTES_PER_S * IN_ALL_S, rel=0.03)


def test_it_is_late_when_it_ought_to_have_shown():
    trial = Trial(NEED, 5.0)
    assert not trial.is_late(5.0 + MOST_S)
    assert trial.is_late(5.1 + MOST_S)


def test_after_a_pause_no_burst_comes():
    trial, since = ramped()
    assert trial.padding(0, since + 60.0) == pytest.approx(BYTES_PER_S * STRETCH_MAX_S, abs=1)
