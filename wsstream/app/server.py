"""Serving: uvicorn, set up for media."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Callable
from http import HTTPStatus

import cv2
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from ..auth import default_hosts
from ..config import Config
from ..errors import WsstreamError
from ..session.registry import Registry
from ..transport.link import EXTENSION, Link
from .heap import keep_trimmed, share_arenas
from .hosts import AllowedHosts

logger = logging.getLogger(__name__)

WS_MAX_BYTES = 1 << 20
"""What uvicorn takes in before the protocol's own limit is asked, which closes with 4413."""
PONGS_MAX_BYTES = 1 << 20
"""More than media ever leave waiting in the process (``WRITE_BUFFER_BYTES`` and one message)."""
PING_INTERVAL_S, PING_TIMEOUT_S = 20.0, 60.0
"""A ping waits behind the media of a slow viewer, which is not to be taken for a dead one."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Hands the application its connection: ASGI shows it no buffers. For a uvicorn that is not
    started here: ``--ws wsstream.app.server:WebSocketProtocol``."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            link = Link(self.transport)
            link.tune()
            # The application's task has been made, but runs only after this.
            self.scope["extensions"][EXTENSION] = {"link": link}

    def handle_ping(self) -> None:
        """A pong is written whether or not there is room: who asks and never reads is cut off."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > PONGS_MAX_BYTES:
            self.transport.abort()

    def keepalive_timeout(self) -> None:
        """Closing would wait until the buffer is read, which here is never."""
        super().keepalive_timeout()
        self.transport.abort()


class _Server(uvicorn.Server):
    """Tells the viewers before it goes."""

    def __init__(self, config: uvicorn.Config, registry: Registry, ready: Callable[[str], None]):
        super().__init__(config)
        self._registry = registry
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._registry.close()
        await super().shutdown(sockets)


def serve(app: Starlette, config: Config, *, ready: Callable[[str], None] = logger.info) -> None:
    """Serve until SIGINT or SIGTERM. ``ready`` is called with the URL.

    Raises:
        WsstreamError: when an avatar cannot start, or the port is taken.
    """
    share_arenas()  # before there are any threads
    # OpenCV's own turn idle round and round between two pictures: 0.6 ms of CPU for each at 720p.
    cv2.setNumThreads(1)
    hosts = () if config.server.allowed_hosts else default_hosts(config.server.host)
    settings = uvicorn.Config(
        AllowedHosts(app, hosts),
        lifespan="off",  # run here, so that an error is an error and not a traceback
        log_level="warning",
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=WS_MAX_BYTES,
        ws_ping_interval=PING_INTERVAL_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        forwarded_allow_ips=config.server.forwarded_allow_ips,
        timeout_graceful_shutdown=5,
    )
    listener = _listen(config.server.host, config.server.port)
    registry: Registry = app.state.wsstream
    server = _Server(settings, registry, ready)

    async def main() -> None:
        await registry.warm()
        gc.collect()
        gc.freeze()  # what lives as long as the server need not be looked at again and again
        trimming = asyncio.create_task(keep_trimmed())
        await server.serve([listener])
        trimming.cancel()

    with asyncio.Runner(loop_factory=settings.get_loop_factory()) as runner:
        runner.run(main())


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        # Python's own words repeat the address.
        words = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise WsstreamError(f"cannot listen on {host} port {port}: {words}") from None
