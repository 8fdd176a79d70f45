"""The HTTP half: agents, sessions, health, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..auth import bearer, check_origin, check_token
from ..errors import BadMessage, MediaError, Refused, TooLarge, VoiceError, WsstreamError
from ..session.registry import Registry
from ..session.session import Session
from ..version import __version__
from .metrics import make_metrics, render
from .uploads import Upload
from .whep import Whep

Handler = Callable[[Request], Awaitable[Response]]


class _SayBody(msgspec.Struct):
    text: str


def make_routes(registry: Registry) -> list[Route]:
    """Everything but the WebSocket and the page."""
    config = registry.config
    metrics = make_metrics(registry)

    def guarded(handler: Handler) -> Handler:
        """Ask for the token, refuse other pages' scripts, and answer errors in JSON."""

        async def answer(request: Request) -> Response:
            try:
                headers = request.headers
                origins = config.server.allowed_origins
                check_origin(headers.get("origin"), headers.get("host"), origins)
                check_token(config.server.token, bearer(headers.get("authorization")))
                return await handler(request)
            except WsstreamError as error:
                return _error(error)
            except ClientDisconnect:
                return Response(status_code=400)  # to nobody

        return answer

    def session_of(request: Request) -> Session:
        return registry.session(request.path_params["id"])

    async def agents(request: Request) -> Response:
        return JSONResponse(
            [
                {
                    "name": name,
                    "title": agent.title or name,
                    "size": [agent.width, agent.height],
                    "fps": agent.fps,
                    "shared": agent.shared,
                    "mode": agent.mode,
                }
                for name, agent in config.agents.items()
            ]
        )

    async def sessions(request: Request) -> Response:
        return JSONResponse([_summary(session) for session in registry.sessions()])

    async def session(request: Request) -> Response:
        return JSONResponse(session_of(request).stats())

    async def say(request: Request) -> Response:
        target = session_of(request)
        body = await _read(request, config.limits.message_bytes)
        try:
            text = msgspec.json.decode(body, type=_SayBody).text
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessage(f'expected {{"text": "..."}}: {error}') from None
        if not text.strip():
            raise BadMessage("there is nothing to say in an empty text")
        if len(text) > config.limits.text_chars:
            raise TooLarge(f"a text of {len(text)} characters, at most {config.limits.text_chars}")
        return JSONResponse({"turn": target.say(text)}, 202)

    async def audio(request: Request) -> Response:
        upload = Upload(config.limits.upload_bytes)
        turn = session_of(request).play(upload)
        seconds = await upload.receive(request.stream())
        return JSONResponse({"turn": turn, "seconds": round(seconds, 3)})

    async def interrupt(request: Request) -> Response:
        return JSONResponse({"epoch": session_of(request).interrupt()})

    async def healthz(request: Request) -> Response:
        status = "draining" if registry.draining else "ok"
        body = {"status": status, "version": __version__, "sessions": len(registry.sessions())}
        return JSONResponse(body, 503 if registry.draining else 200)

    async def metrics_text(request: Request) -> Response:
        return Response(render(metrics), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/api/agents", guarded(agents)),
        Route("/api/sessions", guarded(sessions)),
        Route("/api/sessions/{id}", guarded(session)),
        Route("/api/sessions/{id}/say", guarded(say), methods=["POST"]),
        Route("/api/sessions/{id}/audio", guarded(audio), methods=["POST"]),
        Route("/api/sessions/{id}/interrupt", guarded(interrupt), methods=["POST"]),
        Route("/healthz", healthz),
        Route("/metrics", guarded(metrics_text)),
        *Whep(registry).routes(guarded),
    ]


_STATUS: dict[type[WsstreamError], tuple[int, str]] = {
    VoiceError: (501, "no_voice"),
    MediaError: (415, "no_audio"),
}


def _error(error: WsstreamError) -> Response:
    status, code = _STATUS.get(type(error), (500, "failed"))
    if isinstance(error, Refused):
        status, code = error.status, error.code
    return JSONResponse({"error": {"code": code, "message": str(error)}}, status)


def _summary(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "agent": session.agent_name,
        "state": session.state,
        "media_ms": session.media_ms,
        "viewers": len(session.viewers),
    }


async def _read(request: Request, limit: int) -> bytes:
    """The whole body, refused before more than ``limit`` bytes of it are held."""
    body = bytearray()
    async for data in request.stream():
        body += data
        if len(body) > limit:
            raise TooLarge(f"a body of more than {limit} bytes")
    return bytes(body)
