"""What each way of sending takes on the wire, and how good its pictures are.

    python -m bench bandwidth

On the wire  in two network namespaces (as root) a viewer takes one agent with the portrait,
             speaking or idle; `video` and `audio` are the payloads it gets, `overhead` is all the
             rest that the link delivers to it: our 12 bytes, WebSocket, TCP, IP; or RTP, RTCP,
             SRTP, UDP, IP.
Quality      PSNR of luma between the portrait's speaking pictures and what a decoder makes of them,
             in process, with the same encoders and settings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from .harness.child import Child
from .harness.load import viewers
from .harness.netns import available, namespaces
from .harness.portrait import TEXT, pictures
from .harness.quality import FORMS, try_form
from .harness.receivers import receivers
from .harness.server import serving
from .harness.tunlink import TunLink, tun_link
from .report import Report, Step

FORMATS = (("854x480", 15), ("1280x720", 20), ("1280x720", 25), ("512x512", 25))
QUICK = (("1280x720", 20),)
SEED_CLAIMS = (
    "claimed before there was anything to measure: MJPEG 720p20 3-5 Mbit/s, 480p15 1.5-2.5 Mbit/s, "
    "H.264 720p20 0.6 Mbit/s, Opus 24-32 kbit/s"
)


def measure(*, quick: bool, step: Step) -> Report:
    """One row for each way, format and activity."""
    seconds = 6.0 if quick else 20.0
    able, why = available()
    rows = []
    for size, fps in QUICK if quick else FORMATS:
        width, height = map(int, size.split("x"))
        step(f"{size} at {fps} fps: the pictures")
        made = asyncio.run(pictures(width, height, fps, 6 if quick else 12))
        for form in FORMS:
            step(f"{size} at {fps} fps: {form}")
            quality = {
                activity: try_form(form, pixels, width, height, fps)
                for activity, pixels in (("speaking", made.speaking), ("idle", made.idle))
            }
            for activity in ("speaking", "idle"):
                row: dict[str, Any] = {"size": f"{size} {fps} fps", "mode": form}
                row["activity"] = activity
                if able:
                    row |= on_the_wire(form, size, fps, activity, seconds)
                rows.append(row | {"psnr_db": quality[activity]["psnr_db"]})
    notes = [SEED_CLAIMS] if able else [SEED_CLAIMS, f"the wire was not measured: {why}"]
    return Report("Bandwidth of the portrait, by way of sending", rows, notes)


def on_the_wire(
    form: str, size: str, fps: float, activity: str, seconds: float
) -> dict[str, float]:
    """kbit/s by class, towards the viewer."""
    # It begins to speak with its first viewer, and goes on for longer than is measured.
    greeting = TEXT * 3 if activity == "speaking" else ""
    with namespaces(link=False) as net, tun_link(net) as link:
        config = {
            "server": {"host": net.server.address},
            "agents": {"ada": {"size": size, "fps": fps, "greeting": greeting}},
        }
        with (
            serving(config, command=net.server.command) as server,
            _viewer(form, server.url, net.client.command) as viewer,
        ):
            time.sleep(2.5)
            before, since = _read(viewer, link), time.monotonic()
            time.sleep(seconds)
            after, elapsed_s = _read(viewer, link), time.monotonic() - since
    rates = {key: (after[key] - before[key]) * 8 / elapsed_s / 1000 for key in after}
    rates["overhead_kbps"] = rates["total_kbps"] - rates["video_kbps"] - rates["audio_kbps"]
    return rates


def _viewer(form: str, url: str, command: Sequence[str]) -> AbstractContextManager[Child]:
    way, codec = form.split("-")
    if way == "ws":
        return viewers(url, 1, video=codec, command=command)
    return receivers(url, 1, codec=codec, command=command)


def _read(viewer: Child, link: TunLink) -> dict[str, int]:
    received, wire = viewer.ask("received"), link.counts().down.total.delivered_bytes
    return {
        "video_kbps": received["video_bytes"],
        "audio_kbps": received["audio_bytes"],
        "total_kbps": wire,
    }
