"""Flow control, pure: how many pictures may be under way, and how many messages may come in."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from ..clock import to_u32, u32_newer
from .estimate import SAMPLES, LinkEstimate

MAX_UNACKED = 2
"""Pictures on their way to a client that acknowledges them."""
MAX_HOLD_MS = 250
"""A client holds a drawn-to-be picture back until its sound is due. Those it holds on purpose do
not count against the window, up to this much: the window bounds the link, not the client's own
playout delay."""
FORGET_S = 2.0
"""An ack that has not come (a hidden tab draws nothing, a link stalls) is then not waited for, so
that the window cannot stay shut for ever; it still tells much when it comes."""
REMEMBERED = 64
"""So many pictures' acks are looked out for."""
QUEUED_MS = 100.0
"""While acks come so much later than the quickest, something queues up: then one picture at a time,
so that sound waits behind no more than that."""
MAX_AHEAD = 8
"""Further pictures that a long way, not a slow one, may have under way."""
PACE = 0.9
"""Pictures go out at this part of what the link carries, so that what has queued up drains, and the
quickest ack becomes one without a queue."""
EARLY_S = 0.02
"""A picture goes out when the one before it is off the link, or nearly: sound comes as often."""


@dataclass(frozen=True, slots=True)
class _Sent:
    timestamp_ms: int
    at: float
    size: int
    tells: bool


class AckWindow:
    """Pictures sent and not yet drawn. Inactive until the first ack: a plain client never sends
    any, and is bounded by what waits in its connection."""

    def __init__(self, period_ms: float) -> None:
        self.estimate = LinkEstimate()
        self._period_ms = period_ms
        self._sent: deque[_Sent] = deque(maxlen=REMEMBERED)
        self._given_up = 0
        self._through = 0.0
        self.active = False
        self.hold_ms = 0.0
        self.last_rtt_ms: float | None = None
        self.forgotten = 0

    @property
    def min_rtt_ms(self) -> float | None:
        """The quickest ack lately."""
        return self.estimate.min_rtt_ms

    @property
    def limit(self) -> int:
        """How many pictures may be unacknowledged."""
        held = math.ceil(min(self.hold_ms, MAX_HOLD_MS) / self._period_ms)
        if self._given_up or self.estimate.queue_ms > QUEUED_MS:
            return 1 + held
        if self.estimate.samples < SAMPLES:  # a long way, or a slow one? Nobody knows yet
            return MAX_UNACKED + held
        ahead = int(self.estimate.way_ms / self._period_ms)
        return MAX_UNACKED + held + min(ahead, MAX_AHEAD)

    @property
    def unacked(self) -> int:
        """How many are, and are still waited for."""
        return len(self._sent) - self._given_up

    def may_send(self, now: float) -> bool:
        """Whether one more picture may go out at ``now`` (seconds)."""
        while self.unacked and now - self._sent[self._given_up].at > FORGET_S:
            self._given_up += 1
            self.forgotten += self.active
        if not self.active or not self.unacked:
            return True
        return self.unacked < self.limit and now >= self._through - EARLY_S

    def reset(self) -> None:
        """Media come back to the socket: what was under way before is not waited for."""
        self._sent.clear()
        self._given_up = 0

    def sent(self, media_ms: int, now: float, size: int = 0, *, tells: bool = True) -> None:
        """A picture of so many bytes (0: unknown) was handed to the socket. ``tells``: whether its
        ack tells of the link's rate."""
        if len(self._sent) == REMEMBERED:
            self._given_up = max(0, self._given_up - 1)
        self._sent.append(_Sent(to_u32(media_ms), now, size, tells))
        self._expect(self._sent[-1])

    def acked(
        self,
        timestamp_ms: int,
        now: float,
        hold_ms: float | None = None,
        decode_ms: float | None = None,
    ) -> None:
        """The picture of ``timestamp_ms``, and all before it, are drawn or dropped by the client,
        which took ``decode_ms`` to decode it, and held it for ``hold_ms`` until its sound was
        due."""
        self.active = True
        if hold_ms is not None:
            self.hold_ms = hold_ms
        covered = 0
        while self._sent and not u32_newer(self._sent[0].timestamp_ms, timestamp_ms):
            sent = self._sent.popleft()
            self._given_up = max(0, self._given_up - 1)
            covered += 1
            if sent.timestamp_ms == timestamp_ms:
                at = max(sent.at, now - (self.hold_ms + (decode_ms or 0.0)) / 1000)
                self.last_rtt_ms = (at - sent.at) * 1000
                # Where it covers others, nobody knows when each was through.
                self.estimate.acked(sent.at, sent.size, at, tells=sent.tells and covered == 1)
                self._through = at - self.estimate.way_ms / 1000
        for sent in self._sent:
            self._expect(sent)

    def _expect(self, sent: _Sent) -> None:
        """When it will be off the link."""
        on_link_s = self.estimate.on_link_ms(sent.size) / 1000
        self._through = max(self._through, sent.at) + on_link_s / PACE


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
