"""The WebSocket transport: the only writer of its socket. Messages, then sound, then pictures."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from ..clock import MediaClock
from ..media.buffers import DropOldestAudio
from ..media.types import AudioPacket, Picture
from ..protocol import frames
from ..protocol.flow import AckWindow
from ..protocol.messages import ServerMessage, dump
from ..protocol.squeeze import Squeeze
from .base import (
    NO_PICTURES,
    EncodedPicture,
    LinkState,
    PictureFeed,
    Socket,
    SocketTransport,
    SoundEncoder,
)
from .link import Gauges, NoGauges

SOUND_MAX_MS = 400
"""Sound that could not be sent by then is dropped: late speech is worse than a gap."""
PICTURE_MAX_AGE_MS = 250
"""A picture older than this is not put on the wire."""
QUEUED_MIN_BYTES = 16 * 1024
"""What may always wait in the connection of a client that acknowledges nothing."""
STALLED_S = 60.0
"""A viewer that takes nothing for so long, or twice that, is given up: it may be gone for good, and
not every server finds out."""
MESSAGES_MAX = 256
"""A viewer that reads none of so many messages is given up."""


class SlowViewer(ConnectionError):
    """The viewer reads nothing at all."""


class WebSocketTransport(SocketTransport):
    """One viewer's socket. ``now`` gives monotonic seconds; ``clock`` is the session's."""

    def __init__(
        self,
        socket: Socket,
        *,
        clock: MediaClock,
        now: Callable[[], float],
        window: AckWindow,
        feed: PictureFeed,
        sound: SoundEncoder,
        gauges: Gauges | None = None,
    ) -> None:
        """``gauges`` are the connection's, where the server lets us at it."""
        self.sound = sound
        self._gauges = gauges or NoGauges()
        self._squeeze = Squeeze()
        self._visible = True
        self._judged = 0
        self._picture_bytes = 0
        self._held: EncodedPicture | None = None
        self._socket = socket
        self._clock = clock
        self._now = now
        self._window = window
        self._messages: deque[str] = deque()
        self._packets: DropOldestAudio[bytes] = DropOldestAudio(SOUND_MAX_MS)
        self._wake = asyncio.Event()
        self._unread = asyncio.Event()
        self._sending: str | bytes | None = None
        self._last_picture_ms = -1
        self._counts = dict.fromkeys(
            (
                "pictures_sent",
                "packets_sent",
                "messages_sent",
                "pictures_stale",
                "level_steps",
                "video_bytes",
                "audio_bytes",
                "text_bytes",
            ),
            0,
        )
        self._replaced = 0
        self._feed = feed
        feed.on_ready = self._wake.set

    @property
    def feed(self) -> PictureFeed:
        return self._feed

    @feed.setter
    def feed(self, feed: PictureFeed) -> None:
        self.close()
        self._feed = feed
        feed.on_ready = self._wake.set
        self._wake.set()

    def show(self, visible: bool) -> None:
        if visible and not self._visible:
            self._feed.refresh()
        elif not visible:
            self._held = None
            self._feed.pause()
            self.sound.follow(NO_PICTURES)
        self._visible = visible
        self._wake.set()

    def close(self) -> None:
        self._held = None
        self._replaced += self._feed.replaced
        self._feed.replaced = 0
        self._feed.close()

    def offer_sound(self, packet: AudioPacket) -> None:
        type, payload = self.sound.encode(packet)
        self._packets.put(frames.encode(type, packet.media_ms, payload))
        self._wake.set()

    def offer_picture(self, picture: Picture) -> None:
        if self._visible:
            self._feed.offer(picture)
            self._seek()
            if self._held:
                self._wake.set()

    def post(self, message: ServerMessage) -> None:
        if len(self._messages) < MESSAGES_MAX:
            self._messages.append(dump(message))
        else:
            self._unread.set()
        self._wake.set()

    def flush(self) -> None:
        self._packets.clear()

    def credit(self) -> None:
        estimate = self._window.estimate
        if estimate.samples != self._judged:
            self._judged = estimate.samples
            before = self._feed.levels_left
            self._feed.judge(LinkState(estimate.queue_ms, estimate.rate_bps))
            self._counts["level_steps"] += self._feed.levels_left != before
            self.sound.follow(self._feed.levels_left)
        self._seek()

    def resume(self) -> None:
        self._window.reset()
        self._feed.refresh()

    async def run(self) -> None:
        """See the port.

        Raises:
            SlowViewer: when messages pile up, or nothing is taken at all.
            Exception: what the socket raises when it is closed.
        """
        jobs = [
            asyncio.ensure_future(job)
            for job in (self._write(), self._watch_messages(), self._watch_progress())
        ]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _watch_messages(self) -> None:
        await self._unread.wait()
        raise SlowViewer("the viewer reads no messages")

    async def _watch_progress(self) -> None:
        stuck: str | bytes | None = None  # what was being sent a while ago
        while stuck is None or stuck is not self._sending:
            stuck = self._sending
            await asyncio.sleep(STALLED_S)
        raise SlowViewer("the viewer reads nothing")

    async def _write(self) -> None:
        while True:
            self._wake.clear()  # first: what comes from here on is looked at again
            await self._send_messages_and_sound()
            encoded, self._held = self._held or self._feed.take(), None
            if encoded is not None:
                wait_ms = self._gauges.wait_ms(len(encoded.payload))
                felt = self._squeeze.feel(wait_ms, self._now())
                # H.264 is never held: it is small, and what comes meanwhile would be lost, and a
                # key picture due.
                if not felt.holds or self._feed.codec == "h264":
                    await self._send_picture(encoded, felt.tells)
                    continue
                self._held = encoded
            self._seek()
            await self._wake.wait()

    def _seek(self) -> None:
        """Ask for a picture, if one may be sent. It wakes the writer once it is made."""
        if self._feed.wanted or self._held or not self._visible or self._sending is not None:
            return
        if self._may_send():
            self._feed.want()

    def _may_send(self) -> bool:
        """A client that acknowledges is bounded by its acks, any other by its connection: about a
        picture may be under way, behind which sound has to wait."""
        if not self._window.may_send(self._now()):
            return False
        return self._window.active or self._gauges.queued_bytes <= max(
            self._picture_bytes, QUEUED_MIN_BYTES
        )

    async def _send_messages_and_sound(self) -> None:
        while self._messages or self._packets:
            while self._messages:
                text = self._messages.popleft()
                await self._send(text)
                self._counts["messages_sent"] += 1
                self._counts["text_bytes"] += len(text.encode())
            data = self._packets.take()
            if data is not None:
                await self._send(data)
                self._counts["packets_sent"] += 1
                self._counts["audio_bytes"] += len(data)

    async def _send_picture(self, encoded: EncodedPicture, tells: bool) -> None:
        if encoded.media_ms <= self._last_picture_ms or self._is_stale(encoded.media_ms):
            self._feed.refresh()
            return
        data = frames.encode(encoded.type, encoded.media_ms, encoded.payload)
        self._last_picture_ms = encoded.media_ms
        self._picture_bytes = len(data)
        self._window.sent(encoded.media_ms, self._now(), len(data), tells=tells)
        self._counts["pictures_sent"] += 1
        self._counts["video_bytes"] += len(data)
        await self._send(data)

    async def _send(self, data: str | bytes) -> None:
        """Waits while the connection takes no more: that is all the back pressure ASGI has."""
        self._sending = data
        if isinstance(data, str):
            await self._socket.send_text(data)
        else:
            await self._socket.send_bytes(data)
        self._sending = None

    def _is_stale(self, media_ms: int) -> bool:
        stale = self._clock.media_ms(self._now()) - media_ms > PICTURE_MAX_AGE_MS
        self._counts["pictures_stale"] += stale
        return stale

    def counters(self) -> dict[str, int]:
        return {
            **self._counts,
            "pictures_replaced": self._replaced + self._feed.replaced,
            "packets_dropped": self._packets.dropped,
        }

    def stats(self) -> dict[str, Any]:
        window = self._window
        return {
            "transport": "ws",
            **self.counters(),
            "unacked_pictures": window.unacked if window.active else None,
            "window": window.limit if window.active else None,
            "rtt_ms": window.last_rtt_ms,
            "min_rtt_ms": window.min_rtt_ms,
            "queue_ms": window.estimate.queue_ms,
            "squeezes": self._squeeze.seen,
            "rate_kbps": window.estimate.rate_bps and round(window.estimate.rate_bps / 1000),
            "feed": self._feed.stats(),
            "sound": self.sound.stats(),
        }
