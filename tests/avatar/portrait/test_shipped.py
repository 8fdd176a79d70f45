from __future__ import annotations

import numpy as np
import pytest

from wsstream.avatar.portrait import shipped
from wsstream.avatar.portrait.rig import FINE_PIXELS, still_size
from wsstream.errors import AvatarError


def test_there_is_ada() -> None:
    assert "ada" in shipped.names()


def test_an_unknown_face_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AvatarError, match=r"no face 'eve'; there are: .*ada"):
        shipped.load("eve")


def test_the_face_is_light_to_ship() -> None:
    files = (shipped.FACES / "ada").iterdir()
    assert sum(file.stat().st_size for file in files) < 1_500_000


@pytest.mark.parametrize(
    ("width", "height"), [(256, 256), (300, 256), (512, 512), (640, 480), (1280, 720), (1200, 500)]
)
def test_it_fills_any_shape(width: int, height: int) -> None:
    rig = shipped.rig("ada", width, height)
    assert rig.still.shape[1::-1] == still_size(width, height)
    for corner in (rig.still[:8, :8], rig.still[:8, -8:]):
        assert corner.mean() > 20
    assert rig.eyes.box.width > 0.25 * rig.still.shape[0]


def test_the_still_is_finer_than_the_pictures_but_not_endlessly() -> None:
    assert still_size(512, 512) == (768, 768)
    wide, high = still_size(1280, 720)
    assert wide > 1280
    assert wide * high == pytest.approx(FINE_PIXELS, rel=0.01)
    assert still_size(1920, 1080) == (1920, 1080)


def test_eyes_drawn_open_are_the_still() -> None:
    rig = shipped.rig("ada", 320, 320)
    box = rig.eyes.box
    part = rig.still[box.y : box.y + box.height, box.x : box.x + box.width]
    assert np.array_equal(part, rig.eyes.draw(0, 0))
