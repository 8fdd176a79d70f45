"""When encodings get smaller and larger by what an RTP receiver reports."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.protocol.rtp_links import (
    RATES_BPS,
    SOUND_BPS,
    USED,
    WAY_S,
    RtpViewing,
    level_at,
    most_in_a_minute,
)
from wsstream.protocol.ladder import PROBE_S, SETTLE_S
from wsstream.protocol.losses import MANY, WINDOW_S
from wsstream.protocol.report_ladder import (
    ESTIMATE_S,
    QUEUED_S,
    TOLD_S,
    UNFIT_TIMES,
    ReportLadder,
)
from wsstream.protocol.round_trips import LATE_S
from wsstream.protocol.trial import IN_ALL_S, MARGIN, MOST_S, RAMP_S, TRIAL_S

FPS = 20
PACKETS = 100
WHOLE_S = 1.0
"""Within a report of losses, and a little more, there is a picture of which nothing was lost."""
UNFIT_S = UNFIT_TIMES * PROBE_S
NEEDS = [400_000, 200_000, 100_000, 50_000]


def make(needs=NEEDS):
    return ReportLadder(len(needs), lambda sent: needs, 0.0)


def estimate(ladder, at, bitrate, sent_bps=200_000, wait=1.0):
    ladder.sent(round(sent_bps * wait / 8), at)
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
    ladder.sent(100_000, 3.0)
    assert not ladder.on_estimate(50_000, 3.0 + ESTIMATE_S / 2)


def test_loss_is_one_step_and_a_little_of_it_says_nothing():
    ladder = make()
    assert not ladder.on_loss(MANY / 2, PACKETS, 5.0)
    assert ladder.on_loss(MANY * 4, PACKETS, 5.0)
    assert ladder.level == 1
    assert not ladder.on_loss(MANY / 2, PACKETS, 5.0 + PROBE_S)
    assert ladder.level == 1


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


def play(ladder, at, seconds, size=200):
    """Pictures for so long, each with what is added to it; the bits per second of them."""
    count = round(seconds * FPS)
    sent = sum(size + ladder.sent(size, at + n / FPS) for n in range(1, count + 1))
    return sent * 8 / seconds


def lowered(levels=1):
    """One that has just come down; when."""
    ladder, at = make(), 5.0
    for _ in range(levels):
        ladder.on_loss(0.5, PACKETS, at)
        at += WINDOW_S + 0.1
    assert ladder.level == levels
    return ladder, at


def test_a_step_up_is_tried_out_before_anybody_sees_it():
    ladder, at = lowered()
    at += PROBE_S
    assert play(ladder, at, 1.0) == 200 * 8 * FPS
    assert not ladder.on_loss(0.0, PACKETS, at + 1.0)
    at += 1.0
    tried_bps = []
    for n in range(round(RAMP_S) + 2):
        tried_bps.append(play(ladder, at + n, 1.0))
        assert not ladder.on_loss(0.0, PACKETS, at + n + 1.0)
    assert tried_bps[0] < NEEDS[0]  # it grows,
    assert tried_bps[-1] == pytest.approx(NEEDS[0] * MARGIN, rel=0.1)  # to more than is needed
    at += len(tried_bps)
    play(ladder, at, 1.0)
    assert ladder.on_loss(0.0, PACKETS, at + 1.0)
    assert ladder.level == 0
    assert play(ladder, at + 1.0, 1.0) == 200 * 8 * FPS


def late(ladder, at):
    return [ladder.on_arrivals(0.2, None, at + wait) for wait in (0.0, LATE_S + 0.01)]


def told(ladder, at):
    ladder.on_round_trip(0.02, at - 0.1)
    return [ladder.on_round_trip(0.3, at + wait) for wait in (0.0, LATE_S + 0.01)]


def lost(ladder, at):
    return [ladder.on_loss(0.5, PACKETS, at)]


@pytest.mark.parametrize("fill", [late, told, lost])
def test_one_that_fills_the_link_is_no_step_and_the_next_trial_waits_twice_as_long(fill):
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_loss(0.0, PACKETS, at)
    assert play(ladder, at, 0.5) > 200 * 8 * FPS
    assert not any(fill(ladder, at + 0.5))
    assert not ladder.tries
    assert play(ladder, at + 1.0, 1.0) == 200 * 8 * FPS
    assert not any(fill(ladder, at + 1.5))  # that is what was sent before
    assert ladder.level == 1
    ladder.on_arrivals(0.0, None, at + 2.0)
    since, tried_at = at + 1.0, None
    for n in range(int(3 * PROBE_S)):
        ladder.on_round_trip(0.02, since + n)
        ladder.on_loss(0.0, PACKETS, since + n)
        if tried_at is None and ladder.tries:
            tried_at = since + n
    assert tried_at - at == pytest.approx(2 * PROBE_S, abs=2.0)


def test_nothing_is_added_while_a_queue_is_told_of():
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_loss(0.0, PACKETS, at)
    assert play(ladder, at, 0.5) > 200 * 8 * FPS
    ladder.on_arrivals(0.2, None, at + 0.5)
    assert ladder.tries
    assert play(ladder, at + 0.5, 0.2) == 200 * 8 * FPS
    ladder.on_arrivals(0.0, None, at + 0.7)
    assert play(ladder, at + 0.7, 0.5) > 200 * 8 * FPS


def test_what_was_told_of_a_queue_long_ago_says_nothing():
    """A receiver may tell no more, or have set its clock."""
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_arrivals(0.2, None, at - SETTLE_S)
    ladder.on_loss(0.0, PACKETS, at + 0.1)
    assert ladder.tries
    assert play(ladder, at + 0.1, 0.5) > 200 * 8 * FPS


def test_a_queue_that_comes_and_goes_with_what_is_added_ends_a_trial():
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_round_trip(0.02, at)
    ladder.on_loss(0.0, PACKETS, at)
    play(ladder, at, RAMP_S)
    for wait, seconds, tries in ((0.0, 0.3, True), (0.7, 0.02, True), (1.4, 0.3, False)):
        ladder.on_round_trip(seconds, at + RAMP_S + wait)
        play(ladder, at + RAMP_S + wait, 0.6)
        assert ladder.tries is tries
    assert ladder.level == 1


def test_pictures_that_are_late_by_themselves_end_no_trial():
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_loss(0.0, PACKETS, at)
    for n in range(15):
        play(ladder, at + n / 5, 0.2)
        ladder.on_arrivals(0.2 if n % 3 == 0 else 0.01, None, at + n / 5 + 0.2)
    assert ladder.tries


def test_a_trial_that_nobody_tells_of_ends_and_has_failed():
    """Between little loss and much nobody knows: it is neither clear nor congested."""
    ladder, at = lowered()
    for n in range(round(PROBE_S)):
        ladder.on_loss(0.03, PACKETS, at + n)
    at += PROBE_S
    estimate(ladder, at, 10**7)
    assert ladder.tries
    seconds = round(MOST_S) + 1
    padded = 0.0
    for n in range(seconds):
        padded += play(ladder, at + n, 1.0) - 200 * 8 * FPS
        ladder.on_loss(0.03, PACKETS, at + n + 1)
    assert NEEDS[0] < padded <= NEEDS[0] * MARGIN * IN_ALL_S
    assert not ladder.tries
    at += seconds
    estimate(ladder, at + PROBE_S, 10**7)
    assert not ladder.tries  # the next one waits twice as long


def test_more_loss_than_before_ends_a_trial_with_the_first_report():
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_loss(0.01, PACKETS, at)
    assert play(ladder, at, 0.5) > 200 * 8 * FPS
    assert not ladder.on_loss(0.02, PACKETS, at + 0.5)  # that is chance
    assert ladder.tries
    assert not ladder.on_loss(0.08, PACKETS, at + 1.0)
    assert not ladder.tries
    assert ladder.level == 1


def test_an_estimate_that_falls_below_what_is_tried_ends_it():
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_loss(0.0, PACKETS, at)
    estimate(ladder, at + 1.0, 450_000)
    assert ladder.tries
    estimate(ladder, at + 2.0, 460_000)
    assert ladder.tries
    assert not estimate(ladder, at + 3.0, NEEDS[0] - 1)
    assert not ladder.tries


def test_no_step_is_made_into_a_queue_that_a_trial_leaves():
    ladder, at = lowered()
    at += PROBE_S
    ladder.on_loss(0.0, PACKETS, at)
    play(ladder, at, RAMP_S + TRIAL_S + 0.5)
    at += RAMP_S + TRIAL_S + 0.5
    ladder.on_arrivals(0.2, None, at)
    assert not ladder.on_loss(0.0, PACKETS, at + 0.1)
    ladder.on_arrivals(0.0, None, at + 0.2)
    play(ladder, at, SETTLE_S)
    assert ladder.on_loss(0.0, PACKETS, at + 0.1 + SETTLE_S)


def test_a_step_up_that_does_not_hold_goes_back_to_where_it_came_from():
    ladder, at = lowered(2)
    estimate(ladder, at, 10**7, 10_000)
    at = step_up(ladder, at)
    at += SETTLE_S
    ladder.on_arrivals(0.2, 40_000, at)
    assert ladder.on_arrivals(0.2, 40_000, at + LATE_S + 0.01)
    assert ladder.level == 2


def test_what_another_size_takes_is_not_tried_out():
    ladder, at = lowered()
    ladder.on_loss(0.0, PACKETS, at + PROBE_S)
    ladder.forget_sent(at + PROBE_S)
    assert play(ladder, at + PROBE_S, 1.0) == 200 * 8 * FPS


def step_up(ladder, at, most_s=60.0, tell=lambda at: None):
    """Report that nothing is lost until that has led up; when it has, or ``None``."""
    for n in range(int(most_s)):
        tell(at + n)
        if ladder.on_loss(0.0, PACKETS, at + n):
            return at + n
        play(ladder, at + n, 1.0)
    return None


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
        play(ladder, at, 0.5)
    assert ladder.level == 0


def test_a_silent_face_on_a_busy_link_goes_down_by_a_step_only():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 20_000)
    assert queue(ladder, 5.0) == [False, True]
    assert ladder.level == 1


def test_what_does_not_fit_what_is_known_of_the_link_is_not_tried_for_long():
    ladder, at = lowered()
    up_at = step_up(ladder, at, 2 * UNFIT_S, lambda at: ladder.on_arrivals(0.0, 400_000, at))
    assert up_at - at == pytest.approx(UNFIT_S, abs=7.0)


def test_unless_the_link_may_have_grown():
    ladder, at = lowered()

    def tell(at):
        ladder.on_arrivals(0.0, 400_000, at, may_have_grown=True)

    assert step_up(ladder, at, tell=tell) - at < PROBE_S + RAMP_S + TRIAL_S + 2


def test_what_fits_it_is_tried_soon():
    ladder, at = lowered()
    up_at = step_up(ladder, at, tell=lambda at: ladder.on_arrivals(0.0, 800_000, at))
    assert up_at - at < PROBE_S + RAMP_S + TRIAL_S + 2


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


def test_what_is_known_tells_more_than_an_estimate_that_a_burst_drove_down():
    ladder = make()
    estimate(ladder, 3.0, 10**7, 400_000)
    ladder.on_arrivals(0.2, 150_000, 5.0)
    assert estimate(ladder, 5.0, 60_000, 400_000)
    assert ladder.level == 2


def test_what_is_known_no_more_is_found_out():
    ladder, at = lowered()
    assert step_up(ladder, at, tell=lambda at: ladder.on_arrivals(0.0, 10_000, at)) is None
    since = at + 60.0
    up_at = step_up(ladder, since, tell=lambda at: ladder.on_arrivals(0.0, None, at))
    assert up_at - since < RAMP_S + TRIAL_S + 2


def test_what_a_receiver_told_that_tells_no_more_is_not_known():
    ladder = make()
    ladder.on_arrivals(0.0, 2_000_000, 3.0)
    assert not any(estimate(ladder, 4.0 + n, 90_000, 200_000) for n in range(int(TOLD_S) - 1))
    assert any(estimate(ladder, 3.0 + TOLD_S + n, 90_000, 200_000) for n in range(3))


def test_what_does_not_fit_is_tried_ever_more_seldom():
    """Each time a trial fails, on a link that is known."""
    ladder, at = lowered()
    tries = []
    for n in range(3600):
        now = at + n
        ladder.on_arrivals(0.0, 250_000, now)
        ladder.on_loss(0.0, PACKETS, now)
        play(ladder, now, 1.0)
        if ladder.tries:
            tries.append(now)
            assert not any(late(ladder, now + 0.5))
    waits = [b - a for a, b in pairwise(tries)]
    assert waits == pytest.approx([2 * UNFIT_S, 4 * UNFIT_S, 8 * UNFIT_S], rel=0.02)
    assert ladder.level == 1


def test_a_burst_that_outlasts_a_step_is_one_step():
    ladder = make()
    told = [0.0] * 10 + [0.6, 0.9, 0.9] + [0.0] * 20
    steps = [ladder.on_loss(fraction, PACKETS, 1.0 + n) for n, fraction in enumerate(told)]
    assert [n for n, step in enumerate(steps) if step] == [11]


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


# Over links.


@st.composite
def viewings(draw, most_bps=2_000_000):
    return RtpViewing(
        10 ** draw(st.floats(5.3, math.log10(most_bps))),
        jitter_s=draw(st.floats(0, 0.02)),
        loss=draw(st.sampled_from([0.0, 0.01, 0.03])),
        queue_s=draw(st.floats(0.15, 0.4)),
        used=draw(st.floats(0.5, 0.9)),
        still=draw(st.booleans()),
        seed=draw(st.integers(0, 1000)),
    )


@settings(max_examples=30)
@given(viewings())
def test_on_a_steady_link_the_level_is_steady(viewing):
    viewing.seconds = 150
    assert most_in_a_minute(viewing.run(), since=viewing.settled_s) <= 1


@settings(max_examples=30)
@given(viewings())
def test_pictures_are_fresh(viewing):
    viewing.run()
    late_s = sorted(late_s for at, late_s in viewing.late_s if at > viewing.settled_s)
    assert late_s[int(len(late_s) * 0.95)] <= 0.4 + 2 * WAY_S


@settings(max_examples=30)
@given(viewings())
def test_padding_is_little_and_breaks_pictures_for_no_longer_than_until_the_next_report(viewing):
    viewing.run()
    times = [at for at, _ in viewing.late_s if at > viewing.settled_s]
    assert viewing.loss or max(b - a for a, b in pairwise(times)) <= WHOLE_S
    assert (
        viewing.padding <= viewing.seconds / PROBE_S * RATES_BPS[0] * USED * MARGIN * IN_ALL_S / 8
    )


@settings(max_examples=30)
@given(st.floats(0.6, 1.1), st.booleans(), st.floats(0.3, 1.0), st.integers(0, 1000))
def test_where_round_trips_alone_tell_no_level_is_begun_that_the_link_does_not_carry(
    share, still, queue_s, seed
):
    """What a trial leaves out while a queue is told of hides no queue."""
    viewing = RtpViewing(
        SOUND_BPS + share * RATES_BPS[0] * USED,
        queue_s=queue_s,
        still=still,
        tells=False,
        level=1,
        seconds=60,
        seed=seed,
    )
    assert 0 not in [level for _, level in viewing.run()]


@settings(max_examples=30)
@given(viewings(most_bps=1_000_000))
def test_a_link_that_doubles_is_used_within_30_s(viewing):
    rate_bps = viewing.rate_bps
    viewing.rate_bps = lambda at: rate_bps if at < 40 else 2 * rate_bps
    viewing.seconds, viewing.still = 75, False
    viewing.queue_s = max(0.3, viewing.queue_s)  # a shorter one loses before its rate is known
    assume(viewing.loss < 0.02)  # else what browsers estimate tells, which is not here
    levels = viewing.run()
    before = level_at(levels, 40)
    fits = [rate * 1.3 + SOUND_BPS <= 2 * rate_bps for rate in RATES_BPS]
    assume(before and fits[before - 1])
    assert level_at(levels, 72) < before
