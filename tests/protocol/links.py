"""A viewer over a simulated link: the real window and ladder, everything else in a few lines.

The link is first in, first out: it takes ``rate_bps`` at any time, nothing while it stalls, and
each message arrives ``delay_s`` and up to ``jitter_s`` after it is off the link, in order. Pictures
vary in size around what their level costs, are ready up to ``encode_s`` after they are due, and
sound is sent besides. The viewer decodes a picture,
draws it at its screen's next refresh, and acknowledges it then, as ours does.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from wsstream.protocol.flow import AckWindow
from wsstream.protocol.ladder import RateLadder
from wsstream.session.jpeg_rungs import JPEG_LEVELS

SOUND_BYTES = 160 + 12  # 64 kbit/s and the header
REFRESH_S = 0.016
DECODE_S = 0.003
UNSENT_BYTES = 16 * 1024
START_S = 12_345.0  # of the monotonic clock


@dataclass
class Result:
    """What came of it."""

    ages: list[tuple[float, float]] = field(default_factory=list)
    """When a picture was drawn, and how old it was then."""
    sound_waits: list[tuple[float, float]] = field(default_factory=list)
    """When sound arrived, and how long it was under way beyond the link's own delay."""
    levels: list[tuple[float, int]] = field(default_factory=list)
    """Each change of the level."""
    on_link: list[float] = field(default_factory=list)
    """How long each picture took the link."""

    def age_p95(self, since: float = 0.0, until: float = math.inf) -> float:
        ages = sorted(age for at, age in self.ages if since <= at < until)
        return ages[int(len(ages) * 0.95)] if ages else math.inf

    def fps(self, since: float, until: float) -> float:
        return sum(since <= at < until for at, _ in self.ages) / (until - since)

    def longest_gap(self, since: float, until: float) -> float:
        times = [since, *(at for at, _ in self.ages if since <= at < until), until]
        return max(b - a for a, b in itertools.pairwise(times))

    def changes(self, since: float, until: float) -> int:
        return sum(since <= at < until for at, _ in self.levels)

    def level_at(self, time: float) -> int:
        return next((level for at, level in reversed(self.levels) if at <= time), 0)


@dataclass
class Viewing:
    """One viewer for ``seconds``."""

    rate_bps: float | Callable[[float], float]
    delay_s: float | Callable[[float], float] = 0.02
    jitter_s: float = 0.0
    picture_bytes: float | Callable[[float], float] = 15_000
    spread: float = 0.3
    whole: float = 1.0
    """How much larger than the others the first picture of a level is."""
    fps: float = 20
    encode_s: float = 0.0
    seconds: float = 60
    stall: tuple[float, float] = (math.inf, math.inf)
    gauge: bool = True
    """Whether the server sees what waits in its connection."""
    seed: int = 0

    def run(self) -> Result:
        self._random = random.Random(self.seed)
        self._result = Result()
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._free_at = self._arrived_at = self._back_at = 0.0
        self._waiting: list[tuple[float, int]] = []
        self._window = AckWindow(1000 / self.fps)
        self._ladder = RateLadder([level.cost for level in JPEG_LEVELS], self.fps, START_S)
        self._mean = self._picture_size = 0.0
        self._media_ms: int | None = None
        self._fresh = True
        self._judged = 0
        self._at(0.0, self._picture)
        self._at(0.001, self._sound)
        while self._events[0][0] < self.seconds:
            self._now, _, event = heapq.heappop(self._events)
            event()
        return self._result

    def _at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))

    # The server.

    def _picture(self) -> None:
        due = self._now
        self._at(due + self._random.uniform(0, self.encode_s), lambda: self._encoded(due))
        self._at(due + 1 / self.fps, self._picture)

    def _encoded(self, due: float) -> None:
        self._media_ms = round(due * 1000)
        self._send_picture()

    def _sound(self) -> None:
        began = self._now
        arrives = self._carry(SOUND_BYTES)
        self._at(arrives, lambda: self._hear(began))
        self._send_picture()
        self._at(self._now + 0.02, self._sound)

    def _hear(self, began: float) -> None:
        self._result.sound_waits.append((self._now, self._now - began - self._way(began)))

    def _send_picture(self) -> None:
        window = self._window
        if self._media_ms is None or not window.may_send(START_S + self._now):
            return
        if not window.active and self.gauge:
            queued = sum(size for at, size in self._waiting if at > self._now)
            if queued > max(self._picture_size, UNSENT_BYTES):
                return
        media_ms, self._media_ms = self._media_ms, None
        bytes_now = self.picture_bytes(self._now) if callable(self.picture_bytes) else None
        size = (bytes_now or self.picture_bytes) * JPEG_LEVELS[self._ladder.level].cost
        size *= math.exp(self._random.gauss(0, self.spread))
        if self._fresh:
            size *= self.whole
        else:
            mean = self._mean or size
            self._mean = mean + (size - mean) * 0.1
        self._fresh = False
        self._picture_size = round(size)
        window.sent(media_ms, START_S + self._now, round(size))
        begins = max(self._now, self._free_at)
        arrives = self._carry(round(size))
        self._result.on_link.append(self._free_at - begins)
        self._at(arrives, lambda: self._decode(media_ms))

    def _acked(self, media_ms: int, held_s: float) -> None:
        window = self._window
        window.acked(media_ms, START_S + self._now, held_s * 1000, DECODE_S * 1000)
        estimate = window.estimate
        if estimate.samples != self._judged:
            self._judged = estimate.samples
            mean = self._mean or 1.0
            if self._ladder.judge(estimate.queue_ms, estimate.rate_bps, mean, START_S + self._now):
                self._result.levels.append((self._now, self._ladder.level))
                self._mean, self._fresh = 0.0, True
        self._send_picture()

    # The link.

    def _way(self, at: float) -> float:
        """One way, without any bytes, in seconds."""
        return self.delay_s(at) if callable(self.delay_s) else self.delay_s

    def _carry(self, size: int) -> float:
        """When it arrives."""
        start = max(self._now, self._free_at)
        begin, end = self.stall
        if begin <= start < end:
            start = end
        rate = self.rate_bps(start) if callable(self.rate_bps) else self.rate_bps
        self._free_at = start + size * 8 / rate
        if start < begin < self._free_at:
            self._free_at += end - begin
        late = self._random.uniform(0, self.jitter_s)
        way = self._way(self._free_at)
        self._arrived_at = max(self._arrived_at, self._free_at + way + late)
        self._waiting = [(at, n) for at, n in self._waiting if at > self._now]
        self._waiting.append((self._arrived_at + way, size))
        return self._arrived_at

    # The client.

    def _decode(self, media_ms: int) -> None:
        ready = self._now + DECODE_S
        drawn = math.ceil(ready / REFRESH_S) * REFRESH_S
        self._at(drawn, lambda: self._draw(media_ms, drawn - ready))

    def _draw(self, media_ms: int, held_s: float) -> None:
        self._result.ages.append((self._now, self._now - media_ms / 1000))
        back = self._now + self._way(self._now) + self._random.uniform(0, self.jitter_s)
        self._back_at = max(self._back_at, back)
        self._at(self._back_at, lambda: self._acked(media_ms, held_s))


def report(viewing: Viewing) -> str:
    """For people who change the controller."""
    result = viewing.run()
    end = viewing.seconds
    return (
        f"p50 {statistics.median(a for _, a in result.ages) * 1000:.0f} ms"
        f" p95 {result.age_p95() * 1000:.0f} p95 settled {result.age_p95(15) * 1000:.0f} ms,"
        f" {result.fps(5, end):.1f} fps, gap {result.longest_gap(5, end) * 1000:.0f} ms,"
        f" sound {max(w for at, w in result.sound_waits if at > 5) * 1000:.0f} ms,"
        f" levels {[(round(at, 1), level) for at, level in result.levels]}"
    )
