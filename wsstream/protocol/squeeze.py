"""When a connection takes next to nothing for a moment. Pure: time is an argument.

TCP's BBR sends no more than four segments a round trip for 200 ms, each ten seconds or so
(draft-ietf-ccwg-bbr, section 5.3.4: ProbeRTT). A large picture that goes out then takes many round
trips, and all sound behind it waits for as long; without it, sound passes as ever.
"""

from __future__ import annotations

import math
from typing import NamedTuple

WAIT_MS = 60.0
"""A picture is held back that would take so much longer than the way there and back."""
HOLD_S = 0.2
"""For so long at most: where it lasts, that is what the link is like, and smaller pictures help."""
UNTOLD_S = 0.3
"""So long such a moment may last, with its round trip: what goes out then takes as long as TCP
wants, not as long as the link does."""
AGAIN_S = 5.0
"""From the beginning of one such moment to the next."""


class Felt(NamedTuple):
    """What becomes of a picture that is to go out."""

    holds: bool
    """It is held back."""
    tells: bool
    """How long it takes tells what the link carries."""


class Squeeze:
    """Of one connection."""

    def __init__(self) -> None:
        self._since = -math.inf
        self.seen = 0

    def feel(self, wait_ms: float, now: float) -> Felt:
        """A picture would take so much longer than a round trip just now (seconds)."""
        if wait_ms > 0 and now - self._since >= AGAIN_S:
            self._since = now
            self.seen += 1
        lasts_s = now - self._since
        return Felt(
            holds=wait_ms > WAIT_MS and lasts_s < HOLD_S,
            tells=wait_ms <= 0 or lasts_s >= UNTOLD_S,
        )
