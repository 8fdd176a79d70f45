"""What the threads of this process do, and the CPU that it takes."""

from __future__ import annotations

import sys
import threading
import time

from ..session.pool import DRAW, ENCODE, GENERATE

WORK = {"MainThread": "loop", DRAW: "avatar", GENERATE: "avatar", ENCODE: "encoders"}
"""By what a thread's name begins with. The event loop's is all the rest of the server: packets and
their encryption, sockets, Opus."""
OTHER = "other"
_CPU_CLOCK = 0b110
"""Of a thread, by the nanosecond: what pthread_getcpuclockid(3) gives, but an error where it has
ended."""


def cpu_seconds() -> dict[str, float]:
    """Of the threads that live, so far, by what they do; empty where the system does not tell."""
    if sys.platform != "linux":
        return {}
    seconds = dict.fromkeys([*WORK.values(), OTHER], 0.0)
    for thread in threading.enumerate():
        if thread.native_id is None:  # it has not begun
            continue
        work = next((it for name, it in WORK.items() if thread.name.startswith(name)), OTHER)
        try:
            seconds[work] += time.clock_gettime(~thread.native_id << 3 | _CPU_CLOCK)
        except OSError:
            continue
    return seconds
