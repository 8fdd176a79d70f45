from __future__ import annotations

import numpy as np
import pytest

from bench.harness.ssim import C1, SIDE, SIGMA, ssim


def by_the_book(a: np.ndarray, b: np.ndarray) -> float:
    """Equations 5, 7, 10, 12 and 13 of the paper, place by place, with the means of equations 14
    to 16."""
    at = np.arange(SIDE) - SIDE // 2
    window = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * SIGMA**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for top in range(a.shape[0] - SIDE + 1):
        for left in range(a.shape[1] - SIDE + 1):
            x = a[top : top + SIDE, left : left + SIDE].astype(float)
            y = b[top : top + SIDE, left : left + SIDE].astype(float)
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
            structure = (2 * cov + c2) / (vx + vy + c2)
            found.append(luminance * structure)
    return float(np.mean(found))


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (24, 30), np.uint8)


def test_the_same_is_1(noise):
    assert ssim(noise, noise) == pytest.approx(1, abs=1e-6)


def test_flat_planes_differ_in_luminance_alone():
    a, b = np.full((20, 20), 100, np.uint8), np.full((20, 20), 110, np.uint8)
    assert ssim(a, b) == pytest.approx((2 * 100 * 110 + C1) / (100**2 + 110**2 + C1), abs=1e-4)


def test_it_is_the_paper_s(noise):
    blurred = (noise // 2 + np.roll(noise, 1, axis=1) // 2).astype(np.uint8)
    assert ssim(noise, blurred) == pytest.approx(by_the_book(noise, blurred), abs=1e-4)


def test_a_negative_is_unlike(noise):
    assert ssim(noise, 255 - noise) < -0.5


def test_sizes_have_to_match(noise):
    with pytest.raises(ValueError, match="one size"):
        ssim(noise, noise[:, 1:])
    with pytest.raises(ValueError, match="11 at least"):
        ssim(noise[:5], noise[:5])
