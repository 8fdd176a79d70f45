"""In what form one viewer's sound goes out on its socket."""

from __future__ import annotations

from ..media.resample import Halver
from ..media.types import AudioPacket
from ..protocol.frames import FrameType


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
