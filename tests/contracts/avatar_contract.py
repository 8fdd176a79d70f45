"""What the rest of the server relies on in every ``AvatarProvider``.

An engine's tests inherit from ``AvatarContract`` and give it the engine, started at ``WIDTH`` x
``HEIGHT``, as a fixture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.avatar.base import NOTHING, AvatarFrame, AvatarProvider
from wsstream.media.types import Pixels, Rect

WIDTH, HEIGHT = 256, 256
RATE_HZ = 16_000


def voice(duration_ms: float, rate_hz: int = RATE_HZ) -> bytes:
    """Something like a voice: a buzz that swells and fades."""
    t = np.arange(round(duration_ms * rate_hz / 1000)) / rate_hz
    buzz = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 20))
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * t)
    return (6000 * buzz * swell).astype("<i2").tobytes()


def chunks(pcm: bytes, sizes: Sequence[int]) -> Iterable[bytes]:
    """``pcm`` in pieces of ``sizes`` samples, the last size again and again."""
    at, k = 0, 0
    while at < len(pcm):
        size = 2 * sizes[min(k, len(sizes) - 1)]
        yield pcm[at : at + size]
        at, k = at + size, k + 1


def turn(
    avatar: AvatarProvider, pcm: bytes, sizes: Sequence[int] = (320,), rate_hz: int = RATE_HZ
) -> list[AvatarFrame]:
    """All pictures of a turn."""
    frames = []
    for chunk in chunks(pcm, sizes):
        frames += avatar.feed_audio(chunk, rate_hz)
    avatar.end_turn()
    return frames + avatar.flush()


def show(frames: Iterable[AvatarFrame], fps: float, start_ms: int = 0) -> list[Shown]:
    out = []
    for k, frame in enumerate(frames):
        out.append(frame.render(start_ms + round(k * 1000 / fps)))
    return out


Shown = tuple[Pixels, Rect | None]


def differing(a: Pixels, b: Pixels) -> Rect:
    """The region in which two pictures differ."""
    where = (a != b).any(axis=2)
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    if len(rows) == 0:
        return NOTHING
    x, y = int(columns[0]), int(rows[0])
    return Rect(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


class AvatarContract:
    @pytest.fixture
    def avatar(self) -> AvatarProvider:
        """All that differs between engines, so that there is no default: whose tests forget it see
        every one of them fail, and why."""
        raise NotImplementedError("an engine, started at WIDTH x HEIGHT; stop it afterwards")

    def test_it_has_a_name(self, avatar: AvatarProvider) -> None:
        assert avatar.name != AvatarProvider.name

    @pytest.mark.parametrize("duration_ms", [1, 39, 40, 41, 250, 1000])
    def test_a_turn_has_a_picture_for_every_period_begun(
        self, avatar: AvatarProvider, duration_ms: int
    ) -> None:
        frames = turn(avatar, voice(duration_ms))
        assert len(frames) == math.ceil(duration_ms * avatar.fps / 1000)

    @given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=6))
    def test_pictures_do_not_depend_on_how_the_sound_is_cut(
        self, avatar: AvatarProvider, sizes: list[int]
    ) -> None:
        frames = turn(avatar, voice(300), [*sizes, 777])
        period_ms = 1000 / avatar.fps
        expected = [k * period_ms for k in range(math.ceil(300 / period_ms))]
        assert [f.offset_ms for f in frames] == pytest.approx(expected)

    @pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
    def test_it_takes_any_rate(self, avatar: AvatarProvider, rate_hz: int) -> None:
        assert len(turn(avatar, voice(400, rate_hz), rate_hz=rate_hz)) == 0.4 * avatar.fps

    def test_no_picture_comes_long_before_its_sound(self, avatar: AvatarProvider) -> None:
        fed_ms = 0.0
        for chunk in chunks(voice(500), [100]):
            fed_ms += len(chunk) / 2 / RATE_HZ * 1000
            for frame in avatar.feed_audio(chunk, RATE_HZ):
                assert frame.offset_ms is not None
                assert frame.offset_ms <= fed_ms

    def test_no_sound_makes_no_picture(self, avatar: AvatarProvider) -> None:
        assert avatar.feed_audio(b"", RATE_HZ) == []
        avatar.end_turn()
        assert avatar.flush() == []

    def test_reset_starts_a_new_turn(self, avatar: AvatarProvider) -> None:
        avatar.feed_audio(voice(333), RATE_HZ)
        avatar.reset(1)
        frames = turn(avatar, voice(80))
        assert [f.offset_ms for f in frames] == pytest.approx([0, 40])

    def test_a_turn_follows_another(self, avatar: AvatarProvider) -> None:
        turn(avatar, voice(100))
        assert [f.offset_ms for f in turn(avatar, voice(80))] == pytest.approx([0, 40])

    def test_pictures_have_the_size_asked_for(self, avatar: AvatarProvider) -> None:
        idle = avatar.get_idle_frame(0)
        frames = turn(avatar, voice(120))
        for pixels, _ in show([idle, *frames] if idle else frames, avatar.fps):
            assert pixels.shape == (HEIGHT, WIDTH, 3)
            assert pixels.dtype == np.uint8

    def test_the_face_is_there_before_any_sound(self, avatar: AvatarProvider) -> None:
        frame = avatar.get_idle_frame(0)
        assert frame is not None
        pixels, _ = frame.render(0)
        assert pixels.std() > 5

    def test_nothing_changes_outside_dirty(self, avatar: AvatarProvider) -> None:
        pictures = self._performance(avatar)
        for (before, _), (after, dirty) in pairwise(pictures):
            if dirty is None:
                continue
            changed = differing(before, after)
            if changed != NOTHING:
                assert dirty != NOTHING
                assert dirty.union(changed) == dirty
            assert 0 <= dirty.x <= dirty.x + dirty.width <= WIDTH
            assert 0 <= dirty.y <= dirty.y + dirty.height <= HEIGHT

    def test_pictures_handed_out_are_left_alone(self, avatar: AvatarProvider) -> None:
        kept = []
        for pixels, _ in self._performance(avatar):
            kept.append((pixels, pixels.copy()))
        for pixels, as_it_was in kept:
            assert np.array_equal(pixels, as_it_was)

    async def test_it_may_be_stopped_twice(self, avatar: AvatarProvider) -> None:
        await avatar.stop()
        await avatar.stop()

    def _performance(self, avatar: AvatarProvider) -> list[Shown]:
        """Idle, speaking, cut off, idle, speaking to the end, idle, all in one."""
        fps, frames = avatar.fps, []

        def idle(count: int) -> list[AvatarFrame]:
            return [f for _ in range(count) if (f := avatar.get_idle_frame(0)) is not None]

        frames += idle(30) + avatar.feed_audio(voice(600), RATE_HZ)[:9]
        avatar.reset(1)
        frames += idle(20) + turn(avatar, voice(1500)) + idle(60)
        return show(frames, fps, 5000)
