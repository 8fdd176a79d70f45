from __future__ import annotations

from bench.harness.cpu import idle_share, machine_times


def test_what_is_idle_is_neither_worked_nor_taken_by_others():
    before = (100, 0, 50, 1000, 10, 0, 0, 0)
    after = (120, 0, 60, 1050, 10, 0, 0, 20)
    assert idle_share(before, after) == 0.5
    assert idle_share(before, before) == 0


def test_the_machine_tells():
    times = machine_times()
    assert len(times) == 8
    assert sum(times) > 0
