"""The transport port: what takes a session's sound and pictures to one viewer.

A session offers everything to every viewer and waits for nobody; a transport takes what its link
carries and counts what it drops.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ..media.opus import OpusForm
from ..media.types import AudioPacket, Picture
from ..media.video import Codec, EncodedVideo
from ..protocol.frames import FrameType
from ..protocol.messages import AudioCodec, IcePolicy, IceServer, ServerMessage, VideoCodec


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as it travels."""

    type: FrameType
    media_ms: int
    payload: bytes


Deliver: TypeAlias = Callable[[EncodedVideo], None]


class Subscription(ABC):
    """One taker of a session's encoded video."""

    paused = False
    """To be set while it has no use for pictures that are made for others."""

    @property
    @abstractmethod
    def bitrate(self) -> int:
        """Of what is delivered now, in bits per second."""

    @property
    @abstractmethod
    def level(self) -> int:
        """On which level of the ladder it is; 0 is the best."""

    @property
    @abstractmethod
    def levels_left(self) -> int:
        """How many worse ones there are."""

    @property
    def needs_key(self) -> bool:
        """Whether nothing is delivered before the next key picture: what was lost is not missed."""
        return False

    @abstractmethod
    def request_key(self) -> None:
        """Something was lost: a key picture, soon."""

    @abstractmethod
    def on_estimate(self, bitrate: int) -> None:
        """The receiver thinks that the link carries so many bits per second."""

    @abstractmethod
    def on_loss(self, fraction: float, packets: int) -> None:
        """The receiver missed so much (0 to 1) of the packets that were sent since it last said
        so."""

    @abstractmethod
    def on_round_trip(self, seconds: float) -> None:
        """So long it took to the receiver and back."""

    @abstractmethod
    def on_arrivals(self, pictures: Sequence[tuple[int, float]]) -> None:
        """Pictures' timestamps, and when each came, in milliseconds of the receiver's clock."""

    @abstractmethod
    def close(self) -> None:
        """Take no more. Closing twice does nothing."""

    @abstractmethod
    def poke(self) -> None:
        """It is ready for a picture now."""

    @abstractmethod
    def move(self, level: int) -> None:
        """Take another level, from its next key picture on."""

    @abstractmethod
    def bound(self, scale: float) -> None:
        """Take nothing larger than this part of the session's picture."""


class VideoSource(Protocol):
    """Where a transport gets encoded video: a session encodes each form once."""

    def subscribe(
        self,
        codec: Codec,
        deliver: Deliver,
        ready: Callable[[], bool] | None = None,
        after_ms: int = -1,
        level: int = 0,
        bound: float = 1.0,
    ) -> Subscription:
        """``ready`` tells whether a picture would be taken now; without it, always. Nothing of
        ``after_ms`` or before is wanted. ``level`` and ``bound`` are what it begins with."""


NO_PICTURES = 1 << 16
"""Levels left where no pictures are sent: sound has the link for itself."""


class SoundTaker(ABC):
    """One taker of a session's encoded sound. It follows the viewer's pictures down the ladder."""

    @property
    @abstractmethod
    def form(self) -> OpusForm:
        """Of what is taken now."""

    @abstractmethod
    def take(self, packet: AudioPacket) -> bytes:
        """A released packet as Opus. Each in its turn; none for a while, where none is needed."""

    @abstractmethod
    def follow(self, levels_left: int) -> None:
        """The pictures have so many worse levels left: the last ones are the sound's too. Before
        those, it is too small a part of what is sent to be worth saving."""

    @abstractmethod
    def protect(self, fec: bool) -> None:
        """Whether the receiver loses packets, and can repair it (in-band FEC)."""


class SoundSource(Protocol):
    """Where a transport gets encoded sound: a session encodes each form once."""

    def subscribe(self) -> SoundTaker: ...


class MediaSource(Protocol):
    """A session, as a peer sees it."""

    @property
    def video(self) -> VideoSource: ...

    @property
    def sound(self) -> SoundSource: ...

    @property
    def recent_sound(self) -> Iterable[AudioPacket]:
        """The last packets released, oldest first."""


class SoundEncoder(Protocol):
    """Makes one viewer's form of a session's sound, once per packet."""

    codec: AudioCodec

    def encode(self, packet: AudioPacket) -> tuple[FrameType, bytes]: ...

    def follow(self, levels_left: int) -> None:
        """See ``SoundTaker``."""

    def stats(self) -> dict[str, Any]:
        """For people."""


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


@dataclass(frozen=True, slots=True)
class LinkState:
    """What is known of a viewer's link after an ack."""

    queue_ms: float
    """What the last picture waited on its way."""
    rate_bps: float | None
    """What the link carries; ``None`` while it is too quick to tell."""


class PictureFeed(ABC):
    """In what form one viewer's pictures go out, and on which level. Nothing here waits."""

    codec: VideoCodec

    def __init__(self) -> None:
        self.on_ready: Callable[[], None] = lambda: None
        """Called when there is something to ``take``."""
        self.replaced = 0
        """Pictures that newer ones replaced before they were made or sent."""
        self.wanted = False
        """Whether there is credit for one that is not made yet."""

    @abstractmethod
    def offer(self, picture: Picture) -> None:
        """The newest picture; it replaces one that was not made yet."""

    @abstractmethod
    def want(self) -> None:
        """There is credit for one picture: make it as soon as there is a new one. Nothing, while
        there is one to ``take``."""

    @property
    @abstractmethod
    def levels_left(self) -> int:
        """How many worse levels of the ladder there are."""

    @abstractmethod
    def take(self) -> EncodedPicture | None:
        """What is ready to be sent, once."""

    @abstractmethod
    def pause(self) -> None:
        """Nothing is wanted until ``want`` is called again; what is ready is dropped."""

    @abstractmethod
    def refresh(self) -> None:
        """The viewer may not have what was taken last: the next one is to stand by itself."""

    @abstractmethod
    def bound(self, scale: float) -> None:
        """The viewer shows nothing larger than this part of the session's picture."""

    @abstractmethod
    def judge(self, link: LinkState) -> None:
        """After an ack: choose the level that the link carries."""

    @abstractmethod
    def stats(self) -> dict[str, Any]:
        """For people."""

    @abstractmethod
    def close(self) -> None:
        """Take no more."""


class SocketTransport(MediaTransport):
    """The path that is there from the first moment to the last: it also carries messages."""

    sound: SoundEncoder
    """In what form sound goes out; may be replaced at any time."""

    @abstractmethod
    def post(self, message: ServerMessage) -> None:
        """A message, ahead of all media, in order. Never waits."""

    @property
    @abstractmethod
    def feed(self) -> PictureFeed:
        """In what form pictures go out; may be replaced at any time. The old one is closed."""

    @feed.setter
    @abstractmethod
    def feed(self, feed: PictureFeed) -> None: ...

    @abstractmethod
    def show(self, visible: bool) -> None:
        """Whether the viewer sees pictures at all: none are sent that nobody sees."""

    @abstractmethod
    def credit(self) -> None:
        """An ack came: a picture may be due, and more is known of the link."""

    @abstractmethod
    def close(self) -> None:
        """Free what it takes pictures from. Closing twice does nothing."""

    @abstractmethod
    def resume(self) -> None:
        """Media come back to it after a time elsewhere: nothing from before counts."""


class PeerOwner(Protocol):
    """Who is told what a peer goes through. Nothing here waits."""

    def on_peer_connected(self, peer: Peer) -> None: ...

    def on_peer_closed(self, peer: Peer) -> None: ...

    def on_peer_message(self, peer: Peer, text: str) -> None: ...

    def on_peer_origins(self, peer: Peer, audio: int, video: int) -> None:
        """The RTP timestamps of media time 0, once both tracks are being sent."""


class Peer(MediaTransport):
    """The path that may come and go: one WebRTC peer connection, from its offer to its end."""

    epoch: int
    owner: PeerOwner
    codec: Codec | None = None
    """Of the pictures, once the offer is answered; ``None`` when none are sent."""
    has_sound: bool = False
    connected: bool = False
    closed: bool = False
    heard_at: float | None = None
    """When the receiver last sent anything, since it is connected; ``None`` when nobody knows."""

    @abstractmethod
    def on_arrivals(self, pictures: Sequence[tuple[int, float]]) -> None:
        """The viewer says when pictures came; see ``Subscription``."""

    @abstractmethod
    async def answer(self, offer: str) -> str:
        """The answer to an offer, both as SDP.

        Raises:
            Refused: when the offer cannot be answered.
        """

    @abstractmethod
    async def add_candidate(self, text: str, mid: str | None, line: int | None) -> bool:
        """A trickled candidate. ``False`` when it was not used."""

    @abstractmethod
    def show(self, visible: bool, scale: float) -> None:
        """Whether the viewer sees pictures at all, and no larger than this part of them."""

    @abstractmethod
    def post(self, message: ServerMessage) -> bool:
        """A message on the data channel. ``False`` when it did not go there."""

    @abstractmethod
    async def close(self) -> None:
        """End it and free everything. Closing twice does nothing."""


class Peers(Protocol):
    """Makes peers."""

    @property
    def policy(self) -> IcePolicy:
        """Which candidates a client may use."""

    def open(self, epoch: int, owner: PeerOwner, source: MediaSource) -> Peer:
        """A new one.

        Raises:
            Unavailable: when there are as many as there may be.
        """

    def ice_servers(self, user: str) -> list[IceServer]:
        """What a client gets to find its way; passwords are for ``user`` and expire."""
