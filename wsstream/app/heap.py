"""How much of the C heap a server keeps."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Mapping

ARENAS = 2
_M_ARENA_MAX = -8


def share_arenas(environment: Mapping[str, str] = os.environ) -> bool:
    """Have all threads allocate from two arenas of glibc (mallopt(3), ``M_ARENA_MAX``). Whether it
    was done: not where the environment sets ``MALLOC_ARENA_MAX`` or tunes glibc's arenas itself,
    and not without glibc.

    By itself glibc gives each thread its own, up to eight for each core, and none gives anything
    back. A video encoder (6 MB at 512x512) is made by whichever thread of the pool is free, so that
    one after the other grows by all that the largest encoder needs: a server keeps growing, ever
    more slowly, while what it uses stays the same.
    """
    tuned = "arena_max" in environment.get("GLIBC_TUNABLES", "")
    if tuned or "MALLOC_ARENA_MAX" in environment or platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))
