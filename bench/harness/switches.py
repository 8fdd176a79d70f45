"""What a viewer sees and hears of switches between the transports, from the probe's logs."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from playwright.sync_api import Page

BEEP_MS = 40.0
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
    """Before, between and after the switches, the longest silence in the tone."""
    beeps: int
    lost: int
    """Beeps that did not come, or not half of one. What a silence takes of one is a silence."""
    doubled: int
    """Beeps that came again, or go on for too long."""
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
          const [card, sound] = [probe.watchCard(), await probe.watchSound()];
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

    def lacks(self, silences: Sequence[dict[str, Any]]) -> float:
        """How much of it is missing, for no silence."""
        since, until = self.end - BEEP_MS, self.start + BEEP_MS
        spans = [(s["startMs"], s["startMs"] + s["lastsMs"]) for s in silences]
        silent = sum(max(0.0, min(until, end) - max(since, start)) for start, end in spans)
        return BEEP_MS - self.heard - silent


def _beeps(louds: Sequence[dict[str, Any]]) -> list[_Beep]:
    """What is loud, a beep each: with its pieces."""
    beeps: list[_Beep] = []
    for start, lasts in ((s["startMs"], s["lastsMs"]) for s in louds):
        if beeps and start - beeps[-1].end < BEEP_MS:
            beeps[-1].heard += lasts
            beeps[-1].end = start + lasts
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
    silences = [s for s in sound if s["kind"] == "quiet"]
    beeps = _beeps([s for s in sound if s["kind"] == "loud"])
    starts = [one.start for one in beeps]
    steps = [b - a for a, b in pairwise(starts)]
    doubled = sum(step < 900 for step in steps)
    doubled += sum(one.end - one.start > BEEP_MS * 1.5 for one in beeps)
    lost = sum(round(step / 1000) - 1 for step in steps if step > 1500)
    lost += sum(one.lacks(silences) > BEEP_MS / 2 for one in beeps)
    longest = [0.0] * (len(switched) + 1)
    for one in silences:
        stretch = bisect(switched, one["startMs"])
        longest[stretch] = max(longest[stretch], one["lastsMs"])
    flashes = [b["atMs"] for a, b in pairwise(card) if b["flash"] and not a["flash"]]
    skews = flash_skews_ms(flashes, starts)
    return Seen(
        up_ms=logs["up"],
        down_ms=logs["down"],
        gaps_ms=gaps,
        back_frames=backs,
        silences_ms=longest,
        beeps=len(beeps),
        lost=lost,
        doubled=doubled,
        skews_ms=skews,
        unseen=len(starts[1:-1]) - len(skews),
    )
