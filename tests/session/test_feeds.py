"""In what form one viewer's pictures go out: made on credit, exact, as small as its link asks."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import InlineExecutor, Performance, SlowExecutor, now, settled, virtual
from wsstream.avatar.base import NOTHING
from wsstream.avatar.portrait import PortraitAvatar
from wsstream.avatar.testcard import TestcardAvatar
from wsstream.media.jpeg import decode_jpeg, encode_jpeg
from wsstream.media.types import Picture, Viseme, VisemeHint
from wsstream.media.video import EncodedVideo
from wsstream.protocol.frames import FrameType, decode_regions
from wsstream.protocol.ladder import QUEUE_BAD_MS
from wsstream.session.feeds import FINE_AFTER_S, KEPT_MS, STILL_S, H264Feed, JpegFeed, make_feed
from wsstream.session.jpeg_rungs import JpegRungs
from wsstream.session.rungs import VideoRungs
from wsstream.transport.base import LinkState

BAD = LinkState(queue_ms=1000.0, rate_bps=300_000)


class Watcher:
    """Takes what a feed has, and shows it."""

    def __init__(self, feed):
        self.feed = feed
        self.taken = []
        self.canvas = None
        self.seq = 0
        feed.on_ready = lambda: None

    async def offer(self, pixels, dirty=None, *, media_ms=None, speaking=False):
        media_ms = self.seq * 40 if media_ms is None else media_ms
        self.shown = Picture(self.seq, media_ms, pixels, speaking, dirty)
        self.seq += 1
        self.feed.offer(self.shown)
        await settled()

    async def want(self):
        self.feed.want()
        await settled()

    def take(self):
        picture = self.feed.take()
        if picture is None:
            return None
        self.taken.append(picture)
        if picture.type is FrameType.VIDEO:
            self.canvas = decode_jpeg(picture.payload)
        elif picture.type is FrameType.VIDEO_PATCH:
            for r in decode_regions(picture.payload):
                jpeg = decode_jpeg(r.jpeg)
                self.canvas[r.y : r.y + r.height, r.x : r.x + r.width] = jpeg
        return picture.type

    async def see(self, pixels, dirty=None, **options):
        """With credit for one. What came of it."""
        await self.want()
        await self.offer(pixels, dirty, **options)
        return self.take()


def face(mouth=0, size=(96, 128)):
    height, width = size
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=2)
    pixels = pixels.astype(np.uint8)
    pixels[50:70, 40:80] = mouth
    return pixels


def watch(patches=True, pool=None):
    rungs = JpegRungs(128, 96, 75, pool or InlineExecutor())
    return Watcher(JpegFeed(rungs, 25, now, patches=patches))


def sharp(canvas, pixels):
    return np.abs(canvas.astype(int) - pixels.astype(int)).mean() < 6


# JPEG and patches.


@virtual
async def test_nothing_is_made_without_credit_and_then_the_newest():
    watcher = watch()
    for mouth in range(5):
        await watcher.offer(face(mouth * 20))
    assert watcher.take() is None
    await watcher.want()
    assert watcher.take() is FrameType.VIDEO
    assert watcher.taken[0].media_ms == 160
    assert watcher.feed.replaced == 4


@virtual
async def test_one_credit_is_one_picture():
    watcher = watch()
    await watcher.want()
    for mouth in range(5):
        await watcher.offer(face(mouth * 20))
        watcher.take()
    assert len(watcher.taken) == 1


@virtual
async def test_first_a_whole_picture_and_then_what_changes():
    watcher = watch()
    types = [await watcher.see(face(mouth)) for mouth in (0, 90, 180)]
    assert types == [FrameType.VIDEO, FrameType.VIDEO_PATCH, FrameType.VIDEO_PATCH]
    assert sharp(watcher.canvas, face(180))


@virtual
async def test_who_knows_no_patches_gets_whole_ones_only():
    watcher = watch(patches=False)
    assert {await watcher.see(face(mouth)) for mouth in range(0, 200, 20)} == {FrameType.VIDEO}


@virtual
async def test_a_patch_tells_of_all_that_changed_since_the_last_one_taken():
    watcher = watch()
    await watcher.see(face())
    pixels = face()
    pixels[:16, :16] = 200
    await watcher.offer(pixels)  # not wanted
    pixels = pixels.copy()
    pixels[80:, 112:] = 30
    assert await watcher.see(pixels) is FrameType.VIDEO_PATCH
    assert sharp(watcher.canvas, pixels)


@virtual
@pytest.mark.parametrize("while_it_is", ["made", "ready", "taken"])
async def test_after_a_refresh_the_next_is_a_whole_picture(while_it_is):
    pool = SlowExecutor(0.01)
    watcher = watch(pool=pool)
    await watcher.want()
    await watcher.offer(face())
    await asyncio.sleep(0.02)
    assert watcher.take() is FrameType.VIDEO
    await watcher.want()
    await watcher.offer(face(90))
    if while_it_is != "made":
        await asyncio.sleep(0.02)
    if while_it_is == "taken":
        watcher.feed.take()  # and lost
        watcher.feed.want()
    watcher.feed.refresh()
    await watcher.offer(face(180))
    await asyncio.sleep(0.05)
    assert watcher.take() is FrameType.VIDEO
    assert sharp(watcher.canvas, face(180))


@virtual
async def test_a_refresh_of_a_still_face_sends_it_again():
    watcher = watch()
    await watcher.see(face())
    watcher.feed.refresh()
    assert await watcher.see(face(), NOTHING) is FrameType.VIDEO


@virtual
async def test_while_it_is_paused_nothing_is_made_or_kept():
    watcher = watch(pool=SlowExecutor(0.01))
    await watcher.want()
    await watcher.offer(face())
    watcher.feed.pause()  # it is being made
    await asyncio.sleep(0.05)
    await watcher.offer(face(90))
    await asyncio.sleep(0.05)
    assert watcher.take() is None
    watcher.feed.refresh()
    await watcher.want()
    await asyncio.sleep(0.05)
    assert watcher.take() is FrameType.VIDEO
    assert sharp(watcher.canvas, face(90))


@virtual
async def test_a_face_that_stands_still_is_confirmed_each_second_and_refined_once():
    watcher = watch()
    await watcher.see(face())
    taken = []
    for n in range(100):
        await asyncio.sleep(0.05)
        if (type := await watcher.see(face(), NOTHING)) is not None:
            taken.append((n * 0.05, type, len(watcher.taken[-1].payload)))
    times, types, sizes = zip(*taken, strict=True)
    assert types[0] is FrameType.VIDEO
    assert set(types[1:]) == {FrameType.VIDEO_PATCH}
    assert set(sizes[1:]) == {4}  # no regions at all
    assert times[0] == pytest.approx(FINE_AFTER_S, abs=0.1)
    assert np.diff(times) == pytest.approx(STILL_S, abs=0.1)
    error = np.abs(watcher.canvas.astype(int) - face()).mean()
    assert error < np.abs(decode_jpeg(encode_jpeg(face(), 75)).astype(int) - face()).mean()


@virtual
async def test_a_slow_link_is_not_filled_with_a_finer_picture():
    watcher = watch()
    await watcher.see(face())
    watcher.feed.judge(LinkState(0.0, 30_000))
    for _ in range(100):
        await asyncio.sleep(0.05)
        await watcher.see(face(), NOTHING)
    assert [picture.type for picture in watcher.taken].count(FrameType.VIDEO) == 1


@virtual
async def test_without_patches_a_still_face_is_sent_each_second():
    watcher = watch(patches=False)
    await watcher.see(face())
    for _ in range(100):
        await asyncio.sleep(0.05)
        await watcher.see(face(), NOTHING)
    assert 4 <= len(watcher.taken) - 1 <= 5


@virtual
async def test_pixels_that_are_the_same_though_nobody_said_so_cost_nothing():
    watcher = watch()
    await watcher.see(face())
    await watcher.want()
    for _ in range(10):
        await asyncio.sleep(0.05)
        await watcher.offer(face())
    assert watcher.take() is None
    await watcher.offer(face(90))
    assert watcher.take() is FrameType.VIDEO_PATCH  # the credit is still there


@virtual
async def test_after_a_change_of_level_the_first_is_whole_and_smaller():
    watcher = watch()
    await watcher.see(face())
    await watcher.see(face(50))
    await asyncio.sleep(5)
    for _ in range(2):
        watcher.feed.judge(BAD)
        await asyncio.sleep(BAD.queue_ms / 1000)
    assert watcher.feed.stats()["level"] > 0
    width, height = watcher.feed.stats()["size"]
    assert await watcher.see(face(90)) is FrameType.VIDEO
    assert watcher.canvas.shape[:2] == (height, width)
    assert await watcher.see(face(120)) is FrameType.VIDEO_PATCH


@virtual
async def test_none_is_larger_than_it_is_shown():
    watcher = watch()
    await watcher.see(face())
    watcher.feed.bound(0.5)
    assert await watcher.see(face(50)) is FrameType.VIDEO
    assert watcher.canvas.shape == (48, 64, 3)
    watcher.feed.bound(0.5)
    assert await watcher.see(face(90)) is FrameType.VIDEO_PATCH


@virtual
async def test_a_picture_that_cannot_be_encoded_is_left_out():
    watcher = watch()
    await watcher.see(face())
    assert await watcher.see(np.zeros((96, 128), np.uint8)) is None
    await watcher.offer(face(90))
    assert watcher.take() is FrameType.VIDEO
    assert sharp(watcher.canvas, face(90))


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(0, 255)),
        st.tuples(st.sampled_from(["want", "take", "lose", "refresh", "pause", "wait"]), st.none()),
        st.tuples(st.just("bound"), st.sampled_from([0.5, 1.0])),
    ),
    max_size=40,
)


@given(EVENTS)
def test_whatever_happens_the_viewer_sees_what_was_sent_and_nothing_stale(events):
    @virtual
    async def check():
        watcher = watch(pool=SlowExecutor(0.01))
        sources = {}

        def take():
            if watcher.take() is not None:
                source = sources[watcher.taken[-1].media_ms]
                if watcher.canvas.shape != source.shape:
                    return
                assert sharp(watcher.canvas, source)

        for kind, value in events:
            if kind == "offer":
                sources[watcher.seq * 40] = face(value)
                await watcher.offer(face(value))
            elif kind == "want":
                await watcher.want()
            elif kind == "take":
                take()
            elif kind == "lose":
                watcher.feed.take()
                watcher.feed.refresh()
            elif kind == "wait":
                await asyncio.sleep(0.02)
            elif kind == "bound":
                watcher.feed.bound(value)
            else:
                getattr(watcher.feed, kind)()

    check()


# What it costs, and how good it is, on the real faces.

WORDS = [Viseme.AA, Viseme.PP, Viseme.OH, Viseme.SS, Viseme.E, Viseme.SIL, Viseme.DD, Viseme.OU]


async def pictures_of(avatar, width, height, seconds, speaking):
    await avatar.start(None, width=width, height=height)
    period_ms = 1000 / avatar.fps
    frames = []
    if speaking:
        n = round(seconds * 16_000)
        sound = 8000 * np.sin(np.arange(n) * 0.08) * (np.sin(np.arange(n) * 0.0015) > -0.5)
        hints = [VisemeHint(k * 110, WORDS[k % len(WORDS)]) for k in range(int(seconds * 9))]
        frames = [*avatar.feed_audio(sound.astype("<i2").tobytes(), 16_000, hints)]
        frames += avatar.flush()
    for n in range(round(seconds * avatar.fps)):
        frame = frames[n] if n < len(frames) else avatar.get_idle_frame(round(n * period_ms))
        pixels, dirty = frame.render(round(n * period_ms))
        yield pixels.copy(), dirty
    await avatar.stop()


async def cost(patches, speaking, seconds=3.0):
    rungs = JpegRungs(1280, 720, 80, InlineExecutor())
    time_s = [0.0]
    watcher = Watcher(JpegFeed(rungs, 20, lambda: time_s[0], patches=patches))
    sizes = []
    avatar = PortraitAvatar(seed=3, fps=20)
    async for pixels, dirty in pictures_of(avatar, 1280, 720, seconds, speaking):
        time_s[0] += 0.05
        media_ms = round(time_s[0] * 1000)
        sizes.append(0)
        if await watcher.see(pixels, dirty, media_ms=media_ms, speaking=speaking) is not None:
            sizes[-1] = len(watcher.taken[-1].payload)
    return sum(sizes[10:])


async def test_patches_of_a_speaking_face_are_a_quarter_and_a_silent_one_costs_a_tenth():
    whole, speaking = await cost(False, True), await cost(True, True)
    silent = await cost(True, False)
    assert speaking <= whole / 4
    assert silent <= speaking / 10


@pytest.mark.parametrize(
    "avatar", [TestcardAvatar(fps=20, beep=False), PortraitAvatar(seed=3, fps=20)]
)
async def test_what_is_patched_together_is_as_good_as_a_whole_picture(avatar):
    rungs = JpegRungs(320, 240, 75, InlineExecutor())
    watcher = Watcher(JpegFeed(rungs, 20, lambda: 0.0, patches=True))
    kinds = []
    async for pixels, dirty in pictures_of(avatar, 320, 240, 3.0, speaking=True):
        kinds.append(await watcher.see(pixels, dirty))
        whole = decode_jpeg(encode_jpeg(pixels, 75))
        assert psnr(watcher.canvas, pixels) >= psnr(whole, pixels) - 0.5
    assert kinds.count(FrameType.VIDEO_PATCH) > len(kinds) / 2


# A patch that is lost, though nobody notices.

HEALED_MS = 2000
HICCUP_MS = 300


def healed_after_ms(taken, first):
    """When from ``taken[first]`` on nothing arrives for a moment: how long after the last picture
    that was lost something is still wrong. ``taken`` are pictures with their sources."""
    (_, shown), (begins, _) = taken[first - 1 : first + 1]
    wrong = np.zeros(shown.shape[:2], bool)
    for picture, pixels in taken[first:]:
        if picture.media_ms < begins.media_ms + HICCUP_MS:
            wrong |= (pixels != shown).any(axis=2)
            shown, lost_ms = pixels, picture.media_ms
            continue
        if picture.type is FrameType.VIDEO:
            wrong[:] = False
        else:
            for r in decode_regions(picture.payload):
                wrong[r.y : r.y + r.height, r.x : r.x + r.width] = False
        if not wrong.any():
            return picture.media_ms - lost_ms
    return None


async def taken_of(shown, fps, rate_bps=None):
    """What a viewer takes of these pictures (pixels, what changed, whether it speaks), and of
    what. On a slow link a still one is not made finer."""
    time_s, taken = [0.0], []
    async for n, (pixels, dirty, speaking) in shown:
        if n == 0:
            height, width = pixels.shape[:2]
            rungs = JpegRungs(width, height, 75, InlineExecutor())
            watcher = Watcher(JpegFeed(rungs, fps, lambda: time_s[0], patches=True))
            watcher.feed.judge(LinkState(0.0, rate_bps))
        time_s[0] = n / fps
        media_ms = round(n * 1000 / fps)
        if await watcher.see(pixels, dirty, media_ms=media_ms, speaking=speaking) is not None:
            taken.append((watcher.taken[-1], pixels))
    return taken


async def portrait(speaking):
    avatar, n = PortraitAvatar(seed=3, fps=20), 0
    async for pixels, dirty in pictures_of(avatar, 320, 240, 12.0, speaking):
        yield n, (pixels, dirty, speaking)
        n += 1


@pytest.mark.parametrize("speaking", [True, False])
async def test_a_patch_that_nobody_noticed_is_lost_is_made_good_within_two_seconds(speaking):
    taken = await taken_of(portrait(speaking), 20)
    until_ms = taken[-1][0].media_ms - HEALED_MS - HICCUP_MS
    losses = [
        n
        for n, (picture, _) in enumerate(taken)
        if picture.type is FrameType.VIDEO_PATCH and picture.media_ms < until_ms
    ]
    assert len(losses) > 20
    healed = [healed_after_ms(taken, n) for n in losses]
    assert None not in healed
    assert max(healed) <= HEALED_MS


async def moves_and_stands_still(fps, also_at_s):
    """The mouth moves once, then something else, and then nothing does."""
    for n in range(round(4 * fps)):
        pixels = face(90 if n / fps >= 1 else 0)
        moved = [1.0]
        if also_at_s is not None and n / fps >= also_at_s:
            pixels[:16, :16] = 0
            moved.append(also_at_s)
        changes = any(at_s <= n / fps < at_s + 1 / fps for at_s in moved)
        yield n, (pixels, None if changes else NOTHING, False)


@pytest.mark.parametrize("fps", [15, 25])
@pytest.mark.parametrize("also_at_s", [None, 1.4, 1.7, 1.79, 1.99, 2.05])
async def test_so_it_is_when_the_face_stands_still_from_then_on(fps, also_at_s):
    """What moves meanwhile puts off the picture that each second brings."""
    taken = await taken_of(moves_and_stands_still(fps, also_at_s), fps, rate_bps=30_000)
    lost = next(n for n, (picture, _) in enumerate(taken) if picture.media_ms >= 1000)
    assert taken[lost][0].type is FrameType.VIDEO_PATCH
    assert healed_after_ms(taken, lost) <= HEALED_MS


def psnr(a, b):
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


# H.264.


class FakeTaker:
    """A subscription to nothing: the test delivers."""

    level, bitrate, paused = 0, 1000, False

    def __init__(self):
        self.told = []

    def subscribe(self, codec, deliver, ready=None, after_ms=-1):
        self.codec, self.deliver, self.ready = codec, deliver, ready
        return self

    def __getattr__(self, name):
        return lambda *args: self.told.append((name, *args) if args else name)


def video(n, key=False):
    return EncodedVideo(n * 40, bytes(5000 if key else 500), key)


def h264():
    """By a clock that goes two seconds each time it is looked at."""
    taker = FakeTaker()
    return taker, H264Feed(taker, 25, itertools.count(0.0, 2.0).__next__)


def test_it_begins_with_a_key_picture_that_is_asked_for_on_credit():
    taker, feed = h264()
    assert not taker.ready()
    taker.deliver(video(0))
    assert feed.take() is None
    feed.want()
    assert (taker.ready(), taker.told) == (True, ["request_key", "poke"])
    taker.deliver(video(1))
    assert feed.take() is None
    taker.deliver(video(2, key=True))
    assert feed.take().type is FrameType.VIDEO_H264_KEY
    assert not taker.ready()
    feed.want()
    taker.deliver(video(3))
    assert feed.take().type is FrameType.VIDEO_H264


def test_a_moment_without_credit_costs_nothing():
    """What was made meanwhile, for others, comes in its turn: a key picture, on which others wait
    for half a second, is not needed."""
    taker, feed = h264()
    told = []
    feed.on_ready = lambda: told.append("ready")
    for n in range(4):
        taker.deliver(video(n, key=n == 0))
    assert feed.take() is None
    taken = []
    for _ in range(4):
        feed.want()
        feed.want()  # nothing, while there is one to take
        taken.append(feed.take().media_ms // 40)
    assert taken == [0, 1, 2, 3]
    assert told == ["ready"] * 4
    feed.want()
    assert taker.told == ["poke"]
    taker.deliver(video(4))
    assert feed.take().media_ms == 160
    assert feed.replaced == 0


def test_what_is_kept_is_bounded_and_after_it_only_a_key_picture_opens_again():
    taker, feed = h264()
    feed.want()
    taker.deliver(video(0, key=True))
    feed.take()
    most = KEPT_MS // 40 + 1
    for n in range(1, most + 2):
        taker.deliver(video(n))
    assert feed.replaced == most + 1
    feed.want()
    assert taker.told[-2:] == ["request_key", "poke"]  # or it would wait for seconds
    taker.deliver(video(most + 2))
    assert feed.take() is None
    taker.deliver(video(most + 3, key=True))
    assert feed.take().media_ms == (most + 3) * 40
    assert feed.replaced == most + 2


@pytest.mark.parametrize("act", [lambda feed: feed.bound(0.5), lambda feed: feed.judge(BAD)])
def test_what_is_kept_holds_up_no_other_level(act):
    taker, feed = h264()
    taker.deliver(video(0, key=True))
    taker.deliver(video(1))
    for _ in range(3):
        act(feed)
    feed.want()
    assert taker.ready()  # for the other level's key picture
    assert feed.replaced == 2


def test_a_key_picture_makes_what_is_kept_before_it_needless():
    taker, feed = h264()
    taker.deliver(video(0, key=True))
    taker.deliver(video(1))
    taker.deliver(video(2, key=True))
    feed.want()
    assert feed.take().media_ms == 80
    assert feed.replaced == 2


def test_one_that_waits_is_not_replaced():
    taker, feed = h264()
    feed.want()
    taker.deliver(video(0, key=True))
    feed.want()
    taker.deliver(video(1))
    assert feed.take().media_ms == 0
    feed.want()
    assert feed.take().media_ms == 40


def test_what_a_refresh_or_a_pause_drops_is_followed_by_a_key_picture():
    for call in ("refresh", "pause"):
        taker, feed = h264()
        feed.want()
        taker.deliver(video(0, key=True))
        getattr(feed, call)()
        assert feed.take() is None
        feed.want()
        assert "request_key" in taker.told
        taker.deliver(video(1))
        assert feed.take() is None
        taker.deliver(video(2, key=True))
        assert feed.take().type is FrameType.VIDEO_H264_KEY


def test_paused_it_counts_nothing_of_what_is_made_for_others():
    taker, feed = h264()
    feed.pause()
    for n in range(50):
        taker.deliver(video(n, key=n % 10 == 0))
    assert feed.replaced == 0
    feed.want()
    taker.deliver(video(50, key=True))
    assert feed.take().media_ms == 2000


def test_it_moves_to_the_level_its_link_carries_and_no_larger_than_shown():
    taker, feed = h264()
    feed.want()
    taker.deliver(video(0, key=True))
    for _ in range(3):
        feed.judge(BAD)
    assert ("move", 4) in taker.told
    feed.bound(0.5)
    assert taker.told[-1] == ("bound", 0.5)
    feed.close()
    assert taker.told[-1] == "close"


@given(st.lists(st.sampled_from(["want", "take", "P", "key", "refresh", "pause"]), max_size=60))
def test_whatever_happens_each_picture_follows_the_one_it_depends_on(events):
    taker, feed = h264()
    made, last, lost = 0, None, False
    for event in events:
        if event in ("P", "key"):
            taker.deliver(video(made, key=event == "key"))
            made += 1
        elif event == "take":
            if (picture := feed.take()) is not None:
                n = picture.media_ms // 40
                key = picture.type is FrameType.VIDEO_H264_KEY
                assert key or (n - 1 == last and not lost)
                last, lost = n, False
        else:
            lost |= event == "refresh"
            getattr(feed, event)()


@virtual
async def test_a_rung_of_ones_own_encodes_only_on_credit_and_leaves_nothing_out():
    rungs = VideoRungs(64, 48, 25, now, pool=InlineExecutor())
    watcher = Watcher(H264Feed(rungs, 25, now))
    for n in range(30):
        rungs.offer(Picture(n, n * 40, face(n * 5, (48, 64))))
        if n % 3 == 0:
            await watcher.want()
        await asyncio.sleep(0.04)
        watcher.take()
    assert len(watcher.taken) == rungs.counters()["video_encoded"] == 10
    assert watcher.taken[0].type is FrameType.VIDEO_H264_KEY
    assert {p.type for p in watcher.taken[1:]} == {FrameType.VIDEO_H264}
    assert [p.media_ms for p in watcher.taken] == [n * 40 for n in range(0, 30, 3)]
    rungs.close()


@virtual
async def test_after_a_change_of_level_the_first_picture_is_a_key_picture_without_a_gap():
    rungs = VideoRungs(64, 48, 25, now, pool=InlineExecutor())
    watcher = Watcher(H264Feed(rungs, 25, now))
    for n in range(60):
        await watcher.want()
        rungs.offer(Picture(n, n * 40, face(n * 4, (48, 64))))
        await asyncio.sleep(0.04)
        watcher.take()
        if n in (20, 25, 30):
            watcher.feed.judge(LinkState(QUEUE_BAD_MS + 1, None))
    assert len(watcher.taken) >= 59
    assert rungs.counters()["video_encoded"] == len(watcher.taken)  # the old rung made no more
    keys = [p.media_ms for p in watcher.taken if p.type is FrameType.VIDEO_H264_KEY]
    assert len(keys) == 2
    assert keys[1] <= 33 * 40
    assert watcher.feed.stats()["level"] > 0
    rungs.close()


# Which one.


@virtual
@pytest.mark.parametrize("codec", ["jpeg", "patch", "h264"])
async def test_each_form_has_its_feed(codec):
    async with Performance() as perf:
        feed = make_feed(perf.session, codec)
        assert feed.codec == feed.stats()["codec"] == codec
        feed.close()
        feed.close()


@virtual
async def test_a_small_start_is_followed_by_a_whole_picture_of_full_size(monkeypatch):
    monkeypatch.setattr("wsstream.session.feeds.START_BYTES", 300)
    rungs = JpegRungs(128, 96, 75, InlineExecutor())
    watcher = Watcher(JpegFeed(rungs, 25, now, patches=True, start_small=True))
    assert await watcher.see(face()) is FrameType.VIDEO
    assert watcher.canvas.shape == (48, 64, 3)
    assert await watcher.see(face(1)) is FrameType.VIDEO
    assert watcher.canvas.shape == (96, 128, 3)
    assert await watcher.see(face(2)) is FrameType.VIDEO_PATCH
