"""When encodings get smaller and larger by what an RTP receiver reports."""

from __future__ import annotations

from itertools import pairwise

import pytest

from wsstream.protocol.ladder import PROBE_S
from wsstream.protocol.losses import MANY, WINDOW_S
from wsstream.protocol.report_ladder import (
    ESTIMATE_S,
    LATE_S,
    QUEUED_S,
    TOLD_S,
    UNFIT_TIMES,
    ReportLadder,
)

PACKETS = 100
UNFIT_S = UNFIT_TIMES * PROBE_S
NEEDS = [400_000, 200_000, 100_000, 50_000]


def make(needs=NEEDS):
    return ReportLadder(len(needs), lambda sent: needs, 0.0)


def estimate(ladder, at, bitrate, sent_bps=200_000, wait=1.0):
    ladder.sent(round(sent_bps * wait / 8))
    return ladder.on_estimate(bitrate, at)


def test_an_estimate_well_below_what_is_sent_is_congestion_but_not_the_first_one():
    ladder = make()
    assert not estimate(ladder, 3.0, 90_000, 600_000)
    assert estimate(ladder, 4.0, 90_000)
    assert ladder.level == 3  # what it carries, at once


def test_one_that_is_on_its_way_up_is_not():
    ladder = make()
    for n, bitrate in enumerate([100_000, 110_000, 120_000, 130_000, 140_000]):
        assert not estimate(ladder, 3.0 + n, bitrate)
    assert ladder.level == 0


def test_estimates_that_come_at_once_are_not_measured_by():
    ladder = make()
    estimate(ladder, 3.0, 400_000)
    ladder.sent(100_000)
    assert not ladder.on_estimate(50_000, 3.0 + ESTIMATE_S / 2)


def test_loss_is_one_step_and_a_little_of_it_says_nothing():
    ladder = make()
    assert not ladder.on_loss(MANY / 2, PACKETS, 5.0)
    assert ladder.on_loss(MANY * 4, PACKETS, 5.0)
    assert ladder.level == 1
    assert not ladder.on_loss(MANY / 2, PACKETS, 5.0 + PROBE_S)
    assert ladder.on_loss(0.0, PACKETS, 5.0 + PROBE_S + WINDOW_S + 0.1)
    assert ladder.level == 0


def queue(ladder, at, seconds=0.3):
    ladder.on_round_trip(0.02, at - 1)
    return [ladder.on_round_trip(seconds, at + wait) for wait in (0.0, QUEUED_S + 0.1)]


def test_a_queue_is_congestion_once_it_lasts():
    ladder = make()
    assert queue(ladder, 5.0) == [False, True]
    assert ladder.level == 1
    assert ladder.queue_s == pytest.approx(0.28, abs=0.01)


def test_it_goes_to_a_level_that_takes_less_than_what_was_sent():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 330_000)
    assert queue(ladder, 5.0) == [False, True]
    assert ladder.level == 2  # by a mean of 110 kbit/s: level 1 would take no less


def test_what_another_level_took_says_nothing():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 330_000)
    ladder.forget_sent(3.5)
    assert queue(ladder, 5.0) == [False, True]
    assert ladder.level == 1


def test_a_probe_that_queues_is_taken_back_at_once_to_where_it_came_from():
    ladder = make()
    for at in (5.0, 10.0):
        ladder.on_loss(0.5, PACKETS, at)
    assert ladder.level == 2
    ladder.on_round_trip(0.02, 10.0)
    assert ladder.on_loss(0.0, PACKETS, 10.0 + PROBE_S)
    ladder.sent(1000)
    assert not ladder.on_round_trip(0.3, 10.3 + PROBE_S)  # its key picture, perhaps
    assert ladder.on_round_trip(0.3, 10.5 + PROBE_S)
    assert ladder.level == 2


def test_nothing_is_probed_into_a_queue():
    ladder = make()
    ladder.on_loss(0.5, PACKETS, 5.0)
    for n in range(100):
        at = 6.0 + n / 2
        ladder.on_round_trip(0.02 if n % 2 else 0.2, at)
        assert not ladder.on_loss(0.0, PACKETS, at)


def test_a_hiccup_now_and_then_does_not_keep_it_down():
    ladder = make()
    ladder.on_loss(0.5, PACKETS, 5.0)
    for n in range(200):
        at = 6.0 + n / 2
        ladder.on_round_trip(0.2 if n % 10 == 0 else 0.02, at)
        ladder.on_loss(0.0, PACKETS, at)
    assert ladder.level == 0


def test_a_silent_face_on_a_busy_link_goes_down_by_a_step_only():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 20_000)
    assert queue(ladder, 5.0) == [False, True]
    assert ladder.level == 1


def test_what_does_not_fit_what_is_known_of_the_link_is_not_probed_for_long():
    ladder = make()
    ladder.on_loss(0.5, PACKETS, 5.0)
    for n in range(int(UNFIT_S) - 1):
        ladder.on_arrivals(0.0, 400_000, 6.0 + n)
        assert not ladder.on_loss(0.0, PACKETS, 6.0 + n)
    assert ladder.on_loss(0.0, PACKETS, 6.0 + UNFIT_S)
    assert ladder.level == 0


def test_what_fits_it_is_tried_soon():
    ladder = make()
    ladder.on_loss(0.5, PACKETS, 5.0)
    ladder.on_arrivals(0.0, 800_000, 5.0)
    assert ladder.on_loss(0.0, PACKETS, 6.0 + PROBE_S)


def test_and_it_goes_down_to_what_fits():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 400_000)
    ladder.on_arrivals(0.0, 70_000, 5.0)
    assert queue(ladder, 5.0) == [False, True]
    assert ladder.level == 3


def test_loss_on_a_link_that_is_known_to_be_too_small_leads_to_what_fits():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 400_000)
    ladder.on_arrivals(0.0, 130_000, 5.0)
    assert ladder.on_loss(0.3, PACKETS, 5.0)
    assert ladder.level == 2


def test_what_is_known_no_more_is_found_out_by_probes():
    ladder = make()
    ladder.on_loss(0.5, PACKETS, 5.0)
    ladder.on_arrivals(0.0, 10_000, 60.0)
    assert not ladder.on_loss(0.0, PACKETS, 60.0)
    ladder.on_arrivals(0.0, None, 60.0)
    assert ladder.on_loss(0.0, PACKETS, 60.0)


def test_what_a_receiver_told_that_tells_no_more_is_not_known():
    ladder = make()
    ladder.on_arrivals(0.0, 2_000_000, 3.0)
    assert not any(estimate(ladder, 4.0 + n, 90_000, 200_000) for n in range(int(TOLD_S) - 1))
    assert any(estimate(ladder, 3.0 + TOLD_S + n, 90_000, 200_000) for n in range(3))


def test_what_does_not_fit_is_tried_ever_more_seldom():
    """Each time a probe fails, on a link that is known."""
    ladder, ups = make(), []
    ladder.on_loss(0.5, PACKETS, 5.0)
    for n in range(3600):
        at = 6.0 + n
        ladder.on_arrivals(0.0, 250_000, at)
        if ladder.on_loss(0.0, PACKETS, at):
            ups.append(at)
            ladder.on_round_trip(0.02, at)
            ladder.on_round_trip(0.3, at + 0.3)
            assert ladder.on_round_trip(0.3, at + 0.5)
    waits = [b - a for a, b in pairwise(ups)]
    assert waits == pytest.approx([2 * UNFIT_S, 4 * UNFIT_S, 8 * UNFIT_S], rel=0.02)


def test_a_burst_that_outlasts_a_step_is_one_step():
    ladder = make()
    told = [0.0] * 10 + [0.6, 0.9, 0.9] + [0.0] * 20
    steps = [ladder.on_loss(fraction, PACKETS, 1.0 + n) for n, fraction in enumerate(told)]
    assert [n for n, step in enumerate(steps) if step] == [11, 11 + PROBE_S]


def test_one_lost_packet_of_a_few_is_no_congestion():
    ladder = make()
    for n in range(300):
        assert not ladder.on_loss(1 / 3 if n % 10 == 0 else 0.0, 3, 5.0 + n * 0.2)


def test_pictures_that_come_late_for_a_while_are_congestion():
    ladder = make()
    assert not ladder.on_arrivals(0.2, 120_000, 5.0)
    assert not ladder.on_arrivals(0.0, 120_000, 5.2)
    assert not ladder.on_arrivals(0.2, 120_000, 5.4)
    assert ladder.on_arrivals(0.25, 120_000, 5.5 + LATE_S)
    assert ladder.level == 3
    assert ladder.queue_s == 0.25


@pytest.mark.parametrize("rate_bps", [None, 300_000])
def test_an_estimate_below_what_is_sent_is_none_where_pictures_come_in_time(rate_bps):
    ladder = make()
    for n in range(10):
        ladder.on_arrivals(0.0, rate_bps, 3.0 + n)
        assert not estimate(ladder, 3.0 + n, 90_000, 200_000)
    assert ladder.level == 0
    ladder.on_arrivals(0.2, rate_bps, 13.0)
    assert estimate(ladder, 13.0, 90_000, 200_000)


def test_what_is_known_does_not_speak_against_an_estimate_while_packets_are_lost():
    ladder = make()
    ladder.on_arrivals(0.0, 300_000, 5.0)
    ladder.on_loss(0.05, PACKETS, 5.0)
    estimate(ladder, 6.0, 90_000)
    assert estimate(ladder, 7.0, 90_000)
