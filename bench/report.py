"""What every measurement gives: rows of figures; shown as a table, kept as JSON."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

Step: TypeAlias = Callable[[str], None]
"""Says what is being measured now."""

_LIBRARIES = ("wsstream", "aiortc", "av", "uvicorn", "websockets", "simplejpeg")


@dataclass(slots=True)
class Report:
    """One measurement's figures."""

    title: str
    rows: list[dict[str, Any]]
    """One key per column, the same in each row; a figure's key ends in its unit."""
    notes: list[str] = field(default_factory=list)
    """What a reader has to know to trust a figure."""

    def show(self, console: Console) -> None:
        """A table for people."""
        if not self.rows:
            return
        table = Table(title=self.title, title_justify="left")
        keys = list(dict.fromkeys(key for row in self.rows for key in row))
        for key in keys:
            table.add_column(key.replace("_", " "), justify="left" if key == "what" else "right")
        for row in self.rows:
            table.add_row(*(_text(row.get(key)) for key in keys))
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", style="dim")


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


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return (
            f"{value:.2f}"
            if abs(value) < 10
            else f"{value:.1f}"
            if abs(value) < 100
            else f"{value:.0f}"
        )
    return str(value)


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
