"""A viewer that goes up to WebRTC and back again for ever, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    rtcrtpreceiver,
)
from websockets.asyncio.client import ClientConnection, connect

from .child import Child, child, obey

_counts: Counter[str] = Counter()


@contextmanager
def flipper(page_url: str, stay_s: float, agent: str = "ada") -> Iterator[Child]:
    """It stays ``stay_s`` on either; ``ask("counts")`` tells how often it went up and down.

    Raises:
        RuntimeError: when it cannot connect.
    """
    url = f"{page_url.replace('http', 'ws', 1)}ws/facetime/{agent}"
    with child(__name__, url, str(stay_s)) as made:
        yield made


def _discard(loop: Any, encoded: Any, decoded: Any, error: Any) -> None:
    """In place of aiortc's decoder thread."""
    while encoded.get() is not None:
        _counts["frames"] += 1


async def _read(socket: ClientConnection, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                await socket.recv()


async def _up_and_down(socket: ClientConnection, epoch: int, stay_s: float) -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connected = asyncio.Event()

    @peer.on("connectionstatechange")
    def on_state() -> None:
        if peer.connectionState == "connected":
            connected.set()

    peer.createDataChannel("wsstream")
    for kind in ("audio", "video"):
        peer.addTransceiver(kind, direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = {"type": "offer", "epoch": epoch, "sdp": peer.localDescription.sdp}
    await socket.send(json.dumps(offer))
    async for message in socket:
        if isinstance(message, str) and '"bad_offer"' in message:
            raise RuntimeError(message)  # else nothing would flip any more, and memory stand still
        if isinstance(message, str) and '"answer"' in message:
            sdp = json.loads(message)["sdp"]
            await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            break
    async with asyncio.timeout(10):
        await connected.wait()
    await socket.send(json.dumps({"type": "switched", "epoch": epoch, "to": "webrtc"}))
    _counts["up"] += 1
    await _read(socket, stay_s)
    down = {"type": "switched", "epoch": epoch, "to": "ws", "reason": "pinned"}
    await socket.send(json.dumps(down))
    await peer.close()
    _counts["down"] += 1
    await _read(socket, stay_s)


async def _flip(url: str, stay_s: float) -> None:
    async with connect(url, compression=None, max_size=None) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": 1, "webrtc": True}))
        epoch = 0
        while True:
            epoch += 1
            await _up_and_down(socket, epoch, stay_s)


async def main(url: str, stay_s: float) -> None:
    """The process."""
    rtcrtpreceiver.decoder_worker = _discard
    job = asyncio.create_task(_flip(url, stay_s))
    commands = asyncio.create_task(obey(None, {"counts": lambda: dict(_counts)}))
    await asyncio.wait({job, commands}, return_when=asyncio.FIRST_COMPLETED)
    commands.cancel()
    if job.done():
        job.result()
    job.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
