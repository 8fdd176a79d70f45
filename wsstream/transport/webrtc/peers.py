"""Makes peer connections, and knows how many there may be and which servers help them."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Callable

from aiortc import RTCIceServer

from ...config import Ice
from ...errors import Unavailable
from ...protocol.messages import IcePolicy, IceServer
from ..base import MediaSource, PeerOwner
from .hooks import missing_hooks
from .ice import turn_credentials
from .peer import RtcPeer

logger = logging.getLogger(__name__)


class AiortcPeers:
    """One per application. ``now`` gives monotonic seconds, ``wall`` Unix time."""

    def __init__(
        self,
        ice: Ice,
        limit: int,
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._ice = ice
        self._limit = limit
        self._now, self._wall = now, wall
        self._open: weakref.WeakSet[RtcPeer] = weakref.WeakSet()
        missing = missing_hooks()
        self._encoded = not missing
        if missing:
            logger.warning(
                "this aiortc lacks %s: it has to encode for each viewer by itself, which costs "
                "about fifty times as much",
                ", ".join(missing),
            )

    @property
    def policy(self) -> IcePolicy:
        return self._ice.policy

    def open(self, epoch: int, owner: PeerOwner, source: MediaSource) -> RtcPeer:
        """See the port."""
        if sum(not peer.closed for peer in self._open) >= self._limit:
            raise Unavailable(f"there are {self._limit} WebRTC viewers already")
        servers = [RTCIceServer(urls=url) for url in self._ice.stun[:1]]
        if self._ice.relay and self._ice.turn:
            name, password = self._credentials("server")
            servers.append(RTCIceServer(self._ice.turn[0], username=name, credential=password))
        peer = RtcPeer(
            epoch, owner, source, now=self._now, ice_servers=servers, encoded=self._encoded
        )
        self._open.add(peer)
        return peer

    def ice_servers(self, user: str) -> list[IceServer]:
        """See the port."""
        servers = [IceServer(urls=list(self._ice.stun))] if self._ice.stun else []
        if self._ice.turn:
            name, password = self._credentials(user)
            servers.append(IceServer(urls=list(self._ice.turn), username=name, credential=password))
        return servers

    def _credentials(self, user: str) -> tuple[str, str]:
        ice = self._ice
        if not ice.turn_secret:
            return ice.turn_username, ice.turn_password
        return turn_credentials(ice.turn_secret, user, self._wall() + ice.turn_ttl_s)
