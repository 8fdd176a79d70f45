"""The other end of a peer connection: a player made of aiortc, that notes what it gets."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from tests.servers import WAIT_S


class RtcClient:
    """``kinds`` is what it wants to receive; ``codec`` of the video, ``h264`` or ``vp8``."""

    def __init__(
        self, *, codec: str | None = None, kinds: str = "video audio", channel: bool = True
    ) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.stamps: dict[str, list[int]] = defaultdict(list)
        """RTP timestamps of what came, in order, each once."""
        self.bytes: dict[str, int] = defaultdict(int)
        self.messages: list[Any] = []
        self.tracks: dict[str, Any] = {}
        self.channel = self.connection.createDataChannel("wsstream") if channel else None
        self._news = asyncio.Event()
        for kind in kinds.split():
            transceiver = self.connection.addTransceiver(kind, direction="recvonly")
            if kind == "video" and codec is not None:
                codecs = RTCRtpReceiver.getCapabilities("video").codecs
                wanted = [one for one in codecs if one.mimeType.lower() == f"video/{codec}"]
                transceiver.setCodecPreferences(wanted)
            self._listen(transceiver.receiver, kind)
        self.connection.on("track", lambda track: self.tracks.update({track.kind: track}))
        self.connection.on("connectionstatechange", self._tell)
        if self.channel is not None:
            self.channel.on("open", self._tell)
            self.channel.on("message", self._on_message)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def answer(self, sdp: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    @property
    def connected(self) -> bool:
        return self.connection.connectionState == "connected"

    @property
    def open(self) -> bool:
        """The data channel."""
        return self.channel is not None and self.channel.readyState == "open"

    async def until(self, condition: Any) -> None:
        """Wait for the condition, which is looked at whenever something comes."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._news.clear()
                try:
                    async with asyncio.timeout(0.02):  # what the other end sees tells nobody
                        await self._news.wait()
                except TimeoutError:
                    pass

    async def picture(self) -> Any:
        """The next one, decoded."""
        async with asyncio.timeout(WAIT_S):
            return await self.tracks["video"].recv()

    async def request_key(self) -> None:
        """Send a PLI."""
        [receiver] = [r for r in self.connection.getReceivers() if r.track.kind == "video"]
        [ssrc] = receiver._RTCRtpReceiver__remote_streams
        await receiver._send_rtcp_pli(ssrc)

    def send(self, type: str, /, **fields: Any) -> None:
        assert self.channel is not None
        self.channel.send(json.dumps({"type": type, **fields}))

    async def close(self) -> None:
        await self.connection.close()

    def _listen(self, receiver: Any, kind: str) -> None:
        handle = receiver._handle_rtp_packet

        async def handle_and_note(packet: Any, *args: Any, **options: Any) -> None:
            if packet.payload and packet.timestamp not in self.stamps[kind][-8:]:
                self.stamps[kind].append(packet.timestamp)
            self.bytes[kind] += len(packet.payload)
            self._tell()
            await handle(packet, *args, **options)

        receiver._handle_rtp_packet = handle_and_note

    def _on_message(self, data: str) -> None:
        self.messages.append(json.loads(data))
        self._tell()

    def _tell(self) -> None:
        self._news.set()
