"""Runs benches one after the other. What one cannot measure, or one that fails, does not take the
others' figures away."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from .errors import Unavailable
from .report import Report, check_merge, merge_into, write
from .steps import Steps

NO_PLOTS = "no plots: they need the extra `bench`, pip install -e '.[bench]'"


class Runner:
    """Of one command. ``own`` are the arguments of a bench of its own."""

    def __init__(
        self, *, quick: bool, results: Path, merge: bool, own: dict[str, Any], command: str
    ) -> None:
        self.reports: dict[str, Report] = {}
        self.failed: list[str] = []
        self._quick, self._own, self._command = quick, own, command
        self._results, self._merge = results, merge
        self._out, self._err = Console(), Console(stderr=True)

    def run(self, benches: Iterable[str]) -> None:
        """Each: measured, shown, and written."""
        for name in benches:
            try:
                if self._merge:
                    check_merge(self._path(name), name, quick=self._quick)
                report = self.reports[name] = self._measure(name)
                if self._merge:
                    judge = getattr(self._module(name), "judge", None)
                    report = merge_into(self._path(name), name, report, judge)
                    self.reports[name] = report
            except Unavailable as error:
                self._skip(name, f"not measured: {error}")
            except ModuleNotFoundError as error:
                self._skip(name, f"not measured: {error}; the extra `bench` has all that it needs")
            except Exception as error:
                self._err.print_exception()
                self.failed.append(name)
                self._skip(name, f"failed: {type(error).__name__}: {error}")
            else:
                report.show(self._out)
                self._out.print(f"  {sum(report.took_s.values()):.0f} s", style="dim")
                if report.rows:
                    write(self._path(name), {name: report})

    def plot(self) -> None:
        """All that is written."""
        try:
            from . import plots
        except ModuleNotFoundError:
            self._out.print(NO_PLOTS, style="dim", markup=False)
            return
        for name, report in self.reports.items():
            if plots.draw(name, report.rows, self._path(name).with_suffix(".svg")):
                self._out.print(f"plotted {self._path(name).with_suffix('.svg')}", style="dim")

    def _path(self, name: str) -> Path:
        return self._results / f"{name}.json"

    def _skip(self, name: str, line: str) -> None:
        self._out.print(f"{name}: {line}", markup=False)
        self.reports.setdefault(name, Report(name, [], [line]))

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f".{name}", __package__)

    def _measure(self, name: str) -> Report:
        columns = (
            SpinnerColumn(),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=self._err, transient=True) as progress:
            task = progress.add_task(name, total=None)

            def show(text: str, done: int, total: int | None) -> None:
                progress.update(task, description=f"{name}: {text}", completed=done, total=total)
                if not self._err.is_terminal:  # a log
                    of = "?" if total is None else total
                    print(f"{name} {done + 1}/{of}: {text}", file=sys.stderr, flush=True)

            steps = Steps(show)
            report: Report = self._module(name).measure(quick=self._quick, step=steps, **self._own)
            steps.end()
        report.took_s = {text: round(s, 1) for text, s in steps.took_s.items()}
        report.commands = [self._command]
        return report
