"""The page: quick, alive, usable by keyboard and on a phone, and steady when the link is not."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.harness.browser import probed_page, wait_for_picture
from bench.harness.server import serving

from .conftest import Serve, card

STATS = "document.querySelector('ws-stream').stats()"
OUTPUT = Path(__file__).parents[1] / "output"


def test_the_first_picture_waits_for_nothing_that_the_page_says(
    browser: Browser, serve: Serve
) -> None:
    """How soon it stands, `bench startup` tells."""
    with probed_page(browser) as page:
        page.add_init_script("WebSocket.prototype.send = () => {};")
        page.goto(serve())
        wait_for_picture(page)


def test_the_idle_face_lives(page: Page, serve: Serve) -> None:
    page.goto(serve())
    wait_for_picture(page)
    frame = page.locator("ws-stream canvas")
    pictures = []
    for _ in range(10):
        pictures.append(frame.screenshot())
        page.wait_for_timeout(500)
    assert all(a != b for a, b in pairwise(pictures))
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / "page.png")


def test_everything_can_be_done_by_keyboard(page: Page, serve: Serve) -> None:
    page.goto(serve())
    wait_for_picture(page)
    page.keyboard.press("Tab")
    names = []
    for _ in range(8):
        names.append(
            page.evaluate(
                """() => {
                  const { activeElement } = document.querySelector("ws-stream").shadowRoot;
                  return activeElement?.ariaLabel ?? activeElement?.textContent ?? "";
                }"""
            )
        )
        page.keyboard.press("Tab")
    for name in ("Text to say", "Say", "Mute", "Volume", "Captions", "Statistics"):
        assert name in names, names
    box = page.get_by_label("Text to say")
    box.focus()
    page.keyboard.type("Hello by keyboard.")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('ws-stream').state === 'speaking'")
    expect(page.locator("ws-stream .captions")).to_contain_text("Hello by keyboard.")
    expect(box).to_have_value("")
    stop = page.get_by_role("button", name="Stop speaking")
    expect(stop).to_be_enabled()
    stop.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('ws-stream').state === 'idle'")


def test_what_a_screen_reader_is_told(page: Page, serve: Serve) -> None:
    page.goto(serve())
    wait_for_picture(page)
    expect(page.get_by_role("img", name="Ada, a talking avatar")).to_be_visible()
    assert page.locator("ws-stream [aria-live=polite]").count() == 1
    unnamed = page.evaluate(
        """() => [...document.querySelector("ws-stream")
            .shadowRoot.querySelectorAll("button, input")]
          .filter((e) => !(e.ariaLabel || e.textContent.trim())).length"""
    )
    assert unnamed == 0


def test_it_fits_a_phone(browser: Browser, serve: Serve) -> None:
    with probed_page(browser, viewport={"width": 360, "height": 740}, has_touch=True) as page:
        page.goto(serve())
        wait_for_picture(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        for name in ("Text to say", "Say", "Mute"):
            box = (
                page.get_by_label(name, exact=True)
                .or_(page.get_by_role("button", name=name, exact=True))
                .first.bounding_box()
            )
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
            assert box["y"] + box["height"] <= 740
        OUTPUT.mkdir(exist_ok=True)
        page.screenshot(path=OUTPUT / "phone.png")


def test_the_figures_are_shown_when_asked_for(page: Page, serve: Serve) -> None:
    page.goto(serve())
    wait_for_picture(page)
    page.get_by_role("button", name="Statistics").click()
    figures = page.locator("ws-stream .stats")
    for text in ("WebSocket", "fps", "kbit/s", "latency", "A/V offset", "dropped", "why"):
        expect(figures).to_contain_text(text)


def test_a_second_viewer_joins_the_same_session(browser: Browser, serve: Serve) -> None:
    url = serve(**card())
    with probed_page(browser) as first, probed_page(browser) as second:
        first.goto(url)
        wait_for_picture(first)
        session = first.evaluate("document.querySelector('ws-stream').sessionId")
        second.goto(f"{url}?session={session}")
        wait_for_picture(second)
        assert second.evaluate("document.querySelector('ws-stream').sessionId") == session
        frames = [page.evaluate("probe.readCard().frame") for page in (first, second)]
        assert abs(frames[0] - frames[1]) < 25


def test_it_comes_back_when_the_server_does(page: Page) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {"server": {"port": port}, **card()}
    with serving(config) as server:
        page.goto(server.url)
        wait_for_picture(page)
    notice = page.locator("ws-stream .notice")
    expect(notice).to_have_text("Reconnecting…")
    before = page.evaluate(f"{STATS}.pictures.drawn")
    with serving(config):
        page.wait_for_function(f"{STATS}.pictures.drawn > {before} + 10", timeout=20_000)
        expect(notice).to_be_empty()


def test_it_stays_away_when_it_is_told_to(page: Page, serve: Serve) -> None:
    page.goto(serve() + "?agent=nobody")
    expect(page.locator("ws-stream .notice")).to_contain_text("there is no agent 'nobody'")
    page.wait_for_timeout(1500)
    assert page.evaluate("document.querySelector('ws-stream').state") == "down"
    assert page.evaluate(f"{STATS}.reconnects") == 0


def test_a_frozen_server_is_noticed_and_left(page: Page) -> None:
    with serving(card()) as server:
        page.goto(server.url)
        wait_for_picture(page)
        subprocess.run(["kill", f"-{signal.SIGSTOP.value}", str(server.pid)], check=True)
        try:
            started = time.monotonic()
            expect(page.locator("ws-stream .notice")).to_have_text("The connection is unstable")
            assert time.monotonic() - started < 4
        finally:
            subprocess.run(["kill", f"-{signal.SIGCONT.value}", str(server.pid)], check=True)
        expect(page.locator("ws-stream .notice")).to_be_empty()


@pytest.mark.parametrize("element", ["canvas", "controls", "captions", "badge", "tap"])
def test_parts_can_be_styled(page: Page, serve: Serve, element: str) -> None:
    page.goto(serve())
    page.add_style_tag(content=f"ws-stream::part({element}) {{ opacity: 0.5 }}")
    found = page.locator(f"ws-stream [part~={element}]").first
    assert found.evaluate("e => getComputedStyle(e).opacity") == "0.5"


SOUND = """
() => {
  const { muted, volume } = document.querySelector("ws-stream");
  return [muted, volume];
}
"""
GAIN = "document.querySelector('ws-stream').audioNode.gain.value"


def test_what_is_set_before_the_element_is_defined_or_shown_holds(page: Page, serve: Serve) -> None:
    page.add_init_script(
        """
        new MutationObserver((_, observer) => {
          const stream = document.querySelector("ws-stream");
          if (!stream) return;
          observer.disconnect();
          stream.setAttribute("volume", "0.9");
          Object.assign(stream, { volume: "0.5", muted: true, showStats: true });
        }).observe(document, { childList: true, subtree: true });
        """
    )
    page.goto(serve())
    wait_for_picture(page)
    assert page.evaluate(SOUND) == [True, 0.5]
    assert not page.evaluate("Object.hasOwn(document.querySelector('ws-stream'), 'volume')")
    expect(page.locator("ws-stream .stats")).to_be_visible()
    page.evaluate("document.querySelector('ws-stream').muted = false")
    page.wait_for_function(f"Math.abs({GAIN} - 0.25) < 0.01")  # loudness is heard on a curve
    page.evaluate(
        """
        () => {
          const made = document.createElement("ws-stream");
          Object.assign(made, { muted: true, showStats: true, captions: false });
          document.querySelector("ws-stream").replaceWith(made);
        }
        """
    )
    wait_for_picture(page)
    page.wait_for_function(f"{GAIN} < 0.01")
    expect(page.locator("ws-stream .stats")).to_be_visible()
    expect(page.locator("ws-stream .captions")).to_be_hidden()


def test_who_muted_it_stays_unheard(page: Page, serve: Serve) -> None:
    page.goto(serve())
    wait_for_picture(page)
    page.get_by_role("button", name="Mute").click()
    page.evaluate("document.querySelector('ws-stream').setAttribute('video', 'jpeg')")
    wait_for_picture(page)
    assert page.evaluate(SOUND) == [True, 1]
    page.evaluate("document.body.append(document.querySelector('ws-stream'))")
    wait_for_picture(page)
    assert page.evaluate(SOUND) == [True, 1]
    page.wait_for_function(f"{GAIN} < 0.01")


def test_figures_and_controls_follow_their_attributes(page: Page, serve: Serve) -> None:
    page.goto(serve())
    wait_for_picture(page)
    for name, value, part, visible in [
        ("stats", "", ".stats", True),
        ("stats", None, ".stats", False),
        ("controls", "none", "form", False),
        ("controls", None, "form", True),
    ]:
        page.evaluate(
            """([name, value]) => {
              const stream = document.querySelector("ws-stream");
              if (value === null) stream.removeAttribute(name);
              else stream.setAttribute(name, value);
            }""",
            [name, value],
        )
        expect(page.locator(f"ws-stream {part}")).to_be_visible(visible=visible)


def test_captions_of_another_session_are_not_kept_waiting(page: Page) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {"server": {"port": port}}
    captions = page.locator("ws-stream .captions")
    with serving(config) as server:
        page.goto(server.url)
        wait_for_picture(page)
        page.evaluate("document.querySelector('ws-stream').say('This is never said to its end.')")
        expect(captions).to_contain_text("This is never said")
        session = page.evaluate("document.querySelector('ws-stream').sessionId")
    with serving(config):
        page.wait_for_function(
            f"![null, '{session}'].includes(document.querySelector('ws-stream').sessionId)",
            timeout=20_000,
        )
        assert captions.inner_text() == ""
        page.evaluate("document.querySelector('ws-stream').say('This is.')")
        expect(captions).to_contain_text("This is.")
