"""Switches between the transports, as seen and heard: a test card with a tone and beeps."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, Playwright

from bench.harness.browser import chromium, probed_page, wait_for_picture, wait_for_sound
from bench.harness.switches import watch_switches
from bench.switch import MOST

from .conftest import Serve, card

SWITCHES = 10
STATS = "document.querySelector('ws-stream').stats()"


def test_nobody_notices_a_switch(page: Page, serve: Serve) -> None:
    """How long the worst of many took, on a machine that does nothing else, `bench switch` tells.
    Here it is the usual one."""
    page.goto(serve(**card(tone_hz=440)) + "?mode=ws")
    wait_for_picture(page)
    wait_for_sound(page)
    page.wait_for_timeout(1500)
    seen = watch_switches(page, SWITCHES)
    for name, figures in seen.figures().items():
        print(f"{name}: {figures}")

    assert len(seen.up_ms) == len(seen.down_ms) == SWITCHES
    assert len(seen.gaps_ms) == 2 * SWITCHES
    assert max(seen.back_frames) <= 1
    assert (seen.lost, seen.doubled) == (0, 0)
    assert seen.unseen <= seen.beeps / 5
    figures = seen.figures()
    for what, _, most in MOST:
        if what.endswith(" ms"):
            assert figures[what]["median"] <= most


def test_one_tap_gives_sound_on_webrtc_too(playwright: Playwright, serve: Serve) -> None:
    """Where a page may not sound yet, the switch is made all the same."""
    with chromium(playwright) as browser, probed_page(browser) as page:
        page.goto(serve(**card(beep=False, tone_hz=440)))
        tap = page.locator("ws-stream .tap")
        tap.wait_for(state="visible")
        page.wait_for_function(f"{STATS}?.mode === 'webrtc'", timeout=8000)
        tap.click()
        tap.wait_for(state="hidden")
        page.wait_for_timeout(500)
        page.evaluate("async () => { level = await probe.watchLevel(); }")
        page.wait_for_timeout(1500)
        rms = np.array([one["rms"] for one in page.evaluate("() => level()")])
        skew_ms = page.evaluate(f"{STATS}.skewMs")
        print(f"level {np.median(rms):.3f}, skew {skew_ms:.0f} ms")
        assert np.median(rms) > 0.05
        page.evaluate("probe.switchTo('ws')")
        page.evaluate("async () => { level = await probe.watchLevel(); }")
        page.wait_for_timeout(1000)
        rms = np.array([one["rms"] for one in page.evaluate("() => level()")])
        assert np.median(rms) > 0.05
        assert abs(skew_ms) < 80
