from __future__ import annotations

import numpy as np
import pytest

from bench.harness.equal_quality import Point, kbps_at


def curve(setting: float) -> Point:
    """6 dB for each doubling of the rate: 40 dB at 500 kbit/s."""
    return Point(40 + 6 * float(np.log2(setting / 500)), setting)


def test_the_rate_at_the_wanted_quality_is_read_off_the_curve():
    assert kbps_at(curve, 10, 9000, 40, 0.5) == pytest.approx(500, rel=0.01)
    assert kbps_at(curve, 10, 9000, 34, 0.5) == pytest.approx(250, rel=0.01)


def test_it_comes_near_before_it_says_anything():
    tried = []

    def note(setting: float) -> Point:
        tried.append(curve(setting))
        return tried[-1]

    kbps_at(note, 1, 1e6, 40, 0.5)
    assert min(abs(point.psnr_db - 40) for point in tried) <= 0.5
    assert len(tried) < 10


def test_what_cannot_be_had_is_nothing():
    assert kbps_at(curve, 10, 100, 40, 0.5) is None
    assert kbps_at(lambda _: Point(47.0, 300), 10, 9000, 40, 0.5) is None


def test_steps_of_a_coarse_setting():
    """A JPEG's quality is a whole number: there may be none that is quite right."""

    def coarse(setting: float) -> Point:
        return curve(100 * round(setting / 100))

    assert kbps_at(coarse, 100, 900, 40.3, 0.5) == pytest.approx(500 * 2 ** (0.3 / 6), rel=0.01)
