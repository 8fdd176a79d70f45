"""``create_app``: everything as one ASGI application, to serve or to mount in another."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..avatar.base import AvatarProvider
from ..config import Config, make_config
from ..errors import WsstreamError
from ..session.registry import Registry, SessionHook
from ..voice.base import TextToSpeech
from .facetime import facetime_route
from .factories import Factory, make_engines, make_peers
from .hosts import AllowedHosts
from .routes import make_routes

logger = logging.getLogger(__name__)

_PACKAGE = Path(__file__).resolve().parent.parent
STATIC = next(path for path in (_PACKAGE / "static", _PACKAGE.parent / "static") if path.is_dir())
"""The page's files: inside an installed package, beside it in a checkout."""


class _Revalidated(StaticFiles):
    """The page's modules have no version in their names: a browser has to ask whether they are
    still the ones it has."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        response.headers["access-control-allow-origin"] = "*"  # modules, for pages of other origins
        return response


def create_app(
    config: Config | Mapping[str, Any] | None = None,
    *,
    avatars: Mapping[str, Factory[AvatarProvider]] | None = None,
    voices: Mapping[str, Factory[TextToSpeech]] | None = None,
    on_session: SessionHook | None = None,
) -> Starlette:
    """The application. Its sessions are at ``app.state.wsstream``, a ``Registry``.

    ``config`` is what a TOML file would hold; ``avatars`` and ``voices`` add engines by name;
    ``on_session`` is awaited with each new ``Session`` before its first viewer.

    Mounted in another application, whose lifespan does not reach it, it starts by itself with its
    first viewer; let the other's lifespan run ``wsstream_lifespan(app)`` to start and stop in time.

    Raises:
        ConfigError: when the configuration cannot be used.
    """
    if not isinstance(config, Config):
        config = make_config(config or {})
    registry = Registry(
        config, make_engines(avatars, voices), on_session=on_session, peers=make_peers(config)
    )

    async def index(request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})

    hosts = config.server.allowed_hosts
    app = Starlette(
        routes=[
            facetime_route(registry),
            *make_routes(registry),
            Route("/", index),
            Mount("/static", _Revalidated(directory=STATIC)),
        ],
        middleware=[Middleware(AllowedHosts, hosts)] if hosts else [],
        lifespan=wsstream_lifespan,
    )
    app.state.wsstream = registry
    return app


@asynccontextmanager
async def wsstream_lifespan(app: Starlette) -> AsyncIterator[None]:
    """Start voices and avatars before the first viewer comes, and end all sessions at the end.

    Raises:
        WsstreamError: when an avatar cannot start.
    """
    registry: Registry = app.state.wsstream
    try:
        await registry.warm()
    except WsstreamError as error:
        logger.error("%s", error)
        raise
    try:
        yield
    finally:
        await registry.close()
