"""One viewer of a session: carries out what its protocol decides, and keeps its link fed."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from ..errors import Refused, Superseded, Unavailable, WsstreamError
from ..media.resample import Halver
from ..media.types import SAMPLE_RATE_HZ, AudioPacket, Picture
from ..protocol.messages import (
    PROTOCOL,
    AgentInfo,
    AudioCodec,
    AudioInfo,
    Emotion,
    Error,
    Flush,
    Pong,
    ServerMessage,
    State,
    Transcript,
    VideoInfo,
    WebrtcInfo,
    Welcome,
)
from ..protocol.states import MediaPath
from ..protocol.viewer import (
    Acked,
    Came,
    Effect,
    Greet,
    Leave,
    Renew,
    Reply,
    Seen,
    Silence,
    Speak,
    TimeAsked,
    Upgrading,
    ViewerProtocol,
)
from ..transport.base import Peer, Peers, SocketTransport
from .encoders import make_sound
from .feeds import make_feed
from .session import Session
from .upgrade import Upgrade

SCALES = (0.35, 0.5, 0.75, 1.0)
"""The sizes that pictures are made in, relative to the session's."""
SHARP_ENOUGH = 0.9
"""A picture so little smaller than it is shown looks the same, and costs less."""
NOT_HERE = "this server offers no WebRTC"

_ALSO_ON_CHANNEL = (State, Transcript, Emotion, Flush)
"""What a viewer on WebRTC gets on both ways, and sees once: whichever is quicker or alive."""
_FROM_CHANNEL = (Reply, Speak, Silence, Acked, Came, TimeAsked)
"""What a data channel may bring about: the socket's own affairs stay on the socket."""


class Viewer:
    """One client of a session: its WebSocket, and at most one peer connection at a time."""

    def __init__(
        self,
        session: Session,
        protocol: ViewerProtocol,
        link: SocketTransport,
        peers: Peers | None = None,
    ) -> None:
        self.session = session
        self.id = secrets.token_urlsafe(6)
        self._peers = peers if session.agent.mode != "ws" else None
        self.upgrade = Upgrade(self, self._peers, session, session.now)
        self._resume = secrets.token_urlsafe(16)
        self._protocol = protocol
        self._link = link
        self._on_socket = True
        self._was_carried = True
        self._turned_away = asyncio.Event()
        self._refusal: Refused | None = None
        self._client = ""
        self._scale, self._visible = 1.0, True

    async def run(
        self, incoming: AsyncIterator[str | bytes], greeted: Sequence[Effect] = ()
    ) -> None:
        """Serve until the viewer goes or the session ends. ``greeted`` is what its protocol has
        decided already, when it had to show a token first.

        Raises:
            Refused: the socket is to be closed with it.
            Exception: what the socket raises when it breaks.
        """
        if self._protocol.welcome and not greeted:
            self._admit()
        self.upgrade.start()
        try:
            for effect in greeted:
                self._carry_out(effect, self.post)
            try:
                if await self._serve_socket(incoming):
                    return
            except (Refused, asyncio.CancelledError):
                raise
            except Exception:
                await self._outlive_socket()
                raise
            await self._outlive_socket()
        finally:
            self.session.leave(self)
            self._link.close()
            await self.upgrade.close()

    async def _serve_socket(self, incoming: AsyncIterator[str | bytes]) -> bool:
        """Until the socket breaks. Whether the client said that it goes."""
        receiving = asyncio.create_task(self._receive(incoming))
        jobs: set[asyncio.Task[Any]] = {
            receiving,
            asyncio.create_task(self._link.run()),
            asyncio.create_task(self.session.closed.wait()),
            asyncio.create_task(self._turned_away.wait()),
            asyncio.create_task(self._watch_deadline()),
        }
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
            if self._refusal is not None:
                raise self._refusal
            if self.session.closed.is_set():
                raise Unavailable("the session has ended")
            return receiving in done and receiving.result()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _outlive_socket(self) -> None:
        """The socket is lost. A peer that works plays on for a while: the viewer may come back."""
        self._on_socket = False
        if not self.upgrade.lose_socket():
            return
        events = (self.upgrade.ended, self.session.closed, self._turned_away)
        jobs = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    # What the session offers.

    def offer_sound(self, packet: AudioPacket) -> None:
        if self._carried_by_link:
            self._link.offer_sound(packet)
        if self.upgrade.peer is not None:
            self.upgrade.peer.offer_sound(packet)

    def offer_picture(self, picture: Picture) -> None:
        if self._carried_by_link:
            self._link.offer_picture(picture)
        if self.upgrade.peer is not None:
            self.upgrade.peer.offer_picture(picture)

    def post(self, message: ServerMessage) -> None:
        if self._on_socket:
            self._link.post(message)
        if self.upgrade.peer is not None and isinstance(message, _ALSO_ON_CHANNEL):
            self.upgrade.peer.post(message)

    def flush(self) -> None:
        self._link.flush()
        if self.upgrade.peer is not None:
            self.upgrade.peer.flush()

    @property
    def _carried_by_link(self) -> bool:
        return self._on_socket and "ws" in self.upgrade.path.carries

    # What its upgrade tells.

    @property
    def media_ms(self) -> int:
        return self.session.media_ms

    def on_path(self, path: MediaPath) -> None:
        self._link.show(self._visible and self._carried_by_link)
        if not self._carried_by_link:
            self._link.flush()
        elif not self._was_carried:
            self._link.resume()
            if self.session.picture is not None:
                self._link.offer_picture(self.session.picture)
        self._was_carried = self._carried_by_link

    def on_peer_opened(self, peer: Peer) -> None:
        peer.show(self._visible, self._scale)

    def on_peer_message(self, text: str) -> None:
        try:
            for effect in self._protocol.receive(text, self.session.now()):
                if isinstance(effect, _FROM_CHANNEL):
                    self._carry_out(effect, self._answer_peer)
        except Refused as refusal:
            self._turn_away(refusal)

    def _answer_peer(self, message: ServerMessage) -> None:
        peer = self.upgrade.peer
        if peer is None or not peer.post(message):
            self.post(message)

    def _turn_away(self, refusal: Refused) -> None:
        self._refusal = self._refusal or refusal
        self._turned_away.set()

    # What the viewer sends.

    async def _receive(self, incoming: AsyncIterator[str | bytes]) -> bool:
        """Until the socket's end; whether the client said that it goes."""
        async for data in incoming:
            now = self.session.now()
            for effect in self._protocol.receive(data, now):
                if isinstance(effect, Leave):
                    return True
                self._carry_out(effect, self.post)
        return False

    def _carry_out(self, effect: Effect, answer: Callable[[ServerMessage], None]) -> None:
        match effect:
            case Reply(message):
                answer(message)
            case Greet():
                self._greet(effect)
            case Speak(text, id):
                try:
                    self.session.say(text, id)
                except WsstreamError as error:
                    answer(Error(code=_code(error), message=str(error), fatal=False))
            case Silence():
                self.session.interrupt()
            case Acked():
                self._link.credit()
            case Came(pictures):
                if self.upgrade.peer is not None:
                    self.upgrade.peer.on_arrivals(pictures)
            case Seen():
                self._see(effect)
            case Renew():
                self._link.feed.refresh()
            case TimeAsked(t):
                answer(Pong(t=t, media_ms=self.session.media_ms))
            case Upgrading(message):
                self.upgrade.handle(message)

    def _see(self, seen: Seen) -> None:
        """No larger and no more than the viewer sees."""
        agent = self.session.agent
        share = max(seen.width / agent.width, seen.height / agent.height)
        # A hidden element has no size, and keeps the last one.
        if seen.visible and share > 0:
            self._scale = next((s for s in SCALES if s >= min(1.0, share * SHARP_ENOUGH)), 1.0)
        self._visible = seen.visible
        self._link.show(seen.visible and self._carried_by_link)
        self._link.feed.bound(self._scale)
        if self.upgrade.peer is not None:
            self.upgrade.peer.show(seen.visible, self._scale)

    def _greet(self, greet: Greet) -> None:
        self._client = greet.hello.client
        if greet.hello.resume:
            self._take_over(greet.hello.resume)
        if greet.audio != self._link.sound.codec:
            self._link.sound = make_sound(self.session, greet.audio)
        if greet.video != self._link.feed.codec:
            self._link.feed = make_feed(self.session, greet.video)
        self._link.feed.bound(self._scale)
        self._admit(greet.audio)

    def _take_over(self, token: str) -> None:
        """Go on as the viewer that had this token: its socket is closed, its peer lives on."""
        for other in tuple(self.session.viewers):
            if isinstance(other, Viewer) and other is not self and other.owns(token):
                self.id, self._resume = other.id, other._resume
                self._scale, self._visible = other._scale, other._visible
                if other.upgrade.lose_socket():
                    self.upgrade, other.upgrade = other.upgrade, self.upgrade
                    self.upgrade.resume(self)
                other.upgrade.host = other
                other._turn_away(Superseded("the same viewer came on a newer socket"))

    def owns(self, token: str) -> bool:
        """Whether this is its resume token, and it may be taken over."""
        return self._refusal is None and secrets.compare_digest(
            token.encode(), self._resume.encode()
        )

    def _admit(self, codec: AudioCodec = "opus") -> None:
        rate_hz = Halver.RATE_HZ if codec == "pcm" else SAMPLE_RATE_HZ
        self._welcome(AudioInfo(codec=codec, rate=rate_hz))
        self.post(self.session.state_message)
        self.session.join(self)

    def _welcome(self, audio: AudioInfo) -> None:
        session, agent = self.session, self.session.agent
        self.post(
            Welcome(
                protocol=PROTOCOL,
                session=session.id,
                resume=self._resume,
                agent=AgentInfo(name=session.agent_name, title=agent.title or session.agent_name),
                video=VideoInfo(
                    codec=self._link.feed.codec,
                    width=agent.width,
                    height=agent.height,
                    fps=agent.fps,
                ),
                audio=audio,
                webrtc=self._webrtc(),
                media_ms=session.media_ms,
            )
        )

    def _webrtc(self) -> WebrtcInfo:
        mode = self.session.agent.mode
        if self._peers is None:
            why = "this agent stays on the WebSocket" if mode == "ws" else NOT_HERE
            return WebrtcInfo(enabled=False, mode=mode, reason=why)
        servers = self._peers.ice_servers(self.id)
        return WebrtcInfo(enabled=True, ice_servers=servers, policy=self._peers.policy, mode=mode)

    async def _watch_deadline(self) -> None:
        while (deadline := self._protocol.deadline) is not None:
            await asyncio.sleep(max(0.0, deadline - self.session.now()))
            self._protocol.check_deadline(self.session.now())
        await asyncio.Event().wait()

    def counters(self) -> dict[str, int]:
        return dict(self.upgrade.counters() + Counter(self._link.counters()))

    def stats(self) -> dict[str, Any]:
        """Counters and gauges, for people."""
        return {
            "id": self.id,
            "client": self._client,
            "received": dict(self._protocol.received),
            **self._link.stats(),
            "transport": self.upgrade.path.transport,
            "upgrade": self.upgrade.stats(),
        }


def _code(error: WsstreamError) -> str:
    return error.code if isinstance(error, Refused) else "no_voice"
