"""What the CPU goes into, by thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from wsstream.app import threads
from wsstream.app.threads import OTHER, WORK, cpu_seconds


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_each_threads_cpu_counts_for_what_it_does():
    with ThreadPoolExecutor(1, thread_name_prefix="wsstream-encode") as pool:
        before = cpu_seconds()
        pool.submit(busy, 0.05).result()
        after = cpu_seconds()
        assert after["encoders"] - before["encoders"] > 0.045
        assert after["avatar"] == before["avatar"]


def test_what_nobody_knows_is_told_as_well():
    held = threading.Event()
    thread = threading.Thread(target=lambda: (busy(0.05), held.wait()))
    before = cpu_seconds()
    thread.start()
    while thread.is_alive() and cpu_seconds()[OTHER] - before[OTHER] < 0.045:
        time.sleep(0)
    held.set()
    thread.join()
    assert {*cpu_seconds()} == {*WORK.values(), OTHER}


def test_elsewhere_nothing_is_told(monkeypatch):
    monkeypatch.setattr(threads.sys, "platform", "darwin")
    assert cpu_seconds() == {}
