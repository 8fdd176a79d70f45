"""Pictures to JPEG and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from wsstream.errors import MediaError
from wsstream.media.jpeg import decode_jpeg, encode_jpeg, encode_small_jpeg


@pytest.fixture
def pixels():
    pixels = np.empty((48, 64, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, 64)
    pixels[..., 1:] = 30, 200
    return pixels


BOTH = pytest.mark.parametrize("encode", [encode_jpeg, encode_small_jpeg])


@BOTH
def test_pixels_survive_in_their_own_order_of_colours(pixels, encode):
    back = decode_jpeg(encode(pixels, 90))
    assert back.shape == pixels.shape
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - pixels).mean() < 4


def test_others_read_it_alike(pixels):
    data = np.frombuffer(encode_jpeg(pixels, 90), np.uint8)
    assert np.abs(cv2.imdecode(data, cv2.IMREAD_COLOR).astype(int) - pixels).mean() < 4


@BOTH
def test_it_is_a_complete_baseline_jpeg_with_half_the_colour(pixels, encode):
    data = encode(pixels, 75)
    assert data[:2] == b"\xff\xd8"
    assert data[-2:] == b"\xff\xd9"
    start = data.index(b"\xff\xc0")  # SOF0: baseline
    assert data[start + 11] == 0x22  # the first component is sampled 2 x 2, so 4:2:0


@BOTH
def test_more_quality_is_more_bytes(pixels, encode):
    noisy = np.random.default_rng(0).integers(0, 255, pixels.shape, np.uint8)
    sizes = [len(encode(noisy, quality)) for quality in (10, 50, 90)]
    assert sizes == sorted(set(sizes))


def test_a_small_one_is_as_good_and_a_quarter_smaller_where_there_is_little_in_it(pixels):
    part = pixels[16:, 16:]  # as a region of a picture is
    usual, small = encode_jpeg(part, 75), encode_small_jpeg(part, 75)
    assert len(small) < 0.75 * len(usual)
    errors = [np.abs(decode_jpeg(data).astype(int) - part).mean() for data in (usual, small)]
    assert errors[1] == pytest.approx(errors[0], abs=0.1)


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n"],
)
def test_what_is_no_jpeg_is_refused(data):
    with pytest.raises(MediaError, match="no JPEG"):
        decode_jpeg(data)


def test_a_jpeg_cut_short_does_not_crash(pixels):
    data = encode_jpeg(pixels, 75)
    for end in range(2, len(data), 97):
        try:
            assert decode_jpeg(data[:end]).shape == pixels.shape
        except MediaError:
            pass
