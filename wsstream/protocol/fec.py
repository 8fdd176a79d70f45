"""When a receiver's sound is worth protecting against loss. Pure: time is an argument."""

from __future__ import annotations

LOSS_ON, LOSS_OFF = 0.02, 0.005
"""Of the packets, 0 to 1: more begins it; less, for long enough, ends it."""
CALM_S = 10.0


class InbandFec:
    """Opus in-band FEC (RFC 7587 section 3.3) for one receiver, by its reports. Its bits are
    taken from the sound itself, so it is on only where packets are lost."""

    def __init__(self) -> None:
        self.on = False
        self._lossy_at = 0.0

    def report(self, loss: float, now: float) -> bool:
        """A receiver report (RFC 3550 section 6.4.1): the fraction lost since the last one.
        Whether it is on from here on."""
        if loss > LOSS_ON:
            self.on = True
        if loss >= LOSS_OFF:
            self._lossy_at = now
        elif now - self._lossy_at >= CALM_S:
            self.on = False
        return self.on
