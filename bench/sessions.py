"""How many private sessions of the portrait a core carries, each with a voice of its own, and where
the time goes.

    python -m bench sessions

Viewers, each with a session of its own that speaks without end, are added until the 95th percentile
of the time between pictures breaks 1.5 times the nominal one; each picture is a new one, else those
that are like the last would be missing. The viewers run on the same machine, and take their share
of it: CPU per session says more than the count. It is the median of three stretches, `spread` what
lies between the least and the most of them. Of it: `avatar`, the threads that draw and that make
mouths of sound; `encoders`, those that encode pictures; `loop`, the event loop: Opus, packets,
sockets; `voice`, the processes that speak.
"""

from __future__ import annotations

import time
from typing import Any

from .harness.cpu import CpuMeter
from .harness.load import viewers
from .harness.portrait import TEXT
from .harness.server import serving, thread_seconds
from .report import Report, middle
from .steps import Steps

SIZE, FPS = "512x512", 25
COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
QUICK_COUNTS = (3,)
LATE = 1.5
STRETCHES = 3


def measure(*, quick: bool, step: Steps) -> Report:
    """One row for each form of pictures: the last count that held."""
    seconds, counts = (3.0, QUICK_COUNTS) if quick else (15.0, COUNTS)
    step.plan(3 * len(counts))
    rows = []
    for form in ("jpeg", "patch", "h264"):
        held: dict[str, Any] = {}
        for count in counts:
            step(f"{form}, {count} sessions")
            found = sessions(form, count, seconds)
            broke = found["interval_p95_ms"] > LATE * 1000 / FPS
            held = held if broke and held else found
            if broke:
                break
        rows.append({"what": f"ws-{form}", **held})
    return Report(
        f"Private sessions of the portrait, {SIZE} at {FPS} fps, speaking",
        rows,
        ["the last count whose intervals had a 95th percentile below 60 ms, else the least"],
    )


def sessions(form: str, count: int, seconds: float) -> dict[str, Any]:
    """CPU of the server per session, and what the viewers got."""
    avatar = {"provider": "bench.harness.restless:Restless"}
    agent = {"size": SIZE, "fps": FPS, "greeting": TEXT * 3, "avatar": avatar}
    with (
        serving({"agents": {"ada": agent}}) as server,
        viewers(server.url, count, video=form) as load,
    ):
        time.sleep(2 + count / 4)
        load.ask("intervals")
        meter, since_s, before = CpuMeter(server.pid), time.monotonic(), thread_seconds(server)
        cpu = []
        for _ in range(STRETCHES):
            time.sleep(seconds / STRETCHES)
            cpu.append(meter.read() / count)
        after, elapsed_s = thread_seconds(server), time.monotonic() - since_s
        intervals = load.ask("intervals")
    share = {
        work: 100 * (after[work] - before[work]) / elapsed_s / count
        for work in ("avatar", "encoders", "loop")
    }
    share["voice"] = max(0.0, sum(cpu) / len(cpu) - sum(share.values()))
    return {
        "sessions": count,
        **middle("cpu_per_session", "percent", cpu),
        **{f"{work}_percent": percent for work, percent in share.items()},
        "interval_p50_ms": intervals["p50"],
        "interval_p95_ms": intervals["p95"],
    }
