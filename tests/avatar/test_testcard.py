"""The picture that can be measured, and the beep that comes with its flash."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.avatar.testcard import (
    BEEP_HZ,
    BEEP_LEVEL,
    BEEP_MS,
    CELLS,
    TONE_LEVELS,
    TestcardAvatar,
    crc8,
    read_testcard,
)
from wsstream.errors import AvatarError
from wsstream.media.jpeg import decode_jpeg, encode_jpeg
from wsstream.media.pacer import Pacer
from wsstream.media.types import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ

FPS = [15, 20, 25, 30]


async def make(width=512, height=512, **options):
    card = TestcardAvatar(**options)
    await card.start(None, width=width, height=height)
    return card


def drawn(card, media_ms):
    return card.get_idle_frame(media_ms).render(media_ms)[0]


def times(fps, count):
    pacer = Pacer(fps)
    for _ in range(count):
        yield pacer.due_ms
        pacer.advance()


# Reading it.


@pytest.mark.parametrize(
    ("width", "height"),
    [(512, 512), (256, 256), (1280, 720), (640, 360), (256, 144), (384, 512), (1920, 1080)],
)
async def test_what_is_drawn_can_be_read(width, height):
    card = await make(width, height)
    for media_ms in (0, 40, 1000, 61_480, 2**32 - 40):
        pixels = drawn(card, media_ms)
        assert pixels.shape == (height, width, 3)
        assert pixels.dtype == np.uint8
        reading = read_testcard(pixels)
        assert reading == (media_ms // 40 % 2**24, media_ms, media_ms % 1000 < 40)


async def test_media_time_is_read_modulo_2_to_32():
    reading = read_testcard(drawn(await make(), 2**32 + 80))
    assert (reading.media_ms, reading.frame) == (80, (2**32 + 80) // 40 % 2**24)


@pytest.mark.parametrize("quality", [30, 75])
@pytest.mark.parametrize(("width", "height"), [(512, 512), (256, 144)])
async def test_it_survives_jpeg(width, height, quality):
    card = await make(width, height)
    for n in range(40):
        media_ms = n * 1240
        reading = read_testcard(decode_jpeg(encode_jpeg(drawn(card, media_ms), quality)))
        assert reading == (media_ms // 40, media_ms, media_ms % 1000 < 40)


async def test_it_survives_being_scaled_down_and_jpeg():
    card = await make(1280, 720)
    for n in range(40):
        media_ms = n * 1240
        small = cv2.resize(drawn(card, media_ms), (256, 144), interpolation=cv2.INTER_AREA)
        reading = read_testcard(decode_jpeg(encode_jpeg(small, 30)))
        assert reading == (media_ms // 40, media_ms, media_ms % 1000 < 40)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (1280, 720)])
async def test_it_survives_h264_at_300_kbit_per_second(width, height):
    card = await make(width, height)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.bit_rate = 300_000
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "maxrate": "300k"}
    encoder.options |= {"bufsize": "300k"}
    decoder = av.CodecContext.create("h264", "r")
    read, size = [], 0
    for n in range(52):
        frame = av.VideoFrame.from_ndarray(drawn(card, n * 40), format="bgr24")
        frame.pts = n
        for data in encoder.encode(frame):
            size += data.size
            read += [read_testcard(f.to_ndarray(format="bgr24")) for f in decoder.decode(data)]
    read += [read_testcard(f.to_ndarray(format="bgr24")) for f in decoder.decode(None)]
    assert read == [(n, n * 40, n % 25 == 0) for n in range(52)]
    assert size * 8 / (52 / 25) < 450_000


async def test_a_damaged_grid_is_not_read():
    pixels = drawn(await make(), 12_340)
    cell = 512 / 18
    for index in range(CELLS * CELLS):
        row, column = divmod(index, CELLS)
        top, left = int((row + 1) * cell), int((column + 1) * cell)
        damaged = pixels.copy()
        damaged[top : int(top + cell), left : int(left + cell)] ^= 255
        assert read_testcard(damaged) is None


def test_a_white_picture_is_no_card():
    assert read_testcard(np.full((512, 512, 3), 255, np.uint8)) is None


def test_a_black_picture_is_no_card():
    assert read_testcard(np.zeros((512, 512, 3), np.uint8)) is None


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1),
        (2, 2),
        (10, 10),
        (17, 300),
        (512, 100),
    ],
)
def test_a_picture_too_small_for_a_card_is_not_read(shape):
    assert read_testcard(np.full((*shape, 3), 200, np.uint8)) is None


async def test_too_narrow_for_the_grid_is_refused():
    with pytest.raises(AvatarError, match="wider than"):
        await make(width=300, height=512)


def test_the_checksum_is_that_of_smbus():
    assert crc8(b"123456789") == 0xF4


@given(st.binary(min_size=7, max_size=7), st.integers(0, 55))
def test_the_checksum_notices_any_wrong_bit(data, bit):
    wrong = (int.from_bytes(data) ^ 1 << bit).to_bytes(7)
    assert crc8(wrong) != crc8(data)


# Flash and beep.


@pytest.mark.parametrize("fps", FPS)
async def test_there_is_one_flash_at_each_whole_second(fps):
    card = await make(256, 144, fps=fps)
    flashes = [ms for ms in times(fps, fps * 5) if read_testcard(drawn(card, ms)).flash]
    assert flashes == [0, 1000, 2000, 3000, 4000]


@pytest.mark.parametrize("fps", FPS)
async def test_pictures_are_numbered_without_gaps(fps):
    card = await make(256, 144, fps=fps)
    numbers = [read_testcard(drawn(card, ms)).frame for ms in times(fps, fps * 2 + 3)]
    assert numbers == list(range(fps * 2 + 3))


async def sound(seconds=3, **options):
    card = await make(256, 144, **options)
    blocks = [card.get_idle_audio(ms) for ms in range(0, round(seconds * 1000), BLOCK_MS)]
    assert {(block.shape, block.dtype) for block in blocks} == {
        ((BLOCK_SAMPLES,), np.dtype("int16"))
    }
    return np.concatenate(blocks)


async def test_beeps_are_exactly_where_they_belong():
    pcm = await sound()
    t = np.arange(len(pcm)) / SAMPLE_RATE_HZ
    beep = BEEP_LEVEL * 32767 * np.sin(2 * np.pi * BEEP_HZ * t)
    expected = np.where(t % 1.0 < BEEP_MS / 1000, beep, 0).astype(np.int16)
    assert np.abs(pcm.astype(int) - expected).max() <= 1
    assert np.abs(pcm[: SAMPLE_RATE_HZ // 100]).max() > 0.45 * 32767


async def test_a_tone_between_the_beeps_has_no_seams():
    pcm = await sound(tone_hz=440.0, beep=False)
    t = np.arange(len(pcm)) / SAMPLE_RATE_HZ
    tone = TONE_LEVELS @ np.sin(2 * np.pi * np.outer([440, 537, 796], t))
    assert np.abs(pcm - 32767 * tone).max() < 2


async def test_a_tone_is_like_itself_at_no_other_place_nearby():
    pcm = (await sound(tone_hz=440.0, beep=False)).astype(float)
    part, most = slice(6000, 14_000), 5760
    likeness = [
        np.corrcoef(pcm[part], pcm[part.start + lag : part.stop + lag])[0, 1]
        for lag in range(-most, most + 1)
    ]
    alike = [abs(n - most) for n, one in enumerate(likeness) if one > 0.975]
    assert max(alike) < 10


async def test_without_beep_and_tone_there_is_silence():
    assert not (await sound(beep=False)).any()


async def test_sound_is_the_same_however_late_it_begins():
    card = await make(256, 144, tone_hz=440.0)
    day_ms = 86_400_000
    assert np.array_equal(card.get_idle_audio(day_ms + 20), card.get_idle_audio(20))


# As an engine.


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("step_ms", [20, 90, 100])
async def test_speech_gets_a_picture_for_each_period_of_sound(fps, step_ms):
    card = await make(256, 144, fps=fps)
    offsets = []
    for _ in range(0, 900, step_ms):
        offsets += [f.offset_ms for f in card.feed_audio(bytes(32 * step_ms), 16_000)]
    assert offsets == pytest.approx([n * 1000 / fps for n in range(len(offsets))])
    assert len(offsets) == -(-900 * fps // 1000)


async def test_each_turn_begins_anew():
    card = await make()
    assert card.feed_audio(bytes(3200))[0].offset_ms == 0
    card.end_turn()
    assert card.flush() == []
    assert card.feed_audio(bytes(3200))[0].offset_ms == 0
    card.reset(1)
    assert card.feed_audio(bytes(3200))[0].offset_ms == 0


async def test_pictures_of_speech_show_when_they_are_shown():
    card = await make()
    [first, *_] = card.feed_audio(bytes(3200))
    assert read_testcard(first.render(5000)[0]).media_ms == 5000
