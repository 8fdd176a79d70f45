"""In what form one viewer's pictures go out on its socket: whole JPEGs, patches, or H.264.

A feed has a picture made when there is credit for one, never before: what is made is the newest. It
chooses the level that the link carries. What is made for others as well comes unasked; a little of
it is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from ..avatar.base import NOTHING
from ..media.types import Picture
from ..media.video import EncodedVideo
from ..protocol.frames import FrameType, encode_regions
from ..protocol.ladder import RateLadder
from ..protocol.messages import VideoCodec
from ..transport.base import EncodedPicture, LinkState, PictureFeed, Subscription
from .jpeg_rungs import JPEG_LEVELS, Encoded, JpegRungs
from .rungs import VideoRungs
from .session import Session
from .video_rung import LEVELS

logger = logging.getLogger(__name__)

STILL_S = 1.0
"""A picture that has not changed is sent again after so long: nobody is to take it for a break."""
FINE_AFTER_S = 1.0
"""A picture that has not changed for so long is sent once more, at a higher quality."""
FINE_COST, FINE_ON_LINK_S = 3.0, 0.2
"""Its bytes relative to a usual whole picture's, and for how long they may fill the link."""
START_BYTES = 9000
"""Of a first picture that is to come soon: TCP sends ten segments, about 14 KB, before it has to
wait for a round trip (RFC 6928), of which three are answers and a welcome. A whole 720p picture has
60 KB."""
KEPT_MS = 150
"""H.264 that is made for others as well goes on while there is no credit for it. So much of it is
kept: with less, a browser that is busy for a moment would wait for the next key picture."""
_MEAN_OVER = 0.1


class JpegFeed(PictureFeed):
    """Whole JPEGs, or with ``patches`` whole ones and what changes."""

    def __init__(
        self,
        rungs: JpegRungs,
        fps: float,
        now: Callable[[], float],
        *,
        patches: bool = False,
        start_small: bool = False,
    ) -> None:
        """``start_small``: the first picture is one that fits the first flight of a connection."""
        super().__init__()
        self._rungs = rungs
        self._now = now
        self._patches = patches
        self.codec: VideoCodec = "patch" if patches else "jpeg"
        self._ladder = RateLadder([level.cost for level in JPEG_LEVELS], fps, now())
        self._bound = 1.0
        self._starting = start_small
        self._rung = rungs.at(rungs.level_within(START_BYTES) if start_small else 0)
        self._picture: Picture | None = None
        self._job: asyncio.Future[Encoded | None] | None = None
        self._making: Picture | None = None
        self._ready: EncodedPicture | None = None
        self._since: int | None = None
        self._changed = True
        self._fine = False
        self._sent_at = self._changed_at = now()
        self._mean_bytes = self._whole_bytes = 0.0
        self._rate_bps: float | None = None

    def offer(self, picture: Picture) -> None:
        self.replaced += self._picture is not None
        self._picture = picture
        if picture.dirty != NOTHING:
            self._changed, self._fine = True, False
            self._changed_at = self._now()
        self._make()

    def want(self) -> None:
        if self._ready is None:
            self.wanted = True
            self._make()

    @property
    def levels_left(self) -> int:
        return len(JPEG_LEVELS) - 1 - self._ladder.level

    def take(self) -> EncodedPicture | None:
        ready, self._ready = self._ready, None
        if ready is not None and self._starting:
            self._starting = False
            self._choose()
        return ready

    def pause(self) -> None:
        self.refresh()
        self._picture = None
        self.wanted = False

    def refresh(self) -> None:
        self.wanted |= self._ready is not None  # what credit there was for it goes on
        self._since = self._making = self._ready = None
        self._changed, self._fine = True, False

    def bound(self, scale: float) -> None:
        if scale != self._bound:
            self._bound = scale
            self._choose()

    def judge(self, link: LinkState) -> None:
        self._rate_bps = link.rate_bps
        size = self._mean_bytes or 1.0
        if self._ladder.judge(link.queue_ms, link.rate_bps, size, self._now()):
            self._choose()

    def close(self) -> None:
        self.pause()

    def stats(self) -> dict[str, Any]:
        rung = self._rung
        return {
            "codec": self.codec,
            "level": self._ladder.level,
            "size": [rung.width, rung.height],
            "quality": rung.quality,
            "steps": self._ladder.steps,
        }

    def _choose(self) -> None:
        rung = self._rungs.at(self._ladder.level, self._bound)
        if rung is not self._rung:
            self._rung = rung
            self._mean_bytes = 0.0
            self.refresh()

    def _make(self) -> None:
        picture, now = self._picture, self._now()
        if not self.wanted or picture is None or self._job is not None or self._ready:
            return
        fine = self._may_refine and not self._fine and now - self._changed_at > FINE_AFTER_S
        if not (self._changed or fine or now - self._sent_at >= STILL_S):
            self._picture = None  # nothing new in it
            return
        self._picture, self._changed = None, False
        if fine:
            self._fine = True
            self._job = self._rung.fine(picture)
        elif self._patches and self._since is not None:
            self._job = self._rung.patch(picture, self._since)
        else:
            self._job = self._rung.whole(picture)
        self._making = picture
        self._job.add_done_callback(self._made)

    @property
    def _may_refine(self) -> bool:
        bits = self._whole_bytes * FINE_COST * 8
        return self._patches and (self._rate_bps is None or bits < self._rate_bps * FINE_ON_LINK_S)

    def _made(self, job: asyncio.Future[Encoded | None]) -> None:
        picture, self._job, self._making = self._making, None, None
        if job.cancelled():
            return
        if (error := job.exception()) is not None:
            logger.error("a picture could not be encoded: %s", error)
            self.refresh()
            return
        encoded = job.result()
        if picture is None:  # meanwhile asked to begin anew
            self._make()
            return
        self._since = picture.seq
        if encoded is None and self._now() - self._sent_at >= STILL_S:
            encoded = FrameType.VIDEO_PATCH, encode_regions([])
        if encoded is None:
            self._make()
            return
        self.wanted = False
        self._sent_at = self._now()
        type, payload = encoded
        self._ready = EncodedPicture(type, picture.media_ms, payload)
        if type is FrameType.VIDEO and not self._fine:
            self._whole_bytes = len(payload)
        if type is not FrameType.VIDEO or not self._patches:
            mean = self._mean_bytes or len(payload)
            self._mean_bytes = mean + (len(payload) - mean) * _MEAN_OVER
        self.on_ready()


class H264Feed(PictureFeed):
    """H.264 in Annex B, from the same rungs as WebRTC's.

    Nothing is left out in the middle: after a picture that was not sent, nothing goes out until the
    next key picture. A rung that only this viewer takes makes pictures only when there is credit,
    so that nothing has to be left out; of one that others take too, a few wait for it.
    """

    codec: VideoCodec = "h264"

    def __init__(
        self, rungs: VideoRungs, fps: float, now: Callable[[], float], *, after_ms: int = -1
    ) -> None:
        """The viewer has had pictures up to ``after_ms``: it can be sent none of that time."""
        super().__init__()
        self._rungs = rungs
        self._now = now
        self._ladder = RateLadder([level.share(1) for level in LEVELS], fps, now())
        self._waiting: EncodedVideo | None = None
        self._kept: deque[EncodedVideo] = deque()
        self._needs_key = True
        self._scale = 1.0
        self._mean_bytes = 0.0
        self._taker: Subscription = rungs.subscribe("h264", self._on_video, self._ready, after_ms)

    def offer(self, picture: Picture) -> None:
        """Nothing: the rung gets it."""

    def want(self) -> None:
        self._taker.paused = False
        if self.wanted or self._waiting is not None:
            return
        if self._kept:
            self._let_go(self._kept.popleft())
        else:
            self.wanted = True
            self._ask()

    @property
    def levels_left(self) -> int:
        return len(LEVELS) - 1 - self._ladder.level

    def take(self) -> EncodedPicture | None:
        video, self._waiting = self._waiting, None
        if video is None:
            return None
        type = FrameType.VIDEO_H264_KEY if video.key else FrameType.VIDEO_H264
        return EncodedPicture(type, video.media_ms, video.data)

    def pause(self) -> None:
        self._taker.paused = True
        self._waiting = None
        self.wanted = False
        self._gate()

    def refresh(self) -> None:
        self.wanted |= self._waiting is not None  # what credit there was for it goes on
        self._waiting = None
        self._gate()
        if self.wanted:
            self._ask()

    def bound(self, scale: float) -> None:
        if scale != self._scale:
            self._scale = scale
            self._taker.bound(scale)
            self._forget_kept()

    def judge(self, link: LinkState) -> None:
        size, before = self._mean_bytes or 1.0, self._ladder.level
        if self._ladder.judge(link.queue_ms, link.rate_bps, size, self._now()):
            level = self._ladder.level
            self._mean_bytes *= LEVELS[level].share(1) / LEVELS[before].share(1)
            self._taker.move(level)
            self._forget_kept()

    def close(self) -> None:
        self._taker.close()
        self._waiting = None
        self._kept.clear()

    def stats(self) -> dict[str, Any]:
        return {
            "codec": self.codec,
            "level": self._taker.level,
            "kbps": self._taker.bitrate // 1000,
            "steps": self._ladder.steps,
        }

    def _ready(self) -> bool:
        return self.wanted

    def _ask(self) -> None:
        """There is credit. A key picture is asked for only now: one that comes before would have to
        be left out as well, and nothing would ask again."""
        if self._needs_key:
            self._taker.request_key()
        self._taker.poke()

    def _on_video(self, video: EncodedVideo) -> None:
        if self._taker.paused:  # it is made for others
            return
        if self._needs_key and not video.key:
            self.replaced += 1
            return
        if video.key:
            self._gate()
            self._needs_key = False
        if self.wanted:
            self._let_go(video)
            return
        self._kept.append(video)
        if video.media_ms - self._kept[0].media_ms > KEPT_MS:
            self._gate()

    def _forget_kept(self) -> None:
        """Another level begins with a key picture, which has to wait for no other."""
        if self._kept:
            self._gate()

    def _gate(self) -> None:
        """What is kept is needless, and nothing goes out until the next key picture."""
        self.replaced += len(self._kept)
        self._kept.clear()
        self._needs_key = True

    def _let_go(self, video: EncodedVideo) -> None:
        self.wanted = False
        size = len(video.data)
        mean = self._mean_bytes or size
        self._mean_bytes = mean + (size - mean) * _MEAN_OVER
        self._waiting = video
        self.on_ready()


def make_feed(session: Session, codec: VideoCodec, *, start_small: bool = False) -> PictureFeed:
    """One viewer's pictures of a session, in this form."""
    fps, now = session.agent.fps, session.now
    if codec == "h264":
        after_ms = session.picture.media_ms if session.picture else -1
        return H264Feed(session.video, fps, now, after_ms=after_ms)
    return JpegFeed(session.jpegs, fps, now, patches=codec == "patch", start_small=start_small)
