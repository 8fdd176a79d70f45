from __future__ import annotations

import cv2
import numpy as np
import pytest

from wsstream.avatar.lipsync import SHAPES
from wsstream.avatar.portrait import photo
from wsstream.avatar.portrait.detect import Marks
from wsstream.avatar.portrait.puppet import Puppet
from wsstream.errors import AvatarError
from wsstream.media.types import Pixels, Viseme


def test_half_a_file(photograph: bytes) -> None:
    with pytest.raises(AvatarError):
        photo.rig(photograph[:300], Marks(), 256, 256)


def test_no_face() -> None:
    blank = cv2.imencode(".png", np.full((300, 300, 3), 90, np.uint8))[1].tobytes()
    with pytest.raises(AvatarError, match="no face"):
        photo.rig(blank, Marks(), 256, 256)


def test_marks_that_are_of_no_face(photograph: bytes) -> None:
    given = Marks(eyes=((0.30, 0.05), (0.36, 0.05)), mouth=((0.4, 0.98), (0.6, 0.98)))
    with pytest.raises(AvatarError, match="too far apart"):
        photo.rig(photograph, given, 256, 256)


def test_grey_and_transparent_pictures(picture: Pixels) -> None:
    grey = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))[1].tobytes()
    clear = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA))[1].tobytes()
    for data in (grey, clear):
        assert photo.rig(data, Marks(), 200, 200).still.shape[2] == 3


@pytest.mark.parametrize(
    ("width", "height"), [(256, 256), (512, 512), (640, 360), (1280, 720), (360, 640)]
)
def test_it_speaks_at_any_size(photograph: bytes, width: int, height: int) -> None:
    puppet = Puppet(photo.rig(photograph, Marks(), width, height), 1, 1.0)
    closed, _ = puppet.idle(0)
    opened, dirty = puppet.speak(SHAPES[Viseme.AA], 10)
    assert closed.shape == opened.shape == (height, width, 3)
    assert dirty is not None
    assert 0.01 < dirty.width * dirty.height / (width * height) < 0.2
    part = opened[dirty.y : dirty.y + dirty.height, dirty.x : dirty.x + dirty.width]
    assert (part.max(axis=2) < 60).sum() > 0.0005 * width * height  # the dark inside


def test_a_small_face_is_brought_closer(picture: Pixels) -> None:
    far = cv2.copyMakeBorder(picture, 300, 500, 700, 700, cv2.BORDER_REPLICATE)
    rig = photo.rig(cv2.imencode(".jpg", far)[1].tobytes(), Marks(), 320, 320)
    assert rig.eyes.unit * 184 / rig.still.shape[0] == pytest.approx(photo.SMALLEST_SPAN, abs=0.01)


def test_a_narrow_picture_gets_a_backdrop(photograph: bytes) -> None:
    still = photo.rig(photograph, Marks(), 640, 360).still
    edge, middle = still[:, :20].mean(), still[:, 400:560].mean()
    assert edge < 0.8 * middle
