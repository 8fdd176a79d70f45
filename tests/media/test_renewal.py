"""What is sent again though it has not changed: what has settled, once; all of it, in rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.media.regions import BLOCK, no_blocks
from wsstream.media.renewal import (
    NEARLY_MS,
    ROUND_MS,
    SETTLED_MS,
    Settling,
    strips_between,
)

NOTHING = no_blocks(96, 128)


def block(row, column):
    blocks = NOTHING.copy()
    blocks[row, column] = True
    return blocks


def renewed(changes, every_ms=50, until_ms=5000):
    """When each block is sent again: ``changes`` by media_ms."""
    settling, found = Settling(), []
    for media_ms in range(0, until_ms, every_ms):
        again = settling.due(changes.get(media_ms, NOTHING), media_ms)
        found += [(media_ms, *map(int, place)) for place in np.argwhere(again)]
    return found


def test_what_has_changed_is_sent_again_once_when_it_has_stood_still():
    assert renewed({1000: block(2, 3)}) == [(1000 + SETTLED_MS, 2, 3)]


def test_what_goes_on_moving_is_not():
    assert renewed(dict.fromkeys(range(0, 5000, 450), block(2, 3))) == []


def test_what_has_nearly_settled_goes_along_and_what_has_just_moved_does_not():
    near = 1000 + SETTLED_MS - NEARLY_MS
    changes = {1000: block(0, 0), near: block(1, 1), near + 50: block(2, 2)}
    assert renewed(changes) == [
        (1000 + SETTLED_MS, 0, 0),
        (1000 + SETTLED_MS, 1, 1),
        (near + 50 + SETTLED_MS, 2, 2),
    ]


def test_what_changes_in_the_very_picture_waits_for_its_own_time():
    changes = {1000: block(0, 0), 1000 + SETTLED_MS: block(0, 0)}
    assert renewed(changes) == [(1000 + 2 * SETTLED_MS, 0, 0)]


@given(st.lists(st.integers(1, 1050), min_size=3, max_size=30), st.data())
def test_with_a_picture_a_second_everything_is_sent_again_within_two(gaps_ms, data):
    """However they are spaced, and whatever else moves."""
    settling, media_ms, changed_ms = Settling(), 0, {}
    for gap_ms in gaps_ms:
        media_ms += gap_ms
        place = data.draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))
        again = settling.due(block(*place), media_ms)
        for renewed_at in map(tuple, np.argwhere(again).tolist()):
            del changed_ms[renewed_at]
        changed_ms[place] = media_ms
        assert all(media_ms - at < SETTLED_MS for at in changed_ms.values())


def covered(strips, height, width):
    mask = np.zeros((height, width), np.uint8)
    for strip in strips:
        assert strip.y % BLOCK == 0
        assert (strip.y + strip.height) % BLOCK == 0 or strip.y + strip.height == height
        mask[strip.y : strip.y + strip.height, strip.x : strip.x + strip.width] += 1
    return mask


@pytest.mark.parametrize("size", [(720, 1280), (512, 512), (90, 160), (10, 10)])
@pytest.mark.parametrize("step_ms", [40, 1000, ROUND_MS // 2])
def test_in_a_round_each_pixel_comes_once(size, step_ms):
    times = range(123_400, 123_400 + ROUND_MS, step_ms)
    strips = [s for t in times for s in strips_between(t, t + step_ms, *size)]
    assert (covered(strips, *size) == 1).all()


def test_after_a_long_time_all_of_it_comes_and_no_more():
    assert (covered(strips_between(5, 5 + 7 * ROUND_MS, 720, 1280), 720, 1280) == 1).all()


def test_between_two_pictures_it_is_a_small_part_or_nothing():
    shares = [
        covered(strips_between(t, t + 50, 720, 1280), 720, 1280).mean()
        for t in range(0, ROUND_MS, 50)
    ]
    assert max(shares) < 0.1
    assert shares.count(0) > len(shares) / 2
