"""What of a picture has changed, and the rectangles that cover it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.media.regions import BLOCK, area_share, changed_blocks, no_blocks, regions_of
from wsstream.media.types import Rect

SIZES = st.tuples(st.integers(1, 100), st.integers(1, 100))


def black(height, width):
    return np.zeros((height, width, 3), np.uint8)


@st.composite
def changed_pictures(draw):
    """Two pictures, and the pixels that differ."""
    height, width = draw(SIZES)
    before = black(height, width)
    after = before.copy()
    spots = draw(
        st.lists(
            st.tuples(st.integers(0, height - 1), st.integers(0, width - 1), st.integers(0, 2)),
            max_size=12,
        )
    )
    for y, x, channel in spots:
        after[y, x, channel] = 1
    return before, after


@given(changed_pictures())
def test_a_block_has_changed_when_any_byte_of_it_has(pictures):
    before, after = pictures
    height, width = after.shape[:2]
    blocks = changed_blocks(before, after)
    assert blocks.shape == (-(-height // BLOCK), -(-width // BLOCK))
    for (row, column), changed in np.ndenumerate(blocks):
        there = np.s_[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK]
        assert changed == (before[there] != after[there]).any()


@given(changed_pictures(), st.data())
def test_within_what_is_known_to_have_changed_the_same_is_found(pictures, data):
    before, after = pictures
    ys, xs = (before != after).any(axis=2).nonzero()
    if not len(ys):
        return
    x, y = data.draw(st.integers(0, int(xs.min()))), data.draw(st.integers(0, int(ys.min())))
    right = data.draw(st.integers(int(xs.max()) + 1, after.shape[1] + 20))
    bottom = data.draw(st.integers(int(ys.max()) + 1, after.shape[0] + 20))
    within = Rect(x, y, right - x, bottom - y)
    assert (changed_blocks(before, after, within) == changed_blocks(before, after)).all()


@pytest.mark.parametrize("within", [Rect(0, 0, 0, 0), Rect(90, 0, 5, 5), Rect(-9, -9, 5, 5)])
def test_outside_of_the_picture_nothing_changes(within):
    assert not changed_blocks(black(32, 48), black(32, 48) + 1, within).any()


def test_a_region_that_begins_outside_is_looked_at_where_it_is_inside():
    assert changed_blocks(black(32, 48), black(32, 48) + 1, Rect(-5, -5, 10, 10)).sum() == 1


@given(SIZES, st.data())
def test_the_regions_cover_every_changed_block_and_lie_in_the_picture(size, data):
    height, width = size
    blocks = no_blocks(height, width)
    chosen = data.draw(st.lists(st.integers(0, blocks.size - 1), max_size=20))
    blocks.flat[chosen] = True
    covered = np.zeros((height, width), bool)
    for r in regions_of(blocks, height, width):
        assert r.x % BLOCK == r.y % BLOCK == 0
        assert r.width > 0
        assert r.height > 0
        assert r.x + r.width <= width
        assert r.y + r.height <= height
        assert (r.x + r.width) % BLOCK == 0 or r.x + r.width == width
        assert (r.y + r.height) % BLOCK == 0 or r.y + r.height == height
        covered[r.y : r.y + r.height, r.x : r.x + r.width] = True
    for row, column in np.argwhere(blocks):
        assert covered[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK].all()


def test_where_nothing_changed_there_is_no_region():
    assert regions_of(no_blocks(48, 48), 48, 48) == []


def test_eyes_and_mouth_are_regions_of_their_own():
    blocks = no_blocks(720, 1280)
    blocks[12:14, 34:37] = blocks[12:14, 44:47] = blocks[24:27, 38:43] = True
    regions = regions_of(blocks, 720, 1280)
    assert sum(r.width * r.height for r in regions) <= 2 * blocks.sum() * BLOCK**2
    assert 2 <= len(regions) <= 3


def test_near_ones_are_one():
    blocks = no_blocks(64, 640)
    blocks[1, 1] = blocks[1, 3] = blocks[1, 38] = True
    assert regions_of(blocks, 64, 640) == [Rect(16, 16, 48, 16), Rect(608, 16, 16, 16)]


def test_confetti_takes_no_time():
    blocks = no_blocks(1080, 1920)
    blocks[::4, ::4] = True
    began = time.perf_counter()
    regions_of(blocks, 1080, 1920)
    assert time.perf_counter() - began < 0.5


def test_how_much_has_changed():
    blocks = no_blocks(32, 32)
    assert area_share(blocks) == 0
    blocks[0, 0] = True
    assert area_share(blocks) == 0.25
