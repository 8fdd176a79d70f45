"""How many pictures may be under way, and how many messages may come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.protocol.estimate import SAMPLES
from wsstream.protocol.flow import (
    FORGET_S,
    MAX_AHEAD,
    MAX_HOLD_MS,
    MAX_UNACKED,
    PACE,
    QUEUED_MS,
    REMEMBERED,
    AckWindow,
    TokenBucket,
)

PERIOD_MS = 40


@pytest.fixture
def window():
    return AckWindow(PERIOD_MS)


def send(window, *timestamps, now=0.0):
    for timestamp_ms in timestamps:
        window.sent(timestamp_ms, now)


def test_a_client_that_never_acks_is_not_held_back(window):
    for n in range(100):
        assert window.may_send(now=n / 25)
        window.sent(n * PERIOD_MS, now=n / 25)
    assert not window.active


def test_two_pictures_may_be_unacked(window):
    send(window, 0)
    window.acked(0, now=0.01)
    for n in range(1, 1 + MAX_UNACKED):
        assert window.may_send(now=0.04 * n)
        window.sent(40 * n, now=0.04 * n)
    assert not window.may_send(now=0.12)
    window.acked(40, now=0.13)
    assert window.may_send(now=0.13)


def test_an_ack_covers_everything_older(window):
    send(window, 40, 80, 120, 160)
    window.acked(120, now=0.1)
    assert window.unacked == 1


def test_an_ack_for_a_picture_that_was_never_sent_covers_those_before_it(window):
    send(window, 40, 80, 120)
    window.acked(100, now=0.1)
    assert window.unacked == 1
    assert window.last_rtt_ms is None


def test_an_ack_that_comes_twice_changes_nothing(window):
    send(window, 40, 80)
    window.acked(40, now=0.05)
    window.acked(40, now=0.50)
    assert (window.unacked, window.last_rtt_ms) == (1, pytest.approx(50))


@pytest.mark.parametrize(
    ("hold_ms", "more"), [(0, 0), (1, 1), (40, 1), (41, 2), (120, 3), (250, 7), (10_000, 7)]
)
def test_pictures_the_client_holds_on_purpose_do_not_count_up_to_a_limit(window, hold_ms, more):
    window.acked(0, now=0.0, hold_ms=hold_ms)
    assert window.limit == MAX_UNACKED + more
    assert more <= -(-MAX_HOLD_MS // PERIOD_MS)


def test_an_ack_without_hold_leaves_the_last_one(window):
    window.acked(0, now=0.0, hold_ms=80)
    window.acked(40, now=0.1)
    assert window.hold_ms == 80


def test_round_trip_time_leaves_out_what_the_client_held(window):
    send(window, 40, 80)
    window.acked(40, now=0.150, hold_ms=60)
    assert window.last_rtt_ms == pytest.approx(90)
    window.acked(80, now=0.200, hold_ms=60)
    assert (window.last_rtt_ms, window.min_rtt_ms) == (pytest.approx(140), pytest.approx(90))


def test_round_trip_time_is_never_negative(window):
    send(window, 40)
    window.acked(40, now=0.010, hold_ms=60)
    assert window.last_rtt_ms == 0


def test_the_least_round_trip_time_is_kept_even_when_it_is_zero(window):
    send(window, 40, 80)
    window.acked(40, now=0.0)
    window.acked(80, now=0.3)
    assert window.min_rtt_ms == 0


def test_timestamps_are_compared_across_the_wrap(window):
    send(window, 2**32 - 40, 0, 40)
    window.acked(0, now=0.02)
    assert (window.unacked, window.last_rtt_ms) == (1, pytest.approx(20))
    window.acked(2**32 - 40, now=0.03)  # late: covered already
    assert window.unacked == 1


def test_media_time_beyond_2_to_32_is_matched_with_its_ack(window):
    send(window, 2**32 + 40)
    window.acked(40, now=0.05)
    assert (window.unacked, window.last_rtt_ms) == (0, pytest.approx(50))


def test_an_ack_that_never_comes_is_given_up_and_counted(window):
    window.acked(0, now=0.0)
    send(window, 40, 80, now=1.0)
    assert not window.may_send(now=1.0 + FORGET_S)
    assert window.may_send(now=1.01 + FORGET_S)
    assert (window.unacked, window.forgotten) == (0, 2)


def test_what_a_plain_client_never_acks_is_not_counted_as_forgotten(window):
    send(window, 40, 80)
    assert window.may_send(now=10.0)
    assert (window.unacked, window.forgotten) == (0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["send", "ack"]), st.integers(0, 2**32 - 1), st.floats(0, 1e4)),
        max_size=40,
    )
)
def test_whatever_a_client_acks_the_window_opens_again(events):
    window, now = AckWindow(PERIOD_MS), 0.0
    for n, (kind, timestamp_ms, hold_ms) in enumerate(events):
        now = n * 0.04
        if kind == "send" and window.may_send(now):
            window.sent(n * 40, now)
        elif kind == "ack":
            window.acked(timestamp_ms, now, hold_ms)
    assert window.may_send(now + FORGET_S + 0.1)


def test_after_a_time_elsewhere_what_was_under_way_is_not_waited_for(window):
    window.acked(0, 0.0)
    for ms in (40, 80):
        window.sent(ms, 1.0)
    assert not window.may_send(1.1)
    window.reset()
    assert window.may_send(1.1)
    assert (window.unacked, window.forgotten) == (0, 0)
    window.acked(80, 1.2)  # late, and of no importance
    assert window.active
    assert window.unacked == 0


def over(window, pictures, *, rate_bps, way_s, size=10_000, every_s=0.04):
    """Pictures over a link, each acknowledged when it is drawn. When the last ack came."""
    free_at = 0.0
    for n in range(pictures):
        window.sent(n * 40, n * every_s, size)
    for n in range(pictures):
        free_at = max(free_at, n * every_s) + size * 8 / rate_bps
        window.acked(n * 40, free_at + way_s)
    return free_at + way_s


def test_a_long_way_has_room_for_more_once_it_is_known_to_be_no_slow_link(window):
    over(window, SAMPLES - 1, rate_bps=1e9, way_s=0.21)
    assert window.limit == MAX_UNACKED
    over(window, SAMPLES, rate_bps=1e9, way_s=0.21)
    assert window.limit == MAX_UNACKED + 5
    over(window, SAMPLES, rate_bps=1e9, way_s=0.19)
    assert window.limit == MAX_UNACKED + 4


def test_however_long_the_way_there_is_a_limit(window):
    over(window, SAMPLES, rate_bps=1e9, way_s=1.5)
    assert window.limit == MAX_UNACKED + MAX_AHEAD


def test_a_slow_link_is_no_long_way(window):
    over(window, 20, rate_bps=400_000, way_s=0.01, every_s=0.15)  # 200 ms each
    assert window.estimate.way_ms == pytest.approx(10, abs=1)


def test_while_something_queues_one_may_be_under_way(window):
    end = over(window, 8, rate_bps=400_000, way_s=0.01)
    assert window.estimate.queue_ms > QUEUED_MS
    assert window.limit == 1
    assert window.may_send(end)


def test_a_picture_goes_out_when_the_one_before_it_is_nearly_off_the_link(window):
    end = over(window, 8, rate_bps=400_000, way_s=0.01)
    window.acked(40 * 7, end, hold_ms=200)  # so that the number is no bound
    window.sent(1000, end, 10_000)
    on_link_s = 0.2 / PACE
    assert not window.may_send(end + on_link_s - 0.05)
    assert window.may_send(end + on_link_s)


def test_one_that_is_given_up_still_tells_of_the_link_when_its_ack_comes(window):
    window.acked(0, now=0.0)
    send(window, 40, now=1.0)
    assert window.may_send(now=4.0)
    assert window.limit == 1  # the link may stand still: one at a time
    send(window, 80, now=4.0)
    assert not window.may_send(now=4.1)
    window.acked(40, now=4.2)
    assert (window.last_rtt_ms, window.unacked) == (pytest.approx(3200), 1)


def test_what_one_that_never_acks_was_sent_is_not_kept_for_ever(window):
    for n in range(1000):
        window.may_send(n * 0.04)
        window.sent(n * 40, n * 0.04)
        assert window.unacked <= REMEMBERED
    assert len(window._sent) == REMEMBERED


def test_after_a_reset_nothing_is_waited_for(window):
    window.acked(0, now=0.0)
    send(window, 40, 80, now=1.0)
    window.may_send(now=5.0)
    window.reset()
    assert (window.unacked, window.may_send(5.0)) == (0, True)


def test_a_bucket_gives_its_burst_at_once_and_no_more():
    bucket = TokenBucket(rate=10, burst=20)
    assert [bucket.take(now=5.0) for _ in range(21)] == [True] * 20 + [False]


def test_a_bucket_fills_at_its_rate_and_not_over_its_burst():
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.05)
    assert bucket.take(0.11)
    assert [bucket.take(60.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_a_bucket_never_gives_more_than_rate_and_burst_together(gaps):
    bucket, now, taken = TokenBucket(rate=10, burst=5), 100.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
    assert taken <= 5 + 10 * (now - 100.0) + 1e-6
