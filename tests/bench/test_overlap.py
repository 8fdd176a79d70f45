from __future__ import annotations

import pytest

from bench.harness.overlap import Sample, judge

TCP, UDP = 100_000, 40_000
"""Bytes a second, of each alone."""


def samples(tcp_ends_s: float, udp_begins_s: float, signalling: float = 0.0) -> list[Sample]:
    """Two seconds before the wish at 2 s, and so on to 8 s."""
    found, tcp, udp = [], 0.0, 0.0
    for n in range(160):
        at_s = n * 0.05
        tcp += 0.05 * (TCP if at_s < tcp_ends_s else signalling)
        udp += 0.05 * (UDP if at_s >= udp_begins_s else 0)
        found.append(Sample(at_s, round(tcp), round(udp)))
    return found


def test_both_for_a_while():
    found = judge(samples(tcp_ends_s=4.0, udp_begins_s=3.2), 2.0, 6.0)
    assert found.lasts_ms == pytest.approx(800, abs=250)
    assert found.twice_bytes == pytest.approx(0.8 * UDP, abs=0.25 * UDP)


def test_one_after_the_other_is_none():
    found = judge(samples(tcp_ends_s=3.0, udp_begins_s=3.4), 2.0, 6.0)
    assert (found.lasts_ms, found.twice_bytes) == (0, 0)


def test_signalling_beside_the_new_one_is_no_overlap():
    found = judge(samples(tcp_ends_s=4.0, udp_begins_s=4.4, signalling=0.1 * TCP), 2.0, 6.0)
    assert found.lasts_ms == 0


def test_the_way_back_is_the_same():
    down = [Sample(s.at_s, s.udp_bytes, s.tcp_bytes) for s in samples(4.0, 3.2)]
    assert judge(down, 2.0, 6.0).lasts_ms == pytest.approx(800, abs=250)
