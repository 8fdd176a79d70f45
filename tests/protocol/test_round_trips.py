"""Whether a link has a queue."""

from __future__ import annotations

from wsstream.protocol.round_trips import FORGET_S, QUEUE_S, RoundTrips


def told(reports):
    trips = RoundTrips()
    return [trips.report(seconds, now) for now, seconds in reports]


def test_round_trips_that_take_longer_than_the_shortest_are_a_queue():
    reports = [(0, 0.02), (1, 0.03), (2, 0.3), (3, 0.3), (3.5, 0.28), (4, 0.05), (5, 0.3)]
    assert told(reports) == [None, None, 0, 1, 1.5, None, 0]


def test_a_long_way_is_none():
    assert told([(n, 0.6 + 0.1 * (n % 2)) for n in range(20)]) == [None] * 20


def test_after_a_while_the_longer_way_is_the_way():
    trips = RoundTrips()
    trips.report(0.02, 0)
    now, seconds = 0.0, 0.02 + 2 * QUEUE_S
    while trips.report(seconds, now) is not None or now == 0:
        now += 0.25
    assert FORGET_S / 4 < now < FORGET_S
    assert trips.report(seconds, 10 * FORGET_S) is None
