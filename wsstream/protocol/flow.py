"""Flow control, pure: how many pictures may be under way, and how many messages may come in."""

from __future__ import annotations

import math
from collections import deque

from ..clock import to_u32, u32_newer

MAX_UNACKED = 2
"""Pictures on their way to a client that acknowledges them."""
MAX_HOLD_MS = 250
"""A client holds a drawn-to-be picture back until its sound is due. Those it holds on purpose do
not count against the window, up to this much: the window bounds the link, not the client's own
playout delay."""
FORGET_S = 2.0
"""An ack that never came (a hidden tab draws nothing) is given up after this long, so that the
window cannot stay shut for ever."""


class AckWindow:
    """Pictures sent and not yet drawn. Inactive until the first ack: a plain client never sends
    any, and is bounded by the transport's write buffer alone."""

    def __init__(self, period_ms: float) -> None:
        self._period_ms = period_ms
        self._sent: deque[tuple[int, float]] = deque()
        self.active = False
        self.hold_ms = 0.0
        self.min_rtt_ms: float | None = None
        self.last_rtt_ms: float | None = None
        self.forgotten = 0

    @property
    def limit(self) -> int:
        """How many pictures may be unacknowledged."""
        return MAX_UNACKED + math.ceil(min(self.hold_ms, MAX_HOLD_MS) / self._period_ms)

    @property
    def unacked(self) -> int:
        """How many are."""
        return len(self._sent)

    def may_send(self, now: float) -> bool:
        """Whether one more picture may go out at ``now`` (seconds)."""
        while self._sent and now - self._sent[0][1] > FORGET_S:
            self._sent.popleft()
            self.forgotten += self.active
        return not self.active or len(self._sent) < self.limit

    def sent(self, media_ms: int, now: float) -> None:
        """A picture was handed to the socket."""
        self._sent.append((to_u32(media_ms), now))

    def acked(self, timestamp_ms: int, now: float, hold_ms: float | None = None) -> None:
        """The picture of ``timestamp_ms``, and all before it, are drawn or dropped by the client,
        which held it for ``hold_ms`` until its sound was due."""
        self.active = True
        if hold_ms is not None:
            self.hold_ms = hold_ms
        while self._sent and not u32_newer(self._sent[0][0], timestamp_ms):
            sent_ms, at = self._sent.popleft()
            if sent_ms == timestamp_ms:
                rtt_ms = max(0.0, (now - at) * 1000 - self.hold_ms)
                self.last_rtt_ms = rtt_ms
                self.min_rtt_ms = min(
                    rtt_ms, rtt_ms if self.min_rtt_ms is None else self.min_rtt_ms
                )


class TokenBucket:
    """``rate`` per second on average, ``burst`` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._at = burst, -math.inf

    def take(self, now: float) -> bool:
        """Take one; ``False`` when there is none left at ``now`` (seconds)."""
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
