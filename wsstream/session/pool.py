"""Work for a thread pool, whose end the event loop is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

DRAW, GENERATE, ENCODE = "wsstream-draw", "wsstream-generate", "wsstream-encode"
"""What the names of the pools' threads begin with: `/metrics` tells their CPU apart."""
T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


def on_pool(
    pool: Executor,
    done: Callable[[Future[T]], None],
    call: Callable[[*Arguments], T],
    *arguments: *Arguments,
) -> Future[T]:
    """Have it called; ``done`` is called with its future, on the running loop. For what is done 20
    times a second in each session: ``run_in_executor`` makes one more future, and goes through the
    loop twice."""
    loop = asyncio.get_running_loop()

    def tell(job: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(done, job)

    job = pool.submit(call, *arguments)
    job.add_done_callback(tell)
    return job
