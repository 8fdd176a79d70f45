"""One viewer's way to WebRTC and back: its place in the table, and its peer connection.

It outlives the viewer's socket: when the viewer comes back on a new one, it is handed over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from ..clock import to_u32
from ..errors import Refused
from ..protocol.flow import TokenBucket
from ..protocol.messages import (
    Answer,
    Candidate,
    Error,
    Media,
    Offer,
    Rtp,
    ServerMessage,
    Switched,
)
from ..protocol.states import PINNED, Event, MediaPath, Path
from ..transport.base import MediaSource, Peer, Peers

logger = logging.getLogger(__name__)

SILENT_S = 3.0
"""A receiver sends RTCP about each second; after so long without any, it is in doubt."""
TICK_S = 0.25
CANDIDATES_MAX = 64
"""Trickled and not yet looked at."""
GIVEN_UP = ("failed", PINNED)
"""Reasons of a client that does not want its peer any more, whether it recovers or not."""
OFFERS_PER_S, OFFERS_BURST = 0.5, 5.0
"""A peer costs about 10 ms of CPU; a client that offers more often waits."""


class Host(Protocol):
    """Whose upgrade it is."""

    def post(self, message: ServerMessage) -> None: ...

    def on_path(self, path: MediaPath) -> None:
        """Media are carried another way from now on."""

    def on_peer_opened(self, peer: Peer) -> None:
        """It is to know what the viewer sees of it."""

    def on_peer_message(self, text: str) -> None: ...

    @property
    def media_ms(self) -> int: ...


class Upgrade:
    """``start`` it, ``close`` it. ``peers`` is ``None`` where there is no WebRTC; ``now`` gives
    monotonic seconds."""

    def __init__(
        self,
        host: Host,
        peers: Peers | None,
        source: MediaSource,
        now: Callable[[], float],
    ) -> None:
        self.host = host
        self.path = MediaPath()
        self.peer: Peer | None = None
        self.ended = asyncio.Event()
        """The viewer's socket is lost, and the peer is of no use either."""
        self._peers = peers
        self._source = source
        self._now = now
        self._offer: Offer | None = None
        self._trickled: deque[Candidate] = deque(maxlen=CANDIDATES_MAX)
        self._retired: list[Peer] = []
        self._bucket = TokenBucket(OFFERS_PER_S, OFFERS_BURST)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._counts = Counter[str]()

    def start(self) -> None:
        """Begin to answer offers."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Close the peer and free everything. Closing twice does nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._retire()
        await self._close_retired()

    # What the client sends.

    def handle(self, message: Offer | Candidate | Switched) -> None:
        """A step by the client. What makes no sense now is answered with an error."""
        if self._peers is None:
            self._refuse("no_webrtc", "WebRTC is not offered here")
        elif isinstance(message, Offer):
            self._on_offer(message)
        elif message.epoch != self.path.epoch:
            epoch = self.path.epoch
            self._refuse("stale_epoch", f"expected epoch {epoch}, got {message.epoch}")
        elif isinstance(message, Candidate):
            if message.candidate:  # null and "" say that there are no more
                self._trickled.append(message)
                self._wake.set()
        else:
            self._on_switched(message)

    def lose_socket(self) -> bool:
        """The socket is gone. Whether the peer goes on without it."""
        self._move(Event.LOST, "the socket is lost")
        return self.path.state is Path.ORPHAN

    def resume(self, host: Host) -> None:
        """The viewer is back on a new socket."""
        self.host = host
        self._move(Event.RESUMED, "resumed")

    def counters(self) -> Counter[str]:
        """By the names ``/metrics`` has."""
        counts = self._counts + Counter(self.peer.counters() if self.peer else {})
        counts.update(
            connect_failures=self.path.failures["connect"],
            transit_failures=self.path.failures["transit"],
        )
        return counts

    def stats(self) -> dict[str, Any]:
        """For people."""
        return {
            "state": str(self.path.state),
            "epoch": self.path.epoch,
            "reason": self.path.reason,
            "peer": self.peer.stats() if self.peer else None,
        }

    # What the peer goes through.

    def on_peer_connected(self, peer: Peer) -> None:
        if peer is self.peer:
            self._counts["peers_connected"] += 1

    def on_peer_closed(self, peer: Peer) -> None:
        if peer is self.peer and self._offer is None:  # else there will be another one at once
            self._fail("the peer connection closed")

    def on_peer_message(self, peer: Peer, text: str) -> None:
        if peer is self.peer:
            self.host.on_peer_message(text)

    def on_peer_origins(self, peer: Peer, audio: int, video: int) -> None:
        if peer is self.peer:
            self.host.post(Rtp(epoch=peer.epoch, audio=audio, video=video))

    # Steps.

    def _on_offer(self, offer: Offer) -> None:
        if offer.epoch <= self.path.epoch:
            epoch = self.path.epoch
            self._refuse("stale_epoch", f"expected an epoch after {epoch}, got {offer.epoch}")
        elif self.path.state not in (Path.WS, Path.PROBING):
            self._refuse("bad_offer", f"no offer is taken in state {self.path.state}")
        elif not self._bucket.take(self._now()):
            self._refuse("bad_offer", "too many offers in too short a time")
        else:
            self.path.epoch = offer.epoch
            self._trickled.clear()
            self._offer = offer
            self._wake.set()

    def _on_switched(self, message: Switched) -> None:
        if message.to == "ws":
            over = self.path.state is Path.HEDGE and message.reason in GIVEN_UP
            self._move(Event.FAILED if over else Event.REVERTED, message.reason)
            if self.path.state is Path.WS:
                self._offer = None
                self._retire()
        elif self.peer is None or self.peer.epoch != message.epoch or not self.peer.connected:
            self._refuse("not_connected", "there is no connected peer to switch to")
        elif self._move(Event.SWITCHED, message.reason):
            self._counts["switches_up"] += 1

    def _fail(self, reason: str) -> None:
        self._move(Event.FAILED, reason)
        self._retire()

    def _move(self, event: Event, reason: str) -> bool:
        path, before = self.path, self.path.transport
        if not path.handle(event, self._now(), reason):
            return False
        if path.state is Path.ENDED:
            self.ended.set()
            return True
        if before == "webrtc" and path.transport == "ws":
            self._counts["switches_down"] += 1
        self.host.on_path(path)
        if event is not Event.OFFERED and path.state is not Path.ORPHAN:
            at = to_u32(self.host.media_ms)
            self.host.post(Media(transport=path.transport, at=at, epoch=path.epoch, reason=reason))
        self._wake.set()
        return True

    def _retire(self) -> None:
        """The peer's end; it is closed where there is time to wait for it."""
        if self.peer is not None:
            self._counts.update(self.peer.counters())
            self._retired.append(self.peer)
            self.peer = None
            self._wake.set()

    def _refuse(self, code: str, message: str) -> None:
        self.host.post(Error(code=code, message=message, fatal=False))

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self._close_retired()
            while self._offer is not None:
                offer, self._offer = self._offer, None
                await self._answer(offer)
            await self._add_candidates()
            if self._offer is None:
                self._check(self._now())
            idle = self.peer is None and self.path.deadline is None
            with suppress(TimeoutError):
                async with asyncio.timeout(None if idle else TICK_S):
                    await self._wake.wait()

    async def _answer(self, offer: Offer) -> None:
        assert self._peers is not None
        self._retire()
        await self._close_retired()  # its place may be the last one
        if not self._move(Event.OFFERED, ""):
            return
        peer, sdp, failure = None, "", ""
        try:
            peer = self.peer = self._peers.open(offer.epoch, self, self._source)
            self.host.on_peer_opened(peer)
            sdp = await peer.answer(offer.sdp)
            if peer.codec is None or not peer.has_sound:
                failure = "expected an offer to receive sound and H.264 or VP8 pictures"
        except Refused as error:
            failure = str(error)
        except Exception:
            logger.exception("an offer could not be answered")
            failure = "the offer could not be answered"
        if peer is not self.peer or self._offer is not None:
            return  # given up meanwhile, or overtaken by the next
        if peer is None or peer.codec is None or failure:
            self._refuse("bad_offer", failure)
            self._fail(failure)
        else:
            self.host.post(Answer(epoch=offer.epoch, sdp=sdp, codec=peer.codec))

    async def _close_retired(self) -> None:
        while self._retired:
            peer = self._retired[0]
            try:
                await peer.close()
            except Exception:
                logger.exception("a peer did not close cleanly")
            self._retired.remove(peer)  # only now: whoever is cancelled above leaves it here

    async def _add_candidates(self) -> None:
        while self._trickled and self.peer is not None and self._offer is None:
            candidate = self._trickled.popleft()
            if candidate.epoch == self.peer.epoch and candidate.candidate:
                await self.peer.add_candidate(
                    candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex
                )

    def _check(self, now: float) -> None:
        state, peer = self.path.state, self.peer
        if self.path.deadline is not None and now >= self.path.deadline:
            self._move(Event.DEADLINE, _TOO_LONG.get(state, ""))
            self._retire()
        elif peer is not None and peer.heard_at is not None and now - peer.heard_at > SILENT_S:
            if state is Path.WEBRTC:
                self._move(Event.DOUBTED, "the browser has gone silent")
            elif state is Path.ORPHAN:
                self._fail("the browser has gone silent")


_TOO_LONG = {
    Path.PROBING: "no WebRTC connection in time",
    Path.HEDGE: "WebRTC did not recover",
    Path.ORPHAN: "the viewer did not come back",
}
