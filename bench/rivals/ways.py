"""How a viewer gets in, by each kind of server, and what it is given there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from wsstream.protocol.frames import HEADER, FrameType

from ..harness import receivers
from .catalogue import Way

Take: TypeAlias = Callable[[str, bytes], None]
"""Is given ``"h264"``, ``"vp8"``, ``"jpeg"`` or ``"sound"``, and the payload."""
KINDS = {"video/h264": "h264", "video/vp8": "vp8", "audio/opus": "sound"}
SOUND_MAX_BYTES = 4000
"""What is longer is a picture, where messages have no header: 20 ms of PCM are 1920 bytes."""
_HEAD_END = b"\r\n\r\n"


async def watch(
    way: Way, url: str, codec: str, take: Take, ready: asyncio.Event, *, sound: bool = True
) -> None:
    """One viewer, until it is cancelled or the server ends it. What comes by WebRTC goes to
    `receivers.giving`, not to ``take``; there it is asked for ``sound`` or not."""
    others: dict[Way, Callable[[str, Take, asyncio.Event], Awaitable[None]]] = {
        "facetime": _facetime,
        "websocket": _websocket,
        "mjpeg": _mjpeg,
    }
    if way in others:
        await others[way](url, take, ready)
        return
    peer = await receivers.watch(url, codec, way, sound=sound)
    ready.set()
    try:
        await asyncio.Event().wait()
    finally:
        await peer.close()


async def _facetime(url: str, take: Take, ready: asyncio.Event) -> None:
    async with connect(url.replace("http", "ws", 1), compression=None, max_size=None) as socket:
        hello = {"type": "hello", "protocol": 1, "video": ["jpeg"], "mode": "ws"}
        await socket.send(json.dumps(hello))
        ready.set()
        async for message in socket:
            if isinstance(message, str):
                continue
            type, timestamp_ms, _ = HEADER.unpack_from(message)
            if type != FrameType.VIDEO:
                take("sound", message[HEADER.size :])
                continue
            take("jpeg", message[HEADER.size :])
            ack = {"type": "ack", "video": timestamp_ms, "decode_ms": 0, "buffered_ms": 0}
            await socket.send(json.dumps(ack))


async def _websocket(url: str, take: Take, ready: asyncio.Event) -> None:
    async with connect(url.replace("http", "ws", 1), compression=None, max_size=None) as socket:
        ready.set()
        async for message in socket:
            assert isinstance(message, bytes)
            take("jpeg" if len(message) > SOUND_MAX_BYTES else "sound", message)


async def _mjpeg(url: str, take: Take, ready: asyncio.Event) -> None:
    parts = urlsplit(url)
    stream, requests = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
    requests.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    await stream.readuntil(_HEAD_END)
    ready.set()
    data, length = bytearray(), None
    while size := int(await stream.readline(), 16):  # RFC 9112 section 7.1
        data += (await stream.readexactly(size + 2))[:-2]
        while True:
            if length is None and (end := data.find(_HEAD_END)) >= 0:
                length = int(data[:end].rpartition(b"Content-Length: ")[2].split(b"\r")[0])
                del data[: end + len(_HEAD_END)]
            if length is None or len(data) < length:
                break
            take("jpeg", bytes(data[:length]))
            del data[:length]
            length = None
