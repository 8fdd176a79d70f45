from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from wsstream.avatar.base import NOTHING
from wsstream.avatar.lipsync import REST, SHAPES
from wsstream.avatar.portrait import life
from wsstream.avatar.portrait.puppet import CLOSING_MS, Puppet
from wsstream.avatar.portrait.rig import Rig
from wsstream.media.types import Pixels, Viseme

OPEN = SHAPES[Viseme.AA]


def mouth(rig: Rig, picture: Pixels) -> Pixels:
    box, zoom = rig.mouth.box, rig.still.shape[1] / rig.width
    x0, y0 = round(box.x / zoom), round(box.y / zoom)
    return picture[y0 : round(y0 + box.height / zoom), x0 : round(x0 + box.width / zoom)]


def test_the_first_picture_is_all_new(puppet: Puppet) -> None:
    picture, dirty = puppet.idle(0)
    assert dirty is not None
    assert (dirty.width, dirty.height) == picture.shape[1::-1]


def test_a_picture_that_is_the_same_is_the_same_array(puppet: Puppet) -> None:
    first, _ = puppet.idle(1000)
    second, dirty = puppet.idle(1001)
    assert second is first
    assert dirty == NOTHING


def test_idle_pictures_half_a_second_apart_differ(puppet: Puppet) -> None:
    shown = [puppet.idle(ms)[0] for ms in range(0, 30_000, 500)]
    for a, b in pairwise(shown):
        assert np.abs(a.astype(int) - b).max() > 3


def test_idle_pictures_change_seldom_and_locally(puppet: Puppet, ada: Rig) -> None:
    areas = []
    for ms in range(0, 60_000, 40):
        _, dirty = puppet.idle(ms)
        assert dirty is not None
        areas.append(dirty.width * dirty.height / (ada.width * ada.height))
    areas = areas[1:]
    assert np.mean([a == 0 for a in areas]) > 0.75
    assert np.mean(areas) < 0.02
    assert max(areas) < 0.5


def test_what_is_drawn_does_not_depend_on_what_was(ada: Rig) -> None:
    """Whatever the history, the same moment is the same picture."""
    long, short = Puppet(ada, 5, 1.0), Puppet(ada, 5, 1.0)
    for ms in range(0, 20_000, 40):
        long.speak(SHAPES[list(Viseme)[ms // 40 % 15]], ms)
    long.idle(40_000)
    assert np.array_equal(long.idle(40_500)[0], short.idle(40_500)[0])


def test_the_mouth_closes_when_the_turn_ends(puppet: Puppet, ada: Rig) -> None:
    ms = next(m for m in range(0, 9000, 10) if not life.gesture(m, 5))
    closed = mouth(ada, puppet.idle(ms)[0]).astype(int)
    opened = mouth(ada, puppet.speak(OPEN, ms + 10)[0])
    closing = mouth(ada, puppet.idle(ms + 10 + CLOSING_MS // 2)[0])
    after = mouth(ada, puppet.idle(ms + 10 + CLOSING_MS)[0])
    assert np.abs(opened - closed).mean() > np.abs(closing - closed).mean() > 1
    assert np.abs(after - closed).mean() < 0.5


def test_idle_and_speaking_faces_join(puppet: Puppet, ada: Rig) -> None:
    """With the mouth shut, a speaking face that makes no gesture is the idle one."""
    ms = next(m for m in range(2000, 9000, 10) if not life.gesture(m, 5))
    idle, _ = puppet.idle(ms)
    speaking, dirty = puppet.speak(REST, ms)
    assert speaking is idle
    assert dirty == NOTHING


def gesture_at(seed: int) -> int:
    return next(m for m in range(2000, 90_000) if (g := life.gesture(m, seed)) and g.begun)


def test_a_speaking_face_makes_gestures_and_ends_them(ada: Rig) -> None:
    at_ms = gesture_at(5)
    idle, speaking = Puppet(ada, 5, 1.0), Puppet(ada, 5, 1.0)
    speaking.speak(REST, at_ms)
    middle, end = at_ms + life.GESTURE_MS // 2, at_ms + life.GESTURE_MS + 40
    # The sound is over, the gesture is not: the head does not jump back.
    assert not np.array_equal(speaking.idle(middle)[0], idle.idle(middle)[0])
    assert np.array_equal(speaking.idle(end)[0], idle.idle(end)[0])


def test_a_gesture_is_not_joined_half_way(ada: Rig) -> None:
    middle = gesture_at(5) + life.GESTURE_MS // 2
    idle, speaking = Puppet(ada, 5, 1.0), Puppet(ada, 5, 1.0)
    assert np.array_equal(speaking.speak(REST, middle)[0], idle.idle(middle)[0])


@pytest.mark.parametrize("motion", [0.0, 0.5, 2.0])
def test_motion_scales_the_head_and_the_chest(ada: Rig, motion: float) -> None:
    puppet, usual = Puppet(ada, 5, motion), Puppet(ada, 5, 1.0)
    resting = Puppet(ada, 5, 0.0).idle(0)[0].astype(int)

    def moved(p: Puppet) -> float:
        at_first = life.posture(0, 5)[:3]
        calm = [m for m in range(0, 40_000, 200) if life.posture(m, 5)[:3] == at_first]
        return float(np.mean([np.abs(p.idle(m)[0] - resting).mean() for m in calm]))

    if motion == 0:
        assert moved(puppet) == 0
    else:
        assert (moved(puppet) > moved(usual)) == (motion > 1)
