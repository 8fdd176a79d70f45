"""Bytes that decoders pass over: encoded pictures are made larger with them, to try out a link."""

from __future__ import annotations

from .video import Codec, EncodedVideo

_H264_HEAD, _H264_TAIL = b"\0\0\0\1\x0c", b"\x80"


def fill(video: EncodedVideo, codec: Codec, size: int) -> EncodedVideo:
    """The same picture with about ``size`` more bytes: H.264 has a NAL unit for it (filler data,
    ITU-T H.264 section 7.3.2.7); of VP8, what follows the last partition is part of it, and nothing
    that its decoder asks for (RFC 6386 section 9.5)."""
    if codec == "h264":
        rest = max(0, size - len(_H264_HEAD) - len(_H264_TAIL))
        filler = _H264_HEAD + b"\xff" * rest + _H264_TAIL
    else:
        filler = bytes(size)
    return EncodedVideo(video.media_ms, video.data + filler, video.key, len(filler))
