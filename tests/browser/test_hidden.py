"""A hidden page: it is sent sound alone, and has its picture back at once.

A headless Chromium never hides a page, whatever window is in front of it, so the page is told that
it is hidden in the way that it asks (`document.visibilityState`).
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from bench.harness.browser import wait_for_picture, wait_for_sound
from bench.harness.speech import AUDIBLE

from .conftest import Serve, card

HIDE = """
(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""
STATS = "document.querySelector('ws-stream').stats()"
BYTES = f"{STATS}.bytes"
BLOCK_MS = 128 / 48
"""Of the probe's levels."""
SILENCE_MOST_MS = {"audio": 0, "rtpAudio": 60}
"""In all: a browser on a busy machine lets its own queue of WebRTC's sound run dry now and then,
for 10 ms each time."""
NEXT_PICTURE = """
async (hide) => {
  const frame = () => probe.readCard()?.frame ?? -1;
  const before = frame();
  const began = performance.now();
  eval(hide)("visible");
  while (frame() <= before) {
    if (performance.now() - began > 5000) throw new Error("no picture came");
    await new Promise((done) => requestAnimationFrame(done));
  }
  return { afterMs: performance.now() - began, skipped: frame() - before };
}
"""


@pytest.mark.parametrize(
    ("query", "codec", "pictures", "sound"),
    [
        ("mode=ws&video=h264", "h264", "video", "audio"),
        ("mode=ws&video=patch", "patch", "video", "audio"),
        ("mode=ws&video=jpeg", "jpeg", "video", "audio"),
        ("mode=webrtc", "H264", "rtpVideo", "rtpAudio"),
    ],
)
def test_a_hidden_page_is_sent_sound_alone_and_has_its_picture_back_at_once(
    page: Page, serve: Serve, query: str, codec: str, pictures: str, sound: str
) -> None:
    page.goto(f"{serve(**card(tone_hz=440))}?{query}")
    wait_for_picture(page)
    wait_for_sound(page)
    page.wait_for_function(f"{STATS}.videoCodec === '{codec}' && {BYTES}.{pictures} > 10_000")
    page.evaluate(HIDE, "hidden")
    page.wait_for_timeout(1000)
    page.evaluate("async () => { level = await probe.watchLevel(); }")
    before = page.evaluate(BYTES)
    page.wait_for_timeout(2000)
    after = page.evaluate(BYTES)
    levels = [sample["rms"] for sample in page.evaluate("() => level()")]
    assert after["video"] == before["video"]
    assert after["rtpVideo"] == before["rtpVideo"]
    assert after[sound] - before[sound] > 80 * 12  # 50 packets a second, and their headers
    assert len(levels) * BLOCK_MS > 1800
    assert sum(level <= AUDIBLE for level in levels) * BLOCK_MS <= SILENCE_MOST_MS[sound]
    back = page.evaluate(NEXT_PICTURE, HIDE)
    assert back["afterMs"] < 500
    assert back["skipped"] > 25  # it is the present one
    page.wait_for_function(f"{BYTES}.{pictures} > {after[pictures]}")
