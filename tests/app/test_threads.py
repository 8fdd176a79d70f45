"""What the CPU goes into, by thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from wsstream.app import threads
from wsstream.app.threads import OTHER, WORK, cpu_seconds
from wsstream.session.pool import ENCODE


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_each_threads_cpu_counts_for_what_it_does():
    with ThreadPoolExecutor(1, thread_name_prefix=ENCODE) as pool:
        before = cpu_seconds()
        pool.submit(busy, 0.05).result()
        after = cpu_seconds()
        assert after["encoders"] - before["encoders"] > 0.045
        assert after["avatar"] == before["avatar"]


def test_what_nobody_knows_is_told_as_well():
    was_busy, held = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (busy(0.05), was_busy.set(), held.wait()))
    before = cpu_seconds()
    thread.start()
    was_busy.wait()
    after = cpu_seconds()
    held.set()
    thread.join()
    assert after[OTHER] - before[OTHER] > 0.045
    assert {*after} == {*WORK.values(), OTHER}


def test_elsewhere_nothing_is_told(monkeypatch):
    monkeypatch.setattr(threads.sys, "platform", "darwin")
    assert cpu_seconds() == {}
