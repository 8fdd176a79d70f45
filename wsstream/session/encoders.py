"""A session's encoders: each picture and each packet once, however many viewers take it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from ..media.jpeg import encode_jpeg
from ..media.resample import Halver
from ..media.types import AudioPacket, Picture
from ..protocol.frames import FrameType
from ..transport.base import EncodedPicture


class JpegEncoder:
    """Whole pictures at one quality."""

    def __init__(self, quality: int, pool: Executor) -> None:
        self._quality = quality
        self._pool = pool
        self._seq = -1
        self._job: asyncio.Future[bytes] | None = None
        self.encoded = 0

    async def encode(self, picture: Picture) -> EncodedPicture:
        """The picture as a JPEG; encoded by the first who asks."""
        if self._job is None or picture.seq != self._seq:
            self._seq = picture.seq
            self._job = asyncio.get_running_loop().run_in_executor(
                self._pool, encode_jpeg, picture.pixels, self._quality
            )
            self.encoded += 1
        # Shielded: a viewer that leaves must not take the picture from the others.
        payload = await asyncio.shield(self._job)
        return EncodedPicture(FrameType.VIDEO, picture.media_ms, payload)


class OpusSound:
    """The packets as they are: the session encoded them when it released them."""

    def encode(self, packet: AudioPacket) -> tuple[FrameType, bytes]:
        return FrameType.AUDIO, packet.opus


class PcmSound:
    """Plain PCM at half the rate, for one client that has no Opus decoder."""

    def __init__(self) -> None:
        self._halver = Halver()

    def encode(self, packet: AudioPacket) -> tuple[FrameType, bytes]:
        return FrameType.AUDIO_PCM, self._halver.push(packet.pcm).astype("<i2").tobytes()
