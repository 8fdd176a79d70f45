"""The transport port: what takes a session's sound and pictures to one viewer.

A session offers everything to every viewer and waits for nobody; a transport takes what its link
carries and counts what it drops.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from ..media.types import AudioPacket, Picture
from ..protocol.frames import FrameType
from ..protocol.messages import ServerMessage


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as it travels."""

    type: FrameType
    media_ms: int
    payload: bytes


class PictureEncoder(Protocol):
    """Makes one rung of a session's pictures; encodes each once, however many ask for it."""

    async def encode(self, picture: Picture) -> EncodedPicture: ...


class SoundEncoder(Protocol):
    """Makes one form of a session's sound, once per packet."""

    def encode(self, packet: AudioPacket) -> tuple[FrameType, bytes]: ...


class Socket(Protocol):
    """What a WebSocket offers (Starlette's does)."""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...


class MediaTransport(ABC):
    """One path to one viewer. ``offer`` and ``flush`` never wait."""

    @abstractmethod
    def offer_sound(self, packet: AudioPacket) -> None:
        """The next 20 ms."""

    @abstractmethod
    def offer_picture(self, picture: Picture) -> None:
        """The newest picture; it replaces one that was not sent yet."""

    @abstractmethod
    def flush(self) -> None:
        """An interruption: forget the sound that waits."""

    @abstractmethod
    async def run(self) -> None:
        """Send until cancelled, or until the link breaks."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """What was sent and what was dropped so far, by the names ``/metrics`` has."""

    @abstractmethod
    def stats(self) -> dict[str, Any]:
        """Counters and gauges, for people."""


class SocketTransport(MediaTransport):
    """The path that is there from the first moment to the last: it also carries messages."""

    pictures: PictureEncoder
    """In what form pictures go out; may be replaced at any time."""
    sound: SoundEncoder
    """In what form sound goes out; may be replaced at any time."""

    @abstractmethod
    def post(self, message: ServerMessage) -> None:
        """A message, ahead of all media, in order. Never waits."""

    @abstractmethod
    def credit(self) -> None:
        """An ack came: a picture may be due."""
