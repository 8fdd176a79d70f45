"""The server's side of one viewer's conversation, sans I/O.

Feed it what the socket receives; it answers with effects, which one place carries out
(``session/viewer.py``), or raises the ``Refused`` that the socket is to be closed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..auth import check_token
from ..errors import BadMessage, TooLarge, TooMany, Unauthorized
from . import frames
from .flow import AckWindow, TokenBucket
from .messages import (
    PROTOCOL,
    Ack,
    Arrived,
    AudioCodec,
    Bye,
    Candidate,
    ClientMessage,
    Error,
    Hello,
    Interrupt,
    Offer,
    Ping,
    Refresh,
    Say,
    ServerMessage,
    Switched,
    VideoCodec,
    View,
    parse_client,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this message."""

    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Greet:
    """The client said what it can do: choose, send ``welcome`` and (go on to) send media."""

    video: VideoCodec
    audio: AudioCodec
    hello: Hello


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this."""

    text: str
    id: str | None


@dataclass(frozen=True, slots=True)
class Silence:
    """Stop speaking."""


@dataclass(frozen=True, slots=True)
class Acked:
    """Credit may have come back."""


@dataclass(frozen=True, slots=True)
class Came:
    """When WebRTC's pictures came: timestamps, and milliseconds of the client's clock."""

    pictures: Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Seen:
    """How large the picture is shown; not at all where it is not visible."""

    width: int
    height: int
    visible: bool


@dataclass(frozen=True, slots=True)
class Renew:
    """The next picture is to stand by itself."""


@dataclass(frozen=True, slots=True)
class TimeAsked:
    """Answer a ``ping``."""

    t: float


@dataclass(frozen=True, slots=True)
class Leave:
    """The client is going."""


@dataclass(frozen=True, slots=True)
class Upgrading:
    """A step of the upgrade to WebRTC, or of the way back."""

    message: Offer | Candidate | Switched


Effect: TypeAlias = (
    Reply | Greet | Speak | Silence | Acked | Came | Seen | Renew | TimeAsked | Upgrading | Leave
)

_FROM_CLIENT = frozenset({frames.FrameType.AUDIO, frames.FrameType.AUDIO_PCM})
_KNOWN = frozenset(frames.FrameType)


@dataclass(frozen=True, slots=True)
class Offered:
    """What this server can send, best first."""

    video: tuple[VideoCodec, ...] = ("h264", "patch", "jpeg")
    audio: tuple[AudioCodec, ...] = ("opus", "pcm")


class ViewerProtocol:
    """One viewer. ``now`` is monotonic seconds throughout."""

    def __init__(
        self,
        now: float,
        *,
        window: AckWindow,
        token: str = "",
        hello_timeout_s: float = 5.0,
        message_bytes: int = 65_536,
        messages_per_s: float = 60.0,
        text_chars: int = 4000,
        offered: Offered | None = None,
    ) -> None:
        self.window = window
        self.welcome = not token
        """Whether media may be sent: at once, unless a token is asked for."""
        self.deadline: float | None = now + hello_timeout_s if token else None
        self.received = {"text": 0, "microphone": 0, "skipped": 0}
        self._token = token
        self._message_bytes = message_bytes
        self._text_chars = text_chars
        self._bucket = TokenBucket(messages_per_s, messages_per_s * 2)
        self._offered = offered or Offered()

    def check_deadline(self, now: float) -> None:
        """Call when ``deadline`` is over.

        Raises:
            Unauthorized: when the token has not come by then.
        """
        if self.deadline is not None and now >= self.deadline:
            raise Unauthorized("no hello with a token came in time")

    def receive(self, data: str | bytes, now: float) -> list[Effect]:
        """One WebSocket message, text or binary.

        Raises:
            Refused: the socket is to be closed with it.
        """
        limit = self._message_bytes
        if len(data) > limit or (isinstance(data, str) and len(data.encode()) > limit):
            raise TooLarge(f"a message larger than {limit} bytes")
        if not self._bucket.take(now):
            raise TooMany("too many messages in too short a time")
        return self._text(data, now) if isinstance(data, str) else self._binary(data)

    def _binary(self, data: bytes) -> list[Effect]:
        """The microphone. Sound that nobody listens to is counted and dropped."""
        frame = frames.decode(data)
        if frame.type not in _KNOWN:
            self.received["skipped"] += 1
        elif frame.type not in _FROM_CLIENT:
            raise BadMessage(f"a client may not send frames of type 0x{frame.type:02x}")
        else:
            self._require_welcome("a frame")
            self.received["microphone"] += 1
        return []

    def _text(self, text: str, now: float) -> list[Effect]:
        message = parse_client(text)
        if message is None:
            self.received["skipped"] += 1
            return []
        self.received["text"] += 1
        if not isinstance(message, Hello):
            self._require_welcome(f"{message.__struct_config__.tag!r}")
        return self._handle(message, now)

    def _handle(self, message: ClientMessage, now: float) -> list[Effect]:
        match message:
            case Hello():
                return [self._greet(message)]
            case Ack():
                if message.video is not None:
                    self.window.acked(message.video, now, message.buffered_ms, message.decode_ms)
                return [Acked()]
            case Arrived(pictures=pictures):
                return [Came(pictures)]
            case View(width=width, height=height, visible=visible):
                return [Seen(width, height, visible)]
            case Refresh():
                return [Renew()]
            case Say(text=text) if not text.strip():
                return [_refuse("bad_message", "there is nothing to say in an empty text")]
            case Say(text=text) if len(text) > self._text_chars:
                limit = self._text_chars
                return [_refuse("too_large", f"a text of {len(text)} characters, at most {limit}")]
            case Say(text=text, id=id):
                return [Speak(text, id)]
            case Interrupt():
                return [Silence()]
            case Ping(t=t):
                return [TimeAsked(t)]
            case Bye():
                return [Leave()]
            case Offer() | Candidate() | Switched():
                return [Upgrading(message)]

    def _greet(self, hello: Hello) -> Greet:
        if hello.protocol != PROTOCOL:
            raise BadMessage(f"expected protocol {PROTOCOL}, got {hello.protocol}")
        if not self.welcome:
            check_token(self._token, hello.token)
            self.welcome, self.deadline = True, None
        video: list[VideoCodec] = [c for c in self._offered.video if c in hello.video]
        audio: list[AudioCodec] = [c for c in self._offered.audio if c in hello.audio]
        return Greet(video[0] if video else "jpeg", audio[0] if audio else "opus", hello)

    def _require_welcome(self, what: str) -> None:
        if not self.welcome:
            raise Unauthorized(f"expected hello with a token first, got {what}")


def _refuse(code: str, message: str) -> Reply:
    return Reply(Error(code=code, message=message, fatal=False))
