"""Where aiortc offers no way in: ready-made payloads, key-picture requests, bandwidth estimates,
loss, RTP timestamps, certificates of other players.

The hooks are put on instances, never on classes, and ``missing_hooks`` tells at start-up whether
this aiortc still has the places. Seen in aiortc 1.16.
"""

from __future__ import annotations

import inspect
import itertools
import secrets
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from aiortc import RTCPeerConnection, RTCRtpSender, rtcrtpsender, rtcsctptransport
from aiortc.codecs import h264, vpx
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTP_HISTORY_SIZE,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

Cut: TypeAlias = Callable[[bytes], Sequence[bytes]]
"""From an encoded unit to RTP payloads."""

_U32 = 2**32
_TIMESTAMP = "_RTCRtpSender__rtp_timestamp"
_HISTORY = "_RTCRtpSender__rtp_history"
_LAST_SR, _LAST_SR_TIME = "_RTCRtpSender__lsr", "_RTCRtpSender__lsr_time"
_PRIVATE = (_TIMESTAMP, _HISTORY, _LAST_SR, _LAST_SR_TIME)
_CERTIFICATES = "_RTCPeerConnection__certificates"
_HOOKED = (
    "_create_ssl_context",
    "_handle_rtcp_packet",
    "_next_encoded_frame",
    "_retransmit",
    "_send_keyframe",
)
_SENDER_REPORTS = 8
"""So many are remembered: on a link with a queue, what is answered is not the last one."""
_PACKETS_MAX = 2**15
"""Of one report: more is one that was overtaken."""
_DATAGRAM_BYTES = 1100
"""Of one data channel chunk: aiortc's own 1200, with DTLS and IP around it, do not pass a tunnel
with an MTU of 1280."""
_CIPHERS = ":".join(
    f"ECDHE-{certificate}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for certificate in ("ECDSA", "RSA")
)
"""aiortc's own, which are all ECDSA, each followed by its like for RSA."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a receiver says about what it gets."""

    on_report: Callable[[], None]
    """Any RTCP from it: it is alive."""
    on_key_request: Callable[[], None]
    """PLI or FIR (RFC 4585, RFC 5104): it needs a key picture."""
    on_estimate: Callable[[int], None]
    """REMB: what it thinks the link carries, in bits per second."""
    on_loss: Callable[[float, int], None]
    """A report block: the fraction lost since the last one, 0 to 1, and of how many packets (RFC
    3550 section 6.4.1); 0 of the first."""
    on_round_trip: Callable[[float], None]
    """The same block: seconds, by the last sender report."""


def missing_hooks() -> list[str]:
    """What this version of aiortc lacks, in words; empty when all is there."""
    wanted = {
        "RTCRtpSender._handle_rtcp_packet": getattr(RTCRtpSender, "_handle_rtcp_packet", None),
        "RTCRtpSender._retransmit": getattr(RTCRtpSender, "_retransmit", None),
        "RTCRtpSender._send_keyframe": getattr(RTCRtpSender, "_send_keyframe", None),
        "RTCRtpSender._next_encoded_frame": getattr(RTCRtpSender, "_next_encoded_frame", None),
        "RTCEncodedFrame": getattr(rtcrtpsender, "RTCEncodedFrame", None),
        "H264Encoder._packetize": getattr(h264.H264Encoder, "_packetize", None),
        "H264Encoder._split_bitstream": getattr(h264.H264Encoder, "_split_bitstream", None),
        "Vp8Encoder._packetize": getattr(vpx.Vp8Encoder, "_packetize", None),
    }
    missing = [name for name, found in wanted.items() if not callable(found)]
    source = inspect.getsource(RTCRtpSender)
    private = [name.removeprefix("_RTCRtpSender") for name in _PRIVATE]
    return missing + [f"RTCRtpSender.{name}" for name in private if f"self.{name}" not in source]


def limit_datagrams() -> None:
    """Keep data channel packets small enough for tunnels."""
    rtcsctptransport.USERDATA_MAX_LENGTH = min(
        rtcsctptransport.USERDATA_MAX_LENGTH, _DATAGRAM_BYTES
    )


def accept_rsa(connection: RTCPeerConnection) -> None:
    """Shake hands with players whose certificate is an RSA one as well, as GStreamer's is: browsers
    have ECDSA ones (RFC 8827 section 6.5), and aiortc offers nothing else. An aiortc without the
    place for it goes on without."""

    def widen(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def create_and_widen(srtp_profiles: Any) -> Any:
            context = create(srtp_profiles)
            context.set_cipher_list(_CIPHERS.encode())
            return context

        return create_and_widen

    for certificate in getattr(connection, _CERTIFICATES, ()):
        create = getattr(certificate, "_create_ssl_context", None)
        if create is not None:
            certificate._create_ssl_context = widen(create)


def take_feedback(sender: RTCRtpSender, feedback: Feedback) -> None:
    """Hear what the receiver of this sender says, besides aiortc itself."""
    handle = sender._handle_rtcp_packet
    ssrc = sender._ssrc
    sent: dict[int, float] = {}
    told = 0
    """Whose round trip was told last, of the sender reports: requests for packets repeat it."""
    highest: int | None = None

    async def handle_and_tell(packet: Any) -> None:
        nonlocal told, highest
        feedback.on_report()
        sent.setdefault(getattr(sender, _LAST_SR), getattr(sender, _LAST_SR_TIME))
        if len(sent) > _SENDER_REPORTS:
            del sent[next(iter(sent))]
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == ssrc:
                    if report.dlsr and report.lsr != told and report.lsr in sent:
                        told = report.lsr
                        seconds = time.time() - sent[report.lsr] - report.dlsr / 65536
                        if seconds > 0:  # else a clock was set
                            feedback.on_round_trip(seconds)
                    packets = 0 if highest is None else (report.highest_sequence - highest) % _U32
                    highest = report.highest_sequence
                    if packets >= _PACKETS_MAX:
                        packets = 0
                    # After the round trip: what is lost may be from a queue.
                    feedback.on_loss(report.fraction_lost / 256, packets)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            bitrate = _remb(packet.fci, ssrc)
            if bitrate is not None:
                feedback.on_estimate(bitrate)
            return  # aiortc would tell an encoder that it does not have here
        await handle(packet)

    sender._handle_rtcp_packet = handle_and_tell  # type: ignore[method-assign]
    sender._send_keyframe = feedback.on_key_request  # type: ignore[method-assign]


def send_payloads(
    sender: RTCRtpSender,
    take: Callable[[], Awaitable[tuple[int, bytes]]],
    cut: Cut,
    rate_hz: int,
) -> None:
    """Have the sender send what ``take`` gives (``media_ms`` and an encoded unit), ``cut`` into RTP
    payloads: past aiortc's encoders, which would pack each unit anew for each viewer."""

    async def next_encoded_frame(_codec: Any) -> Any:
        media_ms, unit = await take()
        frame: Any = rtcrtpsender.RTCEncodedFrame  # takes None for a level that is not sent
        return frame(cut(unit), media_ms * rate_hz // 1000, None)

    sender._next_encoded_frame = next_encoded_frame  # type: ignore[method-assign,assignment]


def choose_retransmissions(
    sender: RTCRtpSender, rate_hz: int, is_wanted: Callable[[int, float], bool]
) -> None:
    """Send again only what ``is_wanted``, by its sequence number and by how much older (in seconds)
    it is than the newest packet sent."""
    retransmit = sender._retransmit

    async def choose(sequence_number: int) -> None:
        history: dict[int, Any] = getattr(sender, _HISTORY)
        packet = history.get(sequence_number % RTP_HISTORY_SIZE)
        if packet is None or packet.sequence_number != sequence_number:
            return  # forgotten, as aiortc would find
        age = (getattr(sender, _TIMESTAMP) - packet.timestamp) % _U32
        if is_wanted(sequence_number, age / rate_hz):
            await retransmit(sequence_number)

    sender._retransmit = choose  # type: ignore[method-assign]


def unhook(connection: RTCPeerConnection) -> None:
    """Take off what ``accept_rsa``, ``take_feedback`` and the others put on a connection's
    parts, which hold themselves by it."""
    for one in (*connection.getSenders(), *getattr(connection, _CERTIFICATES, ())):
        for name in _HOOKED:
            vars(one).pop(name, None)


def cut_opus(packet: bytes) -> Sequence[bytes]:
    """As it is (RFC 7587 section 4.2)."""
    return (packet,)


@lru_cache(maxsize=32)
def cut_h264(unit: bytes) -> Sequence[bytes]:
    """STAP-A and FU-A (RFC 6184); once for all who are sent the same."""
    encoder = h264.H264Encoder
    return tuple(encoder._packetize(encoder._split_bitstream(unit)))


def vp8_cutter() -> Cut:
    """Payload descriptors with the viewer's own picture numbers (RFC 7741 section 4.2)."""
    numbers = itertools.count(secrets.randbelow(1 << 15))
    return lambda unit: vpx.Vp8Encoder._packetize(unit, next(numbers) % (1 << 15))


def rtp_origin(sender: RTCRtpSender, sent_ms: int, rate_hz: int) -> int:
    """The RTP timestamp of media time 0, modulo 2^32, when the last packet sent was of ``sent_ms``:
    aiortc draws it at random and tells nobody."""
    timestamp: int = getattr(sender, _TIMESTAMP)
    return (timestamp - sent_ms * rate_hz // 1000) % _U32


def _remb(fci: bytes, ssrc: int) -> int | None:
    """Bits per second (draft-alvestrand-rmcat-remb-03), when it is about this sender."""
    try:
        bitrate, ssrcs = unpack_remb_fci(fci)
    except (ValueError, IndexError, struct.error):
        return None
    return bitrate if ssrc in ssrcs else None
