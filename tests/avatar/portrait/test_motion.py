from __future__ import annotations

import numpy as np
import pytest

from wsstream.avatar.portrait.landmarks import Landmarks
from wsstream.avatar.portrait.life import Posture
from wsstream.avatar.portrait.motion import Motion
from wsstream.media.types import Rect

SIDE = 200
MARKS = Landmarks((80, 80), (120, 80), ((85, 120), (100, 124), (115, 120)), (100, 140))
WHOLE = Rect(0, 0, SIDE, SIDE)
STANDS = [
    Posture(turn=5),
    Posture(bow=-3),
    Posture(sway=3, roll=-5),
    Posture(nod=6),
    Posture(breath=8),
]


@pytest.fixture(scope="module")
def motion() -> Motion:
    return Motion(MARKS, SIDE, SIDE, (2, 2))


def test_at_rest_every_pixel_shows_its_own_place(motion: Motion) -> None:
    x, y = motion.maps(Posture(), WHOLE)
    assert (x[0, 0], y[0, 0]) == (0.5, 0.5)  # the middle of two by two finer pixels
    assert (x[-1, -1], y[-1, -1]) == (2 * SIDE - 1.5, 2 * SIDE - 1.5)


@pytest.mark.parametrize("stand", STANDS)
def test_only_what_the_box_says_moves(motion: Motion, stand: Posture) -> None:
    box = motion.box(Posture(), stand)
    for rest, moved in zip(motion.maps(Posture(), WHOLE), motion.maps(stand, WHOLE), strict=True):
        differs = rest != moved
        assert box.width < SIDE
        differs[box.y : box.y + box.height, box.x : box.x + box.width] = False
        assert not differs.any()


@pytest.mark.parametrize("stand", STANDS)
def test_nothing_moves_further_than_reach(motion: Motion, stand: Posture) -> None:
    rest, moved = (np.array(motion.maps(s, WHOLE)) for s in (Posture(), stand))
    furthest = np.hypot(*(moved - rest)).max() / 2
    assert 0 < furthest < motion.reach(stand)


@pytest.mark.parametrize("stand", STANDS)
def test_nothing_folds_over(motion: Motion, stand: Posture) -> None:
    x, y = motion.maps(stand, WHOLE)
    assert (np.diff(x, axis=1) > 0.5).all()
    assert (np.diff(y, axis=0) > 0.5).all()


def test_a_part_of_the_maps_is_the_same_as_in_the_whole(motion: Motion) -> None:
    stand = Posture(breath=3, turn=2, bow=1, sway=1, nod=2, roll=3)
    part = Rect(60, 70, 50, 90)
    whole = motion.maps(stand, WHOLE)
    for w, p in zip(whole, motion.maps(stand, part), strict=True):
        assert np.allclose(w[70:160, 60:110], p, atol=1e-4)
