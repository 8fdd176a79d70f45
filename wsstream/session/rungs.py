"""A session's video encodings: each made once, however many take it, and not at all while nobody
does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from ..media.filler import fill
from ..media.types import Picture
from ..media.video import Codec, EncodedVideo
from ..protocol.arrivals import Arrivals
from ..protocol.report_ladder import ReportLadder
from ..transport.base import Deliver, Subscription
from .video_rung import LEVELS, Shape, VideoRung

TOP_BITS_PER_PIXEL = 0.06
SPARE_S = 10.0
"""An encoder that nobody takes any more is kept so long, the last one of a session's, for a viewer
who comes back: one that changes its transport again and again would have as many made, of 6 to 9 MB
each, which leaves holes in the heap."""
NEVER = 1 << 63
TRIES = 3
"""A rung that fails so often is not waited for."""
USED = 0.8
"""Of the bits per second that an encoding may take, it takes about so much where it has to save."""
DRAIN_MIN_S, DRAIN_MAX_S = 0.1, 0.4
"""A queue of at least so long, and at most, is let run empty before a step down's first picture is
made: that one is large, and what is sent now would only be late."""


class VideoRungs:
    """All of a session's. ``now`` gives monotonic seconds."""

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        now: Callable[[], float],
        *,
        pool: Executor,
        bitrate: int = 0,
    ) -> None:
        """``pool`` encodes; ``bitrate`` is that of the best encoding, in bits per second; 0: what
        the size asks for."""
        self.now = now
        self._pool = pool
        top = bitrate or round(width * height * fps * TOP_BITS_PER_PIXEL)
        self._shape = Shape(width, height, fps, top)
        self._rungs: dict[tuple[Codec, int, float], VideoRung] = {}
        self.closed = False
        self._spare: VideoRung | None = None
        self._spare_timer: asyncio.TimerHandle | None = None
        self._newest: Picture | None = None
        self._past = {"video_encoded": 0, "video_keys": 0, "video_failures": 0}

    def subscribe(
        self,
        codec: Codec,
        deliver: Deliver,
        ready: Callable[[], bool] | None = None,
        after_ms: int = -1,
        level: int = 0,
        bound: float = 1.0,
    ) -> Subscription:
        """Have pictures delivered that are newer than ``after_ms``, beginning with a key picture of
        ``level``, none larger than ``bound`` times the session's. While nobody who takes a rung is
        ``ready``, it makes none."""
        return _Taker(self, codec, deliver, ready, after_ms, level, bound)

    def offer(self, picture: Picture) -> None:
        """A released picture."""
        self._newest = picture
        for rung in self._rungs.values():
            rung.offer(picture)

    def close(self) -> None:
        """Free everything."""
        self.closed = True
        self._keep(None)
        for rung in tuple(self._rungs.values()):
            self._retire(rung)

    def take(self, codec: Codec, level: int, bound: float, taker: _Taker) -> VideoRung:
        """Join a rung; made when there is none yet."""
        rung = self._rungs.get((codec, level, bound))
        if rung is None:
            rung = VideoRung(codec, level, bound, self._shape, self.now, self._pool)
            self._rungs[_key(rung)] = rung
        elif rung.has(taker):
            return rung
        if rung is self._spare:
            self._keep(None, retire=False)
        rung.add(taker)
        if self._newest is not None and self._newest.media_ms > taker.delivered_ms:
            rung.offer(self._newest)
        return rung

    def release(self, rung: VideoRung, taker: _Taker) -> None:
        """Leave it. When nobody is left it is the spare one, unless it fails."""
        if not rung.discard(taker) or self._rungs.get(_key(rung)) is not rung:
            return
        if rung.failures:
            self._retire(rung)
        elif rung is not self._spare:
            self._keep(rung)

    def counters(self) -> dict[str, int]:
        """By the names ``/metrics`` has."""
        counts = dict(self._past)
        for rung in self._rungs.values():
            _count(counts, rung)
        return counts

    def stats(self) -> list[dict[str, object]]:
        """The rungs that are being encoded, for people."""
        return [
            {
                "codec": rung.codec,
                "size": [rung.width, rung.height],
                "kbps": rung.bitrate // 1000,
                "encoded": rung.encoded,
                "keys": rung.keys,
            }
            for rung in self._rungs.values()
            if rung is not self._spare
        ]

    def _keep(self, rung: VideoRung | None, *, retire: bool = True) -> None:
        """That one is the spare one now, for a while; the last one was."""
        last, self._spare = self._spare, rung
        if self._spare_timer is not None:
            self._spare_timer.cancel()
            self._spare_timer = None
        if rung is not None:
            loop = asyncio.get_running_loop()
            self._spare_timer = loop.call_later(SPARE_S, self._keep, None)
        if last is not None and retire:
            self._retire(last)

    def _retire(self, rung: VideoRung) -> None:
        del self._rungs[_key(rung)]
        rung.close()
        _count(self._past, rung)


class _Taker(Subscription):
    """One subscriber: on which level, by what its link carries."""

    def __init__(
        self,
        rungs: VideoRungs,
        codec: Codec,
        deliver: Deliver,
        ready: Callable[[], bool] | None,
        after_ms: int,
        level: int,
        bound: float,
    ) -> None:
        self._ready = ready
        self._rungs = rungs
        self._codec: Codec = codec
        self._deliver = deliver
        self._scale = bound
        self._reports = ReportLadder(len(LEVELS), self._needs, rungs.now(), level)
        self._arrivals = Arrivals()
        self.delivered_ms = after_ms
        self._until_ms = NEVER
        """Up to which the present rung's pictures are taken, while the next one's key is made."""
        self._needs_key = True
        """One was left out: what refers to it is of no use."""
        self._drain: asyncio.TimerHandle | None = None
        self._drain_to = 0
        self._next: VideoRung | None = None
        self._rung = rungs.take(codec, level, self._scale, self)

    @property
    def bitrate(self) -> int:
        return self._rung.bitrate

    @property
    def level(self) -> int:
        return self._rung.level

    @property
    def levels_left(self) -> int:
        return len(LEVELS) - 1 - self._reports.level

    @property
    def needs_key(self) -> bool:
        return self._drain is not None or self._needs_key

    def request_key(self) -> None:
        if self._drain is None:  # else one comes anyway, and is not to come before
            self._needs_key |= self._next is not None  # should that one never come
            (self._next or self._rung).request_key()

    def on_estimate(self, bitrate: int) -> None:
        if self._reports.on_estimate(bitrate, self._rungs.now()):
            self._follow_reports()

    def on_loss(self, fraction: float, packets: int) -> None:
        if self._reports.on_loss(fraction, packets, self._rungs.now()):
            self._follow_reports()

    def on_round_trip(self, seconds: float) -> None:
        if self._reports.on_round_trip(seconds, self._rungs.now()):
            self._follow_reports()

    def on_arrivals(self, pictures: Sequence[tuple[int, float]]) -> None:
        now, estimate = self._rungs.now(), self._arrivals.estimate
        came = [
            estimate.queue_ms / 1000
            for timestamp_ms, at_ms in pictures
            if self._arrivals.came(timestamp_ms, at_ms, now)
        ]
        # A picture that had to be sent again is late by itself; in a queue they all are.
        grown = estimate.may_have_grown
        if came and self._reports.on_arrivals(
            min(came), estimate.rate_bps, now, may_have_grown=grown
        ):
            self._follow_reports()

    @property
    def tries(self) -> bool:
        return self._reports.tries

    def ready(self, rung: VideoRung) -> bool:
        """Who takes pictures one by one takes none of the old rung's while the new one's first is
        awaited: there would be no room for it. Unless the new one fails."""
        if self._ready is None:
            return True
        coming = self._next is not None and not self._next.failures
        return self._ready() and (not coming or rung is self._next)

    def on_key(self, rung: VideoRung, media_ms: int | None) -> None:
        if rung is not self._next:
            return
        if media_ms is None:
            self._stay(give_up=rung.failures >= TRIES)
            if self._needs_key:
                self._rung.request_key()
        elif media_ms > self.delivered_ms:
            self._until_ms = media_ms
        else:  # of a picture that was delivered already: not that one
            rung.request_key()

    def on_video(self, rung: VideoRung, video: EncodedVideo) -> None:
        """From a rung. The old one goes on until the new one's key picture is there, and is newer
        than all that was delivered."""
        if rung is self._next and video.key:
            if video.media_ms > self.delivered_ms:
                self._rungs.release(self._rung, self)
                self._rung, self._next = rung, None
                self._until_ms, self._needs_key = NEVER, False
                self._reports.forget_sent(self._rungs.now())
            else:
                rung.request_key()
        if rung is not self._rung:
            return
        if self._drain is not None or video.media_ms >= self._until_ms:
            self._needs_key = True
        elif video.key or not self._needs_key:
            self._needs_key = False
            self.delivered_ms = video.media_ms
            now = self._rungs.now()
            if more := self._reports.sent(len(video.data), now):
                video = fill(video, self._codec, more)
            self._arrivals.sent(video.media_ms, len(video.data), now)
            self._deliver(video)

    def poke(self) -> None:
        for rung in (self._rung, self._next):
            if rung is not None:
                rung.poke()

    def move(self, level: int) -> None:
        self._stay(give_up=True)
        if self._rungs.closed:
            return
        self._next = self._rungs.take(self._codec, level, self._scale, self)
        if self._next is self._rung:
            self._next = None
            if self._needs_key:
                self._rung.request_key()

    def bound(self, scale: float) -> None:
        if scale != self._scale:
            self._scale = scale
            self._reports.forget_sent(self._rungs.now())
            self.move((self._next or self._rung).level if self._drain is None else self._drain_to)

    def close(self) -> None:
        self._stay(give_up=True)
        self._rungs.release(self._rung, self)

    def _stay(self, *, give_up: bool) -> None:
        """The present rung's pictures are taken again; ``give_up``: and no other's are awaited."""
        if give_up and self._drain is not None:
            self._drain.cancel()
            self._drain = None
        if give_up and self._next is not None:
            self._rungs.release(self._next, self)
            self._next = None
        self._until_ms = NEVER

    def _move_after(self, level: int, seconds: float) -> None:
        """Deliver nothing for so long, then go to that level."""
        self._stay(give_up=True)
        self._drain_to = level
        self._drain = asyncio.get_running_loop().call_later(seconds, self._drained)

    def _drained(self) -> None:
        self._drain = None
        self.move(self._drain_to)

    def _follow_reports(self) -> None:
        """A queue that is there already is let run empty, but for a step up that never came: what
        was not sent has not filled it."""
        level, queue_s = self._reports.level, self._reports.queue_s
        up = level < (self._next or self._rung).level
        if up or queue_s < DRAIN_MIN_S or self._next is not None:
            self.move(level)
        else:
            self._move_after(level, min(queue_s, DRAIN_MAX_S))

    def _needs(self, sent: float) -> list[float]:
        """What the levels would take, in bits per second, where that much was sent on the present
        one: a face that needs less takes less, by its size and quality, if not by its rate."""
        present = LEVELS[self._rung.level]
        top = self._rung.bitrate / present.rate
        needs = [one.rate * top * USED for one in LEVELS]
        if sent:
            best = sent / present.share(self._scale)
            as_sent = [best * one.share(self._scale) for one in LEVELS]
            needs = [min(both) for both in zip(needs, as_sent, strict=True)]
        return needs


def _key(rung: VideoRung) -> tuple[Codec, int, float]:
    return (rung.codec, rung.level, rung.bound)


def _count(counts: dict[str, int], rung: VideoRung) -> None:
    counts["video_encoded"] += rung.encoded
    counts["video_keys"] += rung.keys
    counts["video_failures"] += rung.failures
