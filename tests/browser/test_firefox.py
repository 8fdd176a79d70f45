"""The page in a real Firefox: without H.264 in WebRTC, and maybe without a sound device, in which
case its AudioContext never runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.harness.firefox import AUTOPLAY, Firefox, firefox

from .conftest import Serve, card

STREAM = "document.querySelector('ws-stream')"
STATS = f"{STREAM}.stats()"
SHOWN = f"({STATS}.pictures.drawn + {STATS}.pictures.rendered)"
OUTPUT = Path(__file__).parents[1] / "output"
WATCH = """
  window.peers = [];
  window.heard = [];
  const Native = RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      peers.push(this);
    }
    createDataChannel(...args) {
      const channel = super.createDataChannel(...args);
      channel.addEventListener("message", ({ data }) => heard.push(JSON.parse(data)));
      return channel;
    }
  };
  window.asked = 0;
  const { getOutputTimestamp } = AudioContext.prototype;
  AudioContext.prototype.getOutputTimestamp = function () {
    asked++;
    return getOutputTimestamp.call(this);
  };
"""
CODEC = """(async () => {
  const all = await peers.at(-1).getStats();
  const video = [...all.values()].find((s) => s.type === "inbound-rtp" && s.kind === "video");
  return all.get(video.codecId).mimeType;
})()"""
DECODE = """(async (kind) => {
  const { createDecoder } = await import("/static/audio/decoder.js");
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/facetime/ada`);
  socket.binaryType = "arraybuffer";
  return new Promise(async (done) => {
    let samples = 0, peak = 0;
    const decoder = await createDecoder((mediaMs, pcm) => {
      samples += pcm.length;
      peak = Math.max(peak, ...pcm);
      if (samples < 48_000 / 2) return;
      socket.close();
      done({ kind: decoder.kind, failures: decoder.failures, peak });
    }, kind);
    socket.onmessage = ({ data }) => {
      if (typeof data === "string" || new DataView(data).getUint32(0, true) !== 2) return;
      decoder.decode(new DataView(data).getUint32(4, true), new Uint8Array(data, 12));
    };
  });
})"""


def wait_for_mode(page: Firefox, mode: str) -> None:
    page.wait_for(f"{STREAM}.stats?.()?.mode === '{mode}'")


def wait_for_pictures(page: Firefox, count: int = 10) -> None:
    """Until so many more have been seen."""
    before = page.evaluate(SHOWN)
    page.wait_for(f"{SHOWN} >= {before + count}")


def said_and_captioned(page: Firefox, text: str) -> list[str]:
    """Say something, and wait until its caption is seen and its speech over: the transcripts that
    the page was told."""
    page.evaluate(
        f"""(() => {{
          window.lines = [];
          {STREAM}.addEventListener("transcript", ({{ detail }}) => lines.push(detail.text));
          {STREAM}.say("{text}");
        }})()"""
    )
    page.wait_for(f"{STREAM}.shadowRoot.querySelector('.captions').textContent.includes('{text}')")
    page.wait_for(f"{STREAM}.state === 'idle'")
    return list(page.evaluate("lines"))


@pytest.fixture(scope="session")
def watched(firefox_browser: Firefox) -> None:
    firefox_browser.add_init_script(WATCH)


@pytest.mark.usefixtures("watched")
def test_it_upgrades_to_vp8_and_captions_come_by_the_data_channel(
    fox: Firefox, serve: Serve
) -> None:
    fox.goto(serve() + "?stats")
    wait_for_mode(fox, "webrtc")
    wait_for_pictures(fox)
    assert fox.evaluate(CODEC) == "video/VP8"
    stats = fox.evaluate(STATS)
    assert (stats["videoCodec"], stats["candidate"]) == ("VP8", "udp")
    assert stats["upgrade"]["attempts"] == 1
    assert stats["bytes"]["rtpAudio"] > 0
    assert said_and_captioned(fox, "Hello, fox.") == ["Hello, fox."]
    heard = fox.evaluate("heard.filter((m) => m.type === 'transcript').map((m) => m.text)")
    assert heard == ["Hello, fox."]
    # On Linux it may freeze over that for good; see static/audio/output.js.
    assert fox.evaluate("asked === 0 || !navigator.userAgent.includes('Linux')")
    OUTPUT.mkdir(exist_ok=True)
    fox.screenshot(OUTPUT / "firefox.png")


@pytest.mark.parametrize("form", ["jpeg", "patch", "auto"])
def test_pictures_come_by_the_websocket_alone(fox: Firefox, serve: Serve, form: str) -> None:
    fox.goto(f"{serve(**card())}?mode=ws&video={form}")
    fox.wait_for(f"{STREAM}.stats?.()?.pictures.drawn > 0")
    wait_for_pictures(fox)
    stats = fox.evaluate(STATS)
    h264 = fox.evaluate(
        "VideoDecoder.isConfigSupported({ codec: 'avc1.42E01F' }).then((it) => it.supported)"
    )
    assert stats["videoCodec"] == ({True: "h264", False: "patch"}[h264] if form == "auto" else form)
    assert (stats["mode"], stats["pictures"]["failed"]) == ("ws", 0)


def test_captions_come_by_the_websocket_alone(fox: Firefox, serve: Serve) -> None:
    fox.goto(serve() + "?mode=ws")
    fox.wait_for(f"{STREAM}.stats?.()?.pictures.drawn > 0")
    assert said_and_captioned(fox, "Hello, fox.") == ["Hello, fox."]


@pytest.mark.parametrize("kind", ["webcodecs", "wasm"])
def test_sound_is_decoded(fox: Firefox, serve: Serve, kind: str) -> None:
    fox.goto(f"{serve(**card(beep=False, tone_hz=440))}?mode=ws")
    decoded = fox.evaluate(f"{DECODE}('{kind}')")
    assert (decoded["kind"], decoded["failures"]) == (kind, 0)
    assert 0.1 < decoded["peak"] < 0.5


@pytest.fixture
def with_h264(tmp_path: Path) -> Iterator[Firefox]:
    """One to which OpenH264 seems installed. It asks only whether there is such a plugin, and
    decodes with FFmpeg, where it finds that."""
    plugin = tmp_path / "gmp-fake" / "1.0"
    plugin.mkdir(parents=True)
    (plugin / "libfake.so").touch()
    (plugin / "fake.info").write_text(
        "Name: fake\nDescription: none\nVersion: 1.0\n"
        "APIs: encode-video[h264], decode-video[h264]\nLibraries:\n"
    )
    with firefox(AUTOPLAY, env={"MOZ_GMP_PATH": str(plugin)}) as browser:
        browser.add_init_script(WATCH)
        yield browser


def test_it_upgrades_to_h264_where_it_has_it(with_h264: Firefox, serve: Serve) -> None:
    with_h264.goto(serve(**card()))
    if not with_h264.evaluate(
        "VideoDecoder.isConfigSupported({ codec: 'avc1.42E01F' }).then((it) => it.supported)"
    ):
        pytest.skip("this Firefox decodes no H.264 (on Debian it needs libavcodec59)")
    wait_for_mode(with_h264, "webrtc")
    wait_for_pictures(with_h264)
    assert with_h264.evaluate(CODEC) == "video/H264"
    assert with_h264.errors == []
