"""When a connection takes next to nothing for a moment. Pure: time is an argument.

TCP's BBR sends no more than four segments a round trip for 200 ms, each ten seconds or so
(draft-ietf-ccwg-bbr, section 5.3.4: ProbeRTT). A large picture that goes out then takes many round
trips, and all sound behind it waits for as long; without it, sound passes as ever.
"""

from __future__ import annotations

import math

WAIT_MS = 60.0
"""A picture is held back that would take so much longer than the way there and back."""
HOLD_S = 0.2
"""For so long at most: where it lasts, that is what the link is like, and smaller pictures help."""
AGAIN_S = 5.0
"""From the beginning of one such moment to the next."""


class Squeeze:
    """Of one connection."""

    def __init__(self) -> None:
        self._since = -math.inf
        self.seen = 0

    def holds(self, wait_ms: float, now: float) -> bool:
        """Whether a picture that would take so much longer just now (seconds) is held back."""
        if wait_ms <= WAIT_MS:
            return False
        if now - self._since >= AGAIN_S:
            self._since = now
            self.seen += 1
        return now - self._since < HOLD_S
