from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.harness.shaping import EARLY_S, Line, Shape, Shaper


def run(shaper: Shaper[int]) -> dict[int, float]:
    """Until all has arrived: when each did, s."""
    arrivals: dict[int, float] = {}
    now_s = 0.0
    while (next_s := shaper.next_s()) is not None:
        assert next_s >= now_s
        now_s = next_s
        arrivals |= dict.fromkeys(shaper.take(now_s), now_s)
    return arrivals


def flood(shape: Shape, count: int, size: int = 1250, every_s: float = 0.0) -> dict[int, float]:
    shaper: Shaper[int] = Shaper(shape)
    for n in range(count):
        shaper.put(n * every_s, size, n)
    return run(shaper)


def test_without_a_shape_all_arrives_at_once():
    shaper: Shaper[int] = Shaper(Shape())
    shaper.put(1.0, 100_000, 1)
    assert shaper.take(1.0) == [1]
    assert shaper.next_s() is None
    assert shaper.queued_bytes == 0


def test_a_rate_is_exact():
    arrivals = flood(Shape(rate_kbps=1000), 500)
    assert arrivals[0] == pytest.approx(0.01)
    assert arrivals[499] == pytest.approx(5.0)


def test_a_delay_comes_after_the_rate():
    arrivals = flood(Shape(rate_kbps=1000, delay_ms=50), 10)
    assert [round(t, 6) for t in arrivals.values()] == [round(0.06 + n / 100, 6) for n in range(10)]


def test_the_queue_is_bounded_and_one_thing_always_fits():
    shaper: Shaper[int] = Shaper(Shape(rate_kbps=1000, queue_bytes=1000))
    assert shaper.fits(0, 1500)
    shaper.put(0, 1500, 1)
    assert not shaper.fits(0.0119, 1)
    assert shaper.fits(0.0121, 1000)
    shaper.put(0.0121, 600, 2)
    assert shaper.fits(0.0121, 400)
    assert not shaper.fits(0.0121, 401)


def test_what_is_under_way_is_not_in_the_queue():
    shaper: Shaper[int] = Shaper(Shape(rate_kbps=10_000, delay_ms=1000, queue_bytes=2500))
    for n in range(500):
        assert shaper.fits(n / 1000, 1250), n
        shaper.put(n / 1000, 1250, n)
    assert shaper.queued_bytes <= 2500


def test_a_queue_in_time_follows_the_rate():
    assert Shape(rate_kbps=1000, queue_ms=2000).limit_bytes == 250_000
    assert Shape(rate_kbps=100, queue_ms=2000).limit_bytes == 25_000


def test_a_change_of_rate_holds_for_what_is_queued():
    shaper: Shaper[int] = Shaper(Shape(rate_kbps=1000))
    for n in range(20):
        shaper.put(0, 1250, n)
    assert shaper.take(0.1) == list(range(10))
    shaper.change(0.1, Shape(rate_kbps=100))
    assert run(shaper)[19] == pytest.approx(0.1 + 10 * 0.1)


def test_a_shorter_delay_does_not_overtake():
    shaper: Shaper[int] = Shaper(Shape(delay_ms=100))
    shaper.put(0, 1, 1)
    shaper.change(0.01, Shape())
    shaper.put(0.01, 1, 2)
    assert run(shaper) == {1: pytest.approx(0.1), 2: pytest.approx(0.1)}


def test_a_stall_holds_everything_and_keeps_the_rate_after_it():
    shaper: Shaper[int] = Shaper(Shape(rate_kbps=1000, delay_ms=20))
    for n in range(10):
        shaper.put(0, 1250, n)
    shaper.stall(0.025, 3)  # the first two are under way
    assert shaper.take(3.02) == []
    assert shaper.take(3.03) == [0, 1]
    assert run(shaper)[9] == pytest.approx(3.025 + 0.08 + 0.02)


@pytest.mark.parametrize("every_s", [0.0005, 0.02])
def test_jitter_wanders_as_much_for_a_flood_as_for_a_trickle(every_s):
    count = round(40 / every_s)
    arrivals = flood(Shape(delay_ms=30, jitter_ms=20), count, every_s=every_s)
    delays_ms = 1000 * np.array([arrivals[n] - n * every_s for n in range(count)])
    assert delays_ms.min() >= 30 - 1e-6
    assert delays_ms.max() <= 50 + 1e-6
    assert 38 <= delays_ms.mean() <= 43
    assert 4 <= delays_ms.std() <= 6.5


@given(
    st.lists(st.tuples(st.floats(0, 0.1), st.integers(1, 3000)), min_size=1, max_size=60),
    st.integers(50, 50_000),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_order_is_kept_nothing_is_early_and_nothing_is_left(puts, rate_kbps, delay_ms, jitter_ms):
    shape = Shape(rate_kbps=rate_kbps, delay_ms=delay_ms, jitter_ms=jitter_ms)
    shaper: Shaper[int] = Shaper(shape)
    now_s, least_s, free_s = 0.0, [], 0.0
    for n, (pause_s, size) in enumerate(puts):
        now_s += pause_s
        shaper.put(now_s, size, n)
        free_s = max(now_s, free_s) + size * 8 / (rate_kbps * 1000)
        least_s.append(free_s + delay_ms / 1000)
    arrivals = run(shaper)
    assert list(arrivals) == list(range(len(puts)))
    assert all(arrivals[n] >= least_s[n] - 1e-9 for n in arrivals)
    assert all(arrivals[n] <= least_s[n] + jitter_ms / 1000 + max(least_s) for n in arrivals)
    assert shaper.queued_bytes == 0


async def test_a_line_delivers_on_time():
    loop = asyncio.get_running_loop()
    lags_ms = []
    line: Line[float] = Line(
        Shape(delay_ms=30), lambda at: lags_ms.append(1000 * (loop.time() - at))
    )
    for _ in range(10):
        line.put(1, loop.time())
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert len(lags_ms) == 10
    assert min(lags_ms) >= 30 - 1000 * EARLY_S - 0.1
    assert np.median(lags_ms) <= 35


async def test_a_line_tells_when_there_is_room_again():
    room = asyncio.Event()
    line: Line[int] = Line(Shape(rate_kbps=100, queue_bytes=1000), lambda _: None, moved=room.set)
    line.put(1000, 1)
    assert not line.fits(1)
    await asyncio.wait_for(room.wait(), 2)
    assert line.fits(1)
