"""Pictures and sound as they are presented, measured on the test card."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page

from bench.harness.browser import wait_for_picture, wait_for_sound
from bench.harness.switches import flash_skews_ms

from .conftest import Serve, card

SECONDS = 60
FPS = 25


def test_flash_and_beep_come_together_and_pictures_keep_their_rate(
    page: Page, serve: Serve
) -> None:
    page.goto(serve(**card()))
    wait_for_picture(page)
    wait_for_sound(page)
    page.wait_for_timeout(2000)
    page.evaluate("async () => { beeps = await probe.watchBeeps(); card = probe.watchCard(); }")
    page.wait_for_timeout(SECONDS * 1000)
    onsets, pictures = page.evaluate("() => [beeps(), card()]")

    flashes = [p["atMs"] for p in pictures if p["flash"]]
    skews = np.array(flash_skews_ms(flashes, onsets))
    seconds = (pictures[-1]["atMs"] - pictures[0]["atMs"]) / 1000
    fps = (len(pictures) - 1) / seconds
    p95, most = np.percentile(abs(skews), 95), abs(skews).max()
    print(f"skew median {np.median(skews):.1f} p95 {p95:.1f} max {most:.1f} ms, {fps:.2f} fps")

    assert len(skews) >= SECONDS - 4
    assert p95 <= 40
    assert most <= 80
    assert fps >= 24
    frames = [p["frame"] for p in pictures]
    assert frames == sorted(frames)
