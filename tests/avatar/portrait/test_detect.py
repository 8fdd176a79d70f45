from __future__ import annotations

import cv2
import numpy as np
import pytest

from wsstream.avatar.portrait import shipped
from wsstream.avatar.portrait.detect import Marks, landmarks
from wsstream.avatar.portrait.landmarks import Landmarks, Point
from wsstream.errors import AvatarError
from wsstream.media.types import Pixels


@pytest.fixture(scope="module")
def true() -> Landmarks:
    """Where the shipped face's parts are in the photograph of it."""
    return shipped.load("ada").marks.moved(750 / 1024, 300)


def off(found: Point, true: Point, span: float) -> float:
    return float(np.hypot(found[0] - true[0], found[1] - true[1])) / span


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.0])
def test_the_parts_of_a_face_are_found(picture: Pixels, true: Landmarks, scale: float) -> None:
    found = landmarks(cv2.resize(picture, None, fx=scale, fy=scale), Marks()).moved(1 / scale)
    assert off(found.left_eye, true.left_eye, true.span) < 0.07
    assert off(found.right_eye, true.right_eye, true.span) < 0.07
    assert off(found.seam[0], true.seam[0], true.span) < 0.10
    assert off(found.seam[-1], true.seam[-1], true.span) < 0.10
    assert off(found.chin, true.chin, true.span) < 0.25
    assert not found.toothy


def test_a_face_off_the_middle_is_found(picture: Pixels, true: Landmarks) -> None:
    wide = cv2.copyMakeBorder(picture, 150, 50, 700, 80, cv2.BORDER_REPLICATE)
    found = landmarks(wide, Marks()).moved(1, -700, -150)
    assert off(found.left_eye, true.left_eye, true.span) < 0.1


def test_what_the_user_gives_is_used(picture: Pixels) -> None:
    given = Marks(((0.7, 0.4), (0.3, 0.41)), ((0.4, 0.6), (0.6, 0.6)), (0.5, 0.8))
    found = landmarks(picture, given)
    assert found.left_eye == pytest.approx((180, 307.5), abs=1)
    assert found.right_eye == pytest.approx((420, 300), abs=1)
    assert found.seam[0] == pytest.approx((240, 450), abs=12)
    assert found.chin == pytest.approx((300, 600), abs=1)


def test_eyes_given_make_up_for_a_face_not_found() -> None:
    grey = np.full((300, 300, 3), 128, np.uint8)
    found = landmarks(grey, Marks(eyes=((0.4, 0.4), (0.6, 0.4))))
    assert found.span == pytest.approx(60, abs=1)
    assert found.eyes[1] < found.seam[0][1] < found.chin[1]


def test_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    with pytest.raises(AvatarError, match="no face was found"):
        landmarks(noise, Marks())


def test_a_face_too_small() -> None:
    grey = np.full((100, 100, 3), 128, np.uint8)
    with pytest.raises(AvatarError, match="too small: its eyes are 10 pixels apart"):
        landmarks(grey, Marks(eyes=((0.4, 0.4), (0.5, 0.4))))


def test_a_smile_with_teeth_is_cut_below_them(picture: Pixels, true: Landmarks) -> None:
    half = (true.seam[-1][0] - true.seam[0][0]) / 2
    smiling = picture.copy()
    x, y = true.seam[len(true.seam) // 2]
    teeth = (round(x), round(y + 0.20 * half)), (round(0.8 * half), round(0.16 * half))
    cv2.ellipse(smiling, *teeth, 0, 0, 360, (238, 240, 243), -1, cv2.LINE_AA)
    found = landmarks(smiling, Marks())
    assert found.toothy
    assert found.seam[len(found.seam) // 2][1] > y + 0.2 * half
