"""An avatar engine on stage: its pictures keep coming whatever it does."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.fakes import IDLE_SHADE, FakeAvatar, InlineExecutor, shade, virtual
from wsstream.avatar.base import NOTHING, AvatarFrame, AvatarProvider
from wsstream.errors import AvatarError
from wsstream.media.types import Rect
from wsstream.session import stage as staging
from wsstream.session.stage import Stage


async def make(avatar=None, size=(64, 64)):
    width, height = size
    stage = Stage(avatar or FakeAvatar(), width=width, height=height, drawing=InlineExecutor())
    await stage.start(None)
    return stage


class Stills(AvatarProvider):
    """Shows what it is told to, the very same array each time."""

    name = "stills"
    crossfade_ms = 0

    def __init__(self, idle):
        self.idle = idle

    def feed_audio(self, pcm, sample_rate=16_000, visemes=()):
        return []

    def get_idle_frame(self, media_ms=0):
        return AvatarFrame(self.idle) if self.idle is not None else None


def grey(shade, width=64, height=64):
    return np.full((height, width, 3), shade, np.uint8)


# Starting and stopping.


@virtual
async def test_the_engine_is_told_the_size_and_the_picture():
    avatar = FakeAvatar()
    stage = Stage(avatar, width=128, height=64, drawing=InlineExecutor())
    await stage.start(b"a portrait")
    assert avatar.reference_image == b"a portrait"
    pixels, _ = await stage.draw(None, 0)
    assert pixels.shape == (64, 128, 3)


@virtual
async def test_an_engine_that_cannot_start_says_why():
    avatar = FakeAvatar()
    avatar.broken.add("start")
    with pytest.raises(AvatarError, match=r"^cannot start$"):
        await make(avatar)
    assert avatar.calls["stop"] == 1  # it may have begun


@virtual
async def test_an_engine_that_crashes_while_starting_is_named():
    class Crashing(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            raise ZeroDivisionError("oh")

    with pytest.raises(AvatarError, match="avatar fake did not start: oh"):
        await make(Crashing())


@virtual
async def test_an_engine_that_does_not_stop_cleanly_is_stopped():
    avatar = FakeAvatar()
    avatar.broken.add("stop")
    stage = await make(avatar)
    await stage.stop()
    await stage.stop()
    assert avatar.calls["stop"] == 2


class Busy(FakeAvatar):
    """Is in a call until it is let go."""

    def __init__(self):
        super().__init__()
        self.inside, self.let_go = threading.Event(), threading.Event()

    def feed_audio(self, pcm, sample_rate=16_000, visemes=()):
        self.inside.set()
        assert self.let_go.wait(10)
        self._call("feed")
        raise RuntimeError("interrupted")

    def get_idle_frame(self, media_ms=0):
        self.feed_audio(b"")


@pytest.fixture
def threads():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("call", ["feed", "draw"])
async def test_it_is_stopped_when_its_last_call_has_come_back(call, threads):
    avatar = Busy()
    stage = await make(avatar)
    stage._generating = stage._drawing = threads
    job = stage.feed(b"", 48_000, ()) if call == "feed" else stage.draw(None, 0)
    calling = asyncio.create_task(job)
    await asyncio.to_thread(avatar.inside.wait, 10)
    calling.cancel()
    stage.reset(1)
    stopping = asyncio.create_task(stage.stop())
    await asyncio.sleep(0.02)
    assert avatar.calls["stop"] == 0
    avatar.let_go.set()
    await stopping
    assert (avatar.calls["feed"], avatar.calls["stop"]) == (1, 1)


async def test_an_engine_that_hangs_is_stopped_all_the_same(threads, monkeypatch):
    monkeypatch.setattr(staging, "STOP_WAIT_S", 0.02)
    avatar = Busy()
    stage = await make(avatar)
    stage._generating = threads
    calling = asyncio.create_task(stage.feed(b"", 48_000, ()))
    await asyncio.to_thread(avatar.inside.wait, 10)
    await stage.stop()
    assert avatar.calls["stop"] == 1
    avatar.let_go.set()
    await calling


# Generating.


def offsets(placed):
    return [offset_ms for offset_ms, _ in placed]


@virtual
async def test_frames_without_a_place_follow_one_period_apart():
    stage = await make()
    stage.begin_turn()
    assert offsets(await stage.feed(bytes(32 * 100), 16_000, ())) == [0, 40, 80]
    assert offsets(await stage.feed(bytes(32 * 100), 16_000, ())) == [120, 160]


@virtual
async def test_each_turn_counts_from_its_beginning():
    stage = await make()
    stage.begin_turn()
    await stage.feed(bytes(32 * 100), 16_000, ())
    await stage.finish_turn()
    stage.begin_turn()
    assert offsets(await stage.feed(bytes(32 * 100), 16_000, ())) == [0, 40, 80]


@virtual
async def test_a_frame_with_a_place_goes_there_and_those_after_it_follow():
    class Placing(FakeAvatar):
        def feed_audio(self, pcm, sample_rate=16_000, visemes=()):
            return [AvatarFrame(grey(1), offset_ms=o) for o in (None, 100, None, None, 50)]

    stage = await make(Placing())
    stage.begin_turn()
    assert offsets(await stage.feed(b"", 16_000, ())) == [0, 100, 140, 180, 50]


@virtual
async def test_at_the_end_of_a_turn_the_engine_gives_what_it_owes():
    avatar = FakeAvatar(late=True)
    stage = await make(avatar)
    stage.begin_turn()
    assert await stage.feed(bytes(32 * 100), 16_000, ()) == []
    assert offsets(await stage.finish_turn()) == [0, 40, 80]
    assert list(avatar.calls) == ["start", "feed", "end_turn", "flush"]


@virtual
async def test_an_interruption_reaches_the_engine_with_its_epoch():
    avatar = FakeAvatar()
    stage = await make(avatar)
    stage.reset(7)
    assert avatar.epochs == [7]


@virtual
async def test_an_engine_that_fails_to_reset_is_counted():
    avatar = FakeAvatar()
    avatar.broken.add("reset")
    stage = await make(avatar)
    stage.reset(1)
    assert stage.failures == 1


def test_only_an_engine_with_sound_of_its_own_is_asked_for_it():
    class Humming(FakeAvatar):
        def get_idle_audio(self, media_ms):
            return np.full(960, 7, np.int16)

    silent = Stage(FakeAvatar(), width=64, height=64, drawing=InlineExecutor())
    humming = Stage(Humming(), width=64, height=64, drawing=InlineExecutor())
    assert silent.idle_sound(0) is None
    assert humming.idle_sound(0)[0] == 7


def test_an_engine_whose_own_sound_fails_is_silent_and_counted():
    class Coughing(FakeAvatar):
        def get_idle_audio(self, media_ms):
            raise RuntimeError("cough")

    stage = Stage(Coughing(), width=64, height=64, drawing=InlineExecutor())
    assert stage.idle_sound(0) is None
    assert stage.failures == 1


# Drawing.


@virtual
async def test_with_no_frame_the_idle_face_is_drawn():
    stage = await make()
    pixels, dirty = await stage.draw(None, 0)
    assert (shade(pixels), dirty) == (IDLE_SHADE, None)


@virtual
async def test_a_frame_is_drawn_with_the_time_at_which_it_is_shown():
    asked = []

    def draw(media_ms):
        asked.append(media_ms)
        return grey(99), Rect(1, 2, 3, 4)

    stage = await make()
    pixels, dirty = await stage.draw(AvatarFrame(draw=draw), 1234)
    assert (shade(pixels), dirty, asked) == (99, Rect(1, 2, 3, 4), [1234])


@virtual
@pytest.mark.parametrize("size", [(32, 32), (128, 128), (200, 50)])
async def test_a_picture_of_another_size_is_fitted(size):
    stage = await make(Stills(grey(200, *size)))
    pixels, dirty = await stage.draw(None, 0)
    assert pixels.shape == (64, 64, 3)
    assert dirty is None
    assert pixels[32, 32, 0] == 200


@virtual
async def test_the_same_picture_of_another_size_is_fitted_once_and_has_nothing_new():
    stage = await make(Stills(grey(200, 32, 32)))
    first, _ = await stage.draw(None, 0)
    again, dirty = await stage.draw(None, 40)
    assert again is first
    assert dirty == NOTHING


@virtual
async def test_pixels_are_contiguous_for_the_encoders():
    stage = await make(Stills(grey(200)[:, ::-1]))
    pixels, _ = await stage.draw(None, 0)
    assert pixels.flags.c_contiguous


@virtual
async def test_an_engine_that_gives_no_idle_picture_leaves_the_last_one_standing():
    stage = await make(Stills(grey(50)))
    await stage.draw(None, 0)
    stage.provider.idle = None
    pixels, dirty = await stage.draw(None, 40)
    assert (shade(pixels), dirty) == (50, NOTHING)


@virtual
@pytest.mark.parametrize("broken", ["idle", "draw"])
async def test_an_engine_that_fails_leaves_the_last_picture_standing_and_is_counted(broken):
    avatar = FakeAvatar()
    stage = await make(avatar)
    [(_, frame)] = await stage.feed(bytes(32 * 40), 16_000, ())
    await stage.draw(frame, 0)
    avatar.broken.add(broken)
    for n in range(3):
        pixels, dirty = await stage.draw(None if broken == "idle" else frame, 40 + n * 40)
        assert (shade(pixels), dirty) == (100, NOTHING)
    assert stage.failures == 3
    avatar.broken.clear()
    pixels, _ = await stage.draw(None, 200)
    assert shade(pixels) == IDLE_SHADE


@virtual
@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((3, 64, 64), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        "no array",
    ],
    ids=["grey", "alpha", "float", "planes", "empty", "text"],
)
async def test_pixels_that_are_none_are_counted_and_not_shown(pixels):
    stage = await make(Stills(grey(50)))
    await stage.draw(None, 0)
    stage.provider.idle = pixels
    shown, dirty = await stage.draw(None, 40)
    assert (shade(shown), dirty) == (50, NOTHING)
    assert stage.failures == 1


@virtual
async def test_failures_are_logged_at_powers_of_two(caplog):
    avatar = FakeAvatar()
    avatar.broken.add("idle")
    stage = await make(avatar)
    for n in range(20):
        await stage.draw(None, n * 40)
    assert stage.failures == 20
    assert len(caplog.records) == 5  # 1, 2, 4, 8, 16


# From the last picture of a turn back into the idle face.


@virtual
async def test_the_idle_face_comes_back_in_a_blend():
    avatar = FakeAvatar()
    avatar.crossfade_ms = 160
    stage = await make(avatar)
    await stage.draw(AvatarFrame(grey(210)), 0)
    shades = [shade((await stage.draw(None, ms))[0]) for ms in range(40, 320, 40)]
    assert shades == sorted(shades, reverse=True)
    assert shades[:3] == pytest.approx([160, 110, 60], abs=2)
    assert shades[3:] == [IDLE_SHADE] * 4


@virtual
async def test_a_blended_picture_is_new_everywhere():
    avatar = FakeAvatar()
    avatar.crossfade_ms = 160
    stage = await make(avatar)
    await stage.draw(AvatarFrame(grey(210), dirty=Rect(0, 0, 8, 8)), 0)
    dirty = [(await stage.draw(None, ms))[1] for ms in (40, 80, 120, 160)]
    assert dirty == [None] * 4


@virtual
async def test_speech_is_never_blended():
    avatar = FakeAvatar()
    avatar.crossfade_ms = 160
    stage = await make(avatar)
    await stage.draw(AvatarFrame(grey(210)), 0)
    await stage.draw(None, 40)
    pixels, _ = await stage.draw(AvatarFrame(grey(110)), 80)
    assert shade(pixels) == 110
    assert shade((await stage.draw(None, 120))[0]) == pytest.approx(85, abs=2)


@virtual
async def test_an_engine_whose_pictures_join_is_not_blended():
    stage = await make()  # crossfade_ms = 0
    await stage.draw(AvatarFrame(grey(210)), 0)
    assert shade((await stage.draw(None, 40))[0]) == IDLE_SHADE


@virtual
async def test_before_anything_was_said_nothing_is_blended():
    avatar = FakeAvatar()
    avatar.crossfade_ms = 160
    stage = await make(avatar)
    assert shade((await stage.draw(None, 0))[0]) == IDLE_SHADE


@virtual
async def test_a_still_of_another_size_comes_back_whole_after_a_blend():
    avatar = Stills(grey(10, 32, 32))
    avatar.crossfade_ms = 160
    stage = await make(avatar)
    await stage.draw(None, 0)
    await stage.draw(AvatarFrame(grey(210)), 40)
    for ms in range(80, 400, 40):
        pixels, _ = await stage.draw(None, ms)
    assert shade(pixels) == 10


@virtual
async def test_a_still_of_another_size_comes_back_after_pictures_of_the_right_size():
    stage = await make(Stills(grey(10, 32, 32)))
    await stage.draw(None, 0)
    await stage.draw(AvatarFrame(grey(210)), 40)
    pixels, _ = await stage.draw(None, 80)
    assert shade(pixels) == 10


@virtual
async def test_drawing_and_generating_may_run_at_once():
    stage = await make()
    frames, (pixels, _) = await asyncio.gather(
        stage.feed(bytes(32 * 40), 16_000, ()), stage.draw(None, 0)
    )
    assert (len(frames), shade(pixels)) == (1, IDLE_SHADE)
