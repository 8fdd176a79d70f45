"""When to step down and up between encodings of different rates. Pure: time is an argument.

Down on congestion, up when it has been clear for a while. Where nobody knows what the link carries,
a step up is a probe: if it is taken back soon, the next one waits twice as long, so that a link
between two levels is not probed for ever. Where it is known, or can be tried out (``trial.py``), a
step up is made only when the link carries it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SETTLE_S = 2.0
"""What a step has changed shows only after a while: no further step before."""
PROBE_S = 10.0
"""The first wait before a step up."""
PROBE_MAX_S = 160.0


class Ladder:
    """By congestion alone. Level 0 is the best of ``levels``."""

    def __init__(
        self, levels: int, now: float, level: int = 0, *, probe_s: float = PROBE_S
    ) -> None:
        self.level = level
        self.steps = 0
        self._lowest = levels - 1
        self._changed = now
        self._clear_since = self._not_before = now
        self._probe_s = self._first_probe_s = probe_s
        self._probing = False

    @property
    def probe_s(self) -> float:
        """How long it has to be clear before the next probe."""
        return self._probe_s

    def congested(self, now: float, level: int | None = None) -> bool:
        """The link does not carry what is sent; ``level`` is what it would carry, where known.
        Whether that made a step down."""
        self._clear_since = now
        if self.level == self._lowest or self.is_settling(now):
            return False
        if self._probing and now - self._changed < self._probe_s:
            self._wait_longer()
        self._set(max(self.level + 1, min(level or 0, self._lowest)), now)
        self._probing = False
        return True

    def is_clear(self, now: float, wait_s: float) -> bool:
        """The link carries what is sent. Whether it has for so long that it is time for more."""
        since = max(self._clear_since, self._changed)
        return self.level > 0 and not self.is_deferred(now) and now - since >= wait_s

    def up(self, now: float) -> None:
        """A step to the next better level."""
        if self._probing:  # the last one held: the next need not wait so long
            self._probe_s = max(self._first_probe_s, self._probe_s / 2)
        self._set(self.level - 1, now)
        self._probing = True

    def refrain(self, now: float) -> None:
        """The next better level was tried out, and the link does not carry it: no step, and the
        next trial waits twice as long. What was too much shows for as long as after a step."""
        self._wait_longer()
        self._clear_since = self._changed = now
        self._probing = False

    def is_probing(self, now: float) -> bool:
        """Whether a step up was just made, and may not hold."""
        return self._probing and now - self._changed < PROBE_S

    def is_settling(self, now: float) -> bool:
        """Whether what was changed does not show yet."""
        return now - self._changed < SETTLE_S

    def is_deferred(self, now: float) -> bool:
        """Whether a step up is put off just now."""
        return now < self._not_before

    def hold(self, now: float) -> None:
        """Neither: no step up for a while."""
        self._clear_since = now

    def defer(self, now: float) -> None:
        """No step up just now; what was waited for it counts."""
        self._not_before = now + SETTLE_S

    def _wait_longer(self) -> None:
        self._probe_s = min(PROBE_MAX_S, self._probe_s * 2)

    def _set(self, level: int, now: float) -> None:
        self.level = level
        self.steps += 1
        self._changed = now


QUEUE_BAD_MS, QUEUE_GOOD_MS = 120.0, 60.0
BAD_ACKS = 3
BLIND_MS = 300.0
"""While nobody knows the rate, it is a level down for each so many milliseconds of queue."""
KNOWN_WAIT_S = 5.0
FITS_MS, FITS_SHARE = 60.0, 0.8
"""What fits a link: a picture is through in so many milliseconds, and all of them take at most this
share of it (sound and its headers need the rest)."""
UP_MARGIN = 0.7
"""Upwards it has to fit a link of this part of the estimate: the dead band."""
NEED_S = 30.0
"""A face that is silent needs little. What it needed when it spoke counts for about so long."""


class RateLadder:
    """By queue delay and the link's rate. ``costs`` are the levels' bytes relative to the best."""

    def __init__(self, costs: Sequence[float], fps: float, now: float) -> None:
        self._costs = costs
        self._fps = fps
        self._ladder = Ladder(len(costs), now - SETTLE_S, probe_s=KNOWN_WAIT_S)
        self._bad = 0
        self._late_at = -math.inf  # when the last one that counted as late came
        self._need = 0.0
        self._judged = now

    @property
    def level(self) -> int:
        return self._ladder.level

    @property
    def steps(self) -> int:
        return self._ladder.steps

    def judge(
        self, queue_ms: float, rate_bps: float | None, picture_bytes: float, now: float
    ) -> bool:
        """After each ack: the queue's delay, the link's rate, and the mean size of the pictures
        sent on this level. Whether the level has changed."""
        best_bytes = picture_bytes / self._costs[self.level]
        fade = min(1.0, (now - self._judged) / NEED_S)
        self._need = max(best_bytes, self._need + (best_bytes - self._need) * fade)
        self._judged = now
        best = self._best(rate_bps, best_bytes)
        if queue_ms > QUEUE_BAD_MS or best > self.level:
            # Whatever was due before the last late one came was under way with it, and one stall
            # makes all of them late. What does not fit the rate, does not.
            due = now - queue_ms / 1000
            if best > self.level or due >= self._late_at:
                self._bad += 2 if queue_ms > 2 * QUEUE_BAD_MS else 1  # a slow link has few acks
                self._late_at = now
        else:
            self._bad = 0
        if self._bad >= BAD_ACKS:
            self._bad = 0
            if rate_bps is None:
                best = self.level + int(queue_ms / BLIND_MS)
            return self._ladder.congested(now, best)
        if queue_ms > QUEUE_GOOD_MS:
            self._ladder.hold(now)
            return False
        wait_s = KNOWN_WAIT_S
        if rate_bps is None:
            wait_s = self._ladder.probe_s
        elif self._best(rate_bps * UP_MARGIN, self._need) >= self.level:
            return False
        clear = self._ladder.is_clear(now, wait_s)
        if clear:
            self._ladder.up(now)
        return clear

    def _best(self, rate_bps: float | None, best_bytes: float) -> int:
        """The best level that fits the link, if the best one's pictures have so many bytes."""
        if rate_bps is None:
            return 0
        for level, cost in enumerate(self._costs):
            bits = best_bytes * cost * 8
            if bits * 1000 <= FITS_MS * rate_bps and bits * self._fps <= FITS_SHARE * rate_bps:
                return level
        return len(self._costs) - 1
