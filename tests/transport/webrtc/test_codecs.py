"""Which codec is asked for, and which was agreed on."""

from __future__ import annotations

import pytest

from wsstream.transport.webrtc.codecs import preferred, video_codec

ANSWER = "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 opus/48000/2\r\n"


def test_h264_comes_before_vp8_and_lost_packets_can_be_sent_again():
    names = list(dict.fromkeys(codec.mimeType for codec in preferred()))
    assert names == ["video/H264", "video/VP8", "video/rtx"]


@pytest.mark.parametrize(
    ("maps", "codec"),
    [
        ("98 97\r\na=rtpmap:97 VP8/90000\r\na=rtpmap:98 H264/90000\r\n", "h264"),
        ("97 98\r\na=rtpmap:97 VP8/90000\r\na=rtpmap:98 H264/90000\r\n", "vp8"),
        ("99\r\na=rtpmap:99 AV1/90000\r\n", None),
        ("99\r\n", None),
    ],
)
def test_what_is_sent_is_what_the_answer_begins_with(maps, codec):
    assert video_codec(f"{ANSWER}m=video 9 UDP/TLS/RTP/SAVPF {maps}") == codec


def test_an_answer_without_pictures_has_none():
    assert video_codec(ANSWER) is None
