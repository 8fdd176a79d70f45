"""One viewer over one shaped link: what it sees and hears, and what that costs on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page

from .browser import probed_page, wait_for_picture, wait_for_sound
from .cpu import idle_share, machine_times
from .tunlink import LinkCounts, TunLink

NO_H264 = """
for (const kind of [RTCRtpReceiver, RTCRtpSender]) {
  const all = kind.getCapabilities.bind(kind);
  kind.getCapabilities = (media) => {
    const found = all(media);
    found.codecs = found.codecs.filter((codec) => !/h264/i.test(codec.mimeType));
    return found;
  };
}
const prefer = RTCRtpTransceiver.prototype.setCodecPreferences;
const add = RTCPeerConnection.prototype.addTransceiver;
RTCPeerConnection.prototype.addTransceiver = function (kind, options) {
  const made = add.call(this, kind, options);
  const media = typeof kind === "string" ? kind : kind.kind;
  if (media === "video") prefer.call(made, RTCRtpReceiver.getCapabilities("video").codecs);
  return made;
};
"""
"""A browser that has no H.264 in WebRTC."""


LEVEL_STEPS = """async () => {
  const { sessionId } = document.querySelector("ws-stream");
  const answer = await fetch(`api/sessions/${sessionId}`);
  return (await answer.json()).counters.level_steps ?? 0;
}"""
"""How often the ladder has moved so far."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A way for media to come."""

    query: str
    script: str = ""
    on: str = "ws"
    """The transport that the picture has to be on before anything is measured."""


MODES = {
    "ws-jpeg": Mode("mode=ws&video=jpeg"),
    "ws-patch": Mode("mode=ws&video=patch"),
    "ws-h264": Mode("mode=ws&video=h264"),
    "rtc-h264": Mode("mode=webrtc", on="webrtc"),
    "rtc-vp8": Mode("mode=webrtc", NO_H264, on="webrtc"),
    "auto": Mode("mode=auto", on="webrtc"),
}


@contextmanager
def watching(
    browser: Browser, url: str, mode: Mode, *, agent: str = "ada", settle_s: float = 3.0
) -> Iterator[Page]:
    """A page that plays in this mode, with sound.

    Raises:
        playwright's TimeoutError: when it does not come to that.
    """
    with probed_page(browser) as page:
        if mode.script:
            page.add_init_script(mode.script)
        page.goto(f"{url}?agent={agent}&{mode.query}")
        wait_for_picture(page)
        wait_for_sound(page)
        page.wait_for_function(
            f"document.querySelector('ws-stream').stats().mode === {mode.on!r}", timeout=20_000
        )
        page.wait_for_timeout(settle_s * 1000)
        yield page


def measure(
    page: Page, link: TunLink, seconds: float, disturb: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Figures of the test card over so many seconds: lag and fps together, since either is easy
    without the other."""
    offset_ms = page.evaluate("() => probe.serverMinusLocalMs()")
    came = page.evaluate("() => probe.received()")
    steps = page.evaluate(LEVEL_STEPS)
    before, since, ticks = link.counts(), time.monotonic(), machine_times()
    page.evaluate(
        """async () => {
          logs = { card: probe.watchCard(), sound: await probe.watchSound() };
        }"""
    )
    disturb()
    page.wait_for_timeout(seconds * 1000)
    card, sound, stats = page.evaluate(
        """() => [logs.card(), logs.sound(), document.querySelector("ws-stream").stats()]"""
    )
    elapsed_s, after = time.monotonic() - since, link.counts()
    idle = idle_share(ticks, machine_times())
    by_class = {
        f"{kind}_kbps": (bytes_now - came[kind]) * 8 / elapsed_s / 1000
        for kind, bytes_now in page.evaluate("() => probe.received()").items()
    }
    lags = np.array([one["atMs"] + offset_ms - one["mediaMs"] for one in card] or [np.nan])
    times = [one["atMs"] for one in card]
    gaps = [b - a for a, b in pairwise(times)] or [seconds * 1000]
    quiet = [span["lastsMs"] for span in sound if span["kind"] == "quiet"]
    return {
        "lag_p50_ms": float(np.median(lags)),
        "lag_p95_ms": float(np.percentile(lags, 95)),
        "lag_max_ms": float(lags.max()),
        "fps": len(card) / elapsed_s,
        "freeze_ms": max(gaps),
        "silences": sum(ms > 20 for ms in quiet),
        "silence_max_ms": max(quiet, default=0.0),
        "skew_ms": stats["skewMs"],
        "rtt_ms": stats["rttMs"],
        "steps": page.evaluate(LEVEL_STEPS) - steps,
        "idle_percent": 100 * idle,
        **by_class,
        **wire_kbps(before, after, elapsed_s),
    }


def wire_kbps(before: LinkCounts, after: LinkCounts, seconds: float) -> dict[str, float]:
    """What the link delivered, IP headers included."""

    def rate(of: Callable[[LinkCounts], int]) -> float:
        return (of(after) - of(before)) * 8 / seconds / 1000

    return {
        "tcp_down_kbps": rate(lambda c: c.down.tcp.delivered_bytes),
        "udp_down_kbps": rate(lambda c: c.down.udp.delivered_bytes),
        "up_kbps": rate(lambda c: c.up.total.delivered_bytes),
    }
