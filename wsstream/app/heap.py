"""The C heap of the process: what is not used is given back.

A server whose viewers come, go and change their transport uses the same memory again and again, but
glibc keeps what it was given: each viewer's encoder (6 to 9 MB at 512x512, in blocks of 1 to 2 MB)
and peer connection leave holes that the next does not quite fit in. Used were 59 MB at all times,
kept 88 and more by the hour.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
from collections.abc import Mapping

ARENAS = 2
TRIM_EACH_S = 30.0
_M_ARENA_MAX = -8


def share_arenas(environment: Mapping[str, str] = os.environ) -> bool:
    """Have all threads allocate from two arenas of glibc (mallopt(3), ``M_ARENA_MAX``), where there
    would be one for each thread, each with the holes that the encoders which that thread happened
    to make have left. Whether it was done: not where the environment sets ``MALLOC_ARENA_MAX`` or
    tunes glibc's arenas itself, and not without glibc."""
    tuned = "arena_max" in environment.get("GLIBC_TUNABLES", "")
    if tuned or "MALLOC_ARENA_MAX" in environment or not _is_glibc():
        return False
    return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))


def trim() -> bool:
    """Give the system back what lies unused between blocks that are used (malloc_trim(3)): about
    1 ms for 80 MB, in which Python goes on. Whether there was anything; without glibc there is
    not."""
    return _is_glibc() and bool(ctypes.CDLL(None).malloc_trim(0))


async def keep_trimmed(seconds: float = TRIM_EACH_S) -> None:
    """Trim now, since a start leaves much, and each so many seconds, until cancelled."""
    while True:
        await asyncio.to_thread(trim)
        await asyncio.sleep(seconds)


def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
