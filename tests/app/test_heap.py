"""What a process keeps of the C heap that it does not use."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import sys

import pytest

from tests.servers import WAIT_S
from wsstream.app import heap
from wsstream.app.heap import ARENAS, keep_trimmed, share_arenas, trim

SIX_THREADS = """
import ctypes, threading
from wsstream.app.heap import share_arenas

def block():
    malloc(5000)
    here.wait()

libc = ctypes.CDLL(None)
malloc = libc.malloc
malloc.restype = ctypes.c_void_p
{first}
here = threading.Barrier(7)
threads = [threading.Thread(target=block) for _ in range(6)]
for thread in threads:
    thread.start()
here.wait()
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
"""

HOLES = """
import ctypes, mmap
from pathlib import Path
from wsstream.app.heap import trim

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [ctypes.c_void_p(libc.malloc(100_000)) for _ in range(400)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
for block in blocks[:-1]:
    libc.free(block)
before = resident()
{then}
print(before - resident())
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's heap")


def say(program):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def arenas(first):
    """That six threads take, when this was done before."""
    return say(SIX_THREADS.format(first=first)).count("<heap nr=")


@glibc
def test_threads_share_two_arenas():
    assert arenas("share_arenas({})") == ARENAS < arenas("")


@glibc
def test_what_lies_unused_below_what_is_used_is_given_back():
    assert int(say(HOLES.format(then=""))) < 1_000_000
    assert int(say(HOLES.format(then="trim()"))) > 35_000_000


@pytest.mark.parametrize(
    "environment", [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=4"}]
)
def test_who_has_set_it_is_obeyed(environment):
    assert not share_arenas(environment)


def test_without_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(heap.platform, "libc_ver", lambda: ("", ""))
    assert not share_arenas({})
    assert not trim()


async def test_it_is_done_again_and_again(monkeypatch):
    loop, done = asyncio.get_running_loop(), asyncio.Semaphore(0)
    monkeypatch.setattr(heap, "trim", lambda: loop.call_soon_threadsafe(done.release))
    trimming = asyncio.create_task(keep_trimmed(0))
    async with asyncio.timeout(WAIT_S):
        for _ in range(3):
            await done.acquire()
    trimming.cancel()
    await asyncio.gather(trimming, return_exceptions=True)
