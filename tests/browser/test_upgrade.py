"""From the WebSocket to WebRTC and back, in a real Chromium against the real server."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.harness.browser import probed_page, wait_for_picture, wait_for_sound

from .conftest import Serve, card

STREAM = "document.querySelector('ws-stream')"
STATS = f"{STREAM}.stats()"
OUTPUT = Path(__file__).parents[1] / "output"
WATCH_PEERS = """
  window.peers = [];
  const Native = RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      peers.push(this);
    }
  };
"""
WATCH_SOCKETS = """
  window.sockets = [];
  const Socket = WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  };
"""
NO_H264 = """
  const set = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = async function () {
    const offer = await this.createOffer();
    const types = [...offer.sdp.matchAll(/^a=rtpmap:(\\d+) H264\\//gm)].map((m) => m[1]);
    for (const type of types) {
      const apt = offer.sdp.match(new RegExp(`^a=fmtp:(\\\\d+) apt=${type}\\r$`, "m"))?.[1];
      for (const gone of [type, apt].filter(Boolean)) {
        offer.sdp = offer.sdp
          .replace(new RegExp(`^a=(rtpmap|fmtp|rtcp-fb):${gone} .*\\r\\n`, "gm"), "")
          .replace(new RegExp(`^(m=video .*?) ${gone}(?= |\\r)`, "m"), "$1");
      }
    }
    return set.call(this, offer);
  };
"""
CODEC = """async () => {
  for (const one of (await peers.at(-1).getStats()).values()) {
    if (one.type === "inbound-rtp" && one.kind === "video") {
      return (await peers.at(-1).getStats()).get(one.codecId)?.mimeType;
    }
  }
}"""


def wait_for_mode(page: Page, mode: str, timeout_s: float = 8) -> None:
    """Until media come that way."""
    page.wait_for_function(f"{STATS}?.mode === '{mode}'", timeout=timeout_s * 1000)


def wait_for_pictures(page: Page, count: int = 10) -> None:
    """Until so many more have been seen."""
    shown = f"{STATS}.pictures.drawn + {STATS}.pictures.rendered"
    before = page.evaluate(shown)
    page.wait_for_function(f"{shown} >= {before + count}")


def test_it_is_on_webrtc_soon_with_h264(page: Page, serve: Serve) -> None:
    """How soon, `bench startup` tells."""
    page.add_init_script(WATCH_PEERS)
    url = serve(**card())
    page.goto(url)
    wait_for_mode(page, "webrtc")
    wait_for_pictures(page, 25)
    stats = page.evaluate(STATS)
    assert "H264/90000" in page.evaluate("peers[0].remoteDescription.sdp")
    assert page.evaluate(CODEC) == "video/H264"
    assert stats["videoCodec"] == "H264"
    assert stats["audioDecoder"] == "webrtc"
    assert stats["candidate"] == "udp"
    assert stats["reason"] == "switched: cheaper and steadier"
    assert abs(stats["skewMs"]) < 80
    badge = page.locator("ws-stream .badge")
    expect(badge).to_have_text("WebRTC")
    expect(badge).to_have_attribute("title", "switched: cheaper and steadier")
    metrics = page.request.get(urljoin(url, "/metrics")).text()
    arrived = re.search(r"^wsstream_rtc_arrived_total (\d+)", metrics, re.MULTILINE)
    assert arrived is not None
    assert int(arrived[1]) >= 10


def test_without_h264_it_is_vp8(page: Page, serve: Serve) -> None:
    page.add_init_script(WATCH_PEERS)
    page.add_init_script(NO_H264)
    page.goto(serve(**card()))
    wait_for_mode(page, "webrtc")
    wait_for_pictures(page)
    assert "H264" not in page.evaluate("peers[0].localDescription.sdp")
    assert page.evaluate(CODEC) == "video/VP8"
    page.wait_for_function(f"{STATS}.videoCodec === 'VP8'")


def test_captions_come_by_the_data_channel_and_are_shown_once(page: Page, serve: Serve) -> None:
    page.add_init_script(
        """
        window.heard = [];
        const create = RTCPeerConnection.prototype.createDataChannel;
        RTCPeerConnection.prototype.createDataChannel = function (...args) {
          const channel = create.apply(this, args);
          channel.addEventListener("message", ({ data }) => heard.push(JSON.parse(data)));
          return channel;
        };
        """
    )
    page.goto(serve())
    wait_for_mode(page, "webrtc")
    page.evaluate(
        f"""() => {{
          window.lines = [];
          {STREAM}.addEventListener("transcript", (e) => lines.push(e.detail.text));
          {STREAM}.say("Two ways lead here. One is enough.");
        }}"""
    )
    expect(page.locator("ws-stream .captions")).to_contain_text("One is enough.")
    page.wait_for_function(f"{STREAM}.state === 'idle'", timeout=15_000)
    by_channel = page.evaluate("heard.filter((m) => m.type === 'transcript').map((m) => m.text)")
    assert by_channel == ["Two ways lead here.", "One is enough."]
    assert page.evaluate("lines") == by_channel


def test_the_menu_pins_it(page: Page, serve: Serve) -> None:
    page.goto(serve(**card()))
    wait_for_mode(page, "webrtc")
    menu = page.get_by_label("Connection")
    menu.select_option("ws")
    wait_for_mode(page, "ws")
    wait_for_pictures(page)
    expect(page.locator("ws-stream .badge")).to_have_text("WebSocket")
    assert page.evaluate(f"{STATS}.reason") == "pinned to WebSocket"
    assert page.evaluate(f"{STREAM}.getAttribute('mode')") == "ws"
    page.wait_for_timeout(500)
    assert page.evaluate(f"{STATS}.upgrade.attempts") == 1
    menu.select_option("webrtc")
    wait_for_mode(page, "webrtc")
    assert page.evaluate(f"{STATS}.reason") == "pinned to WebRTC"
    assert page.evaluate(f"{STATS}.upgrade.transitFailures") == 0


def test_the_url_pins_it(page: Page, serve: Serve) -> None:
    page.goto(serve(**card()) + "?mode=ws")
    wait_for_picture(page)
    wait_for_sound(page)
    page.wait_for_timeout(1500)
    assert page.evaluate(f"{STATS}.upgrade.attempts") == 0
    expect(page.get_by_label("Connection")).to_have_value("ws")
    expect(page.locator("ws-stream .badge")).to_have_attribute("title", "pinned to WebSocket")


def test_a_page_without_webrtc_says_so(page: Page, serve: Serve) -> None:
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto(serve(**card()))
    wait_for_picture(page)
    assert page.evaluate(f"{STATS}.reason") == "WebRTC is off in this page"


def test_modechange_is_told(page: Page, serve: Serve) -> None:
    page.add_init_script(
        """
        window.told = [];
        addEventListener("DOMContentLoaded", () => document.querySelector("ws-stream")
          .addEventListener("modechange", ({ detail }) => told.push(detail)));
        """
    )
    page.goto(serve(**card()))
    wait_for_mode(page, "webrtc")
    told = page.evaluate("told")
    assert [one["mode"] for one in told][-2:] == ["switching", "webrtc"]
    assert all(one["reason"] for one in told)


def test_a_killed_socket_with_a_healthy_peer(page: Page, serve: Serve) -> None:
    page.add_init_script(WATCH_SOCKETS)
    page.add_init_script(WATCH_PEERS)
    page.goto(serve(**card()))
    wait_for_mode(page, "webrtc")
    session = page.evaluate(f"{STREAM}.sessionId")
    page.evaluate(
        """() => {
          const { url } = sockets[0];
          // As a lost link does: the page is told, the server is not asked.
          window.card = probe.watchCard();
          sockets[0].close(3000);
        }"""
    )
    page.wait_for_function("sockets.length === 2 && sockets[1].readyState === 1")
    assert f"session={session}" in page.evaluate("sockets[1].url")
    page.wait_for_timeout(2000)
    seen = page.evaluate("card()")
    gaps = [b["atMs"] - a["atMs"] for a, b in pairwise(seen)]
    print(f"longest time without a picture {max(gaps):.0f} ms")
    stats = page.evaluate(STATS)
    assert stats["session"] == session
    assert stats["path"] == "webrtc"
    assert stats["upgrade"]["attempts"] == 1
    assert page.evaluate("peers.length") == 1
    assert all(one["on"] == "webrtc" for one in seen)
    assert max(gaps) < 150
    assert page.evaluate(f"{STREAM}.state") == "idle"
    expect(page.locator("ws-stream .notice")).to_be_empty()


def test_a_killed_peer_is_replaced_by_the_socket_and_then_made_anew(
    page: Page, serve: Serve
) -> None:
    page.add_init_script(WATCH_PEERS)
    page.goto(serve(**card()))
    wait_for_mode(page, "webrtc")
    page.evaluate("() => { window.card = probe.watchCard(); peers[0].close(); }")
    wait_for_mode(page, "ws", 2)
    wait_for_pictures(page)
    seen = page.evaluate("card()")
    gaps = [b["atMs"] - a["atMs"] for a, b in pairwise(seen)]
    print(f"longest time without a picture {max(gaps):.0f} ms")
    assert max(gaps) < 500
    assert re.search("WebRTC broke; next try in", page.evaluate(f"{STATS}.reason"))
    wait_for_mode(page, "webrtc", 8)
    assert page.evaluate("peers.length") == 2


@pytest.mark.parametrize("mode", ["ws", "webrtc"])
def test_how_it_looks(browser: Browser, serve: Serve, mode: str) -> None:
    with probed_page(browser) as page:
        page.goto(f"{serve()}?mode={mode}&stats")
        wait_for_mode(page, mode)
        wait_for_pictures(page, 30)
        for text in ("why", "pinned to", "path"):
            expect(page.locator("ws-stream .stats")).to_contain_text(text)
        OUTPUT.mkdir(exist_ok=True)
        page.screenshot(path=OUTPUT / f"{mode}.png")
