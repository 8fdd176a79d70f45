"""Text messages: JSON objects with a ``type``. See protocol.md section 4.

One class per message; the tables at the end say who may send which. Unknown types and unknown
fields are skipped, so that either side may be older than the other.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeAlias, TypeVar, Union

import msgspec
from msgspec import Meta, Struct

from ..errors import BadMessage

PROTOCOL = 1

T = TypeVar("T")

U32 = Annotated[int, Meta(ge=0, lt=2**32)]
Millis = Annotated[float, Meta(ge=0, le=3_600_000)]
ClockMs = Annotated[float, Meta(ge=0, le=2**53)]
ShortText = Annotated[str, Meta(max_length=200)]
Epoch = Annotated[int, Meta(ge=0, lt=2**31)]

Transport: TypeAlias = Literal["ws", "webrtc"]
Mode: TypeAlias = Literal["auto", "ws", "webrtc"]
IcePolicy: TypeAlias = Literal["all", "relay"]
VideoCodec: TypeAlias = Literal["jpeg", "patch", "h264"]
AudioCodec: TypeAlias = Literal["opus", "pcm"]
StateValue: TypeAlias = Literal["idle", "listening", "thinking", "speaking"]


class _Base(Struct, frozen=True, kw_only=True, tag_field="type"):
    """On the wire the class is named by ``type``. An absent field means its default."""


# From either side.


class Candidate(_Base, frozen=True, tag="candidate"):
    """One ICE candidate, as ``RTCIceCandidate.toJSON()`` has it; ``null`` for the end of them."""

    epoch: Epoch
    candidate: Annotated[str, Meta(max_length=2000)] | None
    sdpMid: ShortText | None = None
    sdpMLineIndex: Annotated[int, Meta(ge=0, le=255)] | None = None


class Bye(_Base, frozen=True, tag="bye"):
    """The sender is about to close the socket."""

    code: int = 1000
    reason: ShortText = ""


# From the client.


class Hello(_Base, frozen=True, tag="hello"):
    """What the client can do, and what it wants."""

    protocol: int
    video: Annotated[tuple[ShortText, ...], Meta(max_length=16)] = ("jpeg",)
    audio: Annotated[tuple[ShortText, ...], Meta(max_length=16)] = ("opus",)
    webrtc: bool = False
    mode: Mode = "auto"
    token: Annotated[str, Meta(max_length=4096)] | None = None
    resume: ShortText | None = None
    client: ShortText = ""


class Ack(_Base, frozen=True, tag="ack"):
    """What has been drawn and heard. Covers everything older."""

    video: U32 | None = None
    audio: U32 | None = None
    decode_ms: Millis | None = None
    buffered_ms: Millis | None = None


ARRIVALS_MAX = 64


class Arrived(_Base, frozen=True, tag="arrived"):
    """Pictures that came over WebRTC: the timestamp of each, and when its last packet was there, in
    milliseconds on a steady clock of the client's own."""

    pictures: Annotated[list[tuple[U32, ClockMs]], Meta(max_length=ARRIVALS_MAX)]


class Say(_Base, frozen=True, tag="say"):
    """Speak this."""

    text: str
    id: ShortText | None = None


class Interrupt(_Base, frozen=True, tag="interrupt"):
    """Stop speaking."""


class Offer(_Base, frozen=True, tag="offer"):
    """The start of an upgrade to WebRTC."""

    epoch: Epoch
    sdp: str


class Switched(_Base, frozen=True, tag="switched"):
    """The client now presents the other transport's media."""

    epoch: Epoch
    to: Transport
    reason: ShortText = ""


class View(_Base, frozen=True, tag="view"):
    """How large the picture is shown, in device pixels: more is not worth sending. Not visible:
    none at all."""

    width: Annotated[int, Meta(ge=0, le=32_767)]
    height: Annotated[int, Meta(ge=0, le=32_767)]
    visible: bool = True


class Refresh(_Base, frozen=True, tag="refresh"):
    """The picture is broken: the next one is to stand by itself."""


class Ping(_Base, frozen=True, tag="ping"):
    """Asks for a pong with the same ``t``."""

    t: float


# From the server.


class AgentInfo(Struct, frozen=True, kw_only=True):
    """Who speaks."""

    name: str
    title: str


class VideoInfo(Struct, frozen=True, kw_only=True):
    """What pictures come."""

    codec: VideoCodec
    width: int
    height: int
    fps: float


class AudioInfo(Struct, frozen=True, kw_only=True):
    """What sound comes."""

    codec: AudioCodec
    rate: int
    channels: int = 1
    frame_ms: int = 20


class IceServer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As ``RTCIceServer`` has it."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class WebrtcInfo(Struct, frozen=True, kw_only=True):
    """Whether an upgrade may be tried, and with which servers."""

    enabled: bool
    ice_servers: list[IceServer] = []
    policy: IcePolicy = "all"
    mode: Mode = "auto"
    """Where the agent is pinned to."""
    reason: str = ""
    """Why it may not."""


class Welcome(_Base, frozen=True, tag="welcome"):
    """Sent on accept, and again as the answer to ``hello``; the latest one holds."""

    protocol: int
    session: str
    resume: str
    agent: AgentInfo
    video: VideoInfo
    audio: AudioInfo
    webrtc: WebrtcInfo
    media_ms: int


class Answer(_Base, frozen=True, tag="answer"):
    """The server's half of an upgrade."""

    epoch: Epoch
    sdp: str
    codec: Literal["h264", "vp8"]


class Rtp(_Base, frozen=True, tag="rtp"):
    """The RTP timestamps of media time 0: ``media_ms * 48 + audio`` and ``media_ms * 90 + video``,
    modulo 2^32."""

    epoch: Epoch
    audio: U32
    video: U32


class Media(_Base, frozen=True, tag="media"):
    """Which transport carries media from ``at`` on, and why."""

    transport: Transport
    at: U32
    epoch: Epoch
    reason: str


class State(_Base, frozen=True, tag="state"):
    """What the agent does from ``at`` on."""

    value: StateValue
    at: U32


class Transcript(_Base, frozen=True, tag="transcript"):
    """A sentence, heard from ``at`` on."""

    role: Literal["agent", "user"]
    text: str
    final: bool
    at: U32
    id: str


class Emotion(_Base, frozen=True, tag="emotion"):
    """What the face expresses from ``at`` on."""

    value: str
    at: U32


class Flush(_Base, frozen=True, tag="flush"):
    """Drop what you hold with a timestamp of ``at`` or later: it will not be said. What has a
    timestamp of ``until`` or later is new."""

    epoch: Epoch
    at: U32
    until: U32


class Pong(_Base, frozen=True, tag="pong"):
    """The answer to ``ping``."""

    t: float
    media_ms: int


class Error(_Base, frozen=True, tag="error"):
    """Something was refused. A fatal one is followed by the socket's close."""

    code: str
    message: str
    fatal: bool


ClientMessage: TypeAlias = Union[  # noqa: UP007  (msgspec needs the runtime union)
    Hello, Ack, Arrived, View, Refresh, Say, Interrupt, Offer, Candidate, Switched, Ping, Bye
]
ServerMessage: TypeAlias = Union[  # noqa: UP007
    Welcome, Answer, Rtp, Candidate, Media, State, Transcript, Emotion, Flush, Pong, Error, Bye
]


class _Typed(Struct):
    type: str


_CLIENT_TYPES = frozenset(m.__struct_config__.tag for m in ClientMessage.__args__)  # type: ignore[attr-defined]
_SERVER_TYPES = frozenset(m.__struct_config__.tag for m in ServerMessage.__args__)  # type: ignore[attr-defined]

_typed = msgspec.json.Decoder(_Typed)
_client = msgspec.json.Decoder(ClientMessage)
_server = msgspec.json.Decoder(ServerMessage)
_encoder = msgspec.json.Encoder()


def parse_client(text: str) -> ClientMessage | None:
    """A client's message; ``None`` when its type is unknown and it is to be skipped.

    Raises:
        BadMessage: when it is no JSON object with a ``type``, or a field is wrong.
    """
    return _parse(text, _CLIENT_TYPES, _client)


def parse_server(text: str) -> ServerMessage | None:
    """A server's message; ``None`` when its type is unknown and it is to be skipped.

    Raises:
        BadMessage: when it is no JSON object with a ``type``, or a field is wrong.
    """
    return _parse(text, _SERVER_TYPES, _server)


def dump(message: ClientMessage | ServerMessage) -> str:
    """The JSON text of a message. Half a character, of which no text on the wire may consist (RFC
    8259 section 8.1), is a question mark: it may come from anybody's own code."""
    try:
        return _encoder.encode(message).decode()
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(message), ensure_ascii=False)
        return text.encode(errors="replace").decode()


def _parse(text: str, types: frozenset[str], decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        try:
            return _decode(text, types, decoder)
        except msgspec.DecodeError:
            if "\\u" not in text:
                raise
            return _decode(_whole(text), types, decoder)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"expected a JSON message: {error}") from None


def _decode(text: str, types: frozenset[str], decoder: msgspec.json.Decoder[T]) -> T | None:
    return decoder.decode(text) if _typed.decode(text).type in types else None


def _whole(text: str) -> str:
    """With question marks for halves of characters: a browser's ``JSON.stringify`` escapes those of
    a text that was cut in the middle of an emoji."""
    return json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace").decode()
