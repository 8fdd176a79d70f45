"""Which of a full link and a longer way explains late pictures."""

from __future__ import annotations

from random import Random

import pytest

from wsstream.protocol.ways import RECENT, Passed, Ways

BASE_MS = 2.0
EACH_S = 0.05
UNEVEN = [9_000, 22_000, 14_000, 6_000, 18_000, 11_000, 25_000, 8_000, 16_000]


def on_a_longer_way(sizes, way_ms=42.0):
    return [Passed(n * EACH_S, size, way_ms) for n, size in enumerate(sizes)]


def on_a_full_link(sizes, rate_bps, under_way):
    """Each is sent when so many before it are on their way, as a window lets it."""
    offs, some = [0.0] * under_way, []
    for size in sizes:
        sent_at = offs[-under_way] + BASE_MS / 1000
        offs.append(max(sent_at, offs[-1]) + size * 8 / rate_bps)
        some.append(Passed(sent_at, size, BASE_MS + (offs[-1] - sent_at) * 1000))
    return some


def told(some, rate_bps=None):
    ways = Ways()
    return [ways.passed(one, BASE_MS, rate_bps) for one in some]


@pytest.mark.parametrize("rate_bps", [None, 1_500_000, 2_300_000])
def test_a_longer_way_takes_all_as_long_whatever_their_size(rate_bps):
    assert told(on_a_longer_way(UNEVEN), rate_bps) == [None] * (RECENT - 1) + [42.0]


@pytest.mark.parametrize("rate_bps", [300_000, 1_000_000, 3_000_000])
def test_a_full_link_takes_large_ones_longer(rate_bps):
    assert not any(told(on_a_full_link(UNEVEN * 5, rate_bps, 2), rate_bps))
    assert not any(told(on_a_full_link(UNEVEN * 5, rate_bps, 1)))


def test_where_all_are_as_large_either_may_be():
    assert not any(told(on_a_longer_way([15_000] * 40)))


def test_a_still_face_says_nothing():
    assert not any(told(on_a_longer_way([300, 250, 310, 280] * 10), 1_000_000))


def test_what_is_as_quick_as_ever_is_on_no_longer_way():
    assert not any(told(on_a_longer_way(UNEVEN * 4, BASE_MS), 1_500_000))


def test_one_that_was_held_up_and_jitter_change_nothing():
    random = Random(3)
    some = [
        one._replace(rtt_ms=one.rtt_ms + random.uniform(0, 10)) for one in on_a_longer_way(UNEVEN)
    ]
    some[4] = some[4]._replace(rtt_ms=900.0)
    assert told(some, 1_500_000)[-1] == min(one.rtt_ms for one in some)


def test_each_is_told_once():
    longer = told(on_a_longer_way(UNEVEN * 2), 1_500_000)
    assert [n for n, way_ms in enumerate(longer) if way_ms] == [RECENT - 1, 2 * RECENT - 1]
