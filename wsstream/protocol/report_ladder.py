"""When to step down and up by what an RTP receiver reports: its estimate of the link (REMB), loss,
round trips, and what is known of the link where it tells when pictures came. Pure: time is an
argument."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from .ladder import FITS_SHARE, PROBE_S, UP_MARGIN, Ladder
from .losses import Losses
from .round_trips import LATE_S, QUEUE_S, RoundTrips
from .trial import Trial

HEADROOM = 0.95
"""An estimate below this part of what is sent means congestion."""
IDLE = 1.3
"""One above this part of it says only that little is sent: a receiver lets it be 1.5 times that."""
GROWING = 1.01
"""An estimate that is so much higher than the one before it is on its way up: a receiver lets it
grow by some 8 % a second, from little after a face that stood still (draft-ietf-rmcat-gcc-02
section 5.5)."""
ESTIMATE_S = 0.9
"""What was sent is measured over at least so long: estimates come each second, and at once when
they fall."""
NEED_S = 10.0
"""What was sent lately counts for about so long: a level that takes no less is no help."""
QUEUED_S = 0.5
"""Round trips that tell of a queue for so long tell of congestion."""
UNFIT_TIMES = 12.0
"""What seems not to fit is tried out all the same, after so many times the wait of another trial: a
link may have become another one. That is two minutes, and twice as long after each that fails."""
TOLD_S = 5.0
"""What a receiver told of the link counts for so long after it told anything."""

Needs: TypeAlias = Callable[[float], Sequence[float]]
"""Of the bits per second that were sent lately (0: unknown): what each level would take."""


class ReportLadder:
    """One receiver's. What it is told says whether it made a step."""

    def __init__(self, levels: int, needs: Needs, now: float, level: int = 0) -> None:
        self._ladder = Ladder(levels, now, level)
        self._needs = needs
        self._bits = self._sent = 0.0
        self._since = now
        self._estimate = 0
        self._carried = math.inf
        self._rate = math.inf
        self._told_at = -math.inf
        self._losses = Losses()
        self._round_trips = RoundTrips()
        self._late_since: float | None = None
        self._trial: Trial | None = None
        self._usual = 0.0
        """What was lost before it began, 0 to 1 of the packets."""
        self._may_have_grown = False
        self.queue_s = 0.0
        """How long the link's queue is, as it was told last."""

    @property
    def level(self) -> int:
        return self._ladder.level

    @property
    def tries(self) -> bool:
        """Whether it is being tried out whether the link carries a better level: pictures are
        wanted then even of a face that stands still."""
        return self._trial is not None

    def sent(self, size: int, now: float) -> int:
        """A picture of so many bytes goes out. How many bytes are to be added to it."""
        self._bits += size * 8
        if self._trial is not None and self._trial.is_late(now):
            self._congested(now, None)
        queued = self.queue_s > QUEUE_S and self._ladder.is_deferred(now)  # as it was told lately
        return 0 if self._trial is None or queued else self._trial.padding(size, now)

    def forget_sent(self, now: float) -> None:
        """What another size or rate took says nothing."""
        self._sent = self._bits = 0.0
        self._since = now
        if self._trial is not None:
            self._trial = None
            self._ladder.hold(now)

    def on_arrivals(
        self, queue_s: float, rate_bps: float | None, now: float, *, may_have_grown: bool = False
    ) -> bool:
        """Pictures came, so much later than they might, and the link is known to carry so much
        beside the sound, if that is known, and unless it has grown."""
        self._may_have_grown = may_have_grown
        self._rate, self._told_at = rate_bps or math.inf, now
        self.queue_s = queue_s
        if queue_s <= QUEUE_S:
            self._late_since = None
            return False
        self._ladder.defer(now)
        if self._late_since is None:
            self._late_since = now
        return now - self._late_since >= LATE_S and self._congested(now, self._fitting(now))

    def on_estimate(self, bitrate: int, now: float) -> bool:
        """A face that stands still leaves the link idle, and an idle link is estimated low: what
        was really sent, and where the estimate goes, tell whether the link is too small."""
        elapsed_s = now - self._since
        if elapsed_s < ESTIMATE_S:
            return False
        sent = self._bits / elapsed_s
        self._bits, self._since = 0.0, now
        self._sent = max(sent, self._sent + (sent - self._sent) * min(1.0, elapsed_s / NEED_S))
        is_first, growing = not self._estimate, 0 < self._estimate * GROWING < bitrate
        falling = bitrate * GROWING < self._estimate
        self._estimate = bitrate
        tells = bitrate < sent * IDLE and not growing and not is_first
        self._carried = bitrate if tells else math.inf
        # Who tells when pictures came tells more: they come in time, and the link is estimated low.
        in_time = self._is_told(now) and self.queue_s <= QUEUE_S and self._losses.few
        if self._trial is not None and falling and bitrate < self._trial.need and not in_time:
            return self._congested(now, None)
        if bitrate >= sent * HEADROOM or in_time:
            return self._clear(now)
        if growing or is_first:
            self._ladder.hold(now)
            return False
        return self._congested(now, self._fitting(now))

    def on_loss(self, fraction: float, packets: int, now: float) -> bool:
        """Whether the link is too small that does not tell: one step, unless it is known."""
        if self._trial is not None and self._losses.are_more(fraction, packets, self._usual):
            return self._congested(now, None)
        self._losses.report(fraction, packets, now)
        if self._ladder.is_settling(now):  # this was sent before the step, or is from its queue
            self._losses.forget()
        if not self._losses.many:
            return self._losses.few and self._clear(now)
        known = self._known(now) < math.inf
        return self._congested(now, self._fitting(now) if known else None)

    def on_round_trip(self, seconds: float, now: float) -> bool:
        queued_s = self._round_trips.report(seconds, now)
        self.queue_s = self._round_trips.waited_s
        if queued_s is None:
            return False
        self._ladder.defer(now)  # nothing more is sent into a queue
        lasts = queued_s > QUEUED_S if self._trial is None else self._trial.queued(now)
        return lasts and self._congested(now, self._fitting(now))

    def _congested(self, now: float, level: int | None) -> bool:
        """Where more was tried out, it was that: no step."""
        if self._trial is None:
            return self._ladder.congested(now, level)
        self._trial = None
        self._ladder.refrain(now)
        return False

    def _clear(self, now: float) -> bool:
        """A step up is tried out first. What does not fit the link, as far as that is known, is not
        even tried for long."""
        if self.level == 0:
            return False
        need = self._needs(0)[self.level - 1]
        if self._trial is None:
            if self._ladder.is_clear(now, self._wait_s(need, now)):
                self._trial, self._usual = Trial(need, now), self._losses.share
            return False
        if not self._trial.over or self._ladder.is_deferred(now):
            return False
        self._trial = None
        self._ladder.up(now)
        return True

    def _wait_s(self, need: float, now: float) -> float:
        """Before so many bits per second are tried out."""
        if self._is_told(now) and self._may_have_grown:
            return PROBE_S
        fits = need <= self._known(now) * FITS_SHARE * UP_MARGIN
        return self._ladder.probe_s * (1 if fits else UNFIT_TIMES)

    def _known(self, now: float) -> float:
        """What the link carries, as far as a receiver tells that still does."""
        return self._rate if self._is_told(now) else math.inf

    def _is_told(self, now: float) -> bool:
        return now - self._told_at < TOLD_S

    def _fitting(self, now: float) -> int | None:
        """The best level that takes less than what was sent lately, and no more than the link
        carries, as far as either is known. From a step up that does not hold it goes back to where
        it came from."""
        if self._ladder.is_probing(now):
            return None
        # What is known of the link tells more than an estimate, which a burst drives far down.
        known = self._known(now)
        carried = known * FITS_SHARE if known < math.inf else self._carried
        less = self._sent * HEADROOM or math.inf
        if less < self._needs(0)[-1] and carried == math.inf:
            return None  # a face that is silent takes next to nothing on any level
        room = min(carried, less)
        needs = self._needs(self._sent)
        fits = [level for level, bits in enumerate(needs) if bits <= room]
        return fits[0] if fits else len(needs) - 1
