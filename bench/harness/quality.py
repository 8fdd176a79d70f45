"""The encoders by themselves: bytes, CPU and PSNR of the same pictures in each form."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import av
import cv2
import numpy as np

from wsstream.media.jpeg import decode_jpeg
from wsstream.media.types import Picture, Pixels
from wsstream.media.video import Codec, VideoEncoder
from wsstream.protocol.frames import FrameType, decode_regions
from wsstream.session.jpeg_rungs import JpegRung

JPEG_QUALITY = 75
FORMS = ("ws-jpeg", "ws-patch", "ws-h264", "rtc-h264", "rtc-vp8")

Encoded: TypeAlias = tuple[int, Pixels]
"""Bytes, and what a viewer sees."""


def try_form(
    form: str, pictures: Sequence[Picture], width: int, height: int, fps: float
) -> dict[str, float]:
    """Bytes per picture, CPU ms per picture (decoding not included), PSNR of luma in dB."""
    if form in ("ws-jpeg", "ws-patch"):
        return asyncio.run(_jpeg(form == "ws-patch", pictures, width, height))
    return _video("vp8" if form == "rtc-vp8" else "h264", pictures, width, height, fps)


async def _jpeg(
    patches: bool, pictures: Sequence[Picture], width: int, height: int
) -> dict[str, float]:
    seen, errors, size, cpu_s = np.zeros((height, width, 3), np.uint8), [], 0, 0.0
    with ThreadPoolExecutor(1) as pool:
        rung = JpegRung(width, height, JPEG_QUALITY, pool)
        since: int | None = None
        for picture in pictures:
            started_s = time.process_time()
            job = rung.whole(picture) if since is None else rung.patch(picture, since)
            encoded = await job
            cpu_s += time.process_time() - started_s
            if patches:
                since = picture.seq
            if encoded is not None:
                type, payload = encoded
                size += len(payload)
                if type is FrameType.VIDEO:
                    seen = decode_jpeg(payload).copy()
                else:
                    for r in decode_regions(payload):
                        seen[r.y : r.y + r.height, r.x : r.x + r.width] = decode_jpeg(r.jpeg)
            errors.append(_luma_error(cv2.cvtColor(seen, cv2.COLOR_BGR2YUV_I420), picture.pixels))
    return _figures(size, cpu_s, errors)


def _video(
    codec: Codec, pictures: Sequence[Picture], width: int, height: int, fps: float
) -> dict[str, float]:
    bitrate = round(width * height * fps * 0.06)
    encoder, decoder = VideoEncoder(codec, width, height, fps, bitrate), _decoder(codec)
    size, cpu_s, errors = 0, 0.0, []
    for picture in pictures:
        started_s = time.process_time()
        video = encoder.encode(picture.pixels, picture.media_ms)
        cpu_s += time.process_time() - started_s
        if video is None:
            continue
        size += len(video.data)
        errors += [_luma_error(planes, picture.pixels) for planes in decoder(video.data)]
    return _figures(size, cpu_s, errors)


def _decoder(codec: Codec) -> Callable[[bytes], Iterator[np.ndarray]]:
    context = av.CodecContext.create(codec, "r")

    def decode(data: bytes) -> Iterator[np.ndarray]:
        for frame in context.decode(av.Packet(data)):
            yield frame.to_ndarray(format="yuv420p")

    return decode


def _luma_error(planes: np.ndarray, source: Pixels) -> float:
    """Mean squared error of the first plane."""
    height = source.shape[0]
    luma = cv2.cvtColor(source, cv2.COLOR_BGR2YUV_I420)[:height].astype(np.float32)
    return float(np.mean((planes[:height].astype(np.float32) - luma) ** 2))


def _figures(size: int, cpu_s: float, errors: list[float]) -> dict[str, float]:
    psnr = [10 * np.log10(255**2 / max(error, 1e-6)) for error in errors]
    return {
        "bytes": size / len(errors),
        "cpu_ms": 1000 * cpu_s / len(errors),
        "psnr_db": float(np.mean(psnr)),
    }
