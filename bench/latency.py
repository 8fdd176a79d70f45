"""How late a viewer sees and hears, by way of sending, and how soon it speaks when asked.

    python -m bench latency

picture    from the session's clock to the refresh in which Chromium shows it, by the number in the
           test card's picture
voice      the same for the test card's beep, to the moment at which it is heard
say        from `say` to the first sound that is heard, of the portrait
interrupt  from `interrupt` to the last sound that is heard
All on this machine; the two clocks are joined by the quickest `pong`. The ways take turns; a figure
is the median of the rounds, `spread` what lies between the least and the most of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from .harness.browser import AUTOPLAY, chromium
from .harness.cell import MODES, Mode, watching
from .harness.server import serving
from .harness.speech import until_heard_ms, until_silent_ms
from .report import Report, middle
from .steps import Steps

SIZE, FPS = "1280x720", 20


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look."""

    modes: tuple[str, ...]
    rounds: int
    settle_s: float
    seconds: float
    times: int
    """To say something, and to interrupt it, in a round."""


QUICK = Effort(("ws-jpeg", "ws-patch", "ws-h264", "rtc-h264"), 1, 1.0, 3.0, 1)
FULL = Effort(tuple(MODES), 3, 3.0, 12.0, 4)


def measure(*, quick: bool, step: Steps) -> Report:
    """One row for each way."""
    effort = QUICK if quick else FULL
    agents = {
        "ada": {"size": SIZE, "fps": FPS},
        "card": {"size": SIZE, "fps": FPS, "avatar": {"provider": "testcard"}},
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in effort.modes}
    step.plan(effort.rounds * len(found))
    with (
        serving({"agents": agents}) as server,
        sync_playwright() as playwright,
        chromium(playwright, AUTOPLAY) as browser,
    ):
        for number in range(effort.rounds):
            for name, rounds in found.items():
                step(f"{name}, round {number + 1} of {effort.rounds}")
                figures = see_and_hear(browser, server.url, MODES[name], effort)
                rounds.append(figures | speak(browser, server.url, MODES[name], effort))
    rows = [{"mode": name, **_row(rounds)} for name, rounds in found.items()]
    return Report(f"Latency on this machine, {SIZE} at {FPS} fps", rows, keys=("mode",))


def _row(rounds: list[dict[str, float]]) -> dict[str, float | None]:
    """Medians of the rounds; spreads of what matters most."""
    row: dict[str, float | None] = {key: median(one[key] for one in rounds) for key in rounds[0]}
    for name in ("picture", "voice", "say", "interrupt"):
        spread = middle(name, "ms", [one[f"{name}_p50_ms"] for one in rounds])
        row[f"{name}_spread_ms"] = spread[f"{name}_spread_ms"]
    return row


def see_and_hear(browser: Browser, url: str, mode: Mode, effort: Effort) -> dict[str, float]:
    """Milliseconds behind the session's clock, and pictures per second."""
    with watching(browser, url, mode, agent="card", settle_s=effort.settle_s) as page:
        page.evaluate(
            "async () => { logs = { card: probe.watchCard(), beeps: await probe.watchBeeps() }; }"
        )
        page.wait_for_timeout(effort.seconds * 1000)
        card, beeps, offset_ms = page.evaluate(
            "() => [logs.card(), logs.beeps(), probe.serverMinusLocalMs()]"
        )
    pictures = [one["atMs"] + offset_ms - one["mediaMs"] for one in card]
    # A beep belongs to a full second of the session's clock.
    sounds = [(at_ms + offset_ms) % 1000 for at_ms in beeps]
    return {
        "picture_p50_ms": float(np.median(pictures)),
        "picture_p95_ms": float(np.percentile(pictures, 95)),
        "voice_p50_ms": float(np.median(sounds)),
        "voice_p95_ms": float(np.percentile(sounds, 95)),
        "fps": (len(card) - 1) * 1000 / (card[-1]["atMs"] - card[0]["atMs"]),
    }


def speak(browser: Browser, url: str, mode: Mode, effort: Effort) -> dict[str, float]:
    """From `say` to sound and from `interrupt` to silence, ms."""
    with watching(browser, url, mode, agent="ada", settle_s=effort.settle_s) as page:
        heard = [until_heard_ms(page) for _ in range(effort.times)]
        silent = [until_silent_ms(page) for _ in range(effort.times)]
    return {
        "say_p50_ms": float(np.median(heard)),
        "say_max_ms": max(heard),
        "interrupt_p50_ms": float(np.median(silent)),
        "interrupt_max_ms": max(silent),
    }
