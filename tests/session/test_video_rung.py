"""One encoding: made while somebody who takes it is ready, and not a picture more."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from tests.fakes import InlineExecutor, now, settled, virtual
from wsstream.avatar.base import NOTHING
from wsstream.media.types import Picture
from wsstream.session.video_rung import (
    KEY_GAP_S,
    LEVELS,
    SHARED_KEYS_BURST,
    SHARED_KEYS_PER_S,
    Shape,
    VideoRung,
)

SHAPE = Shape(64, 48, 25, 200_000)


class Taker:
    tries = paused = False

    def __init__(self, ready=True):
        self.is_ready = ready
        self.got = []

    def ready(self, rung):
        return self.is_ready

    def on_key(self, rung, media_ms):
        pass

    def on_video(self, rung, video):
        self.got.append((video.media_ms, video.key))


def make(*takers, level=0, bound=1.0):
    rung = VideoRung("h264", level, bound, SHAPE, now, InlineExecutor())
    for taker in takers:
        rung.add(taker)
    return rung


async def offer(rung, n, dirty=None):
    rung.offer(Picture(n, n * 40, np.full((48, 64, 3), n * 5 % 256, np.uint8), dirty=dirty))
    await settled()


@virtual
async def test_while_nobody_is_ready_nothing_is_encoded_and_then_the_newest():
    taker = Taker(ready=False)
    rung = make(taker)
    for n in range(5):
        await offer(rung, n)
    assert rung.encoded == 0
    taker.is_ready = True
    rung.poke()
    await settled()
    assert taker.got == [(160, True)]


@virtual
async def test_poked_again_it_makes_no_picture_twice():
    taker = Taker()
    rung = make(taker)
    await offer(rung, 0)
    for _ in range(5):
        rung.poke()
        await settled()
    assert taker.got == [(0, True)]


@virtual
async def test_one_who_is_ready_is_enough_for_all():
    eager, slow = Taker(), Taker(ready=False)
    rung = make(eager, slow)
    await offer(rung, 0)
    await offer(rung, 1)
    assert eager.got == slow.got == [(0, True), (40, False)]  # whether it can use it, it knows


@virtual
async def test_a_change_that_nobody_was_ready_for_is_not_lost():
    taker = Taker()
    rung = make(taker)
    await offer(rung, 0)
    taker.is_ready = False
    await offer(rung, 1)
    await offer(rung, 2, NOTHING)
    taker.is_ready = True
    rung.poke()
    await settled()
    assert taker.got[1:] == [(80, False)]


@virtual
async def test_after_the_end_nothing_comes():
    taker = Taker()
    rung = make(taker)
    rung.close()
    rung.close()
    await offer(rung, 0)
    assert taker.got == []


@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_it_is_no_larger_than_its_level_and_than_it_is_shown(level):
    for bound in (1.0, 0.5, 0.35):
        rung = make(level=level, bound=bound)
        scale = min(LEVELS[level].scale, bound)
        assert rung.width <= 64 * scale + 2
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.bitrate <= SHAPE.bitrate * LEVELS[level].rate


def test_shown_smaller_it_costs_less():
    assert make(bound=0.5).bitrate < make().bitrate


async def keys_when_asked_all_the_time(*takers, seconds=60):
    rung = make(*takers)
    for n in range(25 * seconds):
        rung.request_key()
        await offer(rung, n)
        await asyncio.sleep(0.04)
    return [ms for ms, key in takers[0].got if key]


@virtual
async def test_one_that_asks_again_and_again_does_not_cost_others_twice_the_bytes():
    alone = await keys_when_asked_all_the_time(Taker())
    assert len(alone) == pytest.approx(60 / (KEY_GAP_S + 0.02), abs=4)
    resting = Taker(ready=False)
    resting.paused = True
    assert len(await keys_when_asked_all_the_time(Taker(), resting)) == len(alone)
    shared = await keys_when_asked_all_the_time(Taker(), Taker())
    assert len(shared) <= SHARED_KEYS_BURST + 60 * SHARED_KEYS_PER_S
    assert max(b - a for a, b in pairwise(shared)) <= 1000 / SHARED_KEYS_PER_S + 80
    some = [ms for ms in shared if ms < 3000]
    assert len(some) >= SHARED_KEYS_BURST - 1  # of a few, who join or lose something, nobody waits
