from __future__ import annotations

from itertools import pairwise

import pytest

from wsstream.avatar.portrait import life
from wsstream.avatar.portrait.life import Posture

SEEDS = range(6)
MINUTES_MS = 3 * 60_000


def blinks(seed: int) -> list[tuple[int, int]]:
    """When the eyes close and open again."""
    out, closed_at = [], None
    for ms in range(0, MINUTES_MS, 5):
        shut = life.posture(ms, seed).lids > 0
        if shut and closed_at is None:
            closed_at = ms
        elif not shut and closed_at is not None:
            out.append((closed_at, ms))
            closed_at = None
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_blinks(seed: int) -> None:
    seen = blinks(seed)
    assert all(150 <= end - begin <= 200 for begin, end in seen)
    gaps = [b - a for (a, _), (b, _) in pairwise(seen)]
    double = [g for g in gaps if g < 400]
    assert all(1700 <= g <= 6000 for g in gaps if g not in double)
    assert 0.02 < len(double) / len(seen) < 0.35


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("apart_ms", [480, 500, 520])
def test_half_a_second_always_makes_a_difference(seed: int, apart_ms: int) -> None:
    for ms in range(0, MINUTES_MS // 2, 20):
        assert life.posture(ms, seed) != life.posture(ms + apart_ms, seed), ms


@pytest.mark.parametrize("seed", SEEDS)
def test_most_of_the_time_nothing_moves(seed: int) -> None:
    stands = [life.posture(ms, seed) for ms in range(0, MINUTES_MS, 40)]
    still = sum(a == b for a, b in pairwise(stands)) / len(stands)
    assert still > 0.75


@pytest.mark.parametrize("seed", SEEDS)
def test_the_chest_waits_for_the_eyes(seed: int) -> None:
    """Both at once would make a picture change at both its ends."""
    both = 0
    stands = [life.posture(ms, seed) for ms in range(0, MINUTES_MS, 50)]
    for a, b in pairwise(stands):
        both += a.breath != b.breath and a.lids != b.lids
    assert both < 0.002 * len(stands)


def test_it_is_the_same_every_time_and_for_nobody_else() -> None:
    a, b = ([life.posture(ms, seed) for ms in range(0, 20_000, 40)] for seed in (1, 2))
    assert a == [life.posture(ms, 1) for ms in range(0, 20_000, 40)]
    assert a != b


def test_the_face_moves_little_and_both_ways() -> None:
    turns = {life.posture(ms, 3).turn for ms in range(0, MINUTES_MS, 100)}
    assert min(turns) < 0 < max(turns)
    assert max(map(abs, turns)) <= 5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gesture_begins_and_ends_at_rest(seed: int) -> None:
    made: dict[int, list[life.Gesture]] = {}
    for ms in range(0, 60_000, 5):
        if (g := life.gesture(ms, seed)) is not None:
            made.setdefault(g.number, []).append(g)
    assert len(made) > 15
    for steps in list(made.values())[1:-1]:
        assert steps[0][2:] == steps[-1][2:] == (0, 0, 0, 0)
        assert any(step[2:] != (0, 0, 0, 0) for step in steps)
        assert steps[0].begun
        assert not steps[-1].begun


def test_time_before_the_beginning_is_no_trouble() -> None:
    assert isinstance(life.posture(-12_345, 1), Posture)
