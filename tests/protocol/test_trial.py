"""Whether a link carries more, tried out with padding."""

from __future__ import annotations

import pytest

from wsstream.protocol.trial import MARGIN, MOST_S, STRETCH_MAX_S, TRIAL_S, Trial

NEED = 200_000
BYTES_PER_S = NEED * MARGIN / 8


def play(trial, sizes, period_s=0.05, since=0.0):
    return [trial.padding(size, since + (n + 1) * period_s) for n, size in enumerate(sizes)]


def test_pictures_and_padding_take_the_rate_that_is_tried():
    sizes = [300, 900, 100, 500] * 5
    padding = play(Trial(NEED, 0.0), sizes)
    assert sum(sizes) + sum(padding) == pytest.approx(BYTES_PER_S * 0.05 * len(sizes), rel=0.01)
    assert min(padding) > 0


def test_what_a_large_picture_took_is_not_padded_again():
    trial = Trial(NEED, 0.0)
    assert play(trial, [round(BYTES_PER_S * 0.1), 0, 0]) == pytest.approx(
        [0, 0, BYTES_PER_S * 0.05], abs=1
    )


def test_it_is_over_when_all_of_it_was_sent():
    trial = Trial(NEED, 0.0)
    play(trial, [500] * (round(TRIAL_S / 0.05) - 1))
    assert not trial.over
    play(trial, [500] * 2, since=TRIAL_S)
    assert trial.over


def test_then_nothing_is_padded_any_more():
    trial = Trial(NEED, 0.0)
    play(trial, [500] * (round(TRIAL_S / 0.05) + 1))
    assert play(trial, [500] * 20, since=TRIAL_S + 0.05) == [0] * 20


def test_it_is_late_when_it_ought_to_have_shown():
    trial = Trial(NEED, 5.0)
    assert not trial.is_late(5.0 + MOST_S)
    assert trial.is_late(5.1 + MOST_S)


def test_after_a_pause_no_burst_comes():
    trial = Trial(NEED, 0.0)
    assert trial.padding(0, 60.0) == pytest.approx(BYTES_PER_S * STRETCH_MAX_S, abs=1)
