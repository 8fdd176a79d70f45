"""wsstream beside what people use today, in one run, with the same pictures and sound.

    python -m bench peers

The portrait speaks, at 1280x720 and 20 fps, in raw pictures and PCM on disk; everyone plays them on
the clock. Each rival is installed from the package index into an environment of its own, once, in
``~/.cache/wsstream-bench`` (or ``$WSSTREAM_BENCH_CACHE``). One that cannot be had says why.

cpu      of the server's process, by the difference between one viewer and several: per viewer in
         per cent of a core, and per picture that was delivered, which is the fair figure where a
         server falls behind. Viewers are in another process, and decode nothing but the one that
         tells the PSNR. `shared`: all see one session; `private`: each has its own. What the rivals
         send is encoded for each viewer either way; aiortc's own example has one source for all,
         which is read and converted once, `a source each` is it with one for each viewer, as a
         private session has, and as FastRTC and Pipecat have. A viewer on a WebSocket has 50
         packets of sound a second beside its pictures: `one picture more` is by the difference
         between two frame rates, and `bare uvicorn` is measured with sound and without.
psnr     of luma, of the pictures that arrived against those that were sent, told by the number
         that is drawn into each.
first    from a viewer's start, before it connects, to its first complete picture: on loopback, and
         across a link of 100 ms RTT (as root). Loading a page is not in it, for anyone; no STUN
         server is asked.
jpeg     one 720p picture, one thread, quality 75, 4:2:0, fast DCT.

Subjects take turns within a round; a figure is the median of the rounds.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import SubprocessError
from typing import Any

from wsstream.protocol.frames import HEADER

from .harness.netns import available, namespaces
from .harness.shaping import Shape
from .harness.tunlink import tun_link
from .report import Report, Step
from .rivals import tjbench
from .rivals.clip import write_clip
from .rivals.subjects import (
    FPS,
    LINK,
    LOOPBACK,
    OUR_SOCKET,
    OUR_SOCKET_MANY,
    SIZE,
    Subject,
    our_subjects,
    rival_subjects,
)
from .rivals.trial import FULL, QUICK, Effort, Figures, first_on_link, try_on_loopback
from .rivals.verdicts import ONE_MORE, verdicts
from .steps import Steps

RTT_MS = 100
COLUMNS = (
    "cpu_per_viewer_percent",
    "pictures_per_s",
    "cpu_ms_per_picture",
    "kbps",
    "psnr_db",
    "first_ms",
    "first_100_ms_rtt_ms",
)


def measure(*, quick: bool, step: Steps) -> Report:
    """A row for each subject, and for two JPEG encoders."""
    effort = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name)
        step("the clip")
        asyncio.run(write_clip(clip, *SIZE, FPS, effort.window_s))
        rivals, problems, notes = rival_subjects(clip, step)
        subjects = [*our_subjects(clip), *rivals]
        run = _Run(clip, effort, problems, step)
        local = [s for s in subjects if not quick or LOOPBACK in s.quick]
        far = [s for s in subjects if s.has_pictures and (not quick or LINK in s.quick)]
        step.plan(effort.rounds * (len(local) + len(far)) + 1)
        for number in range(effort.rounds):
            for subject in local:
                step(f"round {number + 1} of {effort.rounds}: {subject.what}")
                run.loopback(subject)
        notes += run.links(far)
        step("JPEG encoders")
        jpegs = tjbench.compare(clip, 3 if quick else 7, 0.5 if quick else 2)
    run.found[ONE_MORE] = run.one_more()
    names = list(dict.fromkeys([*(subject.what for subject in local), ONE_MORE, *problems]))
    rows = [_row(what, run.found.get(what, []), problems.get(what)) for what in names]
    for name, took_ms in zip(("ours", tjbench.TOOL), jpegs, strict=True):
        if took_ms is not None:
            rows.append(_row(f"JPEG encoder: {name}", [{"cpu_ms_per_picture": took_ms}]))
        else:
            notes.append(f"no {name} here (package {tjbench.PACKAGE})")
    notes = [*verdicts(local, {row["what"]: row for row in rows}), *notes]
    return Report("Beside what people use today, 1280x720 at 20 fps", rows, notes)


class _Run:
    """What was found so far. A rival that fails does not break it."""

    def __init__(self, clip: Path, effort: Effort, problems: dict[str, str], step: Step) -> None:
        self.found: dict[str, list[Figures]] = {}
        """By row; of each round, of loopback or link."""
        self._problems = problems
        self._clip, self._effort, self._step = clip, effort, step

    def loopback(self, subject: Subject) -> None:
        """One round of it."""
        extra = () if subject.has_pictures else self._message_sizes(subject)
        self._note(subject, lambda: try_on_loopback(subject, self._clip, self._effort, extra))

    def links(self, subjects: Sequence[Subject]) -> list[str]:
        """All rounds of the time to the first picture; why there are none, if so."""
        able, why = available()
        if not able:
            return [f"no link of {RTT_MS} ms RTT: {why}"]
        half = Shape(delay_ms=RTT_MS / 2)
        with namespaces(link=False) as net, tun_link(net) as link:
            link.change(half, half)
            for subject in [*subjects] * self._effort.rounds:
                self._step(f"first picture at {RTT_MS} ms RTT: {subject.what}")
                first = partial(first_on_link, subject, self._clip, net, self._effort)
                self._note(subject, first)
        return []

    def one_more(self) -> list[Figures]:
        """What one picture more costs a viewer that has sound, of each round."""
        cpu, rate = "cpu_per_viewer_percent", "pictures_per_s"
        some, many = (
            [figures for figures in self.found.get(what, []) if cpu in figures]
            for what in (OUR_SOCKET, OUR_SOCKET_MANY)
        )
        return [
            {"cpu_ms_per_picture": 10 * (b[cpu] - a[cpu]) / (b[rate] - a[rate])}
            for a, b in zip(some, many, strict=False)
            if b[rate] > 2 * a[rate]  # else the server did not keep up, which tells another thing
        ]

    def _note(self, subject: Subject, measure: Callable[[], Figures]) -> None:
        try:
            self.found.setdefault(subject.what, []).append(measure())
        except (RuntimeError, OSError, SubprocessError) as error:
            self._problems[subject.what] = str(error)

    def _message_sizes(self, subject: Subject) -> tuple[int, int]:
        """Of our pictures, and of our sound, where it is sent, with their headers."""
        rounds = self.found.get(OUR_SOCKET, [])
        ours = rounds[-1] if rounds else {"picture_bytes": 50_000, "sound_bytes": 80}
        picture, sound = ours["picture_bytes"], ours["sound_bytes"] if subject.sound else 0
        return round(picture) + HEADER.size, round(sound) + HEADER.size if subject.sound else 0


def _row(what: str, rounds: list[Figures], problem: str | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"what": what}
    for key in COLUMNS:
        values = [figures[key] for figures in rounds if key in figures]
        row[key] = median(values) if values else None
    cpu = [f["cpu_per_viewer_percent"] for f in rounds if "cpu_per_viewer_percent" in f]
    if len(cpu) > 1:
        row["cpu_spread_percent"] = 100 * (max(cpu) - min(cpu)) / median(cpu)
    if problem is not None:
        row["problem"] = problem
    return row
