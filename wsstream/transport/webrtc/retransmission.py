"""Which lost packets are worth sending again. Pure: time is an argument.

A browser that only receives knows no round trip time, and asks for a packet each 100 ms until it
has come, though it may be on its way already, behind a queue. On a link that was full, what was
sent again for that was half of all, and kept it full for a quarter of a minute.
"""

from __future__ import annotations

FIRST_ROUND_TRIP_S = 0.1
LEAST_ROUND_TRIP_S = 0.02
"""However short it is: each packet costs encryption."""
TOO_OLD_S = 1.0
"""What was made before is not shown any more: a key picture is of more use."""
REMEMBERED = 256


class Retransmission:
    """Of one sender's packets, which have RTP sequence numbers."""

    def __init__(self) -> None:
        self.round_trip_s = FIRST_ROUND_TRIP_S
        """As measured last."""
        self._newest_ms = self._key_ms = 0
        self._sent_again: dict[int, float] = {}

    def sent(self, media_ms: int, *, key: bool) -> None:
        """A picture goes out. A key picture makes all before it needless."""
        self._newest_ms = media_ms
        if key:
            self._key_ms = media_ms

    def is_too_old(self, age_s: float) -> bool:
        """Whether a packet is better made good by a key picture; ``age_s``: how much older its
        picture is than the newest."""
        return age_s > TOO_OLD_S and not self._is_needless(age_s)

    def is_wanted(self, number: int, age_s: float, now: float) -> bool:
        """Whether to send it again."""
        if age_s > TOO_OLD_S or self._is_needless(age_s):
            return False
        again = self._sent_again
        if now - again.get(number, -1e9) < max(LEAST_ROUND_TRIP_S, self.round_trip_s):
            return False
        again.pop(number, None)
        again[number] = now
        if len(again) > REMEMBERED:
            del again[next(iter(again))]
        return True

    def _is_needless(self, age_s: float) -> bool:
        return round(self._newest_ms - age_s * 1000) < self._key_ms
