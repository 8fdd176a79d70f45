"""What a viewer sees and hears of switches between the transports, from the probe's logs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from playwright.sync_api import Page

BEEP_MS, LONGEST_MS = 40.0, 60.0
"""A beep, and what is more than one."""
NEXT_MS = 500.0
"""What is loud so much later is another one."""
FLASH_EACH_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything in ms, unless it says otherwise."""

    up_ms: list[float]
    """From the wish to the switch."""
    down_ms: list[float]
    gaps_ms: list[float]
    """Around each switch, the longest time without a new picture."""
    back_frames: list[int]
    """Around each switch, how far the frame number went back at most."""
    silences_ms: list[float]
    """From before to after each switch, up to the next ones, the longest silence in the tone."""
    beeps: int
    lost: int
    """Beeps that did not come, and those of which not half did, but for a silence in them."""
    doubled: int
    """Beeps that came again, or go on for too long, but for a silence in them."""
    skews_ms: list[float]
    """Flash minus beep, where both came: a flash is one picture, and a switch may leave one out."""
    unseen: int
    """Beeps without a flash."""

    def figures(self) -> dict[str, Any]:
        """Medians, 95th percentiles and maxima."""
        rows = {
            "time to WebRTC ms": self.up_ms,
            "time to WebSocket ms": self.down_ms,
            "longest time without a new picture ms": self.gaps_ms,
            "frames back": self.back_frames,
            "silence in the tone ms": self.silences_ms,
            "A/V skew ms": [abs(skew) for skew in self.skews_ms],
        }
        counts = {"beeps": self.beeps, "lost": self.lost, "doubled": self.doubled}
        counts["beeps without their flash"] = self.unseen
        return {name: three(values) for name, values in rows.items()} | counts


def three(values: list[float] | list[int]) -> dict[str, float]:
    """Median, 95th percentile, maximum; nothing is 0."""
    found = np.array(values or [0], float)
    return {
        "median": float(np.median(found)),
        "p95": float(np.percentile(found, 95)),
        "max": float(found.max()),
    }


def watch_switches(page: Page, count: int, *, stay_s: float = 1.0) -> Seen:
    """Switch up and down so often, on a page that shows a test card with beeps and a tone, on the
    WebSocket."""
    logs = page.evaluate(
        """async ([count, stayMs]) => {
          const rest = () => new Promise((done) => {
            setTimeout(done, stayMs * (0.8 + 0.4 * Math.random())); // at no fixed place of the beep
          });
          const sound = await probe.watchSound();
          const card = probe.watchCard();
          await rest();
          const up = [], down = [];
          for (let i = 0; i < count; i++) {
            up.push(await probe.switchTo("webrtc"));
            await rest();
            down.push(await probe.switchTo("ws"));
            await rest();
          }
          await rest();
          return { up, down, card: card(), sound: sound() };
        }""",
        [count, stay_s * 1000],
    )
    return judge(logs)


def flash_skews_ms(flashes_ms: Sequence[float], beeps_ms: Sequence[float]) -> list[float]:
    """Flash minus beep in ms, for each beep that has its flash; both are in ms of one clock.

    A flash is one picture, and may be the one that was not drawn: the next one, a second away, does
    not take its place. The first and the last beep may have lost theirs to the ends of the log, and
    are left out.
    """
    nearest = [min((f - b for f in flashes_ms), key=abs) for b in beeps_ms[1:-1] if flashes_ms]
    return [skew for skew in nearest if abs(skew) < FLASH_EACH_MS / 2]


@dataclass(slots=True)
class _Beep:
    """In ms. In one that is still to be heard, a silence makes several of what is loud."""

    start: float
    heard: float
    end: float


class _Silences:
    """All of a log."""

    def __init__(self, sound: Sequence[dict[str, Any]]) -> None:
        quiet = [s for s in sound if s["kind"] == "quiet"]
        self._spans = [(s["startMs"], s["startMs"] + s["lastsMs"]) for s in quiet]

    def longest_ms(self, since: float, until: float) -> float:
        """Of those that are in part between the two."""
        found = [b - a for a, b in self._spans if a < until and b > since]
        return max(found, default=0.0)

    def within_ms(self, since: float, until: float) -> float:
        """How much of the time between the two is silent."""
        return sum(max(0.0, min(until, b) - max(since, a)) for a, b in self._spans)


def _beeps(sound: Sequence[dict[str, Any]], silences: _Silences) -> list[_Beep]:
    """What is loud, a beep each, with its pieces."""
    beeps: list[_Beep] = []
    for start, lasts in ((s["startMs"], s["lastsMs"]) for s in sound if s["kind"] == "loud"):
        last = beeps[-1] if beeps else _Beep(-math.inf, 0.0, -math.inf)
        gap = start - last.end
        if gap < NEXT_MS and gap - silences.within_ms(last.end, start) < BEEP_MS:
            last.heard += lasts
            last.end = start + lasts
        else:
            beeps.append(_Beep(start, lasts, start + lasts))
    return beeps


def judge(logs: dict[str, Any]) -> Seen:
    """What the logs say."""
    card, sound = logs["card"], logs["sound"]
    gaps, backs, switched = [], [], []
    for before, after in pairwise(range(len(card))):
        if card[before]["on"] == card[after]["on"]:
            continue
        switched.append(card[after]["atMs"])
        near = card[max(0, before - 12) : after + 13]
        gaps.append(max(b["atMs"] - a["atMs"] for a, b in pairwise(near)))
        newest, back = near[0]["frame"], 0
        for one in near:
            back = max(back, newest - one["frame"])
            newest = max(newest, one["frame"])
        backs.append(back)
    silences = _Silences(sound)
    beeps = _beeps(sound, silences)
    starts = [one.start for one in beeps]
    begun, ended = ([one["atMs"] for one in end] for end in (card[:1], card[-1:]))
    steps = [b - a for a, b in pairwise([*begun, *starts, *ended])]
    lost = sum(round(step / 1000) - 1 for step in steps if step > 1500)
    doubled = sum(b - a < 900 for a, b in pairwise(starts))
    for one in beeps:
        silent = silences.within_ms(one.end - BEEP_MS, one.start + BEEP_MS)
        lost += one.heard + silent < BEEP_MS / 2
        doubled += one.end - one.start - silences.within_ms(one.start, one.end) > LONGEST_MS
    edges = [-math.inf, *switched, math.inf]
    around = list(zip(edges, edges[2:], strict=False)) or [(-math.inf, math.inf)]
    flashes = [b["atMs"] for a, b in pairwise(card) if b["flash"] and not a["flash"]]
    skews = flash_skews_ms(flashes, starts)
    return Seen(
        up_ms=logs["up"],
        down_ms=logs["down"],
        gaps_ms=gaps,
        back_frames=backs,
        silences_ms=[silences.longest_ms(*edge) for edge in around],
        beeps=len(beeps),
        lost=lost,
        doubled=doubled,
        skews_ms=skews,
        unseen=len(starts[1:-1]) - len(skews),
    )
