"""Bytes that mean nothing to a decoder."""

from __future__ import annotations

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder

from wsstream.media.filler import fill
from wsstream.media.video import VideoEncoder

PICTURES = [np.full((64, 96, 3), 20 * n, np.uint8) for n in range(8)]


def units(codec):
    encoder = VideoEncoder(codec, 96, 64, 20, 300_000)
    return [encoder.encode(pixels, 50 * n) for n, pixels in enumerate(PICTURES)]


def decode(codec, units):
    context = av.CodecContext.create(codec, "r")
    frames = [frame for unit in units for frame in context.decode(av.Packet(unit.data))]
    return [f.to_ndarray(format="bgr24") for f in [*frames, *context.decode(None)]]


@pytest.mark.parametrize("size", [1, 6, 100, 5000])
@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_what_is_filled_is_seen_as_it_was(codec, size):
    plain = units(codec)
    filled = [fill(unit, codec, size) for unit in plain]
    for before, after in zip(plain, filled, strict=True):
        assert after.data.startswith(before.data)
        assert len(after.data) == len(before.data) + after.filler
        assert after.filler == pytest.approx(size, abs=6)
        assert (after.media_ms, after.key) == (before.media_ms, before.key)
    assert np.array_equal(decode(codec, filled), decode(codec, plain))


def test_it_is_a_nal_unit_of_its_own():
    filled = fill(units("h264")[0], "h264", 400)
    *_, last = H264Encoder._split_bitstream(filled.data)
    assert last[0] & 31 == 12
    assert last == b"\x0c" + b"\xff" * (len(last) - 2) + b"\x80"
