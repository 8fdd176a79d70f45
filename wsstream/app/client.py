"""A viewer in Python: connects as protocol.md says, and hands on what comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from ..errors import Unauthorized, WsstreamError
from ..protocol import frames
from ..protocol.messages import PROTOCOL, Ack, ClientMessage, Hello, dump

DEFAULT_AGENT = "ada"
EXAMPLE_URL = "http://127.0.0.1:8000/"


def socket_url(url: str, agent: str | None = None, session: str | None = None) -> str:
    """The WebSocket of a page's URL: ``http://host/`` becomes ``ws://host/ws/facetime/ada``. One
    that names its WebSocket already stays as it is.

    Raises:
        WsstreamError: when it is no such URL.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        usable = scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise WsstreamError(
            f"{url!r} is no address of a server: expected one such as {EXAMPLE_URL}"
        )
    asked = dict(parse_qsl(parts.query))
    path = parts.path
    if "/ws/facetime/" not in path:
        name = agent or asked.pop("agent", DEFAULT_AGENT)
        path = f"{path.rstrip('/')}/ws/facetime/{quote(name)}"
        asked = {key: value for key, value in asked.items() if key == "session"}
    if session:
        asked["session"] = session
    return urlunsplit((scheme, parts.netloc, path, urlencode(asked), ""))


class Client:
    """One open socket. Iterate over it: ``Frame`` for media, ``dict`` for messages."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: ClientMessage) -> None:
        """Send one message. On a closed socket it is lost; why it closed is read from it."""
        with suppress(ConnectionClosed):
            await self._connection.send(dump(message))

    async def __aiter__(self) -> AsyncIterator[frames.Frame | dict[str, Any]]:
        try:
            async for item in self._items():
                yield item
        except ConnectionClosed as closed:
            raise WsstreamError(f"the server closed the connection: {closed}") from None

    async def _items(self) -> AsyncIterator[frames.Frame | dict[str, Any]]:
        async for data in self._connection:
            if isinstance(data, bytes):
                frame = frames.decode(data)
                yield frame
                if frame.type == frames.FrameType.VIDEO:
                    await self.send(Ack(video=frame.timestamp_ms))
                continue
            message = json.loads(data)
            if message.get("type") == "error" and message.get("fatal"):
                kind = Unauthorized if message["code"] == Unauthorized.code else WsstreamError
                raise kind(message["message"])
            yield message


@asynccontextmanager
async def open_client(url: str, *, token: str = "") -> AsyncIterator[Client]:
    """Connect and say hello.

    Raises:
        WsstreamError: when nobody answers there.
    """
    try:
        connection = await connect(url, compression=None, max_size=1 << 24)
    except (OSError, TimeoutError, InvalidURI, InvalidHandshake) as error:
        raise WsstreamError(f"no connection to {url}: {error}") from None
    async with connection:
        client = Client(connection)
        await client.send(Hello(protocol=PROTOCOL, token=token or None, client="wsstream-python"))
        yield client
