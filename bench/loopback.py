"""What one viewer on this machine sees and costs, with the WebSocket alone.

    python -m bench loopback

latency     from a picture's media time (when the server released it) to the refresh in which
            Chromium showed it, read from the test card's pixels; the two clocks are joined by the
            quickest `pong`, which on loopback is right to about half a millisecond
CPU         of the server process, per viewer: the slope between one viewer and several, each of
            which has a session of its own, or all of which share one
portrait    CPU per picture of the default avatar, in process, while it speaks and while it is idle
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from wsstream.avatar.portrait import PortraitAvatar
from wsstream.voice.espeak import EspeakVoice

from .harness.browser import AUTOPLAY, chromium, probed_page, wait_for_picture, wait_for_sound
from .harness.cpu import CpuMeter
from .harness.load import viewers
from .harness.portrait import TEXT
from .harness.server import serving
from .report import Report
from .steps import Steps

SIZES = ((512, 512, 25), (1280, 720, 20))
LOAD_VIEWERS = 8


def measure(*, quick: bool, step: Steps) -> Report:
    """One row for each size."""
    seconds, sizes = (4, SIZES[1:]) if quick else (20, SIZES)
    step.plan(len(sizes))
    rows = []
    for width, height, fps in sizes:
        size = f"{width}x{height}"
        step(f"{size} at {fps} fps")
        rows.append(
            {
                "what": f"{size} at {fps} fps",
                **latency(size, fps, seconds),
                **server_cpu(size, fps, seconds),
                **portrait_cost(width, height, fps),
            }
        )
    return Report("The WebSocket alone, on this machine", rows)


def card(size: str, fps: float, **agent: Any) -> dict[str, Any]:
    """A configuration whose only agent is the test card."""
    ada = {"size": size, "fps": fps, "avatar": {"provider": "testcard"}, **agent}
    return {"agents": {"ada": ada}}


def latency(size: str, fps: float, seconds: float) -> dict[str, float]:
    """Release to draw in Chromium, ms, and pictures drawn per second."""
    with (
        serving(card(size, fps, mode="ws")) as server,
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
        with serving(card(size, fps, shared=shared, avatar=avatar, mode="ws")) as server:
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
