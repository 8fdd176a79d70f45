"""What is learned of a link from when its pictures were drawn."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.protocol.arrivals import ArrivalEstimate
from wsstream.protocol.estimate import BASE_WINDOW_S, COMPARE_S, SAMPLES, LinkEstimate

RATE_BPS = 1_000_000
WAY_S = 0.04


class Link:
    """First in, first out; each picture is acknowledged ``WAY_S`` after it is off the link."""

    def __init__(self, rate_bps=RATE_BPS, way_s=WAY_S):
        self.estimate = LinkEstimate()
        self.rate_bps, self.way_s = rate_bps, way_s
        self.free_at = 0.0

    def send(self, sent_at, size, late_s=0.0, tells=True):
        self.free_at = max(sent_at, self.free_at) + size * 8 / self.rate_bps
        self.estimate.acked(sent_at, size, self.free_at + self.way_s + late_s, tells=tells)


@pytest.fixture
def link():
    return Link()


def test_at_first_nothing_is_known():
    estimate = LinkEstimate()
    assert (estimate.min_rtt_ms, estimate.rate_bps, estimate.queue_ms) == (None, None, 0)
    assert (estimate.way_ms, estimate.on_link_ms(10**6)) == (0, 0)


def test_pictures_that_wait_for_each_other_show_the_rate(link):
    for n in range(6):
        link.send(n * 0.01, 10_000)  # 80 ms each
    assert link.estimate.rate_bps == pytest.approx(RATE_BPS)
    assert link.estimate.queue_ms == pytest.approx(5 * 70)
    assert link.estimate.on_link_ms(5_000) == pytest.approx(40)


def test_a_long_way_is_not_a_slow_link():
    link = Link(rate_bps=1e9, way_s=0.4)
    for n in range(40):
        link.send(n * 0.05, 20_000)
    assert link.estimate.rate_bps is None
    assert link.estimate.way_ms == pytest.approx(400, abs=1)


@given(st.lists(st.floats(0, 0.045), min_size=10, max_size=60))
def test_jitter_is_not_taken_for_a_slow_link(late):
    estimate = LinkEstimate()
    for n, late_s in enumerate(late):  # pictures that never wait for each other
        estimate.acked(n * 0.05, 15_000, n * 0.05 + 0.1 + late_s)
    assert estimate.rate_bps is None


def test_the_way_is_what_is_left_of_the_quickest_ack(link):
    for n in range(6):
        link.send(n * 0.01, 10_000)
    assert link.estimate.min_rtt_ms == pytest.approx(120)
    assert link.estimate.way_ms == pytest.approx(40)


def test_small_ones_say_nothing_of_the_rate_but_together(link):
    for n in range(8):
        link.send(n * 0.001, 700)
    assert link.estimate.rate_bps is None
    link.estimate = ArrivalEstimate()
    for n in range(80):
        link.send(1 + n * 0.001, 700)
    assert link.estimate.rate_bps == pytest.approx(1e6, rel=0.01)


def test_what_comes_as_it_is_sent_waits_for_something_else():
    estimate = ArrivalEstimate()
    for n in range(100):
        way_s = 0.02 if n < 10 else 0.12
        estimate.acked(n * 0.05, 300, n * 0.05 + way_s)
    assert estimate.rate_bps is None


def test_a_way_that_gets_longer_is_no_queue_and_no_slow_link(link):
    link.rate_bps, random = 50e6, Random(1)
    for n in range(100):
        link.way_s = 0.002 if n < 30 else 0.102
        at = n * 0.05 + random.uniform(0, 0.02)
        link.send(at, round(15_000 * random.uniform(0.5, 1.5)), random.uniform(0, 0.003))
    assert link.estimate.rate_bps is None
    assert link.estimate.queue_ms < 10
    link.way_s = 0.002
    link.send(5.0, 15_000)
    assert link.estimate.min_rtt_ms == pytest.approx(4.4)


def test_a_picture_that_had_to_be_sent_again_says_nothing():
    estimate = ArrivalEstimate()
    for n in range(100):
        way_s = 0.22 if n % 10 == 0 else 0.02
        estimate.acked(n * 0.05, 5000, n * 0.05 + way_s)
    assert estimate.rate_bps is None


def test_of_unknown_size_they_say_nothing_of_the_rate():
    estimate = LinkEstimate()
    for n in range(6):
        estimate.acked(0.0, 0, 0.1 * (n + 1))
    assert estimate.rate_bps is None
    assert estimate.queue_ms == pytest.approx(500)


def test_what_tells_nothing_tells_no_rate(link):
    for n in range(6):
        link.send(n * 0.01, 10_000, tells=False)
    assert link.estimate.rate_bps is None
    assert link.estimate.queue_ms == pytest.approx(5 * 70)


def test_the_quickest_may_be_one_that_tells_nothing(link):
    for n in range(6):
        link.send(n * 0.01, 8000)
    for n in range(60):
        link.send(1 + n * 0.25, 7000 if n == 4 else 8000, tells=n != 4)
    assert link.estimate.rate_bps == pytest.approx(RATE_BPS)
    assert link.estimate.way_ms == pytest.approx(WAY_S * 1000)


def test_one_picture_that_was_held_up_is_no_slow_link(link):
    link.rate_bps = 50e6
    for n in range(100):
        link.send(n * 0.05, 15_000, late_s=3.0 if n == 50 else 0.0)
    assert (link.estimate.rate_bps or 50e6) > 10e6
    assert link.estimate.queue_ms == 0


def test_a_rate_is_forgotten_when_newer_ones_are_seen(link):
    for n in range(20):
        link.send(n * 0.01, 10_000)
    link.rate_bps /= 4
    for n in range(SAMPLES):
        link.send(link.free_at - 0.2 + n * 0.01, 10_000)
    assert link.estimate.rate_bps == pytest.approx(RATE_BPS / 4)


def test_when_acks_are_much_quicker_than_a_while_ago_the_rate_is_unknown_again(link):
    for n in range(6):
        link.send(n * 0.01, 10_000)
    for n in range(40):
        link.send(1 + n * 0.5, 10_000)
    assert link.estimate.rate_bps == pytest.approx(RATE_BPS)
    assert COMPARE_S < 1 + 40 * 0.5
    link.rate_bps *= 2
    link.send(30.0, 10_000)
    assert link.estimate.rate_bps is None


def test_a_smaller_picture_is_quicker_and_the_link_the_same(link):
    for n in range(6):
        link.send(n * 0.01, 10_000)
    for n in range(40):
        link.send(1 + n * 0.5, 10_000)
    link.send(30.0, 2_000)
    assert link.estimate.rate_bps == pytest.approx(RATE_BPS)


@given(st.lists(st.tuples(st.floats(0.001, 5), st.floats(0, 3)), min_size=1, max_size=60))
def test_the_quickest_ack_is_that_of_the_last_half_minute(acks):
    estimate, now, seen = LinkEstimate(), 0.0, []
    for gap_s, rtt_s in acks:
        now += gap_s
        estimate.acked(now - rtt_s, 5000, now)
        seen.append((now, rtt_s * 1000))
        least = min(rtt for at, rtt in seen if at >= now - BASE_WINDOW_S)
        assert estimate.min_rtt_ms == pytest.approx(least, abs=1e-6)
        assert estimate.queue_ms == pytest.approx(rtt_s * 1000 - least, abs=1e-6)
        assert estimate.way_ms >= 0
        assert estimate.rate_bps is None or estimate.rate_bps > 0
