"""One encoding of a session's pictures to H.264 or VP8, for all who take it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Protocol

from ..avatar.base import NOTHING
from ..media.buffers import LatestSlot
from ..media.types import Picture
from ..media.video import COARSER, Codec, EncodedVideo, VideoEncoder
from ..protocol.flow import TokenBucket
from .pool import on_pool

logger = logging.getLogger(__name__)

KEY_GAP_S = 0.5
"""Key pictures on demand come at most this often, whoever asks: they cost ten others."""
SHARED_KEYS_PER_S, SHARED_KEYS_BURST = 0.5, 6.0
"""And where others get them as well, no more often: one viewer that asks again and again, or a
crowd that comes one by one, does not cost all of them twice the bytes."""
STILL_S = 0.2
"""How often a picture that has not changed is sent all the same."""


class Taker(Protocol):
    """Who takes a rung's pictures."""

    paused: bool
    """Whether it has no use for any just now."""

    @property
    def tries(self) -> bool:
        """Whether pictures are wanted that have not changed, too: they are padded."""

    def ready(self, rung: VideoRung) -> bool:
        """Whether it would take one of this rung's now."""

    def on_key(self, rung: VideoRung, media_ms: int | None) -> None:
        """The picture of this time is being made, as a key picture; ``None``: it was none."""

    def on_video(self, rung: VideoRung, video: EncodedVideo) -> None: ...


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the ladder, relative to the best."""

    rate: float
    scale: float
    coarser: int
    """A face seldom needs the rate it may take: a level below is one in quality, too."""

    def share(self, bound: float) -> float:
        """Of a face's bytes at the best quality and full size, none being larger than ``bound``
        times it."""
        return float(min(self.scale, bound) * COARSER**self.coarser)


LEVELS = (
    Level(1, 1, 0),
    Level(0.6, 1, 1),
    Level(0.35, 0.75, 1),
    Level(0.2, 0.5, 1),
    Level(0.1, 0.5, 2),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A session's picture, and the bits per second its best encoding takes."""

    width: int
    height: int
    fps: float
    bitrate: int


class VideoRung:
    """One codec at one level, with an encoder of its own."""

    def __init__(
        self,
        codec: Codec,
        level: int,
        bound: float,
        shape: Shape,
        now: Callable[[], float],
        pool: Executor,
    ) -> None:
        """No larger than ``bound`` times the session's picture. Encodes in the pool's threads, one
        picture at a time."""
        self.codec, self.level, self.bound = codec, level, bound
        scale = min(LEVELS[level].scale, bound)
        self.width, self.height = _even(shape.width * scale), _even(shape.height * scale)
        # A picture that is small because it is shown small keeps its quality.
        self.bitrate = round(shape.bitrate * LEVELS[level].rate * min(1.0, 1.5 * bound**2))
        self.encoded = self.keys = self.failures = 0
        self._fps = shape.fps
        self._now = now
        self._takers: set[Taker] = set()
        self._slot: LatestSlot[Picture] = LatestSlot()
        self._changed = True
        self._encoded_at = self._key_at = -1e9
        self._encoded_ms = -1
        self._key_wanted = True
        self._makes_key = False
        self._shared_keys = TokenBucket(SHARED_KEYS_PER_S, SHARED_KEYS_BURST)
        self._encoder: VideoEncoder | None = None
        self._pool = pool
        self._closed = False
        self._job: Future[EncodedVideo | None] | None = None

    def add(self, taker: Taker) -> None:
        """One more. Its first picture is a key picture."""
        self._takers.add(taker)
        self._key_wanted = True

    def has(self, taker: Taker) -> bool:
        """Whether it is one of those who take this rung."""
        return taker in self._takers

    def discard(self, taker: Taker) -> bool:
        """One less. Whether there is none left."""
        self._takers.discard(taker)
        return not self._takers

    def request_key(self) -> None:
        """The next picture is to be a key picture, as soon as ``KEY_GAP_S`` allows."""
        self._key_wanted = True

    def offer(self, picture: Picture) -> None:
        """The newest picture; it replaces one that is not being encoded yet."""
        if picture.media_ms <= self._encoded_ms:
            return  # again, for one more taker
        self._changed |= picture.dirty != NOTHING
        self._slot.put(picture)
        if self._job is None:
            self._encode_next()

    def poke(self) -> None:
        """One of the takers is ready now."""
        if self._job is None:
            self._encode_next()

    def close(self) -> None:
        """Free the encoder, as soon as it has ended what it does."""
        self._closed = True
        self._takers.clear()
        self._slot.take()
        self._free()

    def _encode_next(self) -> None:
        if not self._slot or not any(taker.ready(self) for taker in self._takers):
            return
        now = self._now()
        key = self._key_wanted and self._may_make_key(now)
        if not (self._changed or key or now - self._encoded_at >= STILL_S or self._is_tried):
            return
        picture = self._slot.take()
        assert picture is not None
        self._encoded_ms = picture.media_ms
        self._changed = False
        self._encoded_at = now
        if key:
            self._key_wanted, self._key_at = False, now
            for taker in self._takers:
                taker.on_key(self, picture.media_ms)
        self._makes_key = key
        self._job = on_pool(self._pool, self._done, self._encode, picture, key)

    def _may_make_key(self, now: float) -> bool:
        if now - self._key_at < KEY_GAP_S:
            return False
        shared = sum(not taker.paused for taker in self._takers) > 1
        return not shared or self._shared_keys.take(now)

    @property
    def _is_tried(self) -> bool:
        return any(taker.tries for taker in self._takers)

    def _encode(self, picture: Picture, key: bool) -> EncodedVideo | None:
        if self._encoder is None:
            coarser = LEVELS[self.level].coarser
            self._encoder = VideoEncoder(
                self.codec, self.width, self.height, self._fps, self.bitrate, coarser
            )
        return self._encoder.encode(picture.pixels, picture.media_ms, key=key)

    def _done(self, job: Future[EncodedVideo | None]) -> None:
        self._job = None
        self._free()
        if job.cancelled() or self._closed:
            return
        if (error := job.exception()) is not None:
            self.failures += 1
            self._miss_key()
            logger.error("a %s picture could not be encoded: %s", self.codec, error)
        elif (video := job.result()) is not None:
            self.encoded += 1
            self.keys += video.key
            for taker in tuple(self._takers):
                taker.on_video(self, video)
        elif self._makes_key:  # the encoder left it out
            self._miss_key()
        if self._slot and self._takers:
            self._encode_next()

    def _miss_key(self) -> None:
        self._key_wanted = True
        for taker in tuple(self._takers):  # one may give it up
            taker.on_key(self, None)

    def _free(self) -> None:
        if self._closed and self._job is None and self._encoder is not None:
            self._encoder.close()
            self._encoder = None


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
