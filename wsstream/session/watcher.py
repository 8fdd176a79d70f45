"""A viewer without a socket: an ordinary WebRTC player that only watches (WHEP)."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from ..errors import BadMessage
from ..media.types import AudioPacket, Picture
from ..protocol.messages import ServerMessage
from ..transport.base import Peer, Peers
from .session import Session

CONNECT_S = 15.0
"""From the answer to the connection."""
SILENT_S = 15.0
"""A player that sends no RTCP for so long is gone."""
TICK_S = 1.0


class Watcher:
    """One player of one session."""

    def __init__(self, session: Session, peers: Peers) -> None:
        """
        Raises:
            Unavailable: when there are as many peers as there may be.
        """
        self.session = session
        self.id = secrets.token_urlsafe(12)
        self._ended = asyncio.Event()
        self._connected = 0
        self._peer: Peer = peers.open(0, self, session)

    async def answer(self, offer: str) -> str:
        """The SDP answer to a player's SDP offer.

        Raises:
            Refused: when it cannot be answered; close the watcher.
        """
        answer = await self._peer.answer(offer)
        if self._peer.codec is None and not self._peer.has_sound:
            raise BadMessage("expected an offer to receive Opus sound, or H.264 or VP8 pictures")
        return answer

    async def add_candidate(self, text: str, mid: str | None) -> bool:
        """A trickled candidate. ``False`` when it was not used."""
        return await self._peer.add_candidate(text, mid, None)

    async def run(self) -> None:
        """Until the player or the session ends; everything is freed then."""
        session, since = self.session, self.session.now()
        ends = [asyncio.create_task(e.wait()) for e in (self._ended, session.closed)]
        session.join(self)
        try:
            while not (self._ended.is_set() or session.closed.is_set()):
                if self._is_gone(session.now() - since):
                    break
                await asyncio.wait(ends, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            session.leave(self)
            await self.close()

    def _is_gone(self, age_s: float) -> bool:
        if not self._peer.connected:
            return age_s > CONNECT_S
        heard_at = self._peer.heard_at  # None when nobody knows
        return heard_at is not None and self.session.now() - heard_at > SILENT_S

    async def close(self) -> None:
        """End it. Closing twice does nothing."""
        self._ended.set()
        await self._peer.close()

    # What the session offers.

    def offer_sound(self, packet: AudioPacket) -> None:
        self._peer.offer_sound(packet)

    def offer_picture(self, picture: Picture) -> None:
        self._peer.offer_picture(picture)

    def post(self, message: ServerMessage) -> None:
        self._peer.post(message)

    def flush(self) -> None:
        self._peer.flush()

    def counters(self) -> dict[str, int]:
        return {**self._peer.counters(), "peers_connected": self._connected}

    def stats(self) -> dict[str, Any]:
        return {"id": self.id, "client": "whep", **self._peer.stats()}

    # What the peer goes through.

    def on_peer_connected(self, peer: Peer) -> None:
        self._connected = 1

    def on_peer_closed(self, peer: Peer) -> None:
        self._ended.set()

    def on_peer_message(self, peer: Peer, text: str) -> None:
        """A player has nothing to say."""

    def on_peer_origins(self, peer: Peer, audio: int, video: int) -> None:
        pass
