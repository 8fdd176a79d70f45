"""What every measurement gives: rows of figures; shown as a table, kept as JSON."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from rich.console import Console, JustifyMethod
from rich.table import Table

from .errors import Unavailable

Step: TypeAlias = Callable[[str], None]
"""Says what is being measured now."""
Judge: TypeAlias = Callable[[list[dict[str, Any]]], list[str]]
"""What rows say of what was wanted, a line each. A bench may have one by the name of ``judge``."""

_DIGITS = ((1, 3), (10, 2), (100, 1))
"""After the point, of a figure that is less than that."""
MOST_WIDTH = 24
"""Of a column; what is longer is broken into lines."""
_LIBRARIES = ("wsstream", "aiortc", "av", "uvicorn", "websockets", "simplejpeg")


@dataclass(slots=True)
class Report:
    """One measurement's figures."""

    title: str
    rows: list[dict[str, Any]]
    """One key per column, the same in each row; a figure's key ends in its unit."""
    notes: list[str] = field(default_factory=list)
    """What a reader has to know to trust a figure."""
    keys: tuple[str, ...] = ("what",)
    """The columns that tell a row from the others."""
    commands: list[str] = field(default_factory=list)
    """What was run to get it."""
    took_s: dict[str, float] = field(default_factory=dict)
    """Seconds by step."""

    def show(self, console: Console) -> None:
        """A table for people; several, one below the other, where the console is narrow."""
        title: str | None = self.title
        for part in self.parts(console.width):
            table = Table(title=title, title_justify="left")
            for key in part:
                justify: JustifyMethod = "left" if key in self.keys else "right"
                table.add_column(heading(key), justify=justify, width=self._width(key))
            for row in self.rows:
                table.add_row(*(text(row.get(key)) for key in part))
            console.print(table)
            title = None
        for note in self.notes:
            console.print(f"  {note}", style="dim", markup=False)

    def parts(self, width: int) -> list[list[str]]:
        """The columns that have a figure, in groups that fit into so many characters; each has the
        keys."""
        names = [key for key in columns(self.rows) if key not in self.keys and self._known(key)]
        keys = [key for key in self.keys if key in columns(self.rows)]
        room = width - 1 - sum(self._width(key) + 3 for key in keys)
        found: list[list[str]] = []
        left = 0
        for name in names:
            needed = self._width(name) + 3  # a rule, and a space on either side
            if needed > left or not found:
                found.append([*keys])
                left = room
            found[-1].append(name)
            left -= needed
        return found

    def _known(self, key: str) -> bool:
        return any(row.get(key) is not None for row in self.rows)

    def _width(self, key: str) -> int:
        """What its longest word, or figure, takes."""
        figures = [text(row.get(key)) for row in self.rows]
        longest = figures if key in self.keys else [f[:MOST_WIDTH] for f in figures]
        return max(map(len, [*heading(key).split(), *longest]))


def columns(rows: list[dict[str, Any]]) -> list[str]:
    """Of all rows, in the order in which they are met."""
    return list(dict.fromkeys(key for row in rows for key in row))


def heading(key: str) -> str:
    """Of a column."""
    return key.replace("_", " ")


def text(value: Any) -> str:
    """A figure to three digits or so."""
    if value is None:
        return "–"
    if isinstance(value, float):
        digits = next((n for most, n in _DIGITS if abs(value) < most), 0)
        return f"{value:.{digits}f}"
    return str(value)


def middle(name: str, unit: str, values: Sequence[float]) -> dict[str, float | None]:
    """The median of one figure in several rounds, and its spread, the largest less the smallest;
    of a single round there is none."""
    spread = max(values) - min(values) if len(values) > 1 else None
    return {f"{name}_{unit}": median(values), f"{name}_spread_{unit}": spread}


def machine() -> dict[str, Any]:
    """Where and with what it was measured."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def write(path: Path, reports: dict[str, Report]) -> None:
    """All of them as JSON, with the machine."""
    data = {"machine": machine(), **{name: asdict(report) for name, report in reports.items()}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n")


def read(path: Path, name: str) -> tuple[dict[str, Any], Report]:
    """The machine, and one bench's report."""
    data = json.loads(path.read_text())
    report = Report(**data[name])
    report.keys = tuple(report.keys)
    return data["machine"], report


def check_merge(path: Path, name: str, *, quick: bool) -> None:
    """Before anything is measured.

    Raises:
        Unavailable: when what was measured before is of another machine, or of another version of
            something, or only one of the two is quick.
    """
    if not path.exists():
        return
    was, old = read(path, name)
    unlike = [key for key, value in machine().items() if key != "date" and was.get(key) != value]
    if unlike:
        raise Unavailable(f"{path} is not of this machine as it is now: {', '.join(unlike)}")
    if quick != any("--quick" in command.split() for command in old.commands):
        raise Unavailable(f"{path} and this run: one is quick, one is not")


def merge_into(path: Path, name: str, new: Report, judge: Judge | None = None) -> Report:
    """What was measured before with what is measured now, where both have a row the latter's; rows
    that differ in the last key alone stand together. Notes are the latter's, which speak of its
    rows, but for those that ``judge`` gives: of all."""
    if not path.exists():
        return new
    _, old = read(path, name)

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row.get(name) for name in new.keys)

    rows = {key(row): row for row in (*old.rows, *new.rows)}
    groups = list(dict.fromkeys(one[:-1] for one in rows))
    merged = sorted(rows.values(), key=lambda row: groups.index(key(row)[:-1]))
    told = judge(new.rows) if judge else []
    return Report(
        new.title,
        merged,
        [note for note in new.notes if note not in told] + (judge(merged) if judge else []),
        new.keys,
        [*old.commands, *new.commands],
        old.took_s | new.took_s,
    )


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
