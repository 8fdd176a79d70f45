"""When encodings get smaller and larger: on their own, and with a window over simulated links."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.protocol.links import SOUND_BYTES, Viewing
from wsstream.protocol.ladder import (
    BAD_ACKS,
    KNOWN_WAIT_S,
    PROBE_MAX_S,
    PROBE_S,
    QUEUE_BAD_MS,
    QUEUE_GOOD_MS,
    SETTLE_S,
    Ladder,
    RateLadder,
)
from wsstream.session.jpeg_rungs import JPEG_LEVELS

COSTS = [1, 0.5, 0.25]
FPS = 20

# By congestion alone.


def test_congestion_is_a_step_down_and_then_time_to_settle():
    ladder = Ladder(5, now=0.0)
    assert not ladder.congested(SETTLE_S - 0.1)
    assert ladder.congested(SETTLE_S)
    assert not ladder.congested(SETTLE_S * 2 - 0.1)
    assert ladder.congested(SETTLE_S * 2)
    assert (ladder.level, ladder.steps) == (2, 2)


def test_where_it_is_known_what_fits_it_goes_there_at_once_and_never_up():
    ladder = Ladder(5, now=0.0)
    assert ladder.congested(10.0, level=3)
    assert ladder.level == 3
    assert ladder.congested(20.0, level=0)
    assert ladder.level == 4


def test_there_is_nothing_below_the_lowest():
    ladder = Ladder(2, now=0.0)
    assert ladder.congested(10.0, level=7)
    assert not ladder.congested(20.0)
    assert ladder.level == 1


def test_a_step_up_comes_when_it_has_been_clear_for_long():
    ladder = Ladder(5, now=0.0, level=1)
    ladder.congested(100.0)
    assert not ladder.is_clear(100.0 + PROBE_S - 0.1, PROBE_S)
    assert ladder.is_clear(100.0 + PROBE_S, PROBE_S)
    ladder.up(100.0 + PROBE_S)
    assert ladder.level == 1


def test_what_is_neither_good_nor_bad_puts_the_step_off():
    ladder = Ladder(5, now=0.0, level=2)
    ladder.hold(8.0)
    assert not ladder.is_clear(PROBE_S, PROBE_S)
    assert ladder.is_clear(8.0 + PROBE_S, PROBE_S)


def test_a_probe_that_fails_makes_the_next_wait_twice_as_long_up_to_a_limit():
    ladder, now, waits = Ladder(3, now=0.0, level=1), 0.0, []
    for _ in range(8):
        began = now
        while not ladder.is_clear(now, ladder.probe_s):
            now += 0.5
        waits.append(now - began)
        ladder.up(now)
        now += SETTLE_S
        assert ladder.congested(now)
    assert waits[:4] == [PROBE_S, PROBE_S * 2, PROBE_S * 4, PROBE_S * 8]
    assert waits[-1] == PROBE_MAX_S


def test_what_was_tried_in_vain_is_no_step_but_the_next_waits_twice_as_long():
    ladder = Ladder(4, now=0.0, level=1)
    ladder.refrain(10.0)
    assert ladder.probe_s == 2 * PROBE_S
    assert not ladder.is_clear(10.0 + 2 * PROBE_S - 0.1, ladder.probe_s)
    assert ladder.is_clear(10.0 + 2 * PROBE_S, ladder.probe_s)
    assert ladder.steps == 0


def test_what_was_tried_may_show_for_a_while_and_is_no_reason_to_step_down():
    ladder = Ladder(4, now=0.0, level=1)
    ladder.refrain(10.0)
    assert not ladder.congested(10.0 + SETTLE_S - 0.1)
    assert ladder.congested(10.0 + SETTLE_S)


def test_while_it_is_put_off_what_was_waited_for_it_counts():
    ladder = Ladder(4, now=0.0, level=1)
    ladder.defer(PROBE_S)
    assert not ladder.is_clear(PROBE_S + SETTLE_S - 0.1, PROBE_S)
    assert ladder.is_clear(PROBE_S + SETTLE_S, PROBE_S)


def test_at_the_top_there_is_nothing_to_probe():
    ladder = Ladder(3, now=0.0)
    assert not ladder.is_clear(1e6, PROBE_S)
    assert ladder.steps == 0


# By queue and rate.


def judge(ladder, now, queue_ms=0.0, rate_bps=None, size=10_000, times=1):
    """One picture after the other: each is sent when the one before it is acknowledged."""
    every_s = max(0.05, queue_ms / 1000)
    return [ladder.judge(queue_ms, rate_bps, size, now + n * every_s) for n in range(times)]


def test_a_queue_is_congestion_after_a_few_acks():
    ladder = RateLadder(COSTS, FPS, 0.0)
    assert judge(ladder, 5.0, QUEUE_BAD_MS + 1, times=BAD_ACKS) == [False] * (BAD_ACKS - 1) + [True]
    assert ladder.level == 1


def test_one_good_ack_between_makes_them_count_anew():
    ladder = RateLadder(COSTS, FPS, 0.0)
    for n in range(10):
        judge(ladder, 5.0 + n, QUEUE_BAD_MS + 1, times=BAD_ACKS - 1)
        judge(ladder, 5.5 + n, 0.0)
    assert ladder.level == 0


def test_a_long_queue_needs_fewer_acks_and_goes_deeper():
    ladder = RateLadder(COSTS, FPS, 0.0)
    assert judge(ladder, 0.5, 1000.0, times=2) == [False, True]
    assert ladder.level == 2


def test_what_was_under_way_together_is_late_once():
    ladder = RateLadder(COSTS, FPS, 0.0)
    for n in range(5):  # a moment without any link, or a lost segment that all of them wait for
        assert not ladder.judge(700.0 - n * 50, None, 10_000, 5.0 + n * 0.001)
    assert ladder.judge(QUEUE_BAD_MS + 1, None, 10_000, 5.2)


def test_a_single_late_ack_is_nothing():
    ladder = RateLadder(COSTS, FPS, 0.0)
    assert judge(ladder, 5.0, 5000.0) == [False]


def test_what_does_not_fit_the_link_is_left_though_nothing_queues():
    ladder = RateLadder(COSTS, FPS, 0.0)
    # 10 kB are 80 kbit: 1.6 Mbit/s, of 80 per cent of a link 2 Mbit/s; half of that is 1 Mbit/s.
    judge(ladder, 5.0, 0.0, 2_100_000, times=BAD_ACKS)
    assert ladder.level == 0
    judge(ladder, 6.0, 0.0, 1_900_000, times=BAD_ACKS)
    assert ladder.level == 1


def test_it_goes_up_only_to_what_fits_with_room_to_spare():
    ladder = RateLadder(COSTS, FPS, 0.0)
    judge(ladder, 5.0, 0.0, 1_900_000, times=BAD_ACKS)
    judge(ladder, 10.0, 0.0, 2_500_000, size=5_000, times=200)
    assert ladder.level == 1
    judge(ladder, 30.0, 0.0, 3_000_000, size=5_000, times=int(KNOWN_WAIT_S / 0.05) + 2)
    assert ladder.level == 0


def test_what_a_face_needed_when_it_spoke_is_remembered_while_it_is_silent():
    ladder = RateLadder(COSTS, FPS, 0.0)
    judge(ladder, 5.0, 0.0, 1_900_000, times=BAD_ACKS)
    judge(ladder, 5.5, 0.0, 1_900_000, size=5_000, times=10)
    judge(ladder, 6.0, 0.0, 1_900_000, size=300, times=200)
    assert ladder.level == 1
    judge(ladder, 16.0, 0.0, 1_900_000, size=300, times=1200)
    assert ladder.level == 0


def test_between_good_and_bad_it_stays():
    ladder = RateLadder(COSTS, FPS, 0.0)
    judge(ladder, 5.0, 130.0, times=BAD_ACKS)
    judge(ladder, 6.0, QUEUE_GOOD_MS + 1, times=2000)
    assert (ladder.level, ladder.steps) == (1, 1)


# With the window, over links.

LOWEST = JPEG_LEVELS[-1].cost


@st.composite
def links(draw, jitter_s=0.03, least_bps=300_000):
    """A viewer whose link carries 5 of the smallest pictures a second besides the sound."""
    rate_bps = draw(st.floats(least_bps, 1_500_000) | st.floats(1_500_000, 50_000_000))
    size = draw(st.integers(3_000, 45_000))
    assume(size * LOWEST * 8 * 5 < 0.8 * (rate_bps - SOUND_BYTES * 8 * 50))
    # A whole picture of four times the size: what patches come after.
    whole = draw(st.sampled_from([1, 4])) if size < 20_000 else 1
    return Viewing(
        rate_bps,
        delay_s=draw(st.floats(0.001, 0.2)),
        jitter_s=draw(st.floats(0, jitter_s)),
        picture_bytes=size,
        spread=draw(st.floats(0, 0.3)),
        whole=whole,
        seed=draw(st.integers(0, 1000)),
    )


def rtt(viewing):
    return 2 * (viewing.delay_s + viewing.jitter_s)


@settings(max_examples=40)
@given(links())
@example(Viewing(300_000, 0.02, 0.0, 15_000, whole=4))
@example(Viewing(50_000_000, 0.2, 0.03, 45_000))
def test_pictures_are_fresh_and_many_and_never_stop(viewing):
    result = viewing.run()
    assert result.age_p95(since=10) <= 0.4 + rtt(viewing)
    assert result.fps(10, 60) >= 5
    assert result.longest_gap(10, 60) <= 1.0 + rtt(viewing)


@settings(max_examples=40)
@given(links())
def test_sound_waits_for_about_one_picture(viewing):
    result = viewing.run()
    waits = sorted(wait for at, wait in result.sound_waits if at > 10)
    largest = max(result.on_link[-100:])
    assert waits[int(len(waits) * 0.99)] <= viewing.jitter_s + 1.5 * largest + 0.06


@settings(max_examples=40)
@given(links(jitter_s=0.01))
def test_on_a_steady_link_the_level_is_steady(viewing):
    viewing.seconds = 75
    assert viewing.run().changes(15, 75) <= 1


@pytest.mark.parametrize("jitter_s", [0, 0.005, 0.01])
@pytest.mark.parametrize("delay_s", [0.01, 0.15])
@pytest.mark.parametrize(
    ("rate_bps", "size"),
    [(500_000, 8000), (1_000_000, 15_000), (2_000_000, 45_000), (5_000_000, 45_000)],
)
def test_a_link_that_doubles_is_used_within_30_s(rate_bps, size, delay_s, jitter_s):
    viewing = Viewing(
        lambda at: rate_bps if at < 40 else 2 * rate_bps, delay_s, jitter_s, size, seconds=75
    )
    result = viewing.run()
    assert result.level_at(70) < result.level_at(40)
    assert result.age_p95(since=40) <= 0.4 + rtt(viewing)


@pytest.mark.parametrize("rate_bps", [500_000, 2_000_000, 20_000_000])
@pytest.mark.parametrize("delay_s", [0.005, 0.15])
def test_a_link_that_halves_does_not_make_pictures_late_for_long(rate_bps, delay_s):
    viewing = Viewing(lambda at: rate_bps if at < 30 else rate_bps / 2, delay_s, 0.005, 8000)
    assert viewing.run().age_p95(since=34) <= 0.4 + rtt(viewing)


@pytest.mark.parametrize("rate_bps", [200_000, 300_000, 400_000])
def test_far_too_much_for_a_slow_link_is_found_out_soon(rate_bps):
    picture_bytes = 45_000
    first_s, _ = Viewing(rate_bps, picture_bytes=picture_bytes).run().levels[0]
    assert first_s < 5 * picture_bytes * 8 / rate_bps


@pytest.mark.parametrize("delay_s", [0.002, 0.02, 0.1])
@pytest.mark.parametrize("stall_s", [0.25, 0.4, 1, 3])
def test_a_stall_of_a_good_link_costs_no_level(delay_s, stall_s):
    viewing = Viewing(40e6, delay_s, 0.005, 10_000, stall=(20, 20 + stall_s))
    assert viewing.run().levels == []


@pytest.mark.parametrize("rate_bps", [400_000, 1_000_000, 5_000_000, 50_000_000])
@pytest.mark.parametrize("delay_s", [0.002, 0.05, 0.2])
def test_two_seconds_after_a_stall_pictures_are_fresh_again(rate_bps, delay_s):
    viewing = Viewing(rate_bps, delay_s, 0.005, 15_000, stall=(30, 33))
    result = viewing.run()
    late = [age for at, age in result.ages if at >= 35]
    assert max(late) <= 0.4 + rtt(viewing)
    assert result.fps(35, 60) >= 5
    assert result.level_at(55) <= result.level_at(29) + 1


@settings(max_examples=30)
@given(
    longer_s=st.floats(0.01, 0.2),
    size=st.integers(4_000, 40_000),
    spread=st.floats(0.3, 0.6),
    encode_s=st.floats(0, 0.03),
    jitter_s=st.floats(0, 0.005),
    seed=st.integers(0, 1000),
)
def test_a_way_that_gets_longer_is_no_small_link(longer_s, seed, **link):
    viewing = Viewing(
        50_000_000,
        lambda at: 0.001 + (at >= 20) * longer_s,
        picture_bytes=link.pop("size"),
        seed=seed,
        **link,
    )
    result = viewing.run()
    assert result.level_at(45) == 0
    assert result.changes(45, 60) == 0
    assert result.fps(45, 60) > 19


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("jitter_s", [0.02, 0.03])
def test_jitter_on_a_full_link_is_no_longer_way(jitter_s, seed):
    viewing = Viewing(800_000, 0.02, jitter_s, 15_000, spread=0.1, seconds=75, seed=seed)
    assert viewing.run().changes(15, 75) <= 1


def test_a_page_that_talks_and_is_silent_by_turns_keeps_its_level():
    viewing = Viewing(
        1_500_000,
        picture_bytes=lambda at: 15_000 if at % 10 < 6 else 1_500,
        seconds=120,
    )
    assert viewing.run().changes(20, 120) <= 2


def test_a_quick_link_has_the_best_of_all():
    result = Viewing(50_000_000, 0.02, 0.005, 15_000).run()
    assert result.levels == []
    assert result.fps(1, 60) > 19
    assert result.age_p95() < 0.06
