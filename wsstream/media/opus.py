"""Sound to Opus (RFC 6716) and back: 48 kHz mono, one packet each 20 ms.

opuslib looks for the system's libopus when it is imported, and fails where there is none. PyAV's
wheel always carries one, so that is offered to it in the system's absence.
"""

from __future__ import annotations

import ctypes.util
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MediaError
from .types import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm, is_block


def _bundled_libopus() -> str | None:
    """The libopus in PyAV's wheel: ``av.libs`` on Linux and Windows, ``av/.dylibs`` on macOS."""
    spec = importlib.util.find_spec("av")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*opus*")):
            if "opusfile" not in path.name:
                return str(path)
    return None


def _import_opuslib() -> Any:
    system = ctypes.util.find_library

    def find_library(name: str) -> str | None:
        return system(name) or (_bundled_libopus() if name == "opus" else None)

    ctypes.util.find_library = find_library
    try:
        return importlib.import_module("opuslib")
    finally:
        ctypes.util.find_library = system


opuslib = _import_opuslib()


class OpusEncoder:
    """One stream. ``bitrate`` may be changed while it runs."""

    def __init__(self, bitrate: int) -> None:
        self._encoder = opuslib.Encoder(SAMPLE_RATE_HZ, 1, opuslib.APPLICATION_AUDIO)
        self.bitrate = bitrate

    @property
    def bitrate(self) -> int:
        """Bits per second."""
        return self._bitrate

    @bitrate.setter
    def bitrate(self, value: int) -> None:
        self._bitrate = value
        self._encoder.bitrate = value

    def encode(self, pcm: Pcm) -> bytes:
        """One packet of ``(960,)`` int16.

        Raises:
            MediaError: for any other shape; libopus would read beyond its end.
        """
        if not is_block(pcm):
            raise MediaError(f"expected a block of {BLOCK_SAMPLES} int16 samples")
        packet: bytes = self._encoder.encode(pcm.tobytes(), BLOCK_SAMPLES)
        return packet


class OpusDecoder:
    """One stream."""

    def __init__(self) -> None:
        self._decoder = opuslib.Decoder(SAMPLE_RATE_HZ, 1)

    def decode(self, packet: bytes) -> Pcm:
        """The ``(960,)`` int16 of one packet.

        Raises:
            MediaError: when it is no Opus packet.
        """
        if not packet:  # libopus would take it for a lost one, and conceal it
            raise MediaError("no Opus packet: it is empty")
        try:
            return np.frombuffer(self._decoder.decode(packet, BLOCK_SAMPLES), np.int16)
        except opuslib.OpusError as error:
            raise MediaError(f"no Opus packet: {error}") from None
