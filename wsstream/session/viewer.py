"""One viewer of a session: carries out what its protocol decides, and keeps its link fed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

from ..errors import Refused, Unavailable, WsstreamError
from ..media.resample import Halver
from ..media.types import SAMPLE_RATE_HZ, AudioPacket, Picture
from ..protocol.messages import (
    PROTOCOL,
    AgentInfo,
    AudioCodec,
    AudioInfo,
    Error,
    Pong,
    ServerMessage,
    VideoInfo,
    WebrtcInfo,
    Welcome,
)
from ..protocol.viewer import (
    Acked,
    Effect,
    Greet,
    Leave,
    Reply,
    Silence,
    Speak,
    TimeAsked,
    ViewerProtocol,
)
from ..transport.base import SocketTransport
from .encoders import OpusSound, PcmSound
from .session import Session


class Viewer:
    """One WebSocket's side of a session."""

    def __init__(self, session: Session, protocol: ViewerProtocol, link: SocketTransport) -> None:
        self.session = session
        self.id = secrets.token_urlsafe(6)
        self._resume = secrets.token_urlsafe(16)
        self._protocol = protocol
        self._link = link
        self._client = ""

    async def run(self, incoming: AsyncIterator[str | bytes]) -> None:
        """Serve until the viewer goes or the session ends.

        Raises:
            Refused: the socket is to be closed with it.
            Exception: what the socket raises when it breaks.
        """
        if self._protocol.welcome:
            self._admit()
        jobs = {
            asyncio.create_task(self._link.run()),
            asyncio.create_task(self._receive(incoming)),
            asyncio.create_task(self.session.closed.wait()),
            asyncio.create_task(self._watch_deadline()),
        }
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
            if self.session.closed.is_set():
                raise Unavailable("the session has ended")
        finally:
            self.session.leave(self)
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    # What the session offers.

    def offer_sound(self, packet: AudioPacket) -> None:
        self._link.offer_sound(packet)

    def offer_picture(self, picture: Picture) -> None:
        self._link.offer_picture(picture)

    def post(self, message: ServerMessage) -> None:
        self._link.post(message)

    def flush(self) -> None:
        self._link.flush()

    # What the viewer sends.

    async def _receive(self, incoming: AsyncIterator[str | bytes]) -> None:
        async for data in incoming:
            now = self.session.now()
            for effect in self._protocol.receive(data, now):
                if isinstance(effect, Leave):
                    return
                self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Reply(message):
                self.post(message)
            case Greet():
                self._greet(effect)
            case Speak(text, id):
                try:
                    self.session.say(text, id)
                except WsstreamError as error:
                    self.post(Error(code=_code(error), message=str(error), fatal=False))
            case Silence():
                self.session.interrupt()
            case Acked():
                self._link.credit()
            case TimeAsked(t):
                self.post(Pong(t=t, media_ms=self.session.media_ms))

    def _greet(self, greet: Greet) -> None:
        self._client = greet.hello.client
        self._link.sound = PcmSound() if greet.audio == "pcm" else OpusSound()
        self._admit(greet.audio)

    def _admit(self, codec: AudioCodec = "opus") -> None:
        rate_hz = Halver.RATE_HZ if codec == "pcm" else SAMPLE_RATE_HZ
        self._welcome(AudioInfo(codec=codec, rate=rate_hz))
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
                    codec="jpeg", width=agent.width, height=agent.height, fps=agent.fps
                ),
                audio=audio,
                webrtc=WebrtcInfo(enabled=False),
                media_ms=session.media_ms,
            )
        )

    async def _watch_deadline(self) -> None:
        while (deadline := self._protocol.deadline) is not None:
            await asyncio.sleep(max(0.0, deadline - self.session.now()))
            self._protocol.check_deadline(self.session.now())
        await asyncio.Event().wait()

    def counters(self) -> dict[str, int]:
        return self._link.counters()

    def stats(self) -> dict[str, Any]:
        """Counters and gauges, for people."""
        return {
            "id": self.id,
            "client": self._client,
            "received": dict(self._protocol.received),
            **self._link.stats(),
        }


def _code(error: WsstreamError) -> str:
    return error.code if isinstance(error, Refused) else "no_voice"
