"""CPU time of a process and its children, from the operating system's own accounts."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TypeAlias

MachineTimes: TypeAlias = tuple[int, ...]
_CPU_CLOCK = 0b010


def cpu_seconds(pid: int) -> float:
    """User and system time so far of a process, its threads, and its living children. By the
    nanosecond: the ticks of proc(5) are 10 ms each."""
    return sum(time.clock_gettime(_cpu_clock_of(task)) for task in (pid, *_children(pid)))


def _cpu_clock_of(pid: int) -> int:
    """As clock_getcpuclockid(3) makes it."""
    return ~pid << 3 | _CPU_CLOCK


def memory_bytes(pid: int) -> int:
    """Resident memory of a process."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def idle_share(before: MachineTimes, after: MachineTimes) -> float:
    """Of the machine's cores between the two, 0 to 1; what other machines took of them is not
    idle (proc(5), ``/proc/stat``)."""
    passed = [b - a for a, b in zip(before, after, strict=True)]
    return (passed[3] + passed[4]) / max(1, sum(passed))


def machine_times() -> MachineTimes:
    """Ticks of all cores so far: user, nice, system, idle, iowait, irq, softirq, steal."""
    return tuple(map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9]))


class CpuMeter:
    """Per cent of one core that a process takes, since it was made or last read."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu_s, self._wall_s = cpu_seconds(pid), time.monotonic()

    def read(self) -> float:
        """Per cent of one core; starts anew."""
        cpu_s, wall_s = cpu_seconds(self._pid), time.monotonic()
        percent = 100 * (cpu_s - self._cpu_s) / (wall_s - self._wall_s)
        self._cpu_s, self._wall_s = cpu_s, wall_s
        return percent


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:  # it has ended since
            continue
        for child in children:
            found += [int(child), *_children(int(child))]
    return found
