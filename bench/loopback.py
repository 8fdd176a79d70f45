"""What one viewer on this machine sees and costs, with the WebSocket alone.

    python -m bench.loopback [--seconds 20] [--json FILE]

latency     from a picture's media time (when the server released it) to the refresh in which
            Chromium showed it, read from the test card's pixels; the two clocks are joined by the
            quickest `pong`, which on loopback is right to about half a millisecond
CPU         of the server process, per viewer: the slope between one viewer and several, each of
            which has a session of its own, or all of which share one
portrait    CPU per picture of the default avatar, in process, while it speaks and while it is idle
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.progress import track
from rich.table import Table

from wsstream.avatar.portrait import PortraitAvatar
from wsstream.voice.espeak import EspeakVoice

from .harness.browser import AUTOPLAY, chromium, probed_page, wait_for_picture, wait_for_sound
from .harness.cpu import CpuMeter
from .harness.load import viewers
from .harness.server import serving

SIZES = ((512, 512, 25), (1280, 720, 20))
LOAD_VIEWERS = 8
TEXT = "The quick brown fox jumps over the lazy dog, and then it sits down for a while. " * 4

out = Console()


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.loopback", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="for each figure (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    results = []
    for width, height, fps in track(SIZES, "measuring", console=Console(stderr=True)):
        size = f"{width}x{height}"
        results.append(
            {
                "size": size,
                "fps": fps,
                **latency(size, fps, options.seconds),
                **server_cpu(size, fps, options.seconds),
                **portrait_cost(width, height, fps),
            }
        )
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def card(size: str, fps: float, **agent: Any) -> dict[str, Any]:
    """A configuration whose only agent is the test card."""
    avatar = {"provider": "testcard"}
    return {"agents": {"ada": {"size": size, "fps": fps, "avatar": avatar, **agent}}}


def latency(size: str, fps: float, seconds: float) -> dict[str, float]:
    """Release to draw in Chromium, ms, and pictures drawn per second."""
    with (
        serving(card(size, fps)) as server,
        sync_playwright() as playwright,
        chromium(playwright, AUTOPLAY) as browser,
        probed_page(browser) as page,
    ):
        page.goto(server.url)
        wait_for_picture(page)
        wait_for_sound(page)
        page.wait_for_timeout(2000)
        page.evaluate("() => { card = probe.watchCard(); }")
        page.wait_for_timeout(seconds * 1000)
        seen, offset_ms = page.evaluate("() => [card(), probe.serverMinusLocalMs()]")
    lags = np.array([p["atMs"] + offset_ms - p["mediaMs"] for p in seen])
    elapsed_s = (seen[-1]["atMs"] - seen[0]["atMs"]) / 1000
    return {
        "latency_p50_ms": float(np.median(lags)),
        "latency_p95_ms": float(np.percentile(lags, 95)),
        "drawn_fps": (len(seen) - 1) / elapsed_s,
    }


def server_cpu(size: str, fps: float, seconds: float) -> dict[str, float]:
    """Per cent of a core that one more viewer costs, private and shared."""
    found = {}
    for kind, shared in (("private", False), ("shared", True)):
        avatar = {"provider": "portrait"}
        with serving(card(size, fps, shared=shared, avatar=avatar)) as server:
            loads = []
            for count in (1, LOAD_VIEWERS):
                with viewers(server.url, count):
                    time.sleep(2)
                    meter = CpuMeter(server.pid)
                    time.sleep(seconds / 2)
                    loads.append(meter.read())
            found[f"cpu_{kind}_percent"] = (loads[1] - loads[0]) / (LOAD_VIEWERS - 1)
    return found


def portrait_cost(width: int, height: int, fps: float) -> dict[str, float]:
    """CPU ms per picture of the portrait, speaking and idle."""
    return asyncio.run(_portrait_cost(width, height, fps))


async def _portrait_cost(width: int, height: int, fps: float) -> dict[str, float]:
    voice = EspeakVoice()
    await voice.start()
    chunks = [chunk async for chunk in voice.synthesize(TEXT)]
    await voice.stop()
    avatar = PortraitAvatar(fps=fps)
    await avatar.start(None, width=width, height=height)
    await avatar.warm()

    def speak() -> int:
        frames = []
        for chunk in chunks:
            frames += avatar.feed_audio(chunk.pcm, chunk.sample_rate, chunk.visemes)
        avatar.end_turn()
        frames += avatar.flush()
        for n, frame in enumerate(frames):
            frame.render(round(n * 1000 / fps))
        return len(frames)

    def idle() -> int:
        count = round(20 * fps)
        for n in range(count):
            if (frame := avatar.get_idle_frame(60_000 + round(n * 1000 / fps))) is not None:
                frame.render(60_000 + round(n * 1000 / fps))
        return count

    costs = {"portrait_speaking_ms": _cpu_ms(speak), "portrait_idle_ms": _cpu_ms(idle)}
    await avatar.stop()
    return costs


def _cpu_ms(work: Callable[[], int]) -> float:
    started_s = time.process_time()
    count = work()
    return 1000 * (time.process_time() - started_s) / count


def show(results: list[dict[str, Any]]) -> None:
    """A table with a column for each size."""
    table = Table("figure", *(f"{r['size']} at {r['fps']} fps" for r in results))
    for key, unit in (
        ("latency_p50_ms", "ms"),
        ("latency_p95_ms", "ms"),
        ("drawn_fps", "fps"),
        ("cpu_private_percent", "% of a core"),
        ("cpu_shared_percent", "% of a core"),
        ("portrait_speaking_ms", "ms"),
        ("portrait_idle_ms", "ms"),
    ):
        table.add_row(key, *(f"{r[key]:.2f} {unit}" for r in results))
    out.print(table)


if __name__ == "__main__":
    main()
