"""A face that speaks can be read like the test card."""

from __future__ import annotations

import numpy as np

from bench.harness.speaking_card import SpeakingCard
from bench.rivals.clip import PICTURES
from wsstream.avatar.testcard import read_testcard


async def test_each_picture_of_the_clip_says_its_number_and_its_time(tmp_path):
    clip = np.zeros((3, 144, 256, 3), np.uint8)
    clip[:, :, 128:] = np.arange(10, 40, 10, dtype=np.uint8)[:, None, None, None]
    np.save(tmp_path / PICTURES, clip)
    avatar = SpeakingCard(folder=str(tmp_path), fps=20)
    await avatar.start(None, width=256, height=144)
    for number in range(5):
        pixels, _ = avatar.get_idle_frame(50 * number).render(50 * number)
        assert read_testcard(pixels)[:2] == (number, 50 * number)
        assert (pixels[:, 128:] == 10 * (number % 3 + 1)).all()


async def test_its_tone_has_no_beeps(tmp_path):
    avatar = SpeakingCard(folder=str(tmp_path), fps=20)
    levels = [np.abs(avatar.get_idle_audio(ms).astype(float)).max() for ms in range(0, 2000, 20)]
    assert min(levels) > 0.1 * 32767
    assert max(levels) < 0.2 * 32767
