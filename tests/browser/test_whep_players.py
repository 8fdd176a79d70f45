"""WHEP, with players that have no line of our client in them."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page

from bench.harness import gstreamer
from bench.harness.firefox import Firefox

from .conftest import Serve, card

PLAYER = b"""<!doctype html><video autoplay playsinline></video><script type="module">
  const video = document.querySelector("video");
  const peer = (globalThis.peer = new RTCPeerConnection({ iceServers: [] }));
  video.srcObject = new MediaStream(["audio", "video"].map((kind) =>
    peer.addTransceiver(kind, { direction: "recvonly" }).receiver.track));
  await peer.setLocalDescription();
  const answer = await fetch(new URLSearchParams(location.search).get("whep"), {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: peer.localDescription.sdp,
  });
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
</script>"""
LOOK = """(async () => {
  const video = document.querySelector("video");
  const small = new OffscreenCanvas(32, 32).getContext("2d", { willReadFrequently: true });
  const look = () => new Promise((done) => video.requestVideoFrameCallback(() => {
    small.drawImage(video, 0, 0, 32, 32);
    done(small.getImageData(0, 0, 32, 32).data.join());
  }));
  const seen = new Set();
  for (let n = 0; n < 25; n++) seen.add(await look());
  const all = [...(await peer.getStats()).values()].filter((s) => s.type === "inbound-rtp");
  const [sound, picture] = ["audio", "video"].map((kind) => all.find((s) => s.kind === kind));
  return {
    different: seen.size,
    decoded: picture.framesDecoded,
    size: [video.videoWidth, video.videoHeight],
    sound: sound.totalSamplesReceived / 48_000,
    energy: sound.totalAudioEnergy,
  };
})()"""
CARD = card(beep=False, tone_hz=440)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """A site with nothing but that page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(PLAYER)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def address(serve: Serve, elsewhere: str) -> str:
    """Of the page, with the agent that it is to play."""
    return f"{elsewhere}/?whep={serve(server={'allowed_origins': [elsewhere]}, **CARD)}whep/ada"


def check(played: dict[str, Any]) -> None:
    assert played["different"] > 20
    assert played["decoded"] >= 25
    assert played["size"] == [512, 512]
    assert played["sound"] > 0.5
    assert played["energy"] > 0


def test_a_plain_page_in_chromium(page: Page, address: str) -> None:
    page.goto(address)
    check(page.evaluate(LOOK))


def test_a_plain_page_in_firefox(fox: Firefox, address: str) -> None:
    fox.goto(address)
    check(fox.evaluate(LOOK))


@pytest.mark.skipif(not gstreamer.available()[0], reason=gstreamer.available()[1])
@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_gstreamer(serve: Serve, codec: str) -> None:
    played = gstreamer.watch(f"{serve(**CARD)}whep/ada", codec)
    print(played)
    assert played["different"] >= gstreamer.PICTURES - 5
    assert played["size"] == [512, 512]
    assert played["sounds"] >= gstreamer.SOUNDS
    assert 0.1 < played["peak"] / 32767 < 0.9
