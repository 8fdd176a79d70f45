"""Each picture and each packet is encoded once, however many watch."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.fakes import InlineExecutor, SlowExecutor, packet, picture, settled, sine, virtual
from wsstream.media.jpeg import decode_jpeg
from wsstream.media.types import AudioPacket, Picture
from wsstream.protocol.frames import FrameType
from wsstream.session.encoders import JpegEncoder, OpusSound, PcmSound


@virtual
async def test_a_picture_becomes_a_jpeg_of_its_time():
    encoded = await JpegEncoder(75, InlineExecutor()).encode(picture(0, 40))
    assert (encoded.type, encoded.media_ms) == (FrameType.VIDEO, 40)
    assert decode_jpeg(encoded.payload).shape == (8, 8, 3)


@virtual
async def test_a_picture_is_encoded_once_however_many_ask():
    pool = SlowExecutor(0.01)
    encoder = JpegEncoder(75, pool)
    shown = picture(0, 0)
    first, *others = await asyncio.gather(*(encoder.encode(shown) for _ in range(20)))
    later = await encoder.encode(shown)
    assert all(other.payload is first.payload for other in (*others, later))
    assert encoder.encoded == 1


@virtual
async def test_each_picture_is_encoded_anew():
    encoder = JpegEncoder(75, InlineExecutor())
    grey, white = picture(0, 0), Picture(1, 40, np.full((8, 8, 3), 255, np.uint8))
    assert decode_jpeg((await encoder.encode(grey)).payload).mean() == pytest.approx(127, abs=2)
    assert decode_jpeg((await encoder.encode(white)).payload).mean() == pytest.approx(255, abs=2)
    assert encoder.encoded == 2


@virtual
async def test_a_viewer_that_leaves_does_not_take_the_picture_from_the_others():
    encoder = JpegEncoder(75, SlowExecutor(0.01))
    shown = picture(0, 0)
    leaving = asyncio.create_task(encoder.encode(shown))
    staying = asyncio.create_task(encoder.encode(shown))
    await settled()
    leaving.cancel()
    assert (await staying).payload[:2] == b"\xff\xd8"
    assert leaving.cancelled()
    assert encoder.encoded == 1


@virtual
async def test_a_picture_that_cannot_be_encoded_fails_for_all_and_the_next_is_fine():
    encoder = JpegEncoder(75, InlineExecutor())
    broken = Picture(0, 0, np.zeros((8, 8), np.uint8))
    for _ in range(2):
        with pytest.raises(ValueError, match=r".+"):
            await encoder.encode(broken)
    assert (await encoder.encode(picture(1, 40))).media_ms == 40


@virtual
async def test_quality_counts():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    sizes = [
        len((await JpegEncoder(q, InlineExecutor()).encode(Picture(0, 0, noise))).payload)
        for q in (20, 90)
    ]
    assert sizes[0] * 2 < sizes[1]


def test_opus_goes_out_as_the_session_made_it():
    assert OpusSound().encode(packet(0, b"as it is")) == (FrameType.AUDIO, b"as it is")


def test_pcm_is_24_khz_little_endian():
    sound = PcmSound()
    tone = sine(1000, 0.1)
    parts = []
    for n, block in enumerate(tone.reshape(-1, 960)):
        type, payload = sound.encode(AudioPacket(n * 20, b"", block))
        assert (type, len(payload)) == (FrameType.AUDIO_PCM, 960)
        parts.append(np.frombuffer(payload, "<i2"))
    heard = np.concatenate(parts)
    assert np.abs(heard[8:].astype(int) - tone[1:4784:2]).max() < 200  # 15 samples later
