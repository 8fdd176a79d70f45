"""What a bottleneck does to what passes: a rate with a queue before it, then a delay that wanders.

`Shaper` is the model, and is told the time; `Line` runs it in an event loop. `relay` and `tunlink`
are made of them, one for each direction.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

JITTER_KNOTS_S = 0.02
"""How often the jitter draws a new delay; in between it goes from one to the next."""
EARLY_S = 0.0005
"""Half of what the event loop's clock ticks in: so late, or early, is on time."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One direction of a link. The delay is for one way, hence half of what it adds to a round
    trip."""

    rate_kbps: float = 0
    """kbit/s of payload for a relay, of IP packets for a link; 0 is as fast as it goes."""
    delay_ms: float = 0
    jitter_ms: float = 0
    """Wanders between none and so much on top of the delay, and keeps the order."""
    queue_bytes: int = 65_536
    """Room before the bottleneck; there is no queue without a rate."""
    queue_ms: float = 0
    """The same in time at the rate of the moment, instead of bytes."""
    loss: float = 0
    """Share of packets lost at random, 0 to 1; links only."""
    block_udp: bool = False
    """Links only."""

    @property
    def limit_bytes(self) -> int:
        """Room before the bottleneck."""
        return round(self.rate_kbps * self.queue_ms / 8) if self.queue_ms else self.queue_bytes


class Shaper(Generic[T]):
    """Things on their way, in order."""

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        self.shape = shape
        self.queued_bytes = 0
        """Before the bottleneck; what is delayed after it does not count."""
        self._queue: deque[tuple[float, int, T]] = deque()
        self._under_way: deque[tuple[float, T]] = deque()
        self._free_s = 0.0
        self._last_due_s = 0.0
        self._held_until_s = 0.0
        self._random = random.Random(seed)
        self._knot_s, self._knots = 0.0, (self._random.random(), self._random.random())

    def fits(self, now_s: float, size: int) -> bool:
        """Whether the queue has room for so many bytes. One thing always fits into an empty one."""
        self._serve(now_s)
        return not self.queued_bytes or self.queued_bytes + size <= self.shape.limit_bytes

    def put(self, now_s: float, size: int, item: T) -> None:
        """Let it enter, whether it fits or not."""
        self._serve(now_s)
        self._queue.append((now_s, size, item))
        self.queued_bytes += size

    def take(self, now_s: float) -> list[T]:
        """What has arrived by now."""
        self._serve(now_s)
        arrived = []
        while self._under_way and max(self._under_way[0][0], self._held_until_s) <= now_s:
            arrived.append(self._under_way.popleft()[1])
        return arrived

    def next_s(self) -> float | None:
        """When something leaves the queue or arrives, the sooner of the two."""
        times = []
        if self._queue:
            times.append(self._leaves_s())
        if self._under_way:
            times.append(max(self._under_way[0][0], self._held_until_s))
        return min(times, default=None)

    def change(self, now_s: float, shape: Shape) -> None:
        """From now on; what has left the queue keeps its delay."""
        self._serve(now_s)
        self.shape = shape

    def stall(self, now_s: float, seconds: float) -> None:
        """Nothing leaves the queue and nothing arrives for so long."""
        self._serve(now_s)
        self._held_until_s = max(self._held_until_s, now_s + seconds)

    def _leaves_s(self) -> float:
        """When the head of the queue will have passed the bottleneck."""
        entered_s, size, _ = self._queue[0]
        start_s = max(entered_s, self._free_s, self._held_until_s)
        rate_kbps = self.shape.rate_kbps
        return start_s + size / (rate_kbps * 125) if rate_kbps else start_s

    def _serve(self, now_s: float) -> None:
        while self._queue and (left_s := self._leaves_s()) <= now_s:
            _, size, item = self._queue.popleft()
            self.queued_bytes -= size
            self._free_s = left_s
            due_s = left_s + self.shape.delay_ms / 1000 + self._jitter_s(left_s)
            self._last_due_s = max(due_s, self._last_due_s)
            self._under_way.append((self._last_due_s, item))

    def _jitter_s(self, now_s: float) -> float:
        """By time and not by packet, so that it is the same for a trickle and for a flood: a draw
        for each of a thousand packets a second would, in order, come to a constant delay."""
        if not self.shape.jitter_ms:
            return 0.0
        if now_s - self._knot_s > 2 * JITTER_KNOTS_S:
            self._knot_s, self._knots = now_s, (self._random.random(), self._random.random())
        while now_s - self._knot_s > JITTER_KNOTS_S:
            self._knot_s += JITTER_KNOTS_S
            self._knots = (self._knots[1], self._random.random())
        part = (now_s - self._knot_s) / JITTER_KNOTS_S
        share = self._knots[0] * (1 - part) + self._knots[1] * part
        return share * self.shape.jitter_ms / 1000


class Line(Generic[T]):
    """A shaper that runs. ``deliver`` gets each thing when it arrives; ``moved`` is called after
    something left the queue or arrived."""

    def __init__(
        self,
        shape: Shape,
        deliver: Callable[[T], None],
        *,
        moved: Callable[[], None] = lambda: None,
        seed: int = 0,
    ) -> None:
        self._shaper: Shaper[T] = Shaper(shape, seed)
        self._deliver, self._moved = deliver, moved
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def shape(self) -> Shape:
        return self._shaper.shape

    @property
    def queued_bytes(self) -> int:
        return self._shaper.queued_bytes

    def fits(self, size: int) -> bool:
        return self._shaper.fits(self._loop.time(), size)

    def put(self, size: int, item: T) -> None:
        self._shaper.put(self._loop.time(), size, item)
        self._turn()

    def change(self, shape: Shape) -> None:
        self._shaper.change(self._loop.time(), shape)
        self._turn()

    def stall(self, seconds: float) -> None:
        self._shaper.stall(self._loop.time(), seconds)
        self._turn()

    def _turn(self) -> None:
        for item in self._shaper.take(self._loop.time() + EARLY_S):
            self._deliver(item)
        if self._timer is not None:
            self._timer.cancel()
        next_s = self._shaper.next_s()
        self._timer = None if next_s is None else self._loop.call_at(next_s - EARLY_S, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._turn()
        self._moved()
