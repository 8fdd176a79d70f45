"""``POST /whep/{agent}``: any WebRTC player that speaks WHEP can watch an agent.

WHEP (draft-ietf-wish-whep): an SDP offer in, the answer and a resource out; PATCH on the resource
trickles candidates (RFC 8840), DELETE ends it. The server's own candidates are all in the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..auth import check_origin
from ..errors import (
    BadMessage,
    ForbiddenOrigin,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)
from ..session.registry import Registry
from ..session.watcher import Watcher

logger = logging.getLogger(__name__)

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
BODY_MAX_BYTES = 32_000
_CROSS_ORIGIN = {
    "access-control-allow-methods": "OPTIONS, POST, PATCH, DELETE",
    "access-control-allow-headers": "authorization, content-type, if-match",
    "access-control-expose-headers": "location",
    "access-control-max-age": "3600",
}

Handler = Callable[[Request], Awaitable[Response]]


class Whep:
    """The resources of one application."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._watchers: dict[str, Watcher] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """``guarded`` asks for origin and token, and turns errors into answers."""

        def shared(handler: Handler) -> Handler:
            """A player's page may be anywhere that the origins allow."""

            async def answer(request: Request) -> Response:
                return self._shared(request, await guarded(handler)(request))

            return answer

        return [
            Route("/whep/{agent}", self.preflight, methods=["OPTIONS"]),
            Route("/whep/{agent}/{id}", self.preflight, methods=["OPTIONS"]),
            Route("/whep/{agent}", shared(self.offer), methods=["POST"]),
            Route("/whep/{agent}/{id}", shared(self.trickle), methods=["PATCH"]),
            Route("/whep/{agent}/{id}", shared(self.end), methods=["DELETE"]),
        ]

    async def preflight(self, request: Request) -> Response:
        """A browser asks before another site's page may ask; it shows no token yet."""
        return self._shared(request, Response(status_code=204))

    def _shared(self, request: Request, response: Response) -> Response:
        headers = request.headers
        origin = headers.get("origin")
        if origin is None:
            return response
        try:
            allowed = self._registry.config.server.allowed_origins
            check_origin(origin, headers.get("host"), allowed)
        except ForbiddenOrigin:
            return response  # without leave, which the browser understands
        response.headers.update(
            {"access-control-allow-origin": origin, "vary": "origin", **_CROSS_ORIGIN}
        )
        return response

    async def offer(self, request: Request) -> Response:
        """201 with the answer, and the resource in ``location``."""
        registry, agent = self._registry, request.path_params["agent"]
        offer = await _body(request, SDP)
        if registry.peers is None or registry.agent(agent).mode == "ws":
            raise Unavailable("WebRTC is not offered here")
        address = request.client.host if request.client else ""
        with ExitStack() as held:
            held.enter_context(registry.place(address))
            session = await registry.find(agent, request.query_params.get("session"))
            held.enter_context(registry.watched(session))
            watcher = Watcher(session, registry.peers)
            try:
                answer = await watcher.answer(offer)
            except BaseException:
                await watcher.close()
                raise
            task = asyncio.create_task(self._watch(watcher, held.pop_all()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        location = f"{request.url.path.rstrip('/')}/{watcher.id}"
        return Response(answer, 201, {"location": location}, SDP)

    async def trickle(self, request: Request) -> Response:
        """More candidates."""
        watcher = self._watcher(request)
        mid: str | None = None
        for line in (await _body(request, FRAGMENT)).splitlines():
            if line.startswith("a=mid:"):
                mid = line.removeprefix("a=mid:").strip()
            elif line.startswith("a=candidate:"):
                await watcher.add_candidate(line.removeprefix("a=").strip(), mid)
        return Response(status_code=204)

    async def end(self, request: Request) -> Response:
        """The player goes."""
        await self._watcher(request).close()
        return Response(status_code=200)

    async def _watch(self, watcher: Watcher, held: ExitStack) -> None:
        self._watchers[watcher.id] = watcher
        with held:
            try:
                await watcher.run()
            except Exception:
                logger.exception("watcher %s failed", watcher.id)
            finally:
                del self._watchers[watcher.id]

    def _watcher(self, request: Request) -> Watcher:
        watcher = self._watchers.get(request.path_params["id"])
        if watcher is None or watcher.session.agent_name != request.path_params["agent"]:
            raise NotFound("there is no such player")
        return watcher


async def _body(request: Request, media_type: str) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise UnsupportedMedia(f"expected {media_type}, got {given or 'no content-type'}")
    body = bytearray()
    async for data in request.stream():
        body += data
        if len(body) > BODY_MAX_BYTES:
            raise TooLarge(f"a body of more than {BODY_MAX_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadMessage(f"expected UTF-8: {error}") from None
