from __future__ import annotations

import os
import time

import pytest

from bench.harness.cpu import cpu_seconds, idle_share, machine_times


def test_what_is_idle_is_neither_worked_nor_taken_by_others():
    before = (100, 0, 50, 1000, 10, 0, 0, 0)
    after = (120, 0, 60, 1050, 10, 0, 0, 20)
    assert idle_share(before, after) == 0.5
    assert idle_share(before, before) == 0


def test_a_process_is_told_its_time_to_less_than_a_tick():
    before = cpu_seconds(os.getpid())
    used_s = time.process_time()
    while time.process_time() < used_s + 0.003:
        pass
    assert cpu_seconds(os.getpid()) - before == pytest.approx(0.003, abs=0.002)


def test_the_machine_tells():
    times = machine_times()
    assert len(times) == 8
    assert sum(times) > 0
