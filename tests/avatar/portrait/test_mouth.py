from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from wsstream.avatar.lipsync import REST, SHAPES, MouthPose
from wsstream.avatar.portrait.rig import Rig
from wsstream.media.types import Viseme


def test_at_rest_it_is_the_still(ada: Rig) -> None:
    box = ada.mouth.box
    still = ada.still[box.y : box.y + box.height, box.x : box.x + box.width]
    assert np.array_equal(ada.mouth.draw(REST), still)


def test_at_least_eight_shapes_are_plainly_different(ada: Rig) -> None:
    drawn = {v: ada.mouth.draw(s).astype(int) for v, s in SHAPES.items()}
    names = list(SHAPES)
    apart = {
        frozenset(pair): float(np.abs(drawn[pair[0]] - drawn[pair[1]]).mean())
        for pair in combinations(names, 2)
    }
    kept: list[Viseme] = []
    for name in names:
        if all(apart[frozenset((name, other))] > 2.5 for other in kept):
            kept.append(name)
    assert len(kept) >= 8
    assert min(apart.values()) > 0.4


def test_opening_grows_with_the_jaw(ada: Rig) -> None:
    def dark(pose: MouthPose) -> int:
        return int((ada.mouth.draw(pose).max(axis=2) < 60).sum())

    opened = [dark(MouthPose(jaw=jaw)) for jaw in (0.0, 0.2, 0.4, 0.6)]
    assert opened == sorted(set(opened))


def test_teeth_show_and_a_round_mouth_hides_them(ada: Rig) -> None:
    def white(viseme: Viseme) -> int:
        box, drawn = ada.mouth.box, ada.mouth.draw(SHAPES[viseme]).astype(int)
        drawn = drawn[: box.height // 2, box.width // 4 : -box.width // 4]
        return int(((drawn.min(axis=2) > 150) & (np.ptp(drawn, axis=2) < 40)).sum())

    assert white(Viseme.SS) > 5 * white(Viseme.OU) + 20


@pytest.mark.parametrize("viseme", Viseme)
def test_the_edge_of_its_box_stands_still(ada: Rig, viseme: Viseme) -> None:
    """Else a seam would show around it."""
    moved = ada.mouth.draw(SHAPES[viseme]).astype(int) - ada.mouth.draw(REST)
    ring = np.concatenate([moved[0], moved[-1], moved[:, 0], moved[:, -1]])
    assert np.abs(ring).max() <= 3


def test_a_small_change_of_pose_is_a_small_change_of_picture(ada: Rig) -> None:
    drawn = [ada.mouth.draw(MouthPose(jaw=j / 40, lift=0.1)).astype(int) for j in range(28)]
    steps = [np.abs(a - b).mean() for a, b in pairwise(drawn)]
    assert max(steps) < 2.0
    assert min(steps) > 0
