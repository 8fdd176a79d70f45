"""Any audio file to 48 kHz mono, while it is still being received."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, cast

import av
import numpy as np

from ..errors import MediaError
from .types import SAMPLE_RATE_HZ, Pcm

PIPE_BYTES = 256 * 1024
FORMATS = "aac,aiff,amr,au,caf,flac,loas,matroska,mov,mp3,mpegts,ogg,w64,wav,webm_dash_manifest"
"""Containers that hold sound and nothing else to open: playlists, concatenations and session
descriptions would have the server read its own files, connect, or listen."""
PROBE = {"probesize": "32768", "analyzeduration": "500000"}
"""Speech starts before the upload ends only if FFmpeg does not first read half a megabyte."""
BOXES_MAX_BYTES = PIPE_BYTES // 4
"""An MP4 has its media or its index by then."""
_BEFORE_MEDIA = (b"ftyp", b"free", b"skip", b"wide")
MAX_DAMAGED = 50
"""Packets in a row that cannot be decoded; then it is no sound."""


class BoundedPipe(io.RawIOBase):
    """Bytes from an event loop to a decoder's thread, which waits for them. The writer stops while
    ``full``, so that a fast upload costs no memory, and goes on when ``on_room`` is called."""

    def __init__(self, on_room: Callable[[], object], max_bytes: int = PIPE_BYTES) -> None:
        """``on_room`` is called in the reader's thread, also when the reader goes away."""
        super().__init__()
        self._on_room = on_room
        self._max = max_bytes
        self._data = bytearray()
        self._changed = threading.Condition()
        self._ended = False

    @property
    def full(self) -> bool:
        """Whether the writer has to wait."""
        return len(self._data) >= self._max and not self.closed

    def feed(self, data: bytes) -> None:
        """Write. What comes after the reader has gone is lost."""
        with self._changed:
            if not self.closed:
                self._data += data
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def readable(self) -> bool:
        """Always."""
        return True

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, which stay to be read; fewer at the end, or where no more find
        room."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._data) >= min(size, self._max) or self._ended or self.closed
            )
            return bytes(self._data[:size])

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, waiting for the first; ``b""`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._data or self._ended or self.closed)
            data = bytes(self._data[: None if size < 0 else size])
            was_full = self.full
            del self._data[: len(data)]
            if was_full and not self.full:
                self._on_room()
            return data

    def close(self) -> None:
        """The reader goes; a waiting writer is let go."""
        with self._changed:
            super().close()
            self._data.clear()
            self._changed.notify_all()
        self._on_room()


def decode_audio(source: BoundedPipe | str) -> Iterator[Pcm]:
    """The sound of a file as int16 at 48 kHz, piece by piece. Blocks: run it in a thread.

    It comes while the file does, unless that is an MP4 (M4A, MOV) with its index at the end, of
    which all has to be there first, in a temporary file.

    Raises:
        MediaError: when FFmpeg finds no sound in it.
    """
    try:
        options = {**PROBE, "format_whitelist": FORMATS, "protocol_whitelist": "file,pipe"}
        with ExitStack() as opened:
            file: BoundedPipe | str | IO[bytes] = source
            if isinstance(source, BoundedPipe) and _index_is_last(source):
                file = opened.enter_context(TemporaryFile())
                shutil.copyfileobj(source, file)
                file.seek(0)
            container = opened.enter_context(av.open(file, "r", options=options))
            if not container.streams.audio:
                raise MediaError("the file has no sound in it")
            to_mono = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
            for frame in _frames(container):
                yield from _pieces(to_mono, frame)
            yield from _pieces(to_mono, None)
    except av.FFmpegError as error:
        raise MediaError(f"no audio file that can be decoded: {error.strerror}") from None
    except OSError as error:
        raise MediaError(f"the file could not be kept: {error.strerror or error}") from None


def _index_is_last(pipe: BoundedPipe) -> bool:
    """Whether this is an MP4 whose media (``mdat``) come before their index (``moov``): ISO/IEC
    14496-12 section 4.2, ``size u32 | type`` and then the rest of each box."""
    at = 0
    while at < BOXES_MAX_BYTES:
        head = pipe.peek(at + 8)[at:]
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"mdat":
            return True
        if kind not in _BEFORE_MEDIA or size < 8:
            return False
        at += size
    return False


def _frames(container: av.container.InputContainer) -> Iterator[av.AudioFrame]:
    """What can be decoded; damage costs no more than what is damaged."""
    damaged = 0
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets)
            for frame in packet.decode():
                damaged = 0
                yield frame
        except StopIteration:
            return
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > MAX_DAMAGED:
                raise


def _pieces(to_mono: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[Pcm]:
    for piece in to_mono.resample(frame):
        yield cast(Pcm, np.ascontiguousarray(piece.to_ndarray().reshape(-1)))
