"""The WebRTC transport: one peer connection, from its offer to its end.

A peer costs packetising and encryption only: sound and pictures come encoded. An offer is answered
once; aiortc has no ICE restart, so that a new attempt is a new peer.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from ...errors import BadMessage, Unavailable
from ...media.types import AudioPacket, Picture
from ...media.video import EncodedVideo
from ...protocol.fec import InbandFec
from ...protocol.messages import ServerMessage, dump
from ..base import NO_PICTURES, MediaSource, Peer, PeerOwner, Subscription
from . import ice
from .codecs import preferred, video_codec
from .hooks import (
    Cut,
    Feedback,
    accept_rsa,
    choose_retransmissions,
    cut_h264,
    cut_opus,
    limit_datagrams,
    rtp_origin,
    send_payloads,
    take_feedback,
    vp8_cutter,
)
from .release import release
from .retransmission import Retransmission
from .tracks import MediaTrack, as_picture, as_sound

logger = logging.getLogger(__name__)

GATHER_S = 2.0
SOUND_PACKETS, PICTURES = 5, 3
"""What may wait for the sender: 100 ms of sound; pictures only while a key picture is cut up."""
CHANNEL_MAX_BYTES = 256 * 1024
"""What may wait in the data channel; messages beyond it are dropped, the socket has them too."""
CHANNEL = "wsstream"
_RATES_HZ = {"audio": 48_000, "video": 90_000}

limit_datagrams()


class RtcPeer(Peer):
    """``now`` gives monotonic seconds."""

    def __init__(
        self,
        epoch: int,
        owner: PeerOwner,
        source: MediaSource,
        *,
        now: Callable[[], float],
        ice_servers: Sequence[RTCIceServer] = (),
        encoded: bool = True,
    ) -> None:
        """``encoded=False`` has aiortc encode for this peer alone: what is left when this version
        of it lacks our hooks."""
        self.epoch = epoch
        self.owner = owner
        self._source = source
        self._taker = source.sound.subscribe()
        self._fec = InbandFec()
        self._can_fec = False
        self._now = now
        # An empty list, where aiortc would take none as leave to ask a public server. Not
        # MAX_BUNDLE, with which it connects only if the offer has its sections in our order.
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=list(ice_servers)))
        accept_rsa(self._connection)
        self._encoded = encoded
        self._sound: MediaTrack[Any] = MediaTrack("audio", SOUND_PACKETS, as_sound)
        self._video: MediaTrack[Any] = MediaTrack("video", PICTURES, as_picture)
        self._origins: dict[str, int] = {}
        self._channel: RTCDataChannel | None = None
        self._subscription: Subscription | None = None
        self._needs_key = True
        self._again = Retransmission()
        self._visible, self._scale = True, 1.0
        self._level = 0  # what the link carried when pictures were seen last
        self._candidates = 0
        self._closing: asyncio.Future[None] | None = None
        self._counts = dict.fromkeys(
            (
                "rtc_packets",
                "rtc_pictures",
                "rtc_bytes",
                "rtc_filler_bytes",
                "rtc_dropped",
                "rtc_resent",
                "rtc_unresent",
                "rtc_arrived",
                "level_steps",
                "key_requests",
            ),
            0,
        )

    async def answer(self, offer: str) -> str:
        """See the port; the server's candidates are in it.

        Raises:
            BadMessage: when the offer cannot be understood, or has nothing we can send.
            TooLarge: when it is too long.
            Unavailable: when this machine's addresses cannot be gathered in time.
        """
        sdp = ice.clean_offer(offer)
        self._candidates = sdp.count("\r\na=candidate:")
        self._can_fec = "useinbandfec=1" in sdp  # else it has no use for it (RFC 7587 section 6.1)
        self._connection.on("connectionstatechange", self._on_connection_state)
        self._connection.on("datachannel", self._on_channel)
        for track in (self._sound, self._video):
            if re.search(rf"^m={track.kind} ", sdp, re.MULTILINE):
                self._add(track)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            local = await self._connection.createAnswer()
            async with asyncio.timeout(GATHER_S):
                await self._connection.setLocalDescription(local)
        except TimeoutError:
            raise Unavailable(f"no addresses could be gathered in {GATHER_S:g} s") from None
        except Exception as error:  # aiortc parses with whatever its parts raise
            raise BadMessage(f"the offer cannot be answered: {error or type(error)}") from None
        text = self._connection.localDescription.sdp
        transceivers = self._connection.getTransceivers()
        sent = {one.kind for one in transceivers if one.currentDirection == "sendonly"}
        self.codec = video_codec(text) if "video" in sent else None
        self.has_sound = "audio" in sent
        self._send_encoded()
        return text

    async def add_candidate(self, text: str, mid: str | None, line: int | None) -> bool:
        usable = ice.is_usable_candidate(text) and self._candidates < ice.CANDIDATES_MAX
        if not usable or self.closed:
            return False
        self._candidates += 1
        needed = text.removeprefix("candidate:").split()[:8]
        candidate = candidate_from_sdp(" ".join(needed))
        candidate.sdpMid, candidate.sdpMLineIndex = mid, line
        if mid is None and line is None:
            candidate.sdpMLineIndex = 0
        try:
            await self._connection.addIceCandidate(candidate)
        except Exception as error:
            logger.debug("candidate not taken: %s", error)
            return False
        return True

    # What the session offers.

    def offer_sound(self, packet: AudioPacket) -> None:
        if self.connected and self.has_sound:
            self._counts["rtc_packets"] += 1
            if not self._encoded:
                self._sound.put(packet.media_ms, packet.pcm)
                return
            data = self._taker.take(packet)
            self._counts["rtc_bytes"] += len(data)
            self._sound.put(packet.media_ms, data)

    def offer_picture(self, picture: Picture) -> None:
        """Encoded pictures come from the source; these are for aiortc, when it is to encode."""
        if self.connected and not self._encoded:
            self._counts["rtc_pictures"] += 1
            self._video.put(picture.media_ms, picture.pixels)

    def flush(self) -> None:
        self._sound.clear()

    def post(self, message: ServerMessage) -> bool:
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return False
        if channel.bufferedAmount > CHANNEL_MAX_BYTES:
            return False
        channel.send(dump(message))
        return True

    def show(self, visible: bool, scale: float) -> None:
        self._visible, self._scale = visible, scale
        if visible and self._subscription is not None:
            self._subscription.bound(scale)
        elif visible:
            self._subscribe()
        else:
            self._unsubscribe()

    def on_arrivals(self, pictures: Sequence[tuple[int, float]]) -> None:
        self._counts["rtc_arrived"] += len(pictures)
        self._tell(lambda subscription: subscription.on_arrivals(pictures))

    async def run(self) -> None:
        """Nothing to do: aiortc sends by itself."""

    async def close(self) -> None:
        if self._closing is None:
            self.closed = True
            self._end()
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)  # aiortc never ends a close() that was cancelled

    def counters(self) -> dict[str, int]:
        dropped = self._sound.dropped + self._video.dropped
        return {**self._counts, "rtc_dropped": self._counts["rtc_dropped"] + dropped}

    def stats(self) -> dict[str, Any]:
        subscription, form = self._subscription, self._taker.form
        return {
            "transport": "webrtc",
            "epoch": self.epoch,
            "codec": self.codec,
            "connection": self._connection.connectionState,
            "kbps": subscription.bitrate // 1000 if subscription else 0,
            "level": subscription.level if subscription else 0,
            "sound": {"kbps": form.bitrate // 1000, "fec": form.fec},
            **self.counters(),
        }

    async def _close(self) -> None:
        await self._connection.close()
        for track in (self._sound, self._video):
            track.stop()
        release(self._connection)

    # What aiortc tells.

    def _add(self, track: MediaTrack[Any]) -> None:
        transceiver = self._connection.addTransceiver(track, direction="sendonly")
        if track.kind == "video":
            transceiver.setCodecPreferences(preferred())
        sender = transceiver.sender
        if not self._encoded:
            return
        video = track is self._video
        take_feedback(
            sender,
            Feedback(
                on_report=self._on_report,
                on_key_request=self._on_key_request,
                on_estimate=self._on_estimate,
                on_loss=self._on_loss if video else self._on_sound_loss,
                on_round_trip=self._on_round_trip if video else lambda _: None,
            ),
        )
        if video:
            choose_retransmissions(sender, _RATES_HZ["video"], self._is_wanted_again)
        track.on_sent = lambda sent_ms: self._on_sent(track, sender, sent_ms)

    def _send_encoded(self) -> None:
        if not self._encoded:
            return
        cuts: dict[str, Cut] = {"opus": cut_opus, "h264": cut_h264, "vp8": vp8_cutter()}
        for sender in self._connection.getSenders():
            track = sender.track
            if isinstance(track, MediaTrack):
                cut = cuts["opus" if track is self._sound else self.codec or "vp8"]
                send_payloads(sender, track.take, cut, _RATES_HZ[track.kind])

    def _on_sent(self, track: MediaTrack[Any], sender: RTCRtpSender, sent_ms: int) -> None:
        track.on_sent = None
        self._origins[track.kind] = rtp_origin(sender, sent_ms, _RATES_HZ[track.kind])
        if len(self._origins) == len(_RATES_HZ):
            self.owner.on_peer_origins(self, self._origins["audio"], self._origins["video"])

    def _on_connection_state(self) -> None:
        state = self._connection.connectionState
        if state == "connected" and not self.connected and not self.closed:
            self.connected = True
            self.heard_at = self._now() if self._encoded else None
            for packet in self._source.recent_sound:
                self.offer_sound(packet)
            self._subscribe()
            self.owner.on_peer_connected(self)
        elif state in ("failed", "closed"):
            self._end()
            self.owner.on_peer_closed(self)

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL and self._channel is None:
            self._channel = channel
            channel.on("message", self._on_message)

    def _on_message(self, data: str | bytes) -> None:
        self._on_report()
        if isinstance(data, str):
            self.owner.on_peer_message(self, data)

    def _on_report(self) -> None:
        if self._encoded:
            self.heard_at = self._now()

    def _on_key_request(self) -> None:
        self._counts["key_requests"] += 1
        if self._subscription is not None:
            self._subscription.request_key()

    def _on_estimate(self, bitrate: int) -> None:
        self._tell(lambda subscription: subscription.on_estimate(bitrate))

    def _on_loss(self, fraction: float, packets: int) -> None:
        self._tell(lambda subscription: subscription.on_loss(fraction, packets))

    def _on_round_trip(self, seconds: float) -> None:
        self._again.round_trip_s = seconds
        self._tell(lambda subscription: subscription.on_round_trip(seconds))

    def _tell(self, report: Callable[[Subscription], None]) -> None:
        """Pictures are told of what the receiver reports, and sound follows them."""
        if (subscription := self._subscription) is None:
            return
        before = subscription.levels_left
        report(subscription)
        self._counts["level_steps"] += subscription.levels_left != before
        self._taker.follow(subscription.levels_left)

    def _is_wanted_again(self, number: int, age_s: float) -> bool:
        subscription = self._subscription
        needless = subscription is not None and subscription.needs_key
        wanted = not needless and self._again.is_wanted(number, age_s, self._now())
        self._counts["rtc_resent" if wanted else "rtc_unresent"] += 1
        if subscription is not None and not needless and self._again.is_too_old(age_s):
            subscription.request_key()
        return wanted

    def _on_sound_loss(self, fraction: float, packets: int) -> None:
        if self._can_fec:
            self._taker.protect(self._fec.report(fraction, self._now()))

    def _on_video(self, video: EncodedVideo) -> None:
        """Nothing that depends on a picture the sender did not get is given to it."""
        if self._needs_key and not video.key:
            self._counts["rtc_dropped"] += 1
            return
        if self._video.full:
            self._counts["rtc_dropped"] += self._video.clear() + 1
            self._miss()
        elif self._video.put(video.media_ms, video.data):
            self._needs_key = False
            self._again.sent(video.media_ms, key=video.key)
            self._counts["rtc_pictures"] += 1
            self._counts["rtc_bytes"] += len(video.data)
            self._counts["rtc_filler_bytes"] += video.filler
        else:  # another encoder took over, and is behind
            self._miss()

    def _miss(self) -> None:
        self._needs_key = True
        self._on_key_request()

    def _subscribe(self) -> None:
        wanted = self.connected and self._visible and self._encoded
        if wanted and self.codec is not None and self._subscription is None:
            self._needs_key = True
            self._subscription = self._source.video.subscribe(
                self.codec, self._on_video, level=self._level, bound=self._scale
            )

    def _end(self) -> None:
        self.connected = False
        self._unsubscribe()

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._level = self._subscription.level
            self._subscription.close()
            self._subscription = None
            self._taker.follow(NO_PICTURES)
