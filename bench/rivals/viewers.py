"""Viewers of wsstream and of its rivals, in a process of their own: they count what they get, and
compare it with what was sent while they are told to.

What counts as a picture is one that is complete: all of a JPEG, all packets of a video frame.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from aiortc import rtcrtpreceiver

from wsstream.media.jpeg import decode_jpeg

from ..harness import receivers
from ..harness.child import Child, child, obey
from .catalogue import Way
from .clip import Source
from .ways import KINDS, watch

FIRST_TIMEOUT_S = 20.0


@contextmanager
def viewers(
    way: Way,
    url: str,
    clip: Path,
    *,
    codec: str = "h264",
    sound: bool = True,
    tries: int = 0,
    tries_url: str = "",
    command: Sequence[str] = (),
) -> Iterator[Child]:
    """A process for them. Its ``greeting`` is how many milliseconds each of ``tries`` viewers took,
    one after another, from its start to its first complete picture. Then

    ``ask("add", count=n)``    has so many more come, and stay;
    ``ask("received")``        gives viewers that are connected, pictures, packets of sound, and
                               their bytes so far;
    ``ask("compare", on=True)``  has pictures decoded; off again it gives their mean PSNR in dB, and
                               ``received`` has how many showed the same number as the one before.

    Raises:
        RuntimeError: when one of the tries comes to nothing.
    """
    arguments = (way, url, str(clip), codec, str(int(sound)), str(tries), tries_url or url)
    with child(__name__, *arguments, command=command) as made:
        yield made


class _Taker:
    """What one process got."""

    def __init__(self, clip: Path) -> None:
        self.received: Counter[str] = Counter()
        self.first: asyncio.Event = asyncio.Event()
        self.first_s = 0.0
        self._source = Source(clip)
        self._loop = asyncio.get_running_loop()
        self._comparing = False
        self._last_number = -1
        self._decoder: Any = None
        self._psnr_db: list[float] = []

    def take(self, kind: str, data: bytes) -> None:
        """From any thread."""
        name = "audio" if kind == "sound" else "video"
        self.received[name] += 1
        self.received[f"{name}_bytes"] += len(data)
        if kind == "sound":
            return
        if not self.first_s and is_whole(kind, data):
            self.first_s = time.monotonic()
            self._loop.call_soon_threadsafe(self.first.set)
        if self._comparing:
            for luma in self._lumas(kind, data):
                self._look(luma)

    def _look(self, luma: np.ndarray) -> None:
        if (found := self._source.compare(luma)) is None:
            return
        number, psnr_db = found
        self._psnr_db.append(psnr_db)
        self.received["doubled"] += number == self._last_number
        self._last_number = number

    def compare(self, on: bool) -> float | None:
        """Begin, or stop and say what it came to."""
        self._comparing = on
        if on:
            self._psnr_db.clear()
            self._last_number = -1
        return float(np.mean(self._psnr_db)) if self._psnr_db else None

    def _lumas(self, kind: str, data: bytes) -> Iterator[np.ndarray]:
        if kind == "jpeg":
            pixels = decode_jpeg(data)
            yield cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420)[: len(pixels)]
            return
        self._decoder = self._decoder or av.CodecContext.create(kind, "r")
        try:
            for frame in self._decoder.decode(av.Packet(data)):
                yield frame.to_ndarray(format="yuv420p")[: frame.height]
        except av.FFmpegError:  # began between key frames
            return


def is_whole(kind: str, data: bytes) -> bool:
    """Whether it can be shown without any before it."""
    if kind == "vp8":
        return not data[0] & 1  # RFC 6386 section 9.1
    return kind == "jpeg" or any(
        unit[:1] and unit[0] & 31 == 5 for unit in data.split(b"\0\0\1")[1:]
    )


async def _begin(job: asyncio.Task[None], until: asyncio.Event) -> None:
    """Wait for it, unless the job fails first."""
    waiting = asyncio.create_task(until.wait())
    await asyncio.wait({job, waiting}, timeout=FIRST_TIMEOUT_S, return_when="FIRST_COMPLETED")
    waiting.cancel()
    if not until.is_set():
        if not job.done():
            job.cancel()
            raise RuntimeError(f"nothing came within {FIRST_TIMEOUT_S:.0f} s")
        await job
        raise RuntimeError("the connection ended")


async def main(
    way: Way, url: str, clip: Path, codec: str, sound: bool, tries: int, tries_url: str
) -> None:
    """The process."""
    taker = _Taker(clip)
    begin = partial(watch, way, codec=codec, sound=sound)
    rtcrtpreceiver.decoder_worker = receivers.giving(
        lambda mime_type, data: taker.take(KINDS[mime_type], data)
    )
    jobs: list[asyncio.Task[None]] = []
    firsts_ms = []
    for _ in range(tries):
        started_s = time.monotonic()
        viewer = begin(url=tries_url, take=taker.take, ready=asyncio.Event())
        jobs.append(asyncio.create_task(viewer))
        await _begin(jobs[0], taker.first)
        firsts_ms.append(1000 * (taker.first_s - started_s))
        await _end(jobs)
        taker = _Taker(clip)
    ready = []

    def add(count: int) -> None:
        for _ in range(count):
            ready.append(asyncio.Event())
            jobs.append(asyncio.create_task(begin(url=url, take=taker.take, ready=ready[-1])))

    def received() -> dict[str, int]:
        for job in jobs:
            if job.done():
                job.result()
                raise RuntimeError("a connection ended")
        return {**taker.received, "viewers": sum(one.is_set() for one in ready)}

    await obey(firsts_ms, {"add": add, "received": received, "compare": taker.compare})
    await _end(jobs)


async def _end(jobs: list[asyncio.Task[None]]) -> None:
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    jobs.clear()


if __name__ == "__main__":
    way, url, clip, codec, sound, tries, tries_url = sys.argv[1:]
    try:
        asyncio.run(main(way, url, Path(clip), codec, sound == "1", int(tries), tries_url))  # type: ignore[arg-type]
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
