"""In what form one viewer's sound goes out on its socket."""

from __future__ import annotations

from typing import Any

from ..media.resample import Halver
from ..media.types import AudioPacket
from ..protocol.frames import FrameType
from ..protocol.messages import AudioCodec
from ..transport.base import SoundEncoder, SoundTaker
from .session import Session


class OpusSound:
    """The packets that the session encodes, for all who take the same rung."""

    codec: AudioCodec = "opus"

    def __init__(self, taker: SoundTaker) -> None:
        self._taker = taker

    def encode(self, packet: AudioPacket) -> tuple[FrameType, bytes]:
        return FrameType.AUDIO, self._taker.take(packet)

    def follow(self, levels_left: int) -> None:
        self._taker.follow(levels_left)

    def stats(self) -> dict[str, Any]:
        return {"codec": self.codec, "kbps": self._taker.form.bitrate // 1000}


class PcmSound:
    """Plain PCM at half the rate, for one client that has no Opus decoder."""

    codec: AudioCodec = "pcm"

    def __init__(self) -> None:
        self._halver = Halver()

    def encode(self, packet: AudioPacket) -> tuple[FrameType, bytes]:
        return FrameType.AUDIO_PCM, self._halver.push(packet.pcm).astype("<i2").tobytes()

    def follow(self, levels_left: int) -> None:
        """It has one rung."""

    def stats(self) -> dict[str, Any]:
        return {"codec": self.codec, "kbps": Halver.RATE_HZ * 16 // 1000}


def make_sound(session: Session, codec: AudioCodec) -> SoundEncoder:
    """One viewer's sound of a session, in this form."""
    return PcmSound() if codec == "pcm" else OpusSound(session.sound.subscribe())
