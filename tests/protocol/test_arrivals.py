"""What pictures' arrivals tell of a link."""

from __future__ import annotations

from random import Random

import pytest

from wsstream.protocol.arrivals import REMEMBERED, SURE_S, ArrivalEstimate, Arrivals


def send(arrivals, rate_bps, sizes, *, way_s=0.02, ahead_ms=1e6, first_ms=0, period_s=0.05):
    """Over a link of that rate, one picture after the other; the queue at each, in milliseconds."""
    free_at, queues = 0.0, []
    for n, size in enumerate(sizes):
        at = first_ms / 1000 + n * period_s
        arrivals.sent(first_ms + n * 50, size, at)
        free_at = max(free_at, at) + size * 8 / rate_bps
        came_ms = (free_at + way_s) * 1000
        stamp = (first_ms + n * 50) % 2**32
        assert arrivals.came(stamp, came_ms + ahead_ms, at + 0.5)
        queues.append(arrivals.estimate.queue_ms)
    return queues


@pytest.mark.parametrize("ahead_ms", [0.0, 3.6e6, -3.6e6])
@pytest.mark.parametrize("first_ms", [0, 2**32 - 500])
def test_a_link_that_is_too_small_has_a_queue_and_tells_its_rate(ahead_ms, first_ms):
    arrivals = Arrivals()
    queues = send(arrivals, 400_000, [5000] * 30, ahead_ms=ahead_ms, first_ms=first_ms)
    assert queues[-1] == pytest.approx(29 * 50, abs=5)
    assert arrivals.estimate.rate_bps == pytest.approx(400_000, rel=0.02)


def test_one_that_is_large_enough_has_none_and_tells_nothing():
    arrivals = Arrivals()
    assert max(send(arrivals, 4_000_000, [5000] * 30)) < 1
    assert arrivals.estimate.rate_bps is None


def test_a_picture_that_was_not_shown_leaves_the_rate_alone():
    arrivals = Arrivals()
    send(arrivals, 400_000, [5000] * 10)
    rate = arrivals.estimate.rate_bps
    arrivals.sent(500, 5000, 0.5)
    arrivals.sent(550, 5000, 0.55)
    assert arrivals.came(550, 1e6 + 1300, 1.5)
    assert arrivals.estimate.rate_bps == rate


def test_what_was_never_sent_or_told_before_is_nothing():
    arrivals = Arrivals()
    assert not arrivals.came(0, 5.0, 0.0)
    send(arrivals, 4_000_000, [5000] * 3)
    assert not arrivals.came(50, 5.0, 1.0)
    assert not arrivals.came(4711, 5.0, 1.0)


def test_so_many_are_remembered():
    arrivals = Arrivals()
    for n in range(REMEMBERED + 10):
        arrivals.sent(n, 1000, n / 20)
    assert not arrivals.came(9, 5.0, 10.0)
    assert arrivals.came(10, 5.0, 10.0)


def test_a_link_that_has_grown_is_known_to_by_large_pictures_that_pass_quickly():
    arrivals = Arrivals()
    send(arrivals, 400_000, [5000] * 30)
    for n, (size, known) in enumerate([(300, True), (300, True), (5000, True), (5000, False)]):
        at = 10.0 + n * SURE_S
        arrivals.sent(round(at * 1000), size, at)
        arrivals.came(round(at * 1000), (at + 0.02) * 1000 + 1e6 + size / 1000, at + 0.5)
        assert (arrivals.estimate.rate_bps is not None) == known
        assert arrivals.estimate.may_have_grown == (n == 2)


def test_while_a_queue_gets_shorter_nothing_passes_quickly():
    arrivals = Arrivals()
    queues = send(arrivals, 400_000, [5000] * 60 + [1200, 500] * 200)
    assert queues[-1] < 50
    assert arrivals.estimate.rate_bps == pytest.approx(400_000, rel=0.05)


def test_one_that_is_as_small_as_before_stays_known():
    arrivals = Arrivals()
    send(arrivals, 400_000, [5000] * 30)
    rate = arrivals.estimate.rate_bps
    send(arrivals, 400_000, [200] * 100 + [8000] + [200] * 100, first_ms=20_000)
    assert arrivals.estimate.rate_bps == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize(("hop_max_s", "jitter_s"), [(0.11, 0.01), (0.05, 0.05)])
@pytest.mark.parametrize("size", [300, 1100, 5500])
def test_a_way_that_gets_longer_and_shorter_is_no_small_link(size, hop_max_s, jitter_s):
    """Each two seconds, by up to 110 ms, as mobile links do."""
    estimate, random, came_s, known = ArrivalEstimate(), Random(2), 0.0, 0
    for n in range(3000):
        if n % 50 == 0:
            hop_s = random.uniform(0, hop_max_s)
        at = n * 0.04 + 0.02 + hop_s + random.uniform(0, jitter_s)
        came_s = max(came_s, at)
        estimate.acked(n * 0.04, round(size * random.uniform(0.7, 1.3)), came_s)
        known += estimate.rate_bps is not None
    assert known < 300


def test_a_queue_that_is_always_full_is_no_longer_way():
    """It drops what does not fit, so that all that passes waits as long, whatever its size."""
    estimate, random = ArrivalEstimate(), Random(1)
    for n in range(60):
        rtt_s = 0.02 if n < 10 else 0.32
        estimate.acked(n * 0.05, round(9000 * random.uniform(0.4, 1.6)), n * 0.05 + rtt_s)
    assert estimate.queue_ms == pytest.approx(300)
