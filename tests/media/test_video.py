"""Pictures to H.264 and VP8: what comes out can be decoded, by itself where it is a key picture."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import av
import numpy as np
import pytest

from wsstream.avatar.portrait import PortraitAvatar
from wsstream.media.video import PROFILE_LEVEL_ID, VideoEncoder

CODECS = ["h264", "vp8"]
FPS = 25


def card(shade, size=(64, 96)):
    """A grey picture with a lighter half."""
    pixels = np.full((*size, 3), shade, np.uint8)
    pixels[:, : size[1] // 2] += 60
    return pixels


def noise(n):
    return np.random.default_rng(n).integers(0, 255, (64, 96, 3), np.uint8)


def encoder(codec, size=(64, 96), bitrate=300_000):
    return VideoEncoder(codec, size[1], size[0], FPS, bitrate)


def turning(n):
    """A soft, coloured pattern that moves as a head does."""
    y, x = np.mgrid[0:240, 0:320] / 320
    phase = 2 * np.pi * np.array([1.0, 1.6, 2.3]) + n / 9
    waves = np.sin(23 * x + phase[:, None, None]) * np.sin(17 * y + 0.3 * np.sin(n / 7))
    grain = np.random.default_rng(5).normal(0, 6, (240, 320))
    return np.ascontiguousarray(
        (128 + 70 * waves + grain).clip(0, 255).transpose(1, 2, 0), np.uint8
    )


def decode(codec, units):
    """What a receiver shows."""
    context = av.CodecContext.create(codec, "r")
    frames = [frame for unit in units for frame in context.decode(av.Packet(unit.data))]
    return [frame.to_ndarray(format="bgr24") for frame in [*frames, *context.decode(None)]]


def nal_types(data):
    """Of an access unit in Annex B."""
    starts = [i + 3 for i in range(len(data) - 3) if data[i : i + 3] == b"\0\0\1"]
    return [data[i] & 31 for i in starts]


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_encoded_is_what_is_seen(codec):
    one = encoder(codec)
    units = [one.encode(card(20 * n), 40 * n) for n in range(6)]
    assert [unit.media_ms for unit in units] == [0, 40, 80, 120, 160, 200]
    shown = decode(codec, units)
    assert len(shown) == 6
    for n, pixels in enumerate(shown):
        assert abs(int(pixels[32, 80].mean()) - 20 * n) < 8
        assert abs(int(pixels[32, 16].mean()) - 20 * n - 60) < 8


@pytest.mark.parametrize("codec", CODECS)
def test_each_step_coarser_takes_less_and_shows_it(codec):
    sizes, errors = [], []
    for coarser in range(3):
        one = VideoEncoder(codec, 320, 240, FPS, 5_000_000, coarser)
        units = [one.encode(turning(n), 40 * n) for n in range(40)]
        shown = decode(codec, units)
        sizes.append(sum(len(unit.data) for unit in units[1:]))
        errors.append(
            np.mean([np.square(np.float32(a) - turning(n)).mean() for n, a in enumerate(shown)])
        )
    assert all(coarser < 0.8 * finer for finer, coarser in pairwise(sizes))
    assert errors == sorted(errors)


@pytest.mark.parametrize("codec", CODECS)
def test_colours_stay_as_they_are(codec):
    one = encoder(codec)
    for colour in ([200, 30, 40], [30, 180, 60], [40, 30, 210]):
        unit = one.encode(np.full((64, 96, 3), colour, np.uint8), 40 * len(colour), key=True)
        [pixels] = decode(codec, [unit])
        assert np.abs(pixels.mean((0, 1)) - colour).max() < 14
        one = encoder(codec)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(62, 96), (64, 98), (66, 94), (90, 160)])
def test_pictures_of_any_even_size_keep_their_lines_and_colours(codec, size):
    pixels = np.zeros((*size, 3), np.uint8)
    top = size[0] // 2
    pixels[:top], pixels[top:] = [200, 60, 40], [40, 60, 200]
    [shown] = decode(codec, [encoder(codec, size).encode(pixels, 0)])
    assert shown.shape == pixels.shape
    assert np.abs(shown.astype(int) - pixels).mean() < 6


@pytest.mark.parametrize("codec", CODECS)
def test_only_the_first_is_a_key_picture_and_those_asked_for(codec):
    one = encoder(codec)
    keys = [one.encode(card(n), 40 * n, key=n == 7).key for n in range(15)]
    assert [n for n, key in enumerate(keys) if key] == [0, 7]


@pytest.mark.parametrize("codec", CODECS)
def test_a_key_picture_stands_by_itself(codec):
    one = encoder(codec)
    units = [one.encode(card(10 * n), 40 * n, key=n == 4) for n in range(8)]
    shown = decode(codec, units[4:])
    assert len(shown) == 4
    assert abs(int(shown[-1][32, 80].mean()) - 70) < 8


@pytest.mark.parametrize("codec", CODECS)
def test_there_is_no_key_picture_that_nobody_asks_for(codec):
    one = encoder(codec)
    units = [one.encode(card(n % 100), 40 * n) for n in range(5000)]
    assert [n for n, unit in enumerate(units) if unit is not None and unit.key] == [0]


def test_h264_key_pictures_bring_their_parameters_and_a_profile_for_every_browser():
    one = encoder("h264")
    units = [one.encode(card(n), 40 * n, key=n == 3) for n in range(6)]
    for unit in units:
        types = nal_types(unit.data)
        assert (types[:2] == [7, 8] and 5 in types) if unit.key else set(types) <= {1, 6}
        assert len([t for t in types if t in (1, 5)]) == 1  # one slice: no delay
    sps = units[0].data[units[0].data.index(b"\0\0\1") + 4 :]
    assert sps[0] == int(PROFILE_LEVEL_ID[:2], 16)  # baseline
    assert sps[1] & 0x40  # constrained


@pytest.mark.parametrize("codec", CODECS)
def test_pictures_of_another_size_are_scaled(codec):
    one = encoder(codec)
    unit = one.encode(card(100, (128, 192)), 0)
    [pixels] = decode(codec, [unit])
    assert pixels.shape == (64, 96, 3)
    assert abs(int(pixels[32, 80].mean()) - 100) < 8


@pytest.mark.parametrize("codec", CODECS)
def test_a_rate_is_kept_even_where_nothing_stands_still(codec):
    one = encoder(codec, bitrate=200_000)
    units = [one.encode(noise(n), 40 * n) for n in range(50)]
    sizes = [len(unit.data) if unit else 0 for unit in units]
    assert sum(sizes[25:]) * 8 < 200_000 * 1.5  # in one second


@pytest.mark.parametrize("codec", CODECS)
def test_a_face_that_stands_still_costs_next_to_nothing(codec):
    one = encoder(codec)
    units = [one.encode(card(90), 40 * n) for n in range(20)]
    assert max(len(unit.data) for unit in units[10:] if unit) < 120


def test_a_breath_is_seen():
    """No two pictures of a silent face are the same half a second apart, neither is what a viewer
    has of them."""
    avatar, viewed = PortraitAvatar(seed=1), encoder("h264", (512, 512), 1_000_000)
    asyncio.run(avatar.start(None, width=512, height=512))
    units = []
    for media_ms in range(0, 15_000, 100):
        pixels, _ = avatar.get_idle_frame(media_ms).render(media_ms)
        units.append(viewed.encode(pixels, media_ms))
    seen = decode("h264", units)
    assert not any(np.array_equal(a, b) for a, b in zip(seen, seen[5:], strict=False))


@pytest.mark.parametrize("codec", CODECS)
def test_closing_twice_does_nothing(codec):
    one = encoder(codec)
    one.encode(card(1), 0)
    one.close()
    one.close()
