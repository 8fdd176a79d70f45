"""The forms in which pictures come on the WebSocket."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from bench.harness.browser import wait_for_picture, wait_for_sound

from .conftest import Serve, card

STATS = "document.querySelector('ws-stream').stats()"


@pytest.mark.parametrize("form", ["jpeg", "patch", "h264"])
def test_every_form_is_drawn_at_its_full_rate(page: Page, serve: Serve, form: str) -> None:
    page.goto(serve(**card()) + f"?mode=ws&video={form}")
    wait_for_picture(page)
    wait_for_sound(page)
    page.wait_for_timeout(1500)
    page.evaluate("() => { card = probe.watchCard(); }")
    page.wait_for_timeout(3000)
    seen, stats = page.evaluate(f"() => [card(), {STATS}]")
    assert stats["videoCodec"] == form
    assert stats["pictures"]["failed"] == 0
    assert len(seen) > 68
    frames = [one["frame"] for one in seen]
    assert frames == sorted(frames)


def test_a_browser_without_webcodecs_gets_patches(page: Page, serve: Serve) -> None:
    page.add_init_script("delete window.VideoDecoder")
    page.goto(serve(**card()) + "?mode=ws")
    wait_for_picture(page)
    page.wait_for_function(f"{STATS}.videoCodec === 'patch'")


@pytest.mark.parametrize("decode", ["throw new Error('it cannot')", "// nothing comes of it"])
@pytest.mark.parametrize("form", ["auto", "h264"])
def test_h264_that_was_promised_and_fails_gives_way(
    page: Page, serve: Serve, form: str, decode: str
) -> None:
    page.add_init_script(
        f"""
        VideoDecoder.isConfigSupported = async () => ({{ supported: true }});
        VideoDecoder.prototype.decode = () => {{ {decode}
        }};
        """
    )
    page.goto(serve(**card()) + f"?mode=ws&video={form}")
    wait_for_picture(page)
    page.wait_for_function(f"{STATS}.videoCodec === 'h264'")
    instead = "patch" if form == "auto" else "jpeg"
    page.wait_for_function(f"{STATS}.videoCodec === '{instead}'", timeout=20_000)
    before = page.evaluate(f"{STATS}.pictures.drawn")
    page.wait_for_function(f"{STATS}.pictures.drawn > {before} + 25")


def test_a_broken_patch_is_mended_within_two_seconds(page: Page, serve: Serve) -> None:
    """Three patches lose their last bytes on the way to the decoder."""
    page.add_init_script(
        """
        let left = 3, seen = 0;
        let native = window.WebSocket.prototype;
        while (!Object.getOwnPropertyDescriptor(native, "onmessage")) {
          native = Object.getPrototypeOf(native);
        }
        const add = Object.getOwnPropertyDescriptor(native, "onmessage");
        Object.defineProperty(native, "onmessage", {
          set(handle) {
            add.set.call(this, (event) => {
              let { data } = event;
              const type = typeof data === "string" ? 0 : new DataView(data).getUint32(0, true);
              if (type === 3 && ++seen > 20 && left-- > 0) {
                const bytes = new Uint8Array(data.slice(0));
                bytes.fill(0, 28); // the header stays, what was a JPEG is none
                data = bytes.buffer;
              }
              handle.call(this, { data });
            });
          },
        });
        """
    )
    page.goto(serve(**card()) + "?mode=ws&video=patch")
    wait_for_picture(page)
    page.wait_for_function(f"{STATS}.pictures.failed >= 1")
    page.evaluate("() => { card = probe.watchCard(); }")
    page.wait_for_timeout(2000)
    seen = page.evaluate("() => card()")
    assert len(seen) > 30, "it goes on, and can be read"


@pytest.mark.parametrize(("query", "mode"), [("mode=ws&video=patch", "ws"), ("", "webrtc")])
def test_no_larger_pictures_are_sent_than_are_shown(
    page: Page, serve: Serve, query: str, mode: str
) -> None:
    page.set_viewport_size({"width": 400, "height": 700})
    page.goto(f"{serve(**card(size='1280x720', fps=20))}?{query}")
    wait_for_picture(page)
    page.wait_for_function(f"{STATS}.mode === '{mode}' && {STATS}.width === 448")
