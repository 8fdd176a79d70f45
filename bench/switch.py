"""What a viewer sees and hears of the switch to WebRTC and of the way back.

    python -m bench switch

The test card with beeps and a quiet tone, in Chromium on this machine, is pinned to WebRTC and to
the WebSocket in turn. Nothing is to be missing: a picture, a beep, a stretch of the tone. `longest
time` is the longest one without a new picture around each switch; one is due each 40 ms.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import sync_playwright

from .harness.browser import AUTOPLAY, chromium, probed_page, wait_for_picture, wait_for_sound
from .harness.server import serving
from .harness.switches import watch_switches
from .loopback import card
from .report import Report
from .steps import Steps

SIZE, FPS = "512x512", 25
MOST = (
    ("longest time without a new picture ms", "max", 100 + 1000 / 60),  # told by refreshes
    ("frames back", "max", 1),
    ("silence in the tone ms", "max", 60),
    ("A/V skew ms", "p95", 40),
    ("A/V skew ms", "max", 80),
    ("lost", "max", 0),
    ("doubled", "max", 0),
)
"""What is wanted of all switches: which figure is to be no more than what."""


def measure(*, quick: bool, step: Steps) -> Report:
    """One row for each figure."""
    count = 5 if quick else 50
    step.plan(1)
    avatar = {"provider": "testcard", "tone_hz": 440}
    with (
        serving(card(SIZE, FPS, avatar=avatar)) as server,
        sync_playwright() as playwright,
        chromium(playwright, AUTOPLAY) as browser,
        probed_page(browser) as page,
    ):
        page.goto(f"{server.url}?mode=ws")
        wait_for_picture(page)
        wait_for_sound(page)
        page.wait_for_timeout(2000)
        step(f"{count} switches up and {count} down")
        page.set_default_timeout(count * 30_000)
        seen = watch_switches(page, count)
    rows = []
    for what, value in seen.figures().items():
        figures = value if isinstance(value, dict) else {"median": None, "p95": None, "max": value}
        rows.append({"what": what, **figures})
    title = f"{count} switches to WebRTC and {count} back, {SIZE} at {FPS} fps"
    return Report(title, rows, notes=verdicts(rows))


def verdicts(rows: list[dict[str, Any]]) -> list[str]:
    """What was wanted, and whether it is so, in a line each."""
    found = {row["what"]: row for row in rows}
    lines = []
    for what, column, most in MOST:
        figure = found[what][column]
        holds = "holds" if figure <= most else "DOES NOT HOLD"
        lines.append(f"{what}, {column}: {figure:.3g}; wanted at most {most:.3g}: {holds}")
    return lines
