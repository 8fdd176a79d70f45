"""How many arenas the threads of a process take."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from wsstream.app import heap
from wsstream.app.heap import ARENAS, share_arenas

PROGRAM = """
import ctypes, threading
from wsstream.app.heap import share_arenas

def block():
    held.append(malloc(5000))
    here.wait()

def arenas():
    libc.fopen.restype = ctypes.c_void_p
    file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)

libc = ctypes.CDLL(None)
malloc = libc.malloc
malloc.restype = ctypes.c_void_p
{first}
held, here = [], threading.Barrier(7)
threads = [threading.Thread(target=block) for _ in range(6)]
for thread in threads:
    thread.start()
here.wait()
arenas()
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")


def arenas(first):
    """That six threads take, when this was done before."""
    command = [sys.executable, "-c", PROGRAM.format(first=first)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return said.stdout.count("<heap nr=")


@glibc
def test_threads_share_two_arenas():
    assert arenas("share_arenas({})") == ARENAS < arenas("")


@pytest.mark.parametrize(
    "environment", [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=4"}]
)
def test_who_has_set_it_is_obeyed(environment):
    assert not share_arenas(environment)


def test_without_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(heap.platform, "libc_ver", lambda: ("", ""))
    assert not share_arenas({})
