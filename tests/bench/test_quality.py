"""The encoders by themselves, on pictures small enough to be quick."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.harness.quality import FORMS, at_equal_quality, try_form
from wsstream.media.types import Picture

WIDTH, HEIGHT, FPS = 192, 128, 20


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """A textured background, on which a small square moves."""
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    still = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    found = []
    for n in range(12):
        pixels = still.copy()
        pixels[40:72, 40 + 4 * n : 72 + 4 * n] = still[:32, :32]
        found.append(Picture(n, n * 50, pixels, True, None))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_better_setting_is_better_and_takes_more(pictures, form):
    low, high = (20, 85) if "jpeg" in form or "patch" in form else (60_000, 1_500_000)
    worse, better = (
        try_form(form, pictures, WIDTH, HEIGHT, FPS, setting=setting) for setting in (low, high)
    )
    assert better["psnr_db"] > worse["psnr_db"] + 1
    assert better["ssim"] > worse["ssim"]
    assert better["kbps"] > worse["kbps"]


def test_patches_look_like_whole_pictures_and_take_less(pictures):
    whole, patch = (
        try_form(form, pictures, WIDTH, HEIGHT, FPS) for form in ("ws-jpeg", "ws-patch")
    )
    assert patch["psnr_db"] == pytest.approx(whole["psnr_db"], abs=0.5)
    assert patch["kbps"] < 0.5 * whole["kbps"]


def test_what_is_left_on_the_screen_is_what_counts(pictures):
    """A form that sent the first picture only would look worse and worse."""
    still = [Picture(n, n * 50, pictures[0].pixels, True, None) for n in range(12)]
    moving = try_form("ws-patch", pictures, WIDTH, HEIGHT, FPS)
    frozen = try_form("ws-patch", still, WIDTH, HEIGHT, FPS)
    assert frozen["kbps"] < moving["kbps"]
    assert frozen["psnr_db"] == pytest.approx(moving["psnr_db"], abs=0.5)


def test_the_rate_at_an_equal_quality_is_what_that_quality_takes(pictures):
    kbps = at_equal_quality("ws-jpeg", pictures, WIDTH, HEIGHT, FPS)
    tried = [
        try_form("ws-jpeg", pictures, WIDTH, HEIGHT, FPS, setting=quality, with_ssim=False)
        for quality in range(10, 96, 5)
    ]
    order = np.argsort([one["psnr_db"] for one in tried])
    expected = np.interp(
        40.0, [tried[i]["psnr_db"] for i in order], [tried[i]["kbps"] for i in order]
    )
    assert kbps == pytest.approx(expected, rel=0.06)
