"""``create_app``: everything as one ASGI application, to serve or to mount in another."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from ..avatar.base import AvatarProvider
from ..config import Config, make_config
from ..errors import WsstreamError
from ..session.registry import Registry, SessionHook
from ..voice.base import TextToSpeech
from .facetime import facetime_route
from .factories import Factory, make_engines, make_peers
from .hosts import AllowedHosts
from .page import page_routes
from .routes import make_routes

logger = logging.getLogger(__name__)


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

    hosts = config.server.allowed_hosts
    app = Starlette(
        routes=[
            facetime_route(registry),
            *make_routes(registry),
            *page_routes(),
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
