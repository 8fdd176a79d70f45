"""What one more WebRTC viewer of a session costs the server, and what its pictures are worth.

    python -m bench fanout

Viewers  aiortc receivers in a process of their own, on one shared session of the test card, 720p at
         20 fps. ``encoded once`` is how wsstream sends; ``by aiortc`` is the same server, the same
         sessions and the same receivers, with aiortc given raw frames, which it encodes for each
         viewer, as its examples do. Fewer of these fit a machine; what counts is CPU per viewer.
         The two take turns; a figure is the median of the rounds.
Encoder  CPU per picture and PSNR of the speaking portrait, 720p at 20 fps: our H.264 and VP8, and
         aiortc's own encoders at the rate ours came out at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from statistics import median
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from wsstream.media.types import Pixels
from wsstream.media.video import Codec, VideoEncoder

from .harness import portrait
from .harness.cpu import CpuMeter
from .harness.receivers import receivers
from .harness.server import serving
from .loopback import card
from .report import Report, middle
from .steps import Steps

SIZE, FPS = (1280, 720), 20
VIEWERS, VIEWERS_RAW = 12, 2
BITRATE = 1_100_000
RAW = (
    "-c",
    "from wsstream.transport.webrtc import peers; "
    "peers.missing_hooks = lambda: ['its hooks, for this measurement']; "
    "from wsstream.app.cli import main; raise SystemExit(main())",
)
"""The same server, made to do without its hooks into aiortc."""


def measure(*, quick: bool, step: Steps) -> Report:
    """Viewers, then encoders."""
    rounds, seconds = (1, 4) if quick else (3, 10)
    ways: tuple[tuple[str, int, tuple[str, ...]], ...] = (
        (f"{VIEWERS} viewers, encoded once", VIEWERS, ("-m", "wsstream")),
        (f"{VIEWERS_RAW} viewers, by aiortc", VIEWERS_RAW, RAW),
    )
    found: dict[str, list[dict[str, float]]] = {what: [] for what, *_ in ways}
    step.plan(rounds * len(ways) + 1)
    for number in range(rounds):
        for what, count, program in ways:
            step(f"{what}, round {number + 1} of {rounds}")
            found[what].append(per_viewer(count, seconds, program))
    step("encoders")
    made = asyncio.run(portrait.pictures(*SIZE, FPS, 4 if quick else 15))
    pictures = [picture.pixels for picture in made.speaking]
    rows: list[dict[str, Any]] = []
    for what, figures in found.items():
        cpu = middle("cpu_per_viewer", "percent", [one["cpu_percent"] for one in figures])
        rate = median(one["pictures_per_s"] for one in figures)
        rows.append({"what": what, **cpu, "pictures_per_s": rate, **_NO_ENCODER})
    # Of the same round: what else the machine did is in both.
    ours, theirs = found.values()
    ratio = median(b["cpu_percent"] / a["cpu_percent"] for a, b in zip(ours, theirs, strict=True))
    return Report(
        "WebRTC: one shared session, 720p at 20 fps",
        [*rows, *encoders(pictures)],
        [f"a viewer of ours costs 1/{ratio:.0f} of one that aiortc encodes for"],
    )


Encode: TypeAlias = Callable[[Pixels, int], bytes]
_THEIRS: tuple[tuple[Codec, Any], ...] = (("h264", H264Encoder), ("vp8", Vp8Encoder))
_NO_VIEWERS = {
    "cpu_per_viewer_percent": None,
    "cpu_per_viewer_spread_percent": None,
    "pictures_per_s": None,
}
_NO_ENCODER = {"cpu_ms_per_picture": None, "kbps": None, "psnr_db": None}


def per_viewer(count: int, seconds: float, program: tuple[str, ...]) -> dict[str, float]:
    """CPU of the server for each of ``count`` further viewers, in per cent of a core: what the
    session and its first viewer cost is not in it."""
    loads, rates = [], []
    size = "x".join(map(str, SIZE))
    with serving(card(size, FPS, shared=True), program=program) as server:
        for viewers in (1, 1 + count):
            with receivers(server.url, viewers) as received:
                time.sleep(2)
                before, meter = received.ask("received"), CpuMeter(server.pid)
                time.sleep(seconds)
                loads.append(meter.read())
                after = received.ask("received")
                rates.append((after["video"] - before["video"]) / seconds / viewers)
    return {
        "cpu_percent": (loads[1] - loads[0]) / count,
        "pictures_per_s": rates[1],
    }


def encoders(pictures: list[Pixels]) -> list[dict[str, Any]]:
    """Ours and aiortc's on the same pictures, at the same rate."""
    rows = []
    for codec, theirs in _THEIRS:
        mine = _run(pictures, codec, _our_encoder(codec))
        target = mine["kbps"] * 1000
        peer = _run(pictures, codec, _their_encoder(theirs, target))
        # Neither meets its target; the second run meets our rate.
        peer = _run(pictures, codec, _their_encoder(theirs, target * mine["kbps"] / peer["kbps"]))
        rows.append({"what": f"our {codec}", **_NO_VIEWERS, **mine})
        rows.append({"what": f"aiortc's {codec}", **_NO_VIEWERS, **peer})
    return rows


def _our_encoder(codec: Codec) -> Encode:
    encoder = VideoEncoder(codec, *SIZE, FPS, BITRATE)

    def encode(pixels: Pixels, n: int) -> bytes:
        video = encoder.encode(pixels, n * 1000 // FPS)
        return video.data if video else b""

    return encode


def _their_encoder(kind: Any, bitrate: float) -> Encode:
    encoder = kind()
    encoder.target_bitrate = round(bitrate)
    # The whole access unit, where it would cut packets.
    encoder._packetize = lambda data, *_: [data if isinstance(data, bytes) else _annex_b(data)]

    def encode(pixels: Pixels, n: int) -> bytes:
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = n * 90_000 // FPS, Fraction(1, 90_000)
        unit: bytes = encoder.encode(frame, n == 0)[0][0]
        return unit

    return encode


def _annex_b(units: Iterable[bytes]) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def _run(pictures: list[Pixels], codec: str, encode: Encode) -> dict[str, float]:
    started_s = time.process_time()
    units = [encode(pixels, n) for n, pixels in enumerate(pictures)]
    cpu_s = time.process_time() - started_s
    decoder = av.CodecContext.create(codec, "r")
    errors = []
    for pixels, unit in zip(pictures, units, strict=True):
        for frame in decoder.decode(av.Packet(unit)):
            luma = frame.to_ndarray(format="yuv420p")[: SIZE[1]]
            source = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420)[: SIZE[1]]
            errors.append(np.mean((luma.astype(float) - source) ** 2))
    return {
        "cpu_ms_per_picture": 1000 * cpu_s / len(pictures),
        "kbps": sum(map(len, units)) * 8 * FPS / len(pictures) / 1000,
        "psnr_db": float(np.mean([10 * np.log10(255**2 / max(e, 1e-6)) for e in errors])),
    }
