from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.harness.child import child

RELAY = "bench.harness.relay"
ROOT = Path(__file__).parents[2]


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while Path("/proc", str(pid)).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not Path("/proc", str(pid)).exists()


def test_it_answers_and_ends():
    with child(RELAY, "127.0.0.1", "1") as process:
        assert process.greeting > 0
        assert process.ask("counts")["connections"] == 0
    assert gone(process.pid)


def test_what_it_refuses_is_raised_and_it_goes_on():
    with child(RELAY, "127.0.0.1", "1") as process:
        with pytest.raises(RuntimeError, match="KeyError: 'dance'"):
            process.ask("dance")
        assert process.ask("counts")["connections"] == 0


def test_a_module_that_is_not_there_is_an_error(capfd):
    with pytest.raises(RuntimeError, match="has ended"), child("bench.harness.nothing"):
        pass
    assert "No module named" in capfd.readouterr().err


def test_a_command_goes_before_it():
    with child(RELAY, "127.0.0.1", "1", command=("env", "COMMAND=yes")) as process:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert b"COMMAND=yes" in environment.split(b"\0")


def test_it_ends_with_a_parent_that_is_killed():
    script = f"""
from bench.harness.child import child
with child({RELAY!r}, "127.0.0.1", "1") as process:
    print(process.pid, flush=True)
    input()
"""
    argv, pipe = [sys.executable, "-c", script], subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)
