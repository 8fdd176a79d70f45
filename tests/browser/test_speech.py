"""Speech as it is heard and seen in the page."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from bench.harness.browser import (
    AUTOPLAY,
    chromium,
    probed_page,
    wait_for_picture,
    wait_for_sound,
)
from bench.harness.speech import AUDIBLE, LONG, until_silent_ms

from .conftest import Serve, card

INTERRUPTIONS = 20
MOUTH = (0.35, 0.5, 0.3, 0.35)
"""Where the mouth of the default face is, generously, as fractions of the picture."""


def start_listening(page: Page) -> None:
    wait_for_picture(page)
    wait_for_sound(page)
    page.evaluate("async () => { level = await probe.watchLevel(); }")


def stop_listening(page: Page) -> tuple[np.ndarray, np.ndarray]:
    """Times in ms, and levels."""
    levels = page.evaluate("() => level()")
    return np.array([s["atMs"] for s in levels]), np.array([s["rms"] for s in levels])


def wait_until_idle(page: Page, timeout_s: float = 30) -> None:
    page.wait_for_function(
        "document.querySelector('ws-stream').state === 'idle'", timeout=timeout_s * 1000
    )


def mouth_change(page: Page) -> float:
    """How much the mouth's pixels change over 120 ms, on average."""
    changed = page.evaluate(
        """async (region) => {
          const before = probe.pixels(...region);
          await new Promise((done) => setTimeout(done, 120));
          const after = probe.pixels(...region);
          return after.reduce((sum, x, i) => sum + Math.abs(x - before[i]), 0) / after.length;
        }""",
        MOUTH,
    )
    return float(changed)


def test_a_text_is_heard_captioned_and_seen(page: Page, serve: Serve) -> None:
    page.goto(serve())
    start_listening(page)
    # Small, then whole, then by another encoder: only then what changes in it is the mouth.
    page.wait_for_function("document.querySelector('ws-stream').transport.mode === 'webrtc'")
    page.wait_for_timeout(1000)
    still = np.median([mouth_change(page) for _ in range(8)])
    page.evaluate(
        """(text) => {
          const stream = document.querySelector("ws-stream");
          captions = [];
          stream.addEventListener("transcript", (e) => captions.push(e.detail.text));
          stream.addEventListener("statechange", (e) => {
            if (e.detail.value === "speaking") speakingMs = performance.now();
          });
          saidMs = performance.now();
          stream.say(text);
        }""",
        LONG,
    )
    page.wait_for_function("document.querySelector('ws-stream').state === 'speaking'")
    page.wait_for_timeout(500)
    moving = np.median([mouth_change(page) for _ in range(20)])
    shown = page.locator("ws-stream .captions").inner_text()
    wait_until_idle(page)
    page.wait_for_timeout(600)
    after = np.median([mouth_change(page) for _ in range(8)])
    at_ms, rms = stop_listening(page)
    said_ms, speaking_ms = page.evaluate("[saidMs, speakingMs]")
    heard_ms = at_ms[rms > AUDIBLE]
    print(f"first packet {speaking_ms - said_ms:.0f} ms, heard {heard_ms[0] - said_ms:.0f} ms, ")
    print(f"mouth still {still:.2f}, moving {moving:.2f}, after {after:.2f}")

    assert 7000 < heard_ms[-1] - heard_ms[0] < 14_000
    assert page.evaluate("captions.join(' ')") == LONG
    assert shown.strip() == "This is a longer text, which takes about ten seconds to say aloud."
    assert moving > 4 * max(still, after)
    assert still < 0.5
    assert after < 0.5


def test_an_interruption_is_heard_at_once_and_leaves_nothing_behind(
    page: Page, serve: Serve
) -> None:
    """What is under way would be heard for 150 ms and more."""
    page.goto(serve(agents={"ada": {"avatar": {"provider": "testcard", "beep": False}}}))
    wait_for_picture(page)
    wait_for_sound(page)
    silences = [until_silent_ms(page) for _ in range(INTERRUPTIONS)]
    print(f"silent after median {np.median(silences):.0f}, max {max(silences):.0f} ms")
    assert np.percentile(silences, 80) < 100

    page.evaluate("t => document.querySelector('ws-stream').say(t)", "And on it goes.")
    page.wait_for_function("document.querySelector('ws-stream').state === 'speaking'")
    wait_until_idle(page)


@pytest.mark.parametrize(
    ("hidden", "kind"),
    [
        ([], "webcodecs"),
        (["AudioDecoder"], "wasm"),
        (["AudioDecoder", "WebAssembly"], "pcm"),
    ],
)
def test_sound_comes_whatever_the_browser_lacks(
    page: Page, serve: Serve, hidden: list[str], kind: str
) -> None:
    page.add_init_script(" ".join(f"delete window.{name};" for name in hidden))
    page.goto(serve(**card()) + "?mode=ws")
    start_listening(page)
    page.wait_for_timeout(3000)
    at_ms, rms = stop_listening(page)
    assert page.evaluate("document.querySelector('ws-stream').stats().audioDecoder") == kind
    beeps = np.flatnonzero(np.diff((rms > 0.1).astype(int)) == 1)
    assert len(beeps) in (2, 3, 4)
    assert np.allclose(np.diff(at_ms[beeps]), 1000, atol=40)
    assert 0.2 < rms.max() < 0.5


def test_plain_http_has_sound_without_worklets(playwright: Playwright, serve: Serve) -> None:
    """Not on localhost, a page on plain HTTP has neither AudioWorklet nor WebCodecs."""
    plain = serve(**card()).replace("127.0.0.1", "plain.test")
    resolve = "--host-resolver-rules=MAP plain.test 127.0.0.1"
    with chromium(playwright, AUTOPLAY, resolve) as browser, probed_page(browser) as page:
        page.goto(plain + "?mode=ws")
        wait_for_picture(page)
        wait_for_sound(page)
        assert not page.evaluate("isSecureContext")
        levels = page.evaluate(
            """async () => {
              const { audioNode } = document.querySelector("ws-stream");
              const analyser = audioNode.context.createAnalyser();
              audioNode.connect(analyser);
              const data = new Float32Array(analyser.fftSize), peaks = [];
              for (let i = 0; i < 250; i++) {
                analyser.getFloatTimeDomainData(data);
                peaks.push(Math.max(...data.map(Math.abs)));
                await new Promise((done) => setTimeout(done, 10));
              }
              return peaks;
            }"""
        )
        loud = np.array(levels) > 0.1
        assert 0.02 < loud.mean() < 0.2, "a beep of 40 ms each second"
        assert page.evaluate("document.querySelector('ws-stream').stats().audioDecoder") == "wasm"


def test_a_locked_page_discards_sound_until_a_gesture(playwright: Playwright, serve: Serve) -> None:
    with chromium(playwright) as browser, probed_page(browser) as page:
        page.goto(serve(**card()) + "?mode=ws")
        tap = page.locator("ws-stream .tap")
        tap.wait_for(state="visible")
        page.wait_for_timeout(1500)
        assert page.evaluate("document.querySelector('ws-stream').stats().bufferedMs") == 0
        tap.click()
        tap.wait_for(state="hidden")
        wait_for_sound(page)
        page.wait_for_timeout(500)
        stats = page.evaluate("document.querySelector('ws-stream').stats()")
        assert stats["bufferedMs"] < 200
        assert abs(stats["skewMs"]) < 60


def test_muting(page: Page, serve: Serve) -> None:
    page.goto(serve(**card(beep=False, tone_hz=440)))
    start_listening(page)
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Mute").click()
    page.wait_for_timeout(600)
    _, rms = stop_listening(page)
    assert np.median(rms[: len(rms) // 4]) > 0.05
    assert rms[-50:].max() < 0.001
