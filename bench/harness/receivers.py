"""WebRTC viewers that only take what comes, in a process of their own: aiortc's, by WHEP, or by the
signalling of others.

They do all that a receiver does on the wire, RTCP included, but decode nothing: a dozen decoders
would take the machine that the server is measured on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
    rtcrtpreceiver,
)

from .child import Child, child, obey

Take: TypeAlias = Callable[[str, bytes], None]
"""Is given what came, ``"video/h264"`` or such, and one whole frame or packet of it."""
JSON_SIGNALLING = ("aiortc", "fastrtc", "pipecat")
"""Those who take an offer as JSON, ``{"sdp", "type"}``, and answer in kind."""
_received: Counter[str] = Counter()


def giving(take: Take) -> Callable[..., None]:
    """What to put in place of aiortc's ``rtcrtpreceiver.decoder_worker``, which is a thread."""

    def worker(loop: Any, encoded: Any, decoded: Any, error: Any) -> None:
        while (task := encoded.get()) is not None:
            codec, frame = task
            take(codec.mimeType.lower(), frame.data)

    return worker


def _count(mime_type: str, data: bytes) -> None:
    kind = mime_type.partition("/")[0]
    _received[kind] += 1
    _received[f"{kind}_bytes"] += len(data)


async def watch(
    url: str, codec: str, signalling: str = "whep", *, sound: bool = True
) -> RTCPeerConnection:
    """One viewer, of sound too or of pictures alone; returns when it is connected."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connected = asyncio.Event()

    @peer.on("connectionstatechange")
    def on_state() -> None:
        if peer.connectionState == "connected":
            connected.set()

    if sound:
        peer.addTransceiver("audio", direction="recvonly")
    video = peer.addTransceiver("video", direction="recvonly")
    codecs = RTCRtpReceiver.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in codecs if c.mimeType.lower() == f"video/{codec}"])
    await peer.setLocalDescription(await peer.createOffer())
    answer = await asyncio.to_thread(_answer, url, peer.localDescription.sdp, signalling)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with asyncio.timeout(15):
        await connected.wait()
    return peer


def _answer(url: str, offer: str, signalling: str) -> str:
    """To the offer, both SDP."""
    if signalling not in JSON_SIGNALLING:
        return _post(url, offer.encode(), "application/sdp")
    body = {"sdp": offer, "type": "offer"}
    if signalling == "fastrtc":
        body["webrtc_id"] = uuid.uuid4().hex
    reply = json.loads(_post(url, json.dumps(body).encode(), "application/json"))
    if "sdp" not in reply:
        raise RuntimeError(f"it gave no answer: {reply}")
    sdp: str = reply["sdp"]
    return sdp


def _post(url: str, data: bytes, content_type: str) -> str:
    request = urllib.request.Request(url, data=data, headers={"content-type": content_type})
    with urllib.request.urlopen(request) as reply:
        text: str = reply.read().decode()
        return text


@contextmanager
def receivers(
    page_url: str,
    count: int,
    agent: str = "ada",
    *,
    codec: str = "h264",
    command: Sequence[str] = (),
) -> Iterator[Child]:
    """``count`` of them; ``ask("received")`` gives pictures, packets and their bytes so far.

    Raises:
        RuntimeError: when they cannot connect.
    """
    url = f"{page_url}whep/{agent}"
    with child("bench.harness.receivers", url, str(count), codec, command=command) as made:
        yield made


async def main(url: str, count: int, codec: str) -> None:
    """The process."""
    rtcrtpreceiver.decoder_worker = giving(_count)
    peers = [await watch(url, codec) for _ in range(count)]
    await obey(count, {"received": lambda: dict(_received)})
    for peer in peers:
        await peer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
