"""One measurement of one subject."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

from ..harness.child import Child
from ..harness.cpu import CpuMeter
from ..harness.netns import Namespaces
from ..harness.server import Server
from .subjects import Subject
from .viewers import viewers

JOIN_TIMEOUT_S = 20.0
Figures: TypeAlias = dict[str, float]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look."""

    rounds: int
    tries: int
    """Of the time to the first picture."""
    settle_s: float
    window_s: float
    """As long as the clip, so that all are measured on the same pictures."""


QUICK = Effort(rounds=1, tries=1, settle_s=1.0, window_s=2.5)
FULL = Effort(rounds=3, tries=5, settle_s=2.0, window_s=6.0)


def try_on_loopback(
    subject: Subject, clip: Path, effort: Effort, extra: Sequence[int] = ()
) -> Figures:
    """All that one server of it tells: the time to the first picture, what viewers beside the first
    one cost, and what a viewer gets.

    Raises:
        RuntimeError: when it does not come to that, in words.
    """
    with (
        subject.start(extra=extra) as server,
        _viewers(subject, server, clip, effort.tries) as process,
    ):
        one = _Window(server, process, 1, effort, compare=subject.has_pictures)
        several = _Window(server, process, 1 + subject.more, effort)
    more_pictures = several.per_s["video"] - one.per_s["video"]
    if more_pictures <= 0:
        raise RuntimeError(f"{1 + subject.more} viewers got no more pictures than one did")
    more_cpu = several.cpu_percent - one.cpu_percent
    sound_bytes = one.per_s.get("audio_bytes", 0)
    return {
        **_first_ms("first_ms", process),
        "cpu_per_viewer_percent": more_cpu / subject.more,
        "pictures_per_s": several.per_s["video"] / (1 + subject.more),
        "cpu_ms_per_picture": 10 * more_cpu / more_pictures,
        "kbps": (one.per_s["video_bytes"] + sound_bytes) * 8 / 1000,
        **({} if one.psnr_db is None else {"psnr_db": one.psnr_db}),
        "picture_bytes": one.per_s["video_bytes"] / one.per_s["video"],
        "sound_bytes": sound_bytes / max(one.per_s.get("audio", 0), 1),
    }


def first_on_link(subject: Subject, clip: Path, net: Namespaces, effort: Effort) -> Figures:
    """The time to the first picture across the link that is there.

    Raises:
        RuntimeError: when it does not come to that, in words.
    """
    with (
        subject.start(host=net.server.address, command=net.server.command) as server,
        _viewers(subject, server, clip, effort.tries, net.client.command) as process,
    ):
        return _first_ms("first_100_ms_rtt_ms", process)


def _viewers(
    subject: Subject, server: Server, clip: Path, tries: int, command: Sequence[str] = ()
) -> AbstractContextManager[Child]:
    return viewers(
        subject.way,
        server.url,
        clip,
        codec=subject.codec,
        sound=subject.sound,
        # The very first finds server and client cold, and is not counted.
        tries=tries + 1 if subject.has_pictures else 0,
        tries_url=subject.tries_url(server.url),
        command=command,
    )


def _first_ms(key: str, process: Child) -> Figures:
    return {key: median(process.greeting[1:])} if process.greeting else {}


class _Window:
    """So many seconds of a server and so many viewers."""

    def __init__(
        self, server: Server, process: Child, count: int, effort: Effort, *, compare: bool = False
    ) -> None:
        if compare:  # before it joins: a decoder needs the first picture
            process.ask("compare", on=True)
        process.ask("add", count=count - process.ask("received")["viewers"])
        _wait(process, count)
        time.sleep(effort.settle_s)
        if compare:  # anew, without what came while all began
            process.ask("compare", on=True)
        before, meter, since = process.ask("received"), CpuMeter(server.pid), time.monotonic()
        time.sleep(effort.window_s)
        self.cpu_percent = meter.read()
        elapsed_s, after = time.monotonic() - since, process.ask("received")
        self.per_s = {key: (n - before.get(key, 0)) / elapsed_s for key, n in after.items()}
        self.psnr_db: float | None = process.ask("compare", on=False) if compare else None


def _wait(process: Child, count: int) -> None:
    deadline_s = time.monotonic() + JOIN_TIMEOUT_S
    while (connected := process.ask("received")["viewers"]) < count:
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{connected} of {count} viewers connected")
        time.sleep(0.05)
