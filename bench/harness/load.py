"""WebSocket viewers that only take what comes, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from websockets.asyncio.client import connect

from wsstream.protocol.frames import HEADER, FrameType

from .child import Child, child, obey

_PICTURES = frozenset(FrameType) - {FrameType.AUDIO, FrameType.AUDIO_PCM}
_received: Counter[str] = Counter()
_lags_ms: list[float] = []
_intervals_ms: list[float] = []


@contextmanager
def viewers(
    page_url: str,
    count: int,
    agent: str = "ada",
    *,
    video: str = "",
    command: Sequence[str] = (),
) -> Iterator[Child]:
    """``count`` viewers of an agent; ``ask("received")`` gives pictures, packets and bytes so far,
    ``ask("intervals")`` the ms between pictures, ``ask("lag")`` the ms from a picture's timestamp
    to its arrival, by two clocks, so that only its changes mean something. With ``video`` they say
    hello, want pictures in that form, and acknowledge each; without, they are plain clients.
    Counting their CPU with the server's would be wrong, hence the process.

    Raises:
        RuntimeError: when they cannot connect.
    """
    url = f"{page_url.replace('http', 'ws', 1)}ws/facetime/{agent}"
    with child(__name__, url, str(count), video, command=command) as made:
        yield made


async def watch(url: str, video: str, ready: asyncio.Event) -> None:
    """One viewer, until the server ends it."""
    last_s = 0.0
    async with connect(url, compression=None, max_size=None) as socket:
        if video:
            hello = {"type": "hello", "protocol": 1, "video": [video, "jpeg"], "mode": "ws"}
            await socket.send(json.dumps(hello))
        async for message in socket:
            ready.set()
            if isinstance(message, str):
                continue
            type, timestamp_ms, length = HEADER.unpack_from(message)
            kind = "video" if type in _PICTURES else "audio"
            _received[kind] += 1
            _received[f"{kind}_bytes"] += length
            if kind == "video":
                now_s = time.monotonic()
                _lags_ms.append(now_s * 1000 - timestamp_ms)
                if last_s:
                    _intervals_ms.append((now_s - last_s) * 1000)
                last_s = now_s
            if video and kind == "video":
                ack = {"type": "ack", "video": timestamp_ms, "decode_ms": 0, "buffered_ms": 0}
                await socket.send(json.dumps(ack))


def _intervals() -> dict[str, float]:
    """Between the pictures of each viewer, since it was last asked."""
    found = np.array(_intervals_ms or [0.0])
    _intervals_ms.clear()
    return {"p50": float(np.median(found)), "p95": float(np.percentile(found, 95))}


def _lag() -> float:
    """From a picture's timestamp to its arrival, the median since it was last asked."""
    found = np.array(_lags_ms or [0.0])
    _lags_ms.clear()
    return float(np.median(found))


async def main(url: str, count: int, video: str) -> None:
    """The process."""
    ready = [asyncio.Event() for _ in range(count)]
    jobs = [asyncio.create_task(watch(url, video, event)) for event in ready]
    await asyncio.gather(*(event.wait() for event in ready))
    commands = {"received": lambda: dict(_received), "intervals": _intervals, "lag": _lag}
    await obey(count, commands)
    for job in jobs:
        job.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
