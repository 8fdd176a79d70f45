"""Refuses to be asked by a name that is somebody else's (DNS rebinding)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from ..auth import answers_to
from ..errors import ForbiddenOrigin
from .facetime import turn_away

_WHERE = "see server.allowed_hosts in its configuration"


class AllowedHosts:
    """Wraps an application. Whoever asks by any other name is refused, and told why."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        host = Headers(scope=scope).get("host")
        if answers_to(host, self._hosts):
            return await self._app(scope, receive, send)
        name = (host or "")[:60]
        refusal = ForbiddenOrigin(f"this server does not answer to {name!r}: {_WHERE}")
        if scope["type"] == "http":
            return await PlainTextResponse(f"{refusal}\n", refusal.status)(scope, receive, send)
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await turn_away(websocket, refusal)
