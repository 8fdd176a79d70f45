from __future__ import annotations

import sys
from types import ModuleType

import pytest

from bench import __main__ as command
from bench.errors import Unavailable
from bench.report import Report, read


def bench(monkeypatch: pytest.MonkeyPatch, name: str, measure) -> None:
    module = ModuleType(f"bench.{name}")
    module.measure = measure
    monkeypatch.setitem(sys.modules, f"bench.{name}", module)


def good(*, quick, step, **own):
    step.plan(1)
    step("looking")
    return Report("Good", [{"what": "x", "fps": 20.0, "quick": quick, **own}])


def fails(*, quick, step):
    raise ZeroDivisionError("by nothing")


def needs_root(*, quick, step):
    raise Unavailable("needs root")


@pytest.fixture
def three(monkeypatch):
    for name, measure in (("fails", fails), ("needs", needs_root), ("good", good)):
        bench(monkeypatch, name, measure)
    monkeypatch.setattr(command, "BENCHES", {"fails": "", "needs": "", "good": ""})


def test_one_that_fails_does_not_take_the_others_away(three, tmp_path, capsys):
    everything = tmp_path / "everything.json"
    argv = ["all", "--quick", "--results", str(tmp_path), "--json", str(everything)]
    assert command.main(argv) == 1
    out, err = capsys.readouterr()
    assert "fails: failed: ZeroDivisionError: by nothing" in out
    assert "needs: not measured: needs root" in out
    assert "good 1/1: looking" in err
    assert "failed: fails" in err
    _, report = read(tmp_path / "good.json", "good")
    assert report.rows == [{"what": "x", "fps": 20.0, "quick": True}]
    assert list(report.took_s) == ["looking"]
    assert report.commands[0].startswith("python -m bench all --quick")
    assert not (tmp_path / "fails.json").exists()
    assert read(everything, "good")[1] == report
    assert read(everything, "needs")[1].notes == ["not measured: needs root"]


def test_what_cannot_be_measured_here_is_no_failure(three, tmp_path):
    assert command.main(["needs", "--results", str(tmp_path)]) == 0


def test_what_cannot_be_merged_is_not_measured(three, tmp_path, capsys):
    folder = ["--results", str(tmp_path)]
    assert command.main(["good", *folder]) == 0
    assert command.main(["good", "--quick", "--merge", *folder]) == 0
    out, err = capsys.readouterr()
    assert "one is quick, one is not" in out.replace("\n", " ")
    assert err.count("looking") == 1
    assert read(tmp_path / "good.json", "good")[1].rows[0]["quick"] is False


def test_a_merged_table_is_shown_and_plotted_whole(three, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr("bench.plots.draw", lambda name, rows, path: drawn.append(rows))
    folder = ["--results", str(tmp_path)]
    command.main(["good", *folder])
    bench(monkeypatch, "good", lambda *, quick, step: Report("Good", [{"what": "y", "fps": 9.0}]))
    assert command.main(["good", "--merge", *folder]) == 0
    assert [row["what"] for row in drawn[-1]] == ["x", "y"]
    assert [row["what"] for row in read(tmp_path / "good.json", "good")[1].rows] == ["x", "y"]


def test_a_bench_has_arguments_of_its_own(three, monkeypatch, tmp_path):
    sys.modules["bench.good"].arguments = lambda parser: parser.add_argument("--rows")
    argv = ["good", "--rows", "clean", "--results", str(tmp_path)]
    assert command.parse(argv).rows == "clean"
    assert command.main(argv) == 0
    assert read(tmp_path / "good.json", "good")[1].rows[0]["rows"] == "clean"


def test_without_matplotlib_a_line_says_how_to_get_it(three, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "bench.plots", raising=False)
    monkeypatch.delattr("bench.plots", raising=False)
    assert command.main(["good", "--results", str(tmp_path)]) == 0
    assert "pip install -e '.[bench]'" in capsys.readouterr().out


def test_results_that_the_page_shows_are_not_replaced_by_surprise():
    assert command.parse(["all"]).results.name == "bench-results"


def test_a_clip_has_to_be_there(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.parse(["bandwidth", "--clip", str(tmp_path / "nowhere.mp4")])
    assert "there is no file" in capsys.readouterr().err
    (tmp_path / "film.mp4").touch()
    clip = command.parse(["bandwidth", "--clip", str(tmp_path / "film.mp4")]).clip
    assert clip == tmp_path / "film.mp4"
