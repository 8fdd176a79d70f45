"""Whether what is lost is much, little, or chance."""

from __future__ import annotations

from random import Random

import pytest

from wsstream.protocol.losses import FEW, MANY, PACKETS_MIN, WINDOW_S, Losses


def lose(share, *, per_report=4, seconds=60.0, every_s=0.1, seed=1):
    """Reports of packets that are each lost by that chance; ``(many, few)`` after each."""
    losses, random, told = Losses(), Random(seed), []
    for n in range(round(seconds / every_s)):
        lost = sum(random.random() < share for _ in range(per_report))
        losses.report(lost / per_report, per_report, n * every_s)
        told.append((losses.many, losses.few))
    return told


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.0, 0.01, 0.03, 0.05])
def test_chance_is_not_taken_for_congestion(share, seed):
    assert not any(many for many, _ in lose(share, seed=seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_third_of_the_packets_is_congestion_within_two_seconds(seed):
    assert any(many for many, _ in lose(1 / 3, seed=seed)[:20])


def test_nothing_lost_is_little_and_some_is_not():
    assert all(few for _, few in lose(0.0))
    assert not any(few for _, few in lose(0.07)[50:])


def test_of_a_few_packets_nobody_knows():
    losses = Losses()
    losses.report(1.0, PACKETS_MIN - 1, 0.0)
    assert not losses.many
    losses.report(1.0, 1, 0.1)
    assert losses.many


def test_what_was_long_ago_or_is_of_no_packets_does_not_count():
    losses = Losses()
    losses.report(0.5, 100, 0.0)
    losses.report(1.0, 0, WINDOW_S + 0.1)
    assert losses.few
    assert not losses.many


def test_what_is_forgotten_does_not_count():
    losses = Losses()
    losses.report(2 * MANY, 1000, 0.0)
    assert losses.many
    losses.forget()
    losses.report(FEW, 1000, 0.1)
    assert losses.few
    assert not losses.many
