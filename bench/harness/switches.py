"""What a viewer sees and hears of switches between the transports, from the probe's logs."""

from __future__ import annotations

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
    """Every silence in the tone."""
    beeps: int
    lost: int
    doubled: int
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


def judge(logs: dict[str, Any]) -> Seen:
    """What the logs say."""
    card, sound = logs["card"], logs["sound"]
    gaps, backs = [], []
    for before, after in pairwise(range(len(card))):
        if card[before]["on"] == card[after]["on"]:
            continue
        near = card[max(0, before - 12) : after + 13]
        gaps.append(max(b["atMs"] - a["atMs"] for a, b in pairwise(near)))
        newest, back = near[0]["frame"], 0
        for one in near:
            back = max(back, newest - one["frame"])
            newest = max(newest, one["frame"])
        backs.append(back)
    beeps = [s for s in sound if s["kind"] == "loud"]
    starts = [s["startMs"] for s in beeps]
    steps = [b - a for a, b in pairwise(starts)]
    doubled = sum(step < 900 for step in steps)
    doubled += sum(s["lastsMs"] > BEEP_MS * 1.5 for s in beeps)
    lost = sum(round(step / 1000) - 1 for step in steps if step > 1500)
    lost += sum(s["lastsMs"] < BEEP_MS / 2 for s in beeps)
    flashes = [b["atMs"] for a, b in pairwise(card) if b["flash"] and not a["flash"]]
    skews = flash_skews_ms(flashes, starts)
    return Seen(
        up_ms=logs["up"],
        down_ms=logs["down"],
        gaps_ms=gaps,
        back_frames=backs,
        silences_ms=[s["lastsMs"] for s in sound if s["kind"] == "quiet"],
        beeps=len(beeps),
        lost=lost,
        doubled=doubled,
        skews_ms=skews,
        unseen=len(starts[1:-1]) - len(skews),
    )
