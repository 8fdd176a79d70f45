"""Each picture and each patch is encoded once, and patches are exact."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import InlineExecutor, SlowExecutor, virtual
from wsstream.avatar.base import NOTHING
from wsstream.media.jpeg import decode_jpeg, encode_jpeg
from wsstream.media.renewal import ROUND_MS, SETTLED_MS
from wsstream.media.types import Picture, Rect
from wsstream.protocol.frames import FrameType, decode_regions
from wsstream.session.jpeg_rungs import FINE_QUALITY, HISTORY, JPEG_LEVELS, JpegRung, JpegRungs


def scene(seed, height, width):
    """A soft picture with some texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / a + seed) + np.cos(y / b) for a, b in rng.uniform(5, 60, (3, 2))]
    noise = rng.normal(0, 4, (height, width, 3))
    return np.clip(128 + 40 * np.stack(waves, axis=2) + noise, 0, 255).astype(np.uint8)


def rung_of(pixels, quality=75, pool=None):
    height, width = pixels.shape[:2]
    return JpegRung(width, height, quality, pool or InlineExecutor())


def draw(canvas, encoded):
    """What a client shows then."""
    type, payload = encoded
    if type is FrameType.VIDEO:
        return decode_jpeg(payload)
    assert type is FrameType.VIDEO_PATCH
    canvas = canvas.copy()
    for r in decode_regions(payload):
        canvas[r.y : r.y + r.height, r.x : r.x + r.width] = decode_jpeg(r.jpeg)
    return canvas


def psnr(a, b):
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


@virtual
async def test_a_whole_picture_is_a_jpeg():
    pixels = scene(1, 48, 64)
    type, payload = await rung_of(pixels).whole(Picture(0, 0, pixels))
    assert type is FrameType.VIDEO
    assert payload == encode_jpeg(pixels, 75)


@virtual
async def test_each_form_of_a_picture_is_made_once_however_many_ask():
    pool = SlowExecutor(0.01)
    first, second = scene(1, 48, 64), scene(1, 48, 64)
    second[:16, :16] = 0
    rung = rung_of(first, pool=pool)
    await rung.whole(Picture(0, 0, first))
    shown = Picture(1, 40, second)
    made = await asyncio.gather(
        *(rung.whole(shown) for _ in range(9)), *(rung.patch(shown, 0) for _ in range(9))
    )
    assert len({id(each) for each in made}) == 2
    assert (rung.encoded, rung.patches) == (2, 1)


@virtual
async def test_what_has_not_changed_is_nothing():
    pixels = scene(1, 48, 64)
    rung = rung_of(pixels)
    await rung.whole(Picture(0, 0, pixels))
    assert await rung.patch(Picture(1, 40, pixels), 0) is None
    assert await rung.patch(Picture(2, 80, pixels.copy(), dirty=NOTHING), 1) is None


@virtual
async def test_what_has_settled_is_sent_once_more_to_whoever_has_not_had_it_since():
    before, after = scene(1, 48, 64), scene(1, 48, 64)
    after[:16, :16] = 0
    rung = rung_of(before)
    await rung.whole(Picture(0, 0, before))
    lost = await rung.patch(Picture(1, 40, after, dirty=Rect(0, 0, 16, 16)), 0)
    later = Picture(2, 40 + SETTLED_MS, after, dirty=NOTHING)
    again = await rung.patch(later, 1)
    assert again == lost
    assert await rung.patch(Picture(3, 80 + SETTLED_MS, after, dirty=NOTHING), 2) is None
    late = Picture(4, 120 + SETTLED_MS, after, dirty=NOTHING)
    assert await rung.patch(late, 1) == lost  # one that was behind
    assert await rung.patch(late, 2) is None


@virtual
@pytest.mark.parametrize("speaking", [True, False])
async def test_while_it_speaks_all_of_it_is_sent_again_though_nothing_moves(speaking):
    pixels = scene(1, 96, 64)
    rung = rung_of(pixels)
    await rung.whole(Picture(0, 0, pixels))
    canvas = np.zeros_like(pixels)
    for seq in range(1, ROUND_MS // 40 + 1):
        shown = Picture(seq, seq * 40, pixels, speaking, dirty=NOTHING)
        if (encoded := await rung.patch(shown, seq - 1)) is not None:
            canvas = draw(canvas, encoded)
    whole = decode_jpeg(encode_jpeg(pixels, 75))
    if speaking:
        assert psnr(canvas, pixels) >= psnr(whole, pixels) - 0.5
    else:
        assert not canvas.any()


@virtual
async def test_where_most_has_changed_it_is_a_whole_one():
    rung = rung_of(scene(1, 48, 64))
    await rung.whole(Picture(0, 0, scene(1, 48, 64)))
    type, _ = await rung.patch(Picture(1, 40, scene(2, 48, 64)), 0)
    assert type is FrameType.VIDEO


@virtual
async def test_a_still_picture_is_made_finer():
    pixels = scene(1, 48, 64)
    type, payload = await rung_of(pixels).fine(Picture(0, 0, pixels))
    assert (type, payload) == (FrameType.VIDEO, encode_jpeg(pixels, FINE_QUALITY))


@virtual
async def test_one_that_is_too_far_behind_gets_a_whole_one():
    pixels = scene(1, 64, 64)
    rung = rung_of(pixels)
    await rung.whole(Picture(0, 0, pixels))
    for seq in range(1, HISTORY + 1):
        pixels = pixels.copy()
        pixels[:8, :8] += 1
        await rung.patch(Picture(seq, seq * 40, pixels), seq - 1)
    shown = Picture(HISTORY + 1, 9000, pixels)
    assert (await rung.patch(shown, 2))[0] is FrameType.VIDEO_PATCH
    assert (await rung.patch(shown, 1))[0] is FrameType.VIDEO


@virtual
async def test_a_picture_that_came_late_is_no_ground_for_patches():
    """Between two pictures that are the same there was another, which one viewer got after them."""
    dark = np.zeros((64, 64, 3), np.uint8)
    bright = dark.copy()
    bright[16:32, 16:32] = 255
    rung = rung_of(dark)
    await rung.whole(Picture(0, 0, dark))
    await rung.patch(Picture(2, 80, dark), 0)
    canvas = draw(None, await rung.whole(Picture(1, 40, bright)))
    encoded = await rung.patch(Picture(3, 120, dark), 1)
    assert encoded is not None
    assert psnr(draw(canvas, encoded), dark) > 40


@virtual
async def test_a_picture_that_cannot_be_encoded_fails_and_the_next_is_fine():
    pixels = scene(1, 48, 64)
    rung = rung_of(pixels)
    with pytest.raises(Exception, match=r".+"):
        await rung.whole(Picture(0, 0, np.zeros((48, 64), np.uint8)))
    assert (await rung.whole(Picture(1, 40, pixels)))[0] is FrameType.VIDEO


@settings(max_examples=40)
@given(
    st.integers(1, 150),
    st.integers(1, 150),
    st.lists(
        st.tuples(
            st.integers(0, 149),
            st.integers(0, 149),
            st.integers(1, 60),
            st.integers(1, 60),
            st.integers(1, 3),  # how many pictures the viewer is behind
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_patched_is_as_good_as_whole(height, width, moves):
    @virtual
    async def check():
        pixels = scene(0, height, width)
        rung = rung_of(pixels)
        canvas = draw(None, await rung.whole(Picture(0, 0, pixels)))
        since = 0
        for seq, (y, x, h, w, every) in enumerate(moves, 1):
            y, x = y % height, x % width
            pixels = pixels.copy()
            pixels[y : y + h, x : x + w] = scene(seq, height, width)[y : y + h, x : x + w]
            shown = Picture(seq, seq * 40, pixels, dirty=Rect(x, y, w, h))
            if seq % every:  # another viewer takes it, this one does not
                await rung.patch(shown, seq - 1)
                continue
            encoded = await rung.patch(shown, since)
            if encoded is not None:
                canvas = draw(canvas, encoded)
            since = seq
            whole = decode_jpeg(encode_jpeg(pixels, 75))
            assert psnr(canvas, pixels) >= psnr(whole, pixels) - 0.5

    check()


@pytest.mark.parametrize("level", range(len(JPEG_LEVELS)))
def test_levels_get_smaller_step_by_step(level):
    rung = JpegRungs(1280, 720, 80, InlineExecutor()).at(level)
    step = JPEG_LEVELS[level]
    assert rung.width == pytest.approx(1280 * step.scale, abs=2)
    assert rung.width % 2 == rung.height % 2 == 0
    assert rung.quality == round(80 * step.quality)
    assert level == 0 or step.cost < JPEG_LEVELS[level - 1].cost


def test_none_is_larger_than_it_is_shown():
    rungs = JpegRungs(1280, 720, 80, InlineExecutor())
    assert (rungs.at(0, 0.5).width, rungs.at(0, 0.5).quality) == (640, 80)
    assert rungs.at(5, 0.5).width == rungs.at(5).width
    assert rungs.at(0, 0.5) is rungs.at(0, 0.5)


@virtual
async def test_a_smaller_rung_has_the_picture_scaled_and_patches_what_changed_of_it():
    rungs = JpegRungs(128, 96, 80, InlineExecutor())
    pixels = scene(1, 96, 128)
    rung = rungs.at(3)
    canvas = draw(None, await rung.whole(Picture(0, 0, pixels)))
    assert canvas.shape == (48, 64, 3)
    moved = pixels.copy()
    moved[40:60, 40:60] = 255
    type, payload = await rung.patch(Picture(1, 40, moved, dirty=Rect(40, 40, 20, 20)), 0)
    assert type is FrameType.VIDEO_PATCH
    canvas = draw(canvas, (type, payload))
    assert canvas[25, 25].min() > 200
    assert rungs.counters() == {"jpegs_encoded": 1, "patches_encoded": 1}


@pytest.mark.parametrize(("size", "level"), [((512, 512), 3), ((1280, 720), 5), ((160, 160), 0)])
def test_the_best_level_within_so_many_bytes_is_known_before_anything_is_encoded(size, level):
    rungs = JpegRungs(*size, 80, InlineExecutor())
    assert rungs.level_within(9000) == level
    assert rungs.level_within(0) == len(JPEG_LEVELS) - 1
