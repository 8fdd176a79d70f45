"""Whether anything is left behind by viewers that go up to WebRTC and back, again and again.

    python -m bench soak

One viewer flips each few seconds, without an end. The server's resident memory is read twice a
second; what counts is the slope of a straight line through it after a warm-up, in MB an hour, and
that threads do not grow.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np

from .harness.cpu import memory_bytes
from .harness.flipper import flipper
from .harness.server import serving
from .report import Report
from .steps import Steps

STAY_S = 5.0
SHOWN_EACH_S = 20.0


def measure(*, quick: bool, step: Steps) -> Report:
    """One row."""
    stay_s, warm_s, seconds = (1.0, 20.0, 40.0) if quick else (STAY_S, 300.0, 900.0)
    agents = {"ada": {"size": "512x512", "fps": 25}}
    memory: list[tuple[float, int]] = []
    shown_s = 0.0
    step.plan(math.ceil((warm_s + seconds) / SHOWN_EACH_S))
    with serving({"agents": agents}) as server, flipper(server.url, stay_s) as viewer:
        since = time.monotonic()
        threads = 0
        while (at_s := time.monotonic() - since) < warm_s + seconds:
            if at_s > warm_s:
                threads = threads or _threads(server.pid)
                memory.append((at_s, memory_bytes(server.pid)))
            if at_s >= shown_s:
                step(f"{shown_s:.0f} of {warm_s + seconds:.0f} s")
                shown_s += SHOWN_EACH_S
            time.sleep(0.5)
        counts, threads_then = viewer.ask("counts"), _threads(server.pid)
    at, held = np.array(memory).T
    slope = np.polyfit(at, held, 1)[0] * 3600 / 1e6
    return Report(
        f"Flips each {stay_s:g} s, {warm_s:g} s of warm-up",
        [
            {
                "minutes": seconds / 60,
                "flips": counts["up"] + counts["down"],
                "memory_MB": held[-1] / 1e6,
                "slope_MB_per_h": float(slope),
                "threads_before": threads,
                "threads_after": threads_then,
            }
        ],
    )


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
