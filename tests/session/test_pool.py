"""Work in other threads, told of on the loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from wsstream.session.pool import on_pool


def outcome(job: Future[int]) -> object:
    return job.exception() or job.result()


async def ended(call, *arguments):
    """What came of it, and in which thread that was told."""
    told: asyncio.Future[tuple[object, int]] = asyncio.get_running_loop().create_future()
    with ThreadPoolExecutor(1) as pool:
        on_pool(
            pool,
            lambda job: told.set_result((outcome(job), threading.get_ident())),
            call,
            *arguments,
        )
        return await told


async def test_it_is_called_in_the_pool_and_told_of_on_the_loop():
    thread, told_in = await ended(threading.get_ident)
    assert thread != threading.get_ident() == told_in


async def test_it_is_given_its_arguments():
    assert (await ended(divmod, 7, 2))[0] == (3, 1)


async def test_a_failure_is_told_as_well():
    failure, _ = await ended(int, "seven")
    assert isinstance(failure, ValueError)


def test_what_ends_after_the_loop_is_told_to_nobody(caplog):
    goes_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:

        async def begin() -> Future[bool]:
            return on_pool(pool, lambda job: None, goes_on.wait)

        job = asyncio.run(begin())
        goes_on.set()
        assert job.result(5)
    assert caplog.records == []
