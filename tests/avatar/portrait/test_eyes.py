from __future__ import annotations

import numpy as np
import pytest

from wsstream.avatar.portrait.detect import Marks, landmarks
from wsstream.avatar.portrait.eyes import LIDS_SHUT, Eyes
from wsstream.avatar.portrait.lids import PhotoEyes
from wsstream.avatar.portrait.life import GLANCES
from wsstream.avatar.portrait.rig import Rig
from wsstream.media.types import Pixels


@pytest.fixture(params=["painted", "photographed"])
def eyes(request: pytest.FixtureRequest, ada: Rig, picture: Pixels) -> Eyes:
    if request.param == "painted":
        return ada.eyes
    return PhotoEyes(picture, landmarks(picture, Marks()))


def green(drawn: Pixels) -> int:
    """How much is seen of Ada's irises."""
    blue, green, red = np.moveaxis(drawn.astype(int), 2, 0)
    return int(((green > red + 8) & (green > blue + 8)).sum())


def test_a_blink_covers_the_irises_step_by_step(eyes: Eyes) -> None:
    seen = [green(eyes.draw(lids, 0)) for lids in range(LIDS_SHUT + 1)]
    assert seen[0] > 30
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < 0.12 * seen[0]


def test_a_glance_moves_the_irises_and_little_else(eyes: Eyes) -> None:
    ahead = eyes.draw(0, 0).astype(int)
    for gaze in range(1, len(GLANCES)):
        changed = np.abs(eyes.draw(0, gaze) - ahead).max(axis=2) > 12
        assert 0 < changed.mean() < 0.12


def test_shut_eyes_do_not_look_anywhere(eyes: Eyes) -> None:
    assert eyes.draw(LIDS_SHUT, 2, 1) is eyes.draw(LIDS_SHUT, 0)


def test_brows_go_up_above_the_lids_only(eyes: Eyes) -> None:
    span = eyes._marks.span
    eye_y = min(eyes._marks.left_eye[1], eyes._marks.right_eye[1])
    changed = np.abs(eyes.draw(0, 0, brow=3).astype(int) - eyes.draw(0, 0)).max(axis=2) > 3
    rows = np.flatnonzero(changed.any(axis=1))
    assert len(rows) > 0
    assert rows[-1] < eye_y - 0.1 * span


def test_a_picture_is_drawn_once(eyes: Eyes) -> None:
    assert eyes.draw(1, 0) is eyes.draw(1, 0)
