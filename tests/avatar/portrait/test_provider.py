from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from wsstream.avatar.portrait import PortraitAvatar, photo
from wsstream.avatar.portrait.rig import rigs
from wsstream.errors import AvatarError
from wsstream.media.types import Viseme, VisemeHint


async def started(picture: bytes | None = None, size: int = 256, **options: Any) -> PortraitAvatar:
    avatar = PortraitAvatar(seed=3, **options)
    await avatar.start(picture, width=size, height=size)
    return avatar


async def test_the_second_start_is_quick(photograph: bytes) -> None:
    await started(photograph)
    begun = time.process_time()
    await started(photograph)
    assert time.process_time() - begun < 0.02


async def test_another_size_or_other_marks_are_another_rig(
    photograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = photo.rig
    monkeypatch.setattr(photo, "rig", lambda *a: made.append(a) or real(*a))
    rigs.clear()
    await started(photograph, 256)
    await started(photograph, 200)
    await started(photograph, 256, chin=(0.5, 0.8))
    await started(photograph, 256)
    assert len(made) == 3


async def test_seeds_make_different_lives() -> None:
    a, b = PortraitAvatar(seed=1), PortraitAvatar(seed=2)
    for avatar in (a, b):
        await avatar.start(None, width=256, height=256)
    shown = []
    for avatar in (a, b):
        frames = [avatar.get_idle_frame(ms) for ms in range(0, 8000, 100)]
        shown.append([f.render(100 * k)[0].copy() for k, f in enumerate(frames) if f])
    assert any(not np.array_equal(x, y) for x, y in zip(*shown, strict=True))


async def test_hints_reach_the_mouth() -> None:
    avatar = await started()
    sound = np.full(16_000, 3000, "<i2").tobytes()
    rest = avatar.get_idle_frame(0)
    assert rest is not None
    still, _ = rest.render(0)
    frames = avatar.feed_audio(
        sound, 16_000, [VisemeHint(0, Viseme.SIL), VisemeHint(200, Viseme.AA)]
    )
    early = [f.render(0)[1] for f in frames[:4]]
    assert all(d is not None and d.width == 0 for d in early)
    picture, _ = frames[7].render(0)
    assert np.abs(picture.astype(int) - still).mean() > 0.3


async def test_warm_changes_nothing_that_is_shown() -> None:
    avatar = await started()
    frame = avatar.get_idle_frame(0)
    assert frame is not None
    before, _ = frame.render(0)
    await avatar.warm()
    after, _ = frame.render(0)
    assert after is before


async def test_it_has_to_be_started() -> None:
    avatar = PortraitAvatar()
    assert avatar.get_idle_frame(0) is None
    with pytest.raises(AvatarError, match="not been started"):
        avatar.feed_audio(bytes(3200))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps must be"),
        ({"motion": 3}, "motion must be"),
        ({"motion": "much"}, "motion must be"),
        ({"fps": "many"}, "fps must be"),
        ({"eyes": 1}, "eyes: two points are needed, not 1"),
        ({"chin": 1}, "chin: two numbers 0..1 are needed, not 1"),
        ({"eyes": ((0.4, 0.4),)}, "eyes: two points"),
        ({"eyes": ((0.4, 0.4), (1.4, 0.4))}, "eyes: two numbers"),
        ({"mouth": "below"}, "mouth: two points"),
        ({"chin": (0.5,)}, "chin: two numbers"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AvatarError, match=message):
        PortraitAvatar(**options)


async def test_lists_will_do_for_points(photograph: bytes) -> None:
    await started(photograph, eyes=[[0.38, 0.4], [0.62, 0.4]], mouth=[[0.42, 0.57], [0.58, 0.57]])


@pytest.mark.parametrize("face", ["eve", "", "../ada"])
async def test_an_unknown_face(face: str) -> None:
    with pytest.raises(AvatarError, match="no face"):
        await started(face=face)


async def test_a_size_that_cannot_be() -> None:
    with pytest.raises(AvatarError, match="10x256"):
        await PortraitAvatar().start(None, width=10, height=256)


async def test_sound_at_a_rate_that_cannot_be() -> None:
    avatar = await started()
    with pytest.raises(AvatarError, match="not 100"):
        avatar.feed_audio(bytes(320), 100)
