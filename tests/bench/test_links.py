from __future__ import annotations

from bench.harness.cell import MODES
from bench.links import QUICK_MODES, QUICK_ROWS, ROWS, _rows

NAMES = [row.name for row in ROWS]


def test_a_link_relative_to_the_clean_rate_brings_the_clean_one():
    relative = "0.7 x its clean rate"
    assert [row.name for row in _rows([relative])] == ["clean", relative]
    assert [row.name for row in _rows(["3 % loss"])] == ["3 % loss"]


def test_quick_names_exist():
    assert set(QUICK_ROWS) <= set(NAMES)
    assert set(QUICK_MODES) <= set(MODES)
