"""Pictures and sound as they are presented, measured on the test card."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page

from bench.harness.browser import wait_for_picture, wait_for_sound
from bench.harness.switches import flash_skews_ms

from .conftest import Serve, card

SECONDS = 30


def test_flash_and_beep_come_together_and_pictures_keep_their_rate(
    page: Page, serve: Serve
) -> None:
    """The worst of many, on a machine that does nothing else, `bench switch` tells."""
    page.goto(serve(**card()))
    wait_for_picture(page)
    wait_for_sound(page)
    page.wait_for_timeout(2000)
    page.evaluate("async () => { beeps = await probe.watchBeeps(); card = probe.watchCard(); }")
    page.wait_for_timeout(SECONDS * 1000)
    onsets, pictures = page.evaluate("() => [beeps(), card()]")

    flashes = [p["atMs"] for p in pictures if p["flash"]]
    skews = np.array(flash_skews_ms(flashes, onsets))
    seconds = np.array([p["atMs"] for p in pictures]) // 1000
    each = np.bincount((seconds - seconds[0]).astype(int))[1:-1]
    usual, least = np.percentile(each, (50, 10))
    middle, p95 = np.median(abs(skews)), np.percentile(abs(skews), 95)
    print(
        f"skew median {np.median(skews):.1f} p95 {p95:.1f} ms, {usual:.0f} fps, seldom {least:.0f}"
    )

    assert len(skews) >= SECONDS - 4
    assert middle <= 40
    assert p95 <= 80
    assert usual >= 24
    assert least >= 20
    frames = [p["frame"] for p in pictures]
    assert frames == sorted(frames)
