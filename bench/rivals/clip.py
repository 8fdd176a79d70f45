"""The pictures and the sound that everyone is given: the portrait, speaking, each picture numbered.

    pictures.npy   (count, height, width, 3) uint8 BGR
    sound.npy      (samples,) int16, 48 kHz, as long as the pictures

The number is in the topmost rows: a bit is a square of 16 pixels, white or black, as an encoder's
blocks are; then the same bits inverted, so that nothing else is taken for a number.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from wsstream.media.resample import Resampler
from wsstream.media.types import SAMPLE_RATE_HZ, Pcm, Pixels
from wsstream.voice.espeak import EspeakVoice

from ..harness import portrait

BITS, CELL = 8, 16
MARGIN = 4
"""Pixels of a square that are not looked at: there its neighbour bleeds in."""
PICTURES, SOUND = "pictures.npy", "sound.npy"


async def write_clip(folder: Path, width: int, height: int, fps: float, seconds: float) -> None:
    """Both files."""
    made = (await portrait.pictures(width, height, fps, seconds)).speaking
    assert len(made) <= 1 << BITS
    shape = (len(made), height, width, 3)
    file = np.lib.format.open_memmap(folder / PICTURES, "w+", np.uint8, shape)
    for number, picture in enumerate(made):
        file[number] = picture.pixels
        stamp(file[number], number)
    file.flush()
    samples = round(len(made) * SAMPLE_RATE_HZ / fps)
    np.save(folder / SOUND, np.resize(await _sound(samples), samples))


async def _sound(samples: int) -> Pcm:
    voice, parts, resampler = EspeakVoice(), [np.zeros(0, np.int16)], None
    await voice.start()
    async for chunk in voice.synthesize(portrait.TEXT):
        resampler = resampler or Resampler(chunk.sample_rate)
        parts.append(resampler.push(np.frombuffer(chunk.pcm, "<i2")))
        if sum(map(len, parts)) >= samples:
            break
    await voice.stop()
    return np.concatenate(parts)


def stamp(pixels: Pixels, number: int) -> None:
    """Write it into the picture."""
    for i in range(2 * BITS):
        bit = number >> i % BITS & 1 ^ (i >= BITS)
        pixels[:CELL, i * CELL : (i + 1) * CELL] = 255 * bit


def read_stamp(luma: np.ndarray) -> int | None:
    """The number in a picture's luma, ``(height, width)``; ``None`` when there is none."""
    bits = [
        luma[MARGIN : CELL - MARGIN, i * CELL + MARGIN : (i + 1) * CELL - MARGIN].mean() > 127
        for i in range(2 * BITS)
    ]
    if any(a == b for a, b in zip(bits[:BITS], bits[BITS:], strict=True)):
        return None
    return sum(int(bit) << i for i, bit in enumerate(bits[:BITS]))


class Source:
    """The pictures that were sent, to compare with what arrived."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _pictures(self) -> np.ndarray:
        pictures: np.ndarray = np.load(self._folder / PICTURES, mmap_mode="r")
        return pictures

    def compare(self, luma: np.ndarray) -> tuple[int, float] | None:
        """The number in a decoded picture's luma, ``(height, width)``, and its PSNR in dB; ``None``
        when it has no number."""
        number = read_stamp(luma)
        if number is None or number >= len(self._pictures):
            return None
        source = cv2.cvtColor(self._pictures[number], cv2.COLOR_BGR2YUV_I420)[: len(luma)]
        return number, float(cv2.PSNR(np.ascontiguousarray(luma), source))
