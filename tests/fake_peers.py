"""Peer connections without any connection: what a viewer's upgrade and a player meet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes import now
from wsstream.errors import Unavailable
from wsstream.media.types import AudioPacket, Picture
from wsstream.media.video import Codec, EncodedVideo
from wsstream.protocol.messages import IcePolicy, IceServer, ServerMessage
from wsstream.session.sound_rungs import SoundRungs
from wsstream.transport.base import Deliver, MediaSource, Peer, PeerOwner, Subscription, VideoSource


class FakeSubscription(Subscription):
    """Notes what is asked of it."""

    bitrate = 1_000_000
    level = 0
    needs_key = False

    @property
    def levels_left(self) -> int:
        return 4 - self.level

    def __init__(self, codec: Codec, deliver: Deliver) -> None:
        self.codec, self.deliver = codec, deliver
        self.keys = 0
        self.estimates: list[int] = []
        self.round_trips: list[float] = []
        self.losses: list[float] = []
        self.arrivals: list[tuple[int, float]] = []
        self.bounds: list[float] = []
        self.closed = False

    def request_key(self) -> None:
        self.keys += 1

    def poke(self) -> None:
        pass

    def move(self, level: int) -> None:
        self.level = level

    def bound(self, scale: float) -> None:
        self.bounds.append(scale)

    def on_estimate(self, bitrate: int) -> None:
        self.estimates.append(bitrate)

    def on_loss(self, fraction: float, packets: int) -> None:
        self.losses.append(fraction)

    def on_round_trip(self, seconds: float) -> None:
        self.round_trips.append(seconds)

    def on_arrivals(self, pictures: Sequence[tuple[int, float]]) -> None:
        self.arrivals += pictures

    def close(self) -> None:
        self.closed = True


class FakeSource(VideoSource):
    """Pictures are whatever ``deliver`` is called with; sound is encoded in earnest."""

    def __init__(self) -> None:
        self.video, self.sound = self, SoundRungs(32_000)
        self.recent_sound: list[AudioPacket] = []
        self.subscriptions: list[FakeSubscription] = []

    def subscribe(
        self,
        codec: Codec,
        deliver: Deliver,
        ready: Callable[[], bool] | None = None,
        after_ms: int = -1,
        level: int = 0,
        bound: float = 1.0,
    ) -> FakeSubscription:
        self.subscriptions.append(FakeSubscription(codec, deliver))
        self.subscriptions[-1].level = level
        self.subscriptions[-1].bounds.append(bound)
        return self.subscriptions[-1]

    @property
    def takers(self) -> list[FakeSubscription]:
        return [one for one in self.subscriptions if not one.closed]

    def deliver(self, video: EncodedVideo) -> None:
        for one in self.takers:
            one.deliver(video)


class FakePeer(Peer):
    """Answers with ``sdp`` after ``seconds``; ``error`` is raised instead.

    ``connect``, ``say``, ``tell_origins`` and ``break_down`` do what the other end and the network
    would.
    """

    def __init__(self, epoch: int, owner: PeerOwner, source: MediaSource) -> None:
        self.epoch, self.owner, self.source = epoch, owner, source
        self.sdp = f"answer {epoch}"
        self.seconds = 0.0
        self.close_seconds = 0.0
        self.error: Exception | None = None
        self.answers: Codec | None = "h264"
        self.sounds = True
        self.channel = False
        self.offered: list[str] = []
        self.candidates: list[tuple[str, str | None, int | None]] = []
        self.packets: list[int] = []
        self.arrivals: list[tuple[int, float]] = []
        self.pictures: list[int] = []
        self.posted: list[ServerMessage] = []
        self.shown: list[tuple[bool, float]] = []
        self.flushes = 0
        self.closes = 0

    async def answer(self, offer: str) -> str:
        self.offered.append(offer)
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        self.codec, self.has_sound = self.answers, self.sounds
        return self.sdp

    async def add_candidate(self, text: str, mid: str | None, line: int | None) -> bool:
        self.candidates.append((text, mid, line))
        return True

    def connect(self, *, channel: bool = True) -> None:
        self.connected, self.channel = True, channel
        self.heard_at = now()
        self.owner.on_peer_connected(self)

    def hear(self) -> None:
        """The receiver says that it is there."""
        self.heard_at = now()

    def say(self, text: str) -> None:
        """The other end, on the data channel."""
        self.hear()
        self.owner.on_peer_message(self, text)

    def tell_origins(self, audio: int, video: int) -> None:
        self.owner.on_peer_origins(self, audio, video)

    def break_down(self) -> None:
        """The other end closes it, or DTLS fails."""
        self.connected = self.channel = False
        self.owner.on_peer_closed(self)

    def on_arrivals(self, pictures: Sequence[tuple[int, float]]) -> None:
        self.arrivals += pictures

    def offer_sound(self, packet: AudioPacket) -> None:
        if self.connected:
            self.packets.append(packet.media_ms)

    def offer_picture(self, picture: Picture) -> None:
        if self.connected:
            self.pictures.append(picture.media_ms)

    def flush(self) -> None:
        self.flushes += 1

    def show(self, visible: bool, scale: float) -> None:
        self.shown.append((visible, scale))

    def post(self, message: ServerMessage) -> bool:
        if self.channel:
            self.posted.append(message)
        return self.channel

    async def run(self) -> None:
        pass

    async def close(self) -> None:
        self.closes += 1
        self.connected = self.channel = False
        await asyncio.sleep(self.close_seconds)
        if not self.closed:
            self.closed = True
            self.owner.on_peer_closed(self)  # as aiortc does

    def counters(self) -> dict[str, int]:
        return {"rtc_packets": len(self.packets), "rtc_pictures": len(self.pictures)}

    def stats(self) -> dict[str, Any]:
        return {"transport": "webrtc", "epoch": self.epoch, **self.counters()}


class FakePeers:
    """Keeps every peer it made; ``prepare`` is called with each new one."""

    policy: IcePolicy = "all"

    def __init__(self, limit: int = 100, prepare: Callable[[FakePeer], None] | None = None) -> None:
        self.limit = limit
        self.prepare = prepare
        self.made: list[FakePeer] = []
        self.users: list[str] = []

    def open(self, epoch: int, owner: PeerOwner, source: MediaSource) -> FakePeer:
        if len(self.open_ones) >= self.limit:
            raise Unavailable(f"there are {self.limit} WebRTC viewers already")
        peer = FakePeer(epoch, owner, source)
        if self.prepare is not None:
            self.prepare(peer)
        self.made.append(peer)
        return peer

    def ice_servers(self, user: str) -> list[IceServer]:
        self.users.append(user)
        return [IceServer(urls=["turn:turn.example.com"], username=user, credential="c")]

    @property
    def open_ones(self) -> list[FakePeer]:
        return [peer for peer in self.made if not peer.closed]
