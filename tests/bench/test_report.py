from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from bench import report
from bench.errors import Unavailable
from bench.report import Report, check_merge, merge_into, middle, read, text, write


def links(**by_cell: float) -> Report:
    rows = [{"link": cell[0], "mode": cell[1], "fps": fps} for cell, fps in by_cell.items()]
    return Report("Links", rows, keys=("link", "mode"), commands=["python -m bench links"])


def cells(made: Report) -> list[tuple[str, str, float]]:
    return [(row["link"], row["mode"], row["fps"]) for row in made.rows]


def test_it_is_read_as_it_was_written(tmp_path):
    made = links(ax=1.0)
    made.took_s = {"x on a": 3.0}
    write(tmp_path / "deep" / "links.json", {"links": made})
    machine, again = read(tmp_path / "deep" / "links.json", "links")
    assert again == made
    assert machine["cores"] >= 1


def test_parts_of_a_table_are_merged(tmp_path):
    path = tmp_path / "links.json"
    assert merge_into(path, "links", links(ax=1.0, bx=2.0)) == links(ax=1.0, bx=2.0)
    write(path, {"links": links(ax=1.0, bx=2.0)})
    merged = merge_into(path, "links", links(bx=3.0, ay=4.0))
    assert cells(merged) == [("a", "x", 1.0), ("a", "y", 4.0), ("b", "x", 3.0)]
    assert len(merged.commands) == 2


def test_all_rows_are_judged_when_they_are_merged(tmp_path):
    def judge(rows):
        return [f"{len(rows)} rows"]

    path = tmp_path / "links.json"
    write(path, {"links": links(ax=1.0, bx=2.0)})
    new = links(ay=4.0)
    new.notes = ["measured", *judge(new.rows)]
    assert merge_into(path, "links", new, judge).notes == ["measured", "3 rows"]
    assert merge_into(path, "links", new).notes == ["measured", "1 rows"]


def test_rows_that_differ_in_the_last_key_alone_stand_together(tmp_path):
    def report(*names):
        rows = [dict(zip(("source", "link", "mode"), name, strict=True)) for name in names]
        return Report("Links", rows, keys=("source", "link", "mode"))

    path = tmp_path / "links.json"
    write(path, {"links": report("pax", "pbx", "qax")})
    merged = merge_into(path, "links", report("pay", "pby"))
    assert ["".join(row.values()) for row in merged.rows] == ["pax", "pay", "pbx", "pby", "qax"]


def test_what_does_not_belong_together_is_not_merged(tmp_path):
    path = tmp_path / "links.json"
    write(path, {"links": links(ax=1.0)})
    check_merge(path, "links", quick=False)
    with pytest.raises(Unavailable, match="quick"):
        check_merge(path, "links", quick=True)
    data = json.loads(path.read_text())
    data["machine"]["aiortc"] = "0.1"
    path.write_text(json.dumps(data))
    with pytest.raises(Unavailable, match="aiortc"):
        check_merge(path, "links", quick=False)


def test_the_middle_of_several_rounds():
    assert middle("cpu", "ms", [3.0, 1.0, 8.0]) == {"cpu_ms": 3.0, "cpu_spread_ms": 7}
    assert middle("cpu", "ms", [3.0]) == {"cpu_ms": 3.0, "cpu_spread_ms": None}


def test_a_wide_table_is_shown_in_parts_that_each_have_the_keys():
    made = links(ax=1.0)
    # Long headings of short figures, and the other way round.
    made.rows[0] |= {f"picture_{n}{'_p50_ms' * (n % 3)}": float(n) for n in range(20)}
    parts = made.parts(60)
    assert len(parts) > 1
    assert all(part[:2] == ["link", "mode"] for part in parts)
    assert [key for part in parts for key in part[2:]] == report.columns(made.rows)[2:]
    console = Console(width=60, record=True, file=io.StringIO())
    made.show(console)
    shown = console.export_text()
    assert all(text(float(n)) in shown for n in range(20))
    tops = [line for line in shown.splitlines() if line.startswith("┏")]
    assert len(tops) == len(parts)
    assert all(len(top) <= 60 and top.endswith("┓") for top in tops)  # none is cut off


def test_a_column_without_a_figure_is_not_shown():
    made = links(ax=1.0)
    made.rows[0]["spread_ms"] = None
    assert made.parts(100) == [["link", "mode", "fps"]]


def test_figures_have_three_digits_or_so():
    figures = (None, 0.9871, 1.234, 12.34, 1234.5, 7, "x")
    assert [text(x) for x in figures] == ["–", "0.987", "1.23", "12.3", "1234", "7", "x"]
