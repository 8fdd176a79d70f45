"""A viewer over a simulated link to an RTP receiver: the real ladder and estimate, everything else
in a few lines.

The link is first in, first out: it takes ``rate_bps``, drops what would wait for longer than its
queue is, loses packets by chance, and each picture comes up to ``jitter_s`` late, in order. Sound
takes its share. A level begins with a key picture, five times as large as others, which vary around
what the level takes. The receiver tells five times a second when pictures came, and each 0.7 s of
loss and the round trip, as ours and a browser do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from wsstream.protocol.arrivals import Arrivals
from wsstream.protocol.report_ladder import ReportLadder

RATES_BPS = (1_100_000, 660_000, 390_000, 220_000, 110_000)
USED = 0.8
"""What pictures take on average; they may take all."""
SOUND_BPS = 44_000
KEY_TIMES, KEY_EACH_S = 5, 10.0
PACKET_BYTES, HEADER_BYTES = 1200, 60
TELL_S, REPORT_S = 0.2, 0.7
SETTLE_S = 15.0
STILL_S, STILL_SHARE = 0.2, 0.05
WAY_S = 0.02
START_S = 1000.0


@dataclass
class RtpViewing:
    """One viewer for ``seconds``."""

    rate_bps: float | Callable[[float], float]
    jitter_s: float = 0.0
    loss: float = 0.0
    queue_s: float = 0.3
    used: float = USED
    still: bool = False
    """Whether the face stands still for the first half: pictures of next to nothing, and few."""
    tells: bool = True
    """Whether the receiver tells when pictures came."""
    level: int = 0
    """To begin with."""
    fps: float = 20
    seconds: float = 120
    seed: int = 0

    @property
    def settled_s(self) -> float:
        """By when it is known what the link carries."""
        return SETTLE_S + (self.seconds / 2 if self.still else 0)

    def run(self) -> list[tuple[float, int]]:
        """When which level began."""
        self._random = random.Random(self.seed)
        self._ladder = ReportLadder(len(RATES_BPS), self._needs, START_S, self.level)
        self._arrivals = Arrivals()
        self._free_s = self._came_s = 0.0
        self._under_way: list[tuple[int, float]] = []
        self._sent = self._lost = 0
        self.late_s: list[tuple[float, float]] = []
        """When pictures were sent that came, and how long they took."""
        self.padding = 0
        """Bytes of it."""
        levels: list[tuple[float, int]] = []
        level, key_at, quiet_until = self.level, -KEY_EACH_S, 0.0
        tell_at, report_at = TELL_S if self.tells else math.inf, REPORT_S
        for n in range(round(self.seconds * self.fps)):
            now = n / self.fps
            moves = not self.still or now > self.seconds / 2
            due = moves or self._ladder.tries or n % round(STILL_S * self.fps) == 0
            self._share = 1.0 if moves else STILL_SHARE
            if now >= quiet_until and due:
                key = now - key_at >= KEY_EACH_S
                key_at = now if key else key_at
                self._picture(level, now, key)
            if now >= tell_at:
                tell_at += TELL_S
                self._tell(now)
            if now >= report_at:
                report_at += REPORT_S
                self._report(now)
            if self._ladder.level != level:
                worse, level = self._ladder.level > level, self._ladder.level
                self._ladder.forget_sent(START_S + now)
                quiet_until = now + (min(0.4, self._ladder.queue_s) if worse else 0.0)
                key_at = -KEY_EACH_S
                levels.append((now, level))
        return levels

    def _needs(self, sent: float) -> list[float]:
        needs = [rate * USED for rate in RATES_BPS]
        top = RATES_BPS[self._ladder.level]
        return [
            min(need, sent * r / top) if sent else need
            for need, r in zip(needs, RATES_BPS, strict=True)
        ]

    def _picture(self, level: int, now: float, key: bool) -> None:
        size = RATES_BPS[level] * self.used / self.fps / 8
        size *= KEY_TIMES if key else self._random.uniform(0.6, 1.3) * self._share
        padding = self._ladder.sent(round(size), START_S + now)
        self.padding += padding
        media_ms, size, whole = round(now * 1000), round(size) + padding, True
        self._arrivals.sent(media_ms, size, START_S + now)
        rate_bps = self.rate_bps(now) if callable(self.rate_bps) else self.rate_bps
        for start in range(0, size, PACKET_BYTES):
            self._sent += 1
            begins = max(now, self._free_s)
            if begins - now > self.queue_s or self._random.random() < self.loss:
                self._lost += 1
                whole = False
                continue
            bits = (min(PACKET_BYTES, size - start) + HEADER_BYTES) * 8
            self._free_s = begins + bits / (rate_bps - SOUND_BPS)
        late_s = self._random.uniform(0, self.jitter_s)
        self._came_s = max(self._came_s, self._free_s + WAY_S + late_s)
        if whole:  # what was lost of others would be sent again, which is not here
            self.late_s.append((now, self._came_s - now))
            self._under_way.append((media_ms, self._came_s))

    def _tell(self, now: float) -> None:
        """As a session takes it."""
        came, estimate = [], self._arrivals.estimate
        for media_ms, at_s in self._under_way:
            told = at_s <= now and self._arrivals.came(media_ms, at_s * 1000, START_S + now)
            came += [estimate.queue_ms / 1000] if told else []
        self._under_way = [one for one in self._under_way if one[1] > now]
        if came:
            self._ladder.on_arrivals(
                min(came),
                estimate.rate_bps,
                START_S + now,
                may_have_grown=estimate.may_have_grown,
            )

    def _report(self, now: float) -> None:
        waits_s = max(0.0, self._free_s - now)
        self._ladder.on_round_trip(2 * WAY_S + waits_s, START_S + now)
        self._ladder.on_loss(self._lost / max(1, self._sent), self._sent, START_S + now)
        self._sent = self._lost = 0


def level_at(levels: list[tuple[float, int]], time: float) -> int:
    return next((level for at, level in reversed(levels) if at <= time), 0)


def most_in_a_minute(levels: list[tuple[float, int]], since: float) -> int:
    times = [at for at, _ in levels if at >= since]
    return max((sum(a <= b < a + 60 for b in times) for a in times), default=0)
