"""Pictures to H.264 (constrained baseline, Annex B) and VP8, one access unit per picture.

Settings for a face in a call: no look-ahead, no B-pictures, a rate that never bursts beyond half a
second, and key pictures on demand alone. A key picture of a face costs as much as a second of the
rest, holds up all behind it on a slow link and fills its queue: whoever joins or loses something
asks for one, by RTCP or ``refresh``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias, cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from .types import Pixels

Codec: TypeAlias = Literal["h264", "vp8"]

_BUFFER_S = 0.5
_NEVER = 1 << 30
"""In pictures: a year, at the least."""


class _Quantizers(NamedTuple):
    """The finest one, and how much coarser the next step is."""

    finest: int
    step: int


_QUANTIZERS = {"h264": _Quantizers(25, 4), "vp8": _Quantizers(20, 12)}
"""No picture is better than the finest, however much the rate leaves over: about 45 dB on a
portrait, where the eye has stopped seeing a difference, at under a third of the bytes of 50 dB."""
COARSER = 0.6
"""Of a face's bytes one step leaves about so much, on either codec (measured: 0.56 to 0.67)."""
VP8_STILL = 1000
"""Blocks that differ by less from the last picture are left as they are: a quarter less bytes and a
third less CPU, for 0.5 dB."""
_MILLISECONDS = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class EncodedVideo:
    """One access unit: H.264 in Annex B (a key picture starts with SPS and PPS), or a VP8 frame."""

    media_ms: int
    data: bytes
    key: bool
    filler: int = 0
    """So many of the bytes mean nothing."""


def _h264_options(bitrate: int, qmin: int) -> dict[str, str]:
    x264 = {
        "keyint": "infinite",
        "scenecut": 0,
        "repeat-headers": 1,
        "annexb": 1,
        "aq-mode": 1,  # without, the grid of blocks shows in smooth backgrounds
        "aq-strength": 0.6,
        "sliced-threads": 0,
        "deadzone-inter": 14,  # of 32; with 21, its default, a breath stands still now and then
    }
    return {
        "preset": "superfast",  # the one before it knows no motion by parts of a pixel
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        "qmin": str(qmin),
        "maxrate": str(bitrate),
        "bufsize": str(round(bitrate * _BUFFER_S)),
        "x264-params": ":".join(f"{name}={value}" for name, value in x264.items()),
    }


def _vp8_options(bitrate: int, qmin: int) -> dict[str, str]:
    return {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "error-resilient": "0",
        "auto-alt-ref": "0",
        "qmin": str(qmin),
        "static-thresh": str(VP8_STILL),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "maxrate": str(bitrate),
        "minrate": str(bitrate // 4),
        "bufsize": str(round(bitrate * _BUFFER_S)),
        "g": str(_NEVER),
    }


_CODECS = {"h264": ("libx264", _h264_options), "vp8": ("libvpx", _vp8_options)}

PROFILE_LEVEL_ID = "42e01f"
"""Constrained baseline, level 3.1 (RFC 6184 section 8.1): what every browser takes."""


class VideoEncoder:
    """One stream of ``width`` x ``height`` (both even). Use it from one thread at a time."""

    def __init__(
        self,
        codec: Codec,
        width: int,
        height: int,
        fps: float,
        bitrate: int,
        coarser: int = 0,
    ) -> None:
        """``bitrate`` is in bits per second, and seldom reached by a face; ``coarser``: so many
        steps below the best quality, each to ``COARSER`` times the bytes."""
        self.codec = codec
        finest, step = _QUANTIZERS[codec]
        self._context = _open(codec, width, height, fps, bitrate, finest + coarser * step)
        self._size = (width, height)
        self._planes = np.empty((height * 3 // 2, width), np.uint8)
        # PyAV takes planes whose height is no multiple of four for less than they are.
        self._frame = _around(self._planes) if height % 4 == 0 else None

    def encode(self, pixels: Pixels, media_ms: int, *, key: bool = False) -> EncodedVideo | None:
        """The picture ``(height, width, 3)`` BGR as an access unit; a key picture where asked for.
        A picture of another size is scaled. ``None`` when the encoder leaves it out (VP8 may, to
        keep its rate)."""
        if (pixels.shape[1], pixels.shape[0]) != self._size:
            scaled = cv2.resize(pixels, self._size, interpolation=cv2.INTER_AREA)
            pixels = cast(Pixels, scaled)
        cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420, dst=self._planes)
        frame = self._frame or av.VideoFrame.from_ndarray(self._planes, format="yuv420p")
        frame.pts, frame.time_base = media_ms, _MILLISECONDS
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = self._context.encode(frame)
        data = b"".join(bytes(packet) for packet in packets)
        if not data:
            return None
        return EncodedVideo(media_ms, data, any(packet.is_keyframe for packet in packets))

    def close(self) -> None:
        """Free it. Closing twice does nothing."""
        self._context = None  # type: ignore[assignment]


def _around(planes: np.ndarray) -> av.VideoFrame:
    """A frame that reads these planes where they are, each time anew: fresh memory for each picture
    costs half of what its conversion does."""
    return av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")


def _open(
    codec: Codec, width: int, height: int, fps: float, bitrate: int, qmin: int
) -> VideoCodecContext:
    name, options = _CODECS[codec]
    context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
    context.width, context.height = width, height
    context.pix_fmt = "yuv420p"
    context.bit_rate = bitrate
    context.framerate = Fraction(fps).limit_denominator(1000)
    context.time_base = _MILLISECONDS
    context.thread_count = 1  # one thread each: there are more sessions than cores
    context.color_range = 1  # limited, as OpenCV's conversion makes it
    context.colorspace = 6  # BT.601 (ITU-T H.273), said aloud: else 720p is taken for BT.709
    context.options = options(bitrate, qmin)
    context.open()
    return context
