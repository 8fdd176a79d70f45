"""What a switch between the transports costs on the wire: for a moment the media come by both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from playwright.sync_api import Page

from .tunlink import TunLink

EACH_MS = 50
STEADY_S = 2.0
"""Either transport alone, before and after."""
CARRIES = 0.25
"""A transport that delivers this part of what it does alone is carrying media."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes delivered to the viewer so far."""

    at_s: float
    tcp_bytes: int
    udp_bytes: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of one switch."""

    lasts_ms: float
    twice_bytes: int
    """Of the lesser of the two, while both carried media."""


def watch_overlap(page: Page, link: TunLink, to: str) -> Overlap:
    """Switch a page that plays on the other transport."""
    samples: list[Sample] = []

    def sample(seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < until_s:
            down = link.counts().down
            samples.append(Sample(now_s, down.tcp.delivered_bytes, down.udp.delivered_bytes))
            page.wait_for_timeout(EACH_MS)

    sample(STEADY_S)
    wished_s = time.monotonic()
    page.evaluate("(to) => { switched = 0; probe.switchTo(to).then((ms) => (switched = ms)); }", to)
    while not page.evaluate("switched"):
        if time.monotonic() - wished_s > 15:
            raise RuntimeError(f"it did not switch to {to}")
        sample(2 * EACH_MS / 1000)
    sample(1.0)  # the other one ends
    settled_s = time.monotonic()
    sample(STEADY_S)
    return judge(samples, wished_s, settled_s)


def judge(samples: Sequence[Sample], wished_s: float, settled_s: float) -> Overlap:
    """What lies between the wish and the time by which only the new transport carries anything."""
    before = [one for one in samples if one.at_s <= wished_s]
    after = [one for one in samples if one.at_s >= settled_s]
    # Over some pictures' time: a moment has one or none.
    spans = [
        (b.at_s - a.at_s, b.tcp_bytes - a.tcp_bytes, b.udp_bytes - a.udp_bytes)
        for a, b in pairwise(one for one in samples[::4] if wished_s <= one.at_s <= settled_s)
    ]
    tcp_per_s, udp_per_s = _alone(before, after)
    lasts_s, twice = 0.0, 0
    for seconds, tcp, udp in spans:
        if tcp > CARRIES * tcp_per_s * seconds and udp > CARRIES * udp_per_s * seconds:
            lasts_s += seconds
            twice += min(tcp, udp)
    return Overlap(lasts_s * 1000, twice)


def _alone(before: Sequence[Sample], after: Sequence[Sample]) -> tuple[float, float]:
    """Bytes a second by TCP and by UDP, of each where it is the one that carries the media."""

    def rates(samples: Sequence[Sample]) -> tuple[float, float]:
        first, last = samples[0], samples[-1]
        seconds = last.at_s - first.at_s
        return (
            (last.tcp_bytes - first.tcp_bytes) / seconds,
            (last.udp_bytes - first.udp_bytes) / seconds,
        )

    (tcp_a, udp_a), (tcp_b, udp_b) = rates(before), rates(after)
    return max(tcp_a, tcp_b), max(udp_a, udp_b)
