"""From navigation to the first picture and the first sound: the WebSocket first, or WebRTC alone.

    python -m bench startup

`websocket first` is wsstream's page. `webrtc alone` is the least page there can be that plays the
same agent by WHEP, without a line of ours: it has nothing to load, and still has to wait for ICE
and DTLS. `socket` is from the opening of the WebSocket to the first picture, `upgrade` from
navigation to where media come by WebRTC. The server runs already; each load is a new browser
context, so that nothing is cached.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from .harness.browser import AUTOPLAY, chromium
from .harness.server import serving
from .report import Report
from .steps import Steps

TIMEOUT_MS = 20_000
NAMES = ("picture", "sound", "socket", "upgrade")
Load: TypeAlias = list[float]
"""Ms, in the order of the names."""
_LISTEN = """
  const hear = (context, node) => {
    const analyser = context.createAnalyser();
    node.connect(analyser);
    const data = new Float32Array(analyser.fftSize);
    const look = () => {
      analyser.getFloatTimeDomainData(data);
      if (data.some((x) => Math.abs(x) > 0.02)) firstSoundMs = performance.now();
      else setTimeout(look, 5);
    };
    look();
  };
"""
OURS = f"""
  Object.assign(globalThis, {{ firstPictureMs: 0, firstSoundMs: 0, openedMs: 0, upgradedMs: 0 }});
  {_LISTEN}
  const Native = WebSocket;
  globalThis.WebSocket = class extends Native {{
    constructor(...args) {{
      super(...args);
      this.addEventListener("open", () => (openedMs ||= performance.now()));
    }}
  }};
  const {{ prototype }} = CanvasRenderingContext2D;
  const {{ drawImage }} = prototype;
  prototype.drawImage = function (...args) {{
    drawImage.apply(this, args);
    const {{ shadowRoot }} = document.querySelector("ws-stream");
    if (this.canvas !== shadowRoot.querySelector("canvas")) return;
    firstPictureMs = performance.now();
    prototype.drawImage = drawImage;
  }};
  const wait = () => {{
    const node = document.querySelector("ws-stream")?.audioNode;
    if (node) hear(node.context, node);
    else setTimeout(wait, 5);
  }};
  wait();
  addEventListener("modechange", ({{ detail }}) => {{
    if (detail.mode === "webrtc") upgradedMs ||= performance.now();
  }}, {{ capture: true }});
"""
WHEP = f"""<!doctype html><video autoplay muted playsinline></video><script>
  Object.assign(globalThis, {{ firstPictureMs: 0, firstSoundMs: 0 }});
  Object.assign(globalThis, {{ openedMs: NaN, upgradedMs: NaN }});
  {_LISTEN}
  const video = document.querySelector("video");
  const peer = new RTCPeerConnection({{ iceServers: [] }});
  const stream = (video.srcObject = new MediaStream());
  const context = new AudioContext();
  peer.ontrack = ({{ track }}) => {{
    stream.addTrack(track);
    if (track.kind === "audio") hear(context, context.createMediaStreamSource(stream));
  }};
  video.requestVideoFrameCallback(() => (firstPictureMs = performance.now()));
  for (const kind of ["audio", "video"]) peer.addTransceiver(kind, {{ direction: "recvonly" }});
  (async () => {{
    await peer.setLocalDescription();
    const answer = await fetch("/whep/ada", {{
      method: "POST", headers: {{ "content-type": "application/sdp" }},
      body: peer.localDescription.sdp,
    }});
    await peer.setRemoteDescription({{ type: "answer", sdp: await answer.text() }});
  }})();
</script>"""


def measure(*, quick: bool, step: Steps) -> Report:
    """One row for each way."""
    times = 4 if quick else 20
    step.plan(2 * times)
    card = {"provider": "testcard", "tone_hz": 440}
    config = {"agents": {"ada": {"size": "1280x720", "fps": 20, "avatar": card}}}
    took: dict[str, list[Load]] = {"websocket first": [], "webrtc alone": []}
    with (
        serving(config) as server,
        sync_playwright() as playwright,
        chromium(playwright, AUTOPLAY) as browser,
    ):
        for n in range(times):
            for name, found in took.items():
                step(f"{name}, {n + 1} of {times}")
                found.append(_load(browser, server.url, name == "webrtc alone"))
    return Report(
        "From navigation to picture and sound, on this machine",
        [{"what": name, **_figures(found)} for name, found in took.items()],
    )


def _load(browser: Browser, url: str, whep: bool) -> Load:
    context = browser.new_context()
    try:
        page = context.new_page()
        if whep:
            page.route(
                f"{url}player", lambda route: route.fulfill(body=WHEP, content_type="text/html")
            )
        else:
            page.add_init_script(OURS)
        page.goto(f"{url}player" if whep else url)
        page.wait_for_function(
            "globalThis.firstPictureMs && firstSoundMs && upgradedMs !== 0", timeout=TIMEOUT_MS
        )
        return list(
            page.evaluate("[firstPictureMs, firstSoundMs, firstPictureMs - openedMs, upgradedMs]")
        )
    finally:
        context.close()


def _figures(found: list[Load]) -> dict[str, Any]:
    """Medians, half of all loads lie within ``iqr``, and the worst."""
    row: dict[str, Any] = {"loads": len(found)}
    for name, ms in zip(NAMES, np.array(found).T, strict=True):
        if np.isnan(ms).any():
            continue
        low, middle, high = np.percentile(ms, (25, 50, 75))
        row |= {
            f"{name}_p50_ms": float(middle),
            f"{name}_iqr_ms": float(high - low),
            f"{name}_max_ms": float(ms.max()),
        }
    return row
