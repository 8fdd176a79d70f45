"""Which codec pictures are sent in."""

from __future__ import annotations

import re
from typing import Any, cast

from aiortc import RTCRtpSender

from ...media.video import Codec


def preferred() -> list[Any]:
    """H.264 before VP8: its decoder is in hardware nearly everywhere; and retransmission."""
    order = ("video/h264", "video/vp8", "video/rtx")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [codec for codec in codecs if codec.mimeType.lower() in order]
    return sorted(wanted, key=lambda codec: order.index(codec.mimeType.lower()))


def video_codec(answer: str) -> Codec | None:
    """What the answer's video section begins with: that is what is sent."""
    match = re.search(r"^m=video \d+ \S+ (\d+)", answer, re.MULTILINE)
    if match is None:
        return None
    name = re.search(rf"^a=rtpmap:{match[1]} (\w+)/", answer, re.MULTILINE)
    codec = name[1].lower() if name else ""
    return cast(Codec, codec) if codec in ("h264", "vp8") else None
