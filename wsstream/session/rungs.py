"""A session's video encodings: each made once, however many take it, and not at all while nobody
does."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Executor

from ..media.types import Picture
from ..media.video import Codec, EncodedVideo
from ..protocol.ladder import Ladder
from ..protocol.round_trips import RoundTrips
from ..transport.base import Deliver, Subscription
from .video_rung import LEVELS, Shape, VideoRung

TOP_BITS_PER_PIXEL = 0.06
HEADROOM = 0.95
"""An estimate below this part of what is sent means congestion."""
IDLE = 1.3
"""One above this part of it says only that little is sent: a receiver lets it be 1.5 times that."""
GROWING = 1.01
"""An estimate that is so much higher than the one before it is on its way up: a receiver lets it
grow by some 8 % a second, from little after a face that stood still (draft-ietf-rmcat-gcc-02
section 5.5)."""
ESTIMATE_S = 0.9
"""What was sent is measured over at least so long: estimates come each second, and at once when
they fall."""
SPARE_S = 10.0
"""An encoder that nobody takes any more is kept so long, the last one of a session's, for a viewer
who comes back: one that changes its transport again and again would have as many made, of 6 to 9 MB
each, which leaves holes in the heap."""
NEVER = 1 << 63
TRIES = 3
"""A rung that fails so often is not waited for."""
USED = 0.8
"""Of the bits per second that an encoding may take, it takes about so much where it has to save."""
NEED_S = 10.0
"""What was sent lately counts for about so long: a level that takes no less is no help."""
QUEUED_S = 0.5
"""A queue for so long means congestion. Just after a step up any does."""
DRAIN_MIN_S, DRAIN_MAX_S = 0.1, 0.4
"""A queue of at least so long, and at most, is let run empty before a step down's first picture is
made: that one is large, and what is sent now would only be late."""
LOSS_MANY, LOSS_FEW = 0.1, 0.02
"""Of the packets, 0 to 1: more means congestion, less means none; between, nobody knows."""


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
    ) -> Subscription:
        """Have pictures delivered that are newer than ``after_ms``, beginning with a key picture.
        While nobody who takes a rung is ``ready``, it makes none."""
        return _Taker(self, codec, deliver, ready, after_ms)

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
    ) -> None:
        self._ready = ready
        self._rungs = rungs
        self._codec: Codec = codec
        self._deliver = deliver
        self._scale = 1.0
        self._ladder = Ladder(len(LEVELS), rungs.now())
        self._sent_bits = 0.0
        self._sent_since = rungs.now()
        self._estimate = 0
        self._carried = math.inf
        self._round_trips = RoundTrips()
        self._sent = 0.0
        self.delivered_ms = after_ms
        self._until_ms = NEVER
        """Up to which the present rung's pictures are taken, while the next one's key is made."""
        self._needs_key = True
        """One was left out: what refers to it is of no use."""
        self._drain: asyncio.TimerHandle | None = None
        self._drain_to = 0
        self._next: VideoRung | None = None
        self._rung = rungs.take(codec, 0, self._scale, self)

    @property
    def bitrate(self) -> int:
        return self._rung.bitrate

    @property
    def level(self) -> int:
        return self._rung.level

    @property
    def levels_left(self) -> int:
        return len(LEVELS) - 1 - self._ladder.level

    @property
    def needs_key(self) -> bool:
        return self._drain is not None or self._needs_key

    def request_key(self) -> None:
        if self._drain is None:  # else one comes anyway, and is not to come before
            (self._next or self._rung).request_key()

    def on_estimate(self, bitrate: int) -> None:
        """A face that stands still leaves the link idle, and an idle link is estimated low: what
        was really sent, and where the estimate goes, tell whether the link is too small."""
        now = self._rungs.now()
        elapsed_s = now - self._sent_since
        if elapsed_s < ESTIMATE_S:
            return
        sent = self._sent_bits / elapsed_s
        self._sent_bits, self._sent_since = 0.0, now
        self._sent = max(sent, self._sent + (sent - self._sent) * min(1.0, elapsed_s / NEED_S))
        is_first, growing = not self._estimate, 0 < self._estimate * GROWING < bitrate
        self._estimate = bitrate
        tells = bitrate < sent * IDLE and not growing and not is_first
        self._carried = bitrate if tells else math.inf
        if bitrate >= sent * HEADROOM:
            self._clear(now)
        elif growing or is_first:
            self._ladder.hold(now)
        else:
            self._congested(now, self._fitting(now))

    def on_loss(self, fraction: float) -> None:
        """Where the link is full tells less than that it may be: one step."""
        now = self._rungs.now()
        if fraction > LOSS_MANY:
            self._congested(now, None)
        elif fraction < LOSS_FEW:
            self._clear(now)

    def on_round_trip(self, seconds: float) -> None:
        now = self._rungs.now()
        queued_s = self._round_trips.report(seconds, now)
        if queued_s is None:
            return
        self._ladder.hold(now)  # nothing is probed into a queue
        if queued_s >= QUEUED_S or self._ladder.is_probing(now):
            self._congested(now, self._fitting(now), at_once=True)

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
                self._forget_sent()
            else:
                rung.request_key()
        if rung is not self._rung:
            return
        if self._drain is not None or video.media_ms >= self._until_ms:
            self._needs_key = True
        elif video.key or not self._needs_key:
            self._needs_key = False
            self.delivered_ms = video.media_ms
            self._sent_bits += len(video.data) * 8
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

    def bound(self, scale: float) -> None:
        if scale != self._scale:
            self._scale = scale
            self._forget_sent()
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
        if self._needs_key:
            self._rung.request_key()

    def _move_after(self, level: int, seconds: float) -> None:
        """Deliver nothing for so long, then go to that level."""
        self._stay(give_up=True)
        self._drain_to = level
        self._drain = asyncio.get_running_loop().call_later(seconds, self._drained)

    def _drained(self) -> None:
        self._drain = None
        self.move(self._drain_to)

    def _forget_sent(self) -> None:
        """What another size or rate took says nothing."""
        self._sent = self._sent_bits = 0.0
        self._sent_since = self._rungs.now()

    def _clear(self, now: float) -> None:
        if self._ladder.clear(now):
            self.move(self._ladder.level)

    def _congested(self, now: float, level: int | None, *, at_once: bool = False) -> None:
        if not self._ladder.congested(now, level, at_once=at_once):
            return
        queue_s = self._round_trips.waited_s
        if queue_s < DRAIN_MIN_S or self._next is not None:  # what never came has not filled it
            self.move(self._ladder.level)
        else:
            self._move_after(self._ladder.level, min(queue_s, DRAIN_MAX_S))

    def _fitting(self, now: float) -> int | None:
        """The best level that takes less than what was sent lately, and no more than the link
        carries, as far as either is known. A probe goes back to where it came from."""
        if self._ladder.is_probing(now):
            return None
        present = LEVELS[self._rung.level]
        top = self._rung.bitrate / present.rate
        room = min(self._carried, self._sent * HEADROOM or math.inf)
        for level, one in enumerate(LEVELS):
            takes = one.rate * top * USED
            if self._sent:  # a face that needs less takes less: by its size, if not by its rate
                width = min(one.scale, self._scale) / min(present.scale, self._scale)
                takes = min(takes, self._sent * width)
            if takes <= room:
                return level
        return len(LEVELS) - 1


def _key(rung: VideoRung) -> tuple[Codec, int, float]:
    return (rung.codec, rung.level, rung.bound)


def _count(counts: dict[str, int], rung: VideoRung) -> None:
    counts["video_encoded"] += rung.encoded
    counts["video_keys"] += rung.keys
    counts["video_failures"] += rung.failures
