"""Puts the figures of results/*.json into README.md, so that each can be traced.

    python -m bench.readme [--check]

A block is replaced by what it names. NAME may have a folder before it, such as that of an earlier
day. COLUMNS are the ones to show, where not all; KEY=VALUE among them shows only the rows that have
it:

    <!-- table NAME COLUMN COLUMN -->  the rows, then the commands they come from, and when
    <!-- notes NAME -->                the notes
    <!-- machine -->                   what all was measured on
    <!-- end -->                       where each of them ends
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .report import Report, columns, heading, read, text

README, RESULTS = Path(__file__).with_name("README.md"), Path(__file__).with_name("results")
_BLOCK = re.compile(r"(<!-- (table|notes|machine)((?: [^\s>]+)*) -->\n).*?(<!-- end -->)", re.S)


def renewed(page: str, results: Path) -> str:
    """The page with its blocks made anew.

    Raises:
        ValueError: when a block names what is not there.
    """

    def block(match: re.Match[str]) -> str:
        begin, kind, arguments, end = match.groups()
        return f"{begin}\n{_BLOCKS[kind](results, *arguments.split())}\n\n{end}"

    return _BLOCK.sub(block, page)


def _table(results: Path, name: str, *wanted: str) -> str:
    machine, report = _report(results, name)
    keys = dict(word.split("=", 1) for word in wanted if "=" in word)
    wanted = tuple(word for word in wanted if "=" not in word)
    rows = [row for row in report.rows if all(row.get(k) == v for k, v in keys.items())]
    if not rows:
        raise ValueError(f"{name} has no rows with {keys}")
    known = columns(report.rows)
    if missing := [column for column in wanted if column not in known]:
        raise ValueError(f"{name} has no {', '.join(missing)}, but {', '.join(known)}")
    shown = wanted or known
    lines = [[heading(column) for column in shown], ["---"] * len(shown)]
    lines += [[text(row.get(column)) for column in shown] for row in rows]
    commands = ", ".join(f"`{command}`" for command in dict.fromkeys(report.commands))
    source = f"{machine['date']}{', ' if commands else ''}{commands}"
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{source}"


def _notes(results: Path, name: str) -> str:
    _, report = _report(results, name)
    return "\n".join(f"- {note[:1].upper()}{note[1:]}" for note in report.notes)


def _machine(results: Path) -> str:
    """One line, or one for each set of versions and the tables that are of it. Without the date:
    each table has its own."""
    tables: dict[str, list[str]] = {}
    for path in sorted(results.rglob("*.json")):
        one, _ = read(path, path.stem)
        one.pop("date")
        start = f"{one.pop('cpu')}, {one.pop('cores')} cores, {one.pop('system')}, "
        line = start + ", ".join(f"{name} {version}" for name, version in one.items())
        tables.setdefault(line, []).append(str(path.relative_to(results).with_suffix("")))
    if len(tables) == 1:
        return next(iter(tables))
    return "\n".join(f"- {', '.join(names)}: {line}" for line, names in tables.items())


def _report(results: Path, name: str) -> tuple[dict[str, Any], Report]:
    path = results / f"{name}.json"
    if not path.exists():
        raise ValueError(f"there is no {path}")
    return read(path, path.stem)


_BLOCKS: dict[str, Callable[..., str]] = {"table": _table, "notes": _notes, "machine": _machine}


def main(argv: list[str]) -> int:
    """Renew the page, or with ``--check`` only say whether it has to be."""
    page = README.read_text()
    new = renewed(page, RESULTS)
    if argv == ["--check"]:
        if page != new:
            print(f"{README} is not what the results say: run python -m bench.readme")
        return int(page != new)
    README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
