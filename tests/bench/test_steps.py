from __future__ import annotations

from bench.steps import Steps


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_each_step_is_shown_with_how_many_there_are():
    shown = []
    steps = Steps(lambda *what: shown.append(what))
    steps("getting ready")
    steps.plan(2)
    steps("one")
    steps("two")
    assert shown == [("getting ready", 0, None), ("one", 1, 3), ("two", 2, 3)]


def test_each_step_s_time_is_kept():
    clock = Clock()
    steps = Steps(now=clock)
    for text, seconds in (("a", 1.0), ("b", 2.0), ("a", 4.0)):
        steps(text)
        clock.s += seconds
    steps.end()
    clock.s += 8
    steps.end()
    assert steps.took_s == {"a": 5.0, "b": 2.0}
