"""``WS /ws/facetime/{agent}``: from a socket to a viewer of a session, and to its close code."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..auth import check_origin
from ..config import Agent
from ..errors import AvatarError, ConfigError, Refused, Unavailable
from ..protocol.flow import AckWindow
from ..protocol.messages import Bye, Error, dump
from ..protocol.viewer import Effect, ViewerProtocol
from ..session.encoders import make_sound
from ..session.feeds import make_feed
from ..session.registry import Registry
from ..session.session import Session
from ..session.viewer import Viewer
from ..transport.link import EXTENSION, Link
from ..transport.websocket import SlowViewer, WebSocketTransport

logger = logging.getLogger(__name__)

REASON_MAX_BYTES = 123
"""What a close frame has room for (RFC 6455 section 5.5)."""
CLOSE_TIMEOUT_S = 2.0
"""A viewer that reads nothing cannot be told why it is closed."""


def facetime_route(registry: Registry) -> WebSocketRoute:
    """The route of the one WebSocket."""

    async def facetime(websocket: WebSocket) -> None:
        # Accepted before it is judged: a browser shows no reason for a refused handshake.
        await websocket.accept()
        headers, allowed = websocket.headers, registry.config.server.allowed_origins
        address = websocket.client.host if websocket.client else ""
        async with _told(websocket):
            check_origin(headers.get("origin"), headers.get("host"), allowed)
            with registry.place(address):
                async with _told(websocket):  # while it still has its place: shutdown waits for it
                    await _watch(websocket, registry)

    return WebSocketRoute("/ws/facetime/{agent}", facetime)


async def _watch(websocket: WebSocket, registry: Registry) -> None:
    name, session_id = websocket.path_params["agent"], websocket.query_params.get("session")
    protocol = _make_protocol(registry, registry.agent(name))
    incoming = _incoming(websocket)
    greeted = await _let_in(protocol, incoming, registry.now)
    session = await registry.find(name, session_id)
    with registry.watched(session):
        viewer = _make_viewer(websocket, session, protocol, registry)
        await viewer.run(incoming, greeted)
    with suppress(RuntimeError, WebSocketDisconnect):  # unless it has closed already
        await websocket.close()


@asynccontextmanager
async def _told(websocket: WebSocket) -> AsyncIterator[None]:
    """Whoever is turned away is told why. Whoever goes by themselves is let go."""
    try:
        yield
    except Refused as refusal:
        await turn_away(websocket, refusal)
    except (AvatarError, ConfigError, SlowViewer) as error:
        await turn_away(websocket, Unavailable(str(error)))
    except (WebSocketDisconnect, OSError):
        pass
    except Exception:  # of a session hook's, say, which is somebody else's code
        logger.exception("a viewer could not be served")
        await turn_away(websocket, Unavailable("something failed here; the server's log says what"))


async def _let_in(
    protocol: ViewerProtocol, incoming: AsyncIterator[str | bytes], now: Callable[[], float]
) -> list[Effect]:
    """Wait for the token, where one is asked for: nothing is started for who has none."""
    effects: list[Effect] = []
    while (deadline := protocol.deadline) is not None:
        try:
            async with asyncio.timeout(max(0.0, deadline - now())):
                data = await anext(incoming, None)
        except TimeoutError:
            protocol.check_deadline(deadline)
            raise
        if data is None:
            raise WebSocketDisconnect
        effects += protocol.receive(data, now())
    return effects


def _make_protocol(registry: Registry, agent: Agent) -> ViewerProtocol:
    config = registry.config
    return ViewerProtocol(
        registry.now(),
        window=AckWindow(1000 / agent.fps),
        token=config.server.token,
        hello_timeout_s=config.server.hello_timeout_s,
        message_bytes=config.limits.message_bytes,
        messages_per_s=config.limits.messages_per_s,
        text_chars=config.limits.text_chars,
    )


def _make_viewer(
    websocket: WebSocket, session: Session, protocol: ViewerProtocol, registry: Registry
) -> Viewer:
    link = WebSocketTransport(
        websocket,
        clock=session.clock,
        now=session.now,
        window=protocol.window,
        feed=make_feed(session, "jpeg", start_small=websocket.query_params.get("start") == "small"),
        sound=make_sound(session, "opus"),
        gauges=_link(websocket),
    )
    return Viewer(session, protocol, link, registry.peers)


async def _incoming(websocket: WebSocket) -> AsyncIterator[str | bytes]:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        yield message["bytes"] if text is None else text


async def turn_away(websocket: WebSocket, refusal: Refused) -> None:
    """Say why in words to an accepted socket, then close it with the code."""
    reason = str(refusal).encode()[:REASON_MAX_BYTES].decode(errors="ignore")
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            error = Error(code=refusal.code, message=str(refusal), fatal=True)
            await websocket.send_text(dump(error))
            await websocket.send_text(dump(Bye(code=refusal.close_code, reason=reason)))
            await websocket.close(refusal.close_code, reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        logger.debug("a viewer could not be told: %s", refusal)
        if (link := _link(websocket)) is not None:
            link.abort()


def _link(websocket: WebSocket) -> Link | None:
    """The connection itself, where our own server serves it."""
    extension = websocket.scope.get("extensions", {}).get(EXTENSION)
    return extension["link"] if extension else None
