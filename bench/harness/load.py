"""Viewers that only take what comes, in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VIEWERS = """
import asyncio, sys
from websockets.asyncio.client import connect

async def watch(url, ready):
    async with connect(url, compression=None, max_size=None) as socket:
        await socket.recv()
        ready.set()
        async for _ in socket:
            pass

async def main():
    ready = [asyncio.Event() for _ in range(int(sys.argv[2]))]
    jobs = [asyncio.create_task(watch(sys.argv[1], event)) for event in ready]
    await asyncio.gather(*(event.wait() for event in ready))
    print("ready", flush=True)
    await asyncio.gather(*jobs)

asyncio.run(main())
"""


@contextmanager
def viewers(page_url: str, count: int, agent: str = "ada") -> Iterator[None]:
    """``count`` viewers of an agent. Counting their CPU with the server's would be wrong, hence the
    process.

    Raises:
        RuntimeError: when they cannot connect.
    """
    url = f"{page_url.replace('http', 'ws', 1)}ws/facetime/{agent}"
    command = [sys.executable, "-c", _VIEWERS, url, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("the viewers did not connect")
            yield
        finally:
            process.kill()
