"""An audio file that is spoken while it is still being uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from ..errors import MediaError, TooLarge
from ..media.audiofile import BoundedPipe, decode_audio
from ..media.types import SAMPLE_RATE_HZ
from ..voice.base import SpeechChunk

CHUNK_MS = 100
STALLED_S = 15.0
"""An upload of which nothing has come for so long holds up what waits behind it no longer."""


class Upload:
    """A turn's source. ``receive`` fills it from the request; the session reads it."""

    def __init__(self, max_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self._max_bytes = max_bytes
        self._room = asyncio.Event()
        self._pipe = BoundedPipe(lambda: loop.call_soon_threadsafe(self._room.set))
        # A thread of its own: it waits for the network as long as the upload takes.
        self._decoding = ThreadPoolExecutor(1, thread_name_prefix="wsstream-upload")
        self._chunks = decode_audio(self._pipe)
        self._done: asyncio.Future[None] = loop.create_future()
        # Nobody waits for it when the upload was refused or broke off.
        self._done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._samples = 0

    async def receive(self, body: AsyncIterator[bytes]) -> float:
        """Take the file in, no faster than it is spoken. Returns the seconds of sound in it, or
        in what was spoken of it before an interruption.

        Raises:
            MediaError: when it cannot be decoded, or nothing more of it comes.
            TooLarge: when it is too long.
        """
        size = 0
        try:
            while True:
                async with asyncio.timeout(STALLED_S):
                    data = await anext(body, None)
                if data is None:
                    break
                size += len(data)
                if size > self._max_bytes:
                    raise TooLarge(f"an upload of more than {self._max_bytes} bytes")
                while self._pipe.full:
                    self._room.clear()
                    await self._room.wait()
                if self._pipe.closed:
                    break
                self._pipe.feed(data)
        except TimeoutError:
            raise MediaError(f"nothing more of the upload came for {STALLED_S:g} s") from None
        finally:
            self._pipe.end()
        await self._done
        return self._samples / SAMPLE_RATE_HZ

    def __aiter__(self) -> Upload:
        return self

    async def __anext__(self) -> SpeechChunk:
        loop = asyncio.get_running_loop()
        try:
            pcm = await loop.run_in_executor(self._decoding, next, self._chunks, None)
        except MediaError as error:
            if not self._done.done():
                self._done.set_exception(error)
            raise StopAsyncIteration from None
        if pcm is None:
            raise StopAsyncIteration
        self._samples += len(pcm)
        return SpeechChunk(pcm.astype("<i2", copy=False).tobytes(), SAMPLE_RATE_HZ)

    async def aclose(self) -> None:
        """Spoken, or not to be spoken any more."""
        self._pipe.close()
        self._decoding.shutdown(wait=False, cancel_futures=True)
        if not self._done.done():
            self._done.set_result(None)
