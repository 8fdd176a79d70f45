"""Where we reach into aiortc: that the places are there, and what is heard through them."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import (
    RTCCertificate,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    rtcsctptransport,
)
from aiortc.rtcdtlstransport import generate_certificate
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    pack_remb_fci,
)
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers import WAIT_S
from wsstream.transport.webrtc import hooks
from wsstream.transport.webrtc.hooks import (
    Feedback,
    accept_rsa,
    choose_retransmissions,
    limit_datagrams,
    missing_hooks,
    rtp_origin,
    take_feedback,
)

OTHER = 4711


class Heard:
    """Takes down what a receiver says."""

    def __init__(self):
        self.reports, self.keys, self.estimates, self.losses = 0, 0, [], []
        self.round_trips = []
        self.feedback = Feedback(
            on_report=self._on_report,
            on_key_request=self._on_key_request,
            on_estimate=self.estimates.append,
            on_loss=lambda *loss: self.losses.append(loss),
            on_round_trip=self.round_trips.append,
        )

    def _on_report(self):
        self.reports += 1

    def _on_key_request(self):
        self.keys += 1


@pytest.fixture
async def hooked():
    """A sender, and what is heard of its receiver."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("video", direction="sendonly").sender
    heard = Heard()
    take_feedback(sender, heard.feedback)
    yield sender, heard
    await connection.close()


def report(ssrc, fraction, lsr=0, dlsr=0):
    info = RtcpReceiverInfo(
        ssrc=ssrc,
        fraction_lost=fraction,
        packets_lost=0,
        highest_sequence=0,
        jitter=0,
        lsr=lsr,
        dlsr=dlsr,
    )
    return RtcpRrPacket(ssrc=1, reports=[info])


def test_this_aiortc_has_all_that_we_need():
    assert missing_hooks() == []


@pytest.mark.parametrize("name", ["_handle_rtcp_packet", "_send_keyframe"])
def test_one_without_is_found_out(monkeypatch, name):
    monkeypatch.delattr(RTCRtpSender, name)
    assert missing_hooks() == [f"RTCRtpSender.{name}"]


@pytest.mark.parametrize("fmt", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_who_lost_a_picture_asks_for_a_key_picture(hooked, fmt):
    sender, heard = hooked
    await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=sender._ssrc))
    assert (heard.keys, heard.reports) == (1, 1)


async def test_the_round_trip_is_told_before_the_loss(hooked, monkeypatch):
    sender, _ = hooked
    monkeypatch.setattr(hooks.time, "time", lambda: 100.5)
    setattr(sender, hooks._LAST_SR, 7)
    setattr(sender, hooks._LAST_SR_TIME, 100.0)
    told = []
    feedback = Feedback(
        on_report=lambda: None,
        on_key_request=lambda: None,
        on_estimate=lambda _: None,
        on_loss=lambda *_: told.append("loss"),
        on_round_trip=lambda _: told.append("round trip"),
    )
    take_feedback(sender, feedback)
    await sender._handle_rtcp_packet(report(sender._ssrc, 64, lsr=7, dlsr=65536 // 4))
    assert told == ["round trip", "loss"]


async def test_loss_is_told_of_this_sender_only(hooked):
    sender, heard = hooked
    await sender._handle_rtcp_packet(report(sender._ssrc, 64))
    await sender._handle_rtcp_packet(report(OTHER, 255))
    assert heard.losses == [(0.25, 0)]
    assert heard.reports == 2


async def test_loss_is_told_with_how_many_packets_it_is_of(hooked):
    sender, heard = hooked
    for number in (2**32 - 5, 5, 3, 40):  # of which one was overtaken
        packet = report(sender._ssrc, 64)
        packet.reports[0].highest_sequence = number
        await sender._handle_rtcp_packet(packet)
    assert heard.losses == [(0.25, 0), (0.25, 10), (0.25, 0), (0.25, 37)]


async def test_a_round_trip_is_what_the_receiver_did_not_wait(hooked, monkeypatch):
    sender, heard = hooked
    monkeypatch.setattr(hooks.time, "time", lambda: 100.5)

    async def answered(lsr, dlsr):
        await sender._handle_rtcp_packet(report(sender._ssrc, 0, lsr, round(dlsr * 65536)))

    sender._RTCRtpSender__lsr, sender._RTCRtpSender__lsr_time = 4711, 100.0
    await answered(4710, 0.25)  # nobody knows which
    sender._RTCRtpSender__lsr, sender._RTCRtpSender__lsr_time = 4712, 100.4
    await answered(4711, 0.125)  # on a link with a queue, not the last one is answered
    await answered(4711, 0.25)  # once more, with a request for a packet
    await answered(4712, 0.0)  # there is no time
    await answered(4712, 0.5)  # a clock was set
    await answered(4710, 0.25)  # nobody knows which
    assert heard.round_trips == [0.375]
    sender._RTCRtpSender__lsr_time = 100.0
    for number in range(1, 101):
        sender._RTCRtpSender__lsr = number
        await answered(number, 0.125)
    before = len(heard.round_trips)
    await answered(4711, 0.125)  # long ago
    assert len(heard.round_trips) == before


async def test_an_estimate_is_told_of_this_sender_only(hooked):
    sender, heard = hooked
    for ssrc in (sender._ssrc, OTHER):
        fci = pack_remb_fci(500_000, [ssrc])
        await sender._handle_rtcp_packet(
            RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
        )
    assert len(heard.estimates) == 1
    assert heard.estimates[0] == pytest.approx(500_000, rel=0.01)


@pytest.mark.parametrize(
    "fci", [b"", b"REMB", b"REMB\x02\0\0\0", b"REMB\xff\xff\xff\xff\0\0\0\1", b"XXXXXXXXXXXX"]
)
async def test_an_estimate_that_is_none_is_skipped(hooked, fci):
    sender, heard = hooked
    await sender._handle_rtcp_packet(
        RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
    )
    assert (heard.estimates, heard.reports) == ([], 1)


async def test_aiortc_still_sends_lost_packets_again(hooked, monkeypatch):
    sender, heard = hooked
    again = []

    async def retransmit(number):
        again.append(number)

    monkeypatch.setattr(sender, "_retransmit", retransmit)
    await sender._handle_rtcp_packet(
        RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=[7, 8])
    )
    assert again == [7, 8]
    assert heard.reports == 1


async def test_only_what_is_wanted_is_sent_again(hooked, monkeypatch):
    sender, _ = hooked
    again, asked = [], []

    async def retransmit(number):
        again.append(number)

    def is_wanted(number, age_s):
        asked.append((number, age_s))
        return number == 7

    monkeypatch.setattr(sender, "_retransmit", retransmit)
    choose_retransmissions(sender, 90_000, is_wanted)
    history = sender._RTCRtpSender__rtp_history
    sender._RTCRtpSender__rtp_timestamp = 44_990  # it has wrapped
    for number, timestamp in [(7, 2**32 - 10), (8, 44_990), (9 + RTP_HISTORY_SIZE, 44_990)]:
        packet = RtpPacket(sequence_number=number, timestamp=timestamp)
        history[number % RTP_HISTORY_SIZE] = packet
    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=[7, 8, 9, 10])
    await sender._handle_rtcp_packet(nack)
    assert asked == [(7, 0.5), (8, 0.0)]
    assert again == [7]


@pytest.mark.parametrize(
    ("timestamp", "sent_ms", "rate_hz", "origin"),
    [
        (1000 + 48 * 20, 20, 48_000, 1000),
        (5, 100, 90_000, (5 - 9000) % 2**32),  # it has wrapped
        (90 * 2**32 % 2**32 + 7, 2**32, 90_000, 7),
    ],
)
async def test_the_origin_is_the_timestamp_of_media_time_0(
    hooked, timestamp, sent_ms, rate_hz, origin
):
    sender, _ = hooked
    sender._RTCRtpSender__rtp_timestamp = timestamp
    assert rtp_origin(sender, sent_ms, rate_hz) == origin


def test_data_channel_packets_pass_a_tunnel():
    limit_datagrams()
    assert rtcsctptransport.USERDATA_MAX_LENGTH + 100 <= 1280
    before = rtcsctptransport.USERDATA_MAX_LENGTH
    limit_datagrams()
    assert before == rtcsctptransport.USERDATA_MAX_LENGTH


class RsaCertificate(RTCCertificate):
    """As GStreamer has one, with the ciphers that go with it."""

    def __init__(self):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        super().__init__(key, generate_certificate(key))

    def _create_ssl_context(self, srtp_profiles):
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(b"ECDHE-RSA-AES128-GCM-SHA256")
        return context


async def test_a_player_with_an_rsa_certificate_can_shake_hands():
    ours, player = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    accept_rsa(ours)
    player._RTCPeerConnection__certificates[:] = [RsaCertificate()]
    player.createDataChannel("any")
    opened = asyncio.Event()
    ours.on("datachannel", lambda _: opened.set())
    try:
        await player.setLocalDescription(await player.createOffer())
        await ours.setRemoteDescription(player.localDescription)
        await ours.setLocalDescription(await ours.createAnswer())
        assert "a=setup:active" in ours.localDescription.sdp
        await player.setRemoteDescription(ours.localDescription)
        async with asyncio.timeout(WAIT_S):
            await opened.wait()
    finally:
        await player.close()
        await ours.close()
