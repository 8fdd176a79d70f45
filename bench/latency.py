"""How late a viewer sees and hears, by way of sending, and how soon it speaks when asked.

    python -m bench latency

picture   from the session's clock to the refresh in which Chromium shows it, by the number in the
          test card's picture
voice     the same for the test card's beep, to the moment at which it is heard
say       from `say` to the first sound that is heard, of the portrait
All on this machine; the two clocks are joined by the quickest `pong`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from .harness.browser import AUTOPLAY, chromium
from .harness.cell import MODES, watching
from .harness.server import serving
from .report import Report, Step

SIZE, FPS = "1280x720", 20
AUDIBLE = 0.01
SENTENCE = "Here I am."


def measure(*, quick: bool, step: Step) -> Report:
    """One row for each way."""
    seconds, times = (6.0, 3) if quick else (30.0, 10)
    agents = {
        "ada": {"size": SIZE, "fps": FPS},
        "card": {"size": SIZE, "fps": FPS, "avatar": {"provider": "testcard"}},
    }
    rows = []
    with (
        serving({"agents": agents}) as server,
        sync_playwright() as playwright,
        chromium(playwright, AUTOPLAY) as browser,
    ):
        for name, mode in MODES.items():
            step(name)
            rows.append(
                {
                    "mode": name,
                    **see_and_hear(browser, server.url, mode, seconds),
                    **speak(browser, server.url, mode, times),
                }
            )
    return Report("Latency on this machine, 1280x720 at 20 fps", rows)


def see_and_hear(browser: Browser, url: str, mode: Any, seconds: float) -> dict[str, float]:
    """Milliseconds behind the session's clock, and pictures per second."""
    with watching(browser, url, mode, agent="card") as page:
        page.evaluate(
            "async () => { logs = { card: probe.watchCard(), beeps: await probe.watchBeeps() }; }"
        )
        page.wait_for_timeout(seconds * 1000)
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


def speak(browser: Browser, url: str, mode: Any, times: int) -> dict[str, float]:
    """From `say` to sound, ms."""
    with watching(browser, url, mode, agent="ada") as page:
        took = [_say(page) for _ in range(times)]
    return {"say_p50_ms": float(np.median(took)), "say_max_ms": max(took)}


def _say(page: Page) -> float:
    page.evaluate(
        """async (text) => {
          level = await probe.watchLevel();
          saidMs = performance.now();
          document.querySelector("ws-stream").say(text);
        }""",
        SENTENCE,
    )
    page.wait_for_function("document.querySelector('ws-stream').state === 'speaking'")
    page.wait_for_function("document.querySelector('ws-stream').state === 'idle'")
    page.wait_for_timeout(500)
    levels, said_ms = page.evaluate("() => [level(), saidMs]")
    return float(next(s["atMs"] for s in levels if s["rms"] > AUDIBLE) - said_ms)
