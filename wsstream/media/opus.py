"""Sound to Opus (RFC 6716) and back: 48 kHz mono, one packet each 20 ms.

opuslib looks for the system's libopus when it is imported, and fails where there is none. PyAV's
wheel always carries one, so that is offered to it in the system's absence.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import MediaError
from .types import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm, is_block, is_silent


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


FEC_LOSS_PERCENT = 10
"""What an encoder with FEC is told of loss: enough for it to add copies from 24 kbit/s on."""


COMPLEXITY = 6
"""Of 10. From 7 on, libopus analyses each block for music: four times the time, for nothing that is
heard in speech."""


_SILENCE = bytes(2 * BLOCK_SAMPLES)


class OpusForm(NamedTuple):
    """How sound is encoded: bits per second, and whether each packet also has a coarse copy of the
    one before it (in-band FEC, RFC 6716 section 2.1.7)."""

    bitrate: int
    fec: bool = False


class OpusEncoder:
    """One stream. Its ``form`` may be changed while it runs.

    In silence its packets have one to three bytes (DTX, RFC 6716 section 2.1.9). They are sent all
    the same, though a sender may leave them out: sound is the clock of whoever watches, and a
    silence that is sent cannot be taken for a broken link, nor a broken link for silence. DTX is on
    in silence only: with FEC, libopus takes a steady tone for noise, and would not send it either.
    """

    def __init__(self, bitrate: int, fec: bool = False) -> None:
        self._encoder = opuslib.Encoder(SAMPLE_RATE_HZ, 1, opuslib.APPLICATION_AUDIO)
        self._dtx = False
        self._control("set_complexity", COMPLEXITY)
        self.form = OpusForm(bitrate, fec)

    @property
    def form(self) -> OpusForm:
        return self._form

    @form.setter
    def form(self, form: OpusForm) -> None:
        self._form = form
        self._control("set_bitrate", form.bitrate)
        self._control("set_inband_fec", int(form.fec))
        self._control("set_packet_loss_perc", FEC_LOSS_PERCENT if form.fec else 0)

    def fork(self) -> OpusEncoder:
        """Another one that would go on exactly as this one: a decoder may be given packets of the
        one and then of the other. (``opus.h``: the state is continuous in memory, and a shallow
        copy is enough.)"""
        other = OpusEncoder(*self._form)
        other._dtx = self._dtx
        size = opuslib.api.encoder.get_size(1)
        ctypes.memmove(other._encoder.encoder_state, self._encoder.encoder_state, size)
        return other

    @property
    def silent(self) -> bool:
        """Whether nothing is to be heard in what it had last."""
        return self._dtx

    def _control(self, name: str, value: int) -> None:
        # opuslib's own properties for FEC forget the value.
        request = getattr(opuslib.api.ctl, name)
        opuslib.api.encoder.encoder_ctl(self._encoder.encoder_state, request, value)

    def encode(self, pcm: Pcm) -> bytes:
        """One packet of ``(960,)`` int16.

        Raises:
            MediaError: for any other shape; libopus would read beyond its end.
        """
        if not is_block(pcm):
            raise MediaError(f"expected a block of {BLOCK_SAMPLES} int16 samples")
        if (silent := is_silent(pcm)) != self._dtx:
            self._dtx = silent
            self._control("set_dtx", int(silent))
        # Of silence with a little noise in it, libopus would make whole packets.
        packet: bytes = self._encoder.encode(_SILENCE if silent else pcm.tobytes(), BLOCK_SAMPLES)
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
