"""The encoders by themselves: bytes and CPU of the same pictures in each form, and how good what a
viewer then sees is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import av
import cv2
import numpy as np

from wsstream.media.jpeg import decode_jpeg
from wsstream.media.types import Picture, Pixels
from wsstream.media.video import Codec, VideoEncoder
from wsstream.protocol.frames import FrameType, decode_regions
from wsstream.session.jpeg_rungs import JpegRung
from wsstream.session.rungs import TOP_BITS_PER_PIXEL

from .equal_quality import Point, kbps_at
from .ssim import ssim

JPEG_QUALITY = 75
JPEG_QUALITIES = (4.0, 96.0)
BITRATES = (0.01, 8.0)
"""Times the one that a session takes."""
FORMS = ("ws-jpeg", "ws-patch", "ws-h264", "rtc-h264", "rtc-vp8")
SSIM_EACH = 5
"""Pictures from one whose SSIM is taken to the next: it costs more than all the rest."""


def is_jpeg(form: str) -> bool:
    """Whether its pictures are, or its patches."""
    return form in ("ws-jpeg", "ws-patch")


def usual(form: str, width: int, height: int, fps: float) -> float:
    """The setting that a session has: JPEG's quality, or bit/s."""
    return JPEG_QUALITY if is_jpeg(form) else width * height * fps * TOP_BITS_PER_PIXEL


def try_form(
    form: str,
    pictures: Sequence[Picture],
    width: int,
    height: int,
    fps: float,
    *,
    setting: float | None = None,
    with_ssim: bool = True,
) -> dict[str, float]:
    """``kbps``, ``cpu_ms`` per picture (decoding not included), ``psnr_db`` of luma, and ``ssim``
    of luma."""
    seen = _Seen(pictures, fps, with_ssim)
    setting = usual(form, width, height, fps) if setting is None else setting
    if is_jpeg(form):
        asyncio.run(_jpeg(form == "ws-patch", seen, width, height, round(setting)))
    else:
        codec: Codec = "vp8" if form == "rtc-vp8" else "h264"
        _video(codec, seen, width, height, fps, round(setting))
    return seen.figures()


def at_equal_quality(
    form: str, pictures: Sequence[Picture], width: int, height: int, fps: float
) -> float | None:
    """kbit/s of the pictures at the wanted PSNR, or nothing where it cannot be had."""

    def try_at(setting: float) -> Point:
        found = try_form(form, pictures, width, height, fps, setting=setting, with_ssim=False)
        return Point(found["psnr_db"], found["kbps"])

    if is_jpeg(form):
        return kbps_at(try_at, *JPEG_QUALITIES)
    rate = usual(form, width, height, fps)
    return kbps_at(try_at, BITRATES[0] * rate, BITRATES[1] * rate)


class _Seen:
    """What a viewer sees, beside what it was meant to see."""

    def __init__(self, pictures: Sequence[Picture], fps: float, with_ssim: bool) -> None:
        self.pictures = pictures
        self.cpu_s, self.bytes = 0.0, 0
        self._fps, self._with_ssim = fps, with_ssim
        self._psnr_db: list[float] = []
        self._ssim: list[float] = []

    def note(self, picture: Picture, planes: np.ndarray) -> None:
        """The planes (I420) on the screen while this is the picture."""
        height = picture.pixels.shape[0]
        luma = cv2.cvtColor(picture.pixels, cv2.COLOR_BGR2YUV_I420)[:height]
        shown = np.ascontiguousarray(planes[:height])
        if self._with_ssim and len(self._psnr_db) % SSIM_EACH == 0:
            self._ssim.append(ssim(shown, luma))
        self._psnr_db.append(float(cv2.PSNR(shown, luma)))

    def figures(self) -> dict[str, float]:
        count = len(self.pictures)
        return {
            "kbps": self.bytes / count * 8 * self._fps / 1000,
            "cpu_ms": 1000 * self.cpu_s / count,
            "psnr_db": float(np.mean(self._psnr_db)),
            **({"ssim": float(np.mean(self._ssim))} if self._ssim else {}),
        }


async def _jpeg(patches: bool, seen: _Seen, width: int, height: int, quality: int) -> None:
    screen: Pixels = np.zeros((height, width, 3), np.uint8)
    with ThreadPoolExecutor(1) as pool:
        rung = JpegRung(width, height, quality, pool)
        since: int | None = None
        for picture in seen.pictures:
            started_s = time.process_time()
            encoded = await (rung.whole(picture) if since is None else rung.patch(picture, since))
            seen.cpu_s += time.process_time() - started_s
            if patches:
                since = picture.seq
            if encoded is not None:
                type, payload = encoded
                seen.bytes += len(payload)
                if type is FrameType.VIDEO:
                    screen = decode_jpeg(payload).copy()
                else:
                    for r in decode_regions(payload):
                        screen[r.y : r.y + r.height, r.x : r.x + r.width] = decode_jpeg(r.jpeg)
            seen.note(picture, np.asarray(cv2.cvtColor(screen, cv2.COLOR_BGR2YUV_I420)))


def _video(codec: Codec, seen: _Seen, width: int, height: int, fps: float, bitrate: int) -> None:
    encoder = VideoEncoder(codec, width, height, fps, bitrate)
    decoder = av.CodecContext.create(codec, "r")
    planes: np.ndarray = np.zeros((height * 3 // 2, width), np.uint8)
    for picture in seen.pictures:
        started_s = time.process_time()
        video = encoder.encode(picture.pixels, picture.media_ms)
        seen.cpu_s += time.process_time() - started_s
        if video is not None:  # else what was there before stays on the screen
            seen.bytes += len(video.data)
            for frame in decoder.decode(av.Packet(video.data)):
                planes = frame.to_ndarray(format="yuv420p")
        seen.note(picture, planes)
