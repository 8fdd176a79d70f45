"""From navigation to the first picture and the first sound: the WebSocket first, or WebRTC alone.

    python -m bench startup

`websocket first` is wsstream's page. `webrtc alone` is the least page there can be that plays the
same agent by WHEP, without a line of ours: it has nothing to load, and still has to wait for ICE
and DTLS. The server runs already; each load is a new browser context, so that nothing is cached.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from .harness.browser import AUTOPLAY, chromium
from .harness.server import serving
from .report import Report
from .steps import Steps

TIMEOUT_MS = 20_000
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
  Object.assign(globalThis, {{ firstPictureMs: 0, firstSoundMs: 0 }});
  {_LISTEN}
  const wait = () => {{
    const stream = document.querySelector("ws-stream");
    const stats = stream?.stats?.();
    if (stats?.pictures.drawn && !firstPictureMs) firstPictureMs = performance.now();
    if (stream?.audioNode && !wait.heard) {{
      wait.heard = true;
      hear(stream.audioNode.context, stream.audioNode);
    }}
    if (!firstPictureMs || !wait.heard) requestAnimationFrame(wait);
  }};
  requestAnimationFrame(wait);
"""
WHEP = f"""<!doctype html><video autoplay muted playsinline></video><script>
  Object.assign(globalThis, {{ firstPictureMs: 0, firstSoundMs: 0 }});
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
    times = 5 if quick else 20
    step.plan(2 * times)
    card = {"provider": "testcard", "tone_hz": 440}
    config = {"agents": {"ada": {"size": "1280x720", "fps": 20, "avatar": card}}}
    took: dict[str, list[tuple[float, float]]] = {"websocket first": [], "webrtc alone": []}
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


def _load(browser: Browser, url: str, whep: bool) -> tuple[float, float]:
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
            "globalThis.firstPictureMs && globalThis.firstSoundMs", timeout=TIMEOUT_MS
        )
        first_ms: tuple[float, float] = tuple(page.evaluate("[firstPictureMs, firstSoundMs]"))
        return first_ms
    finally:
        context.close()


def _figures(found: list[tuple[float, float]]) -> dict[str, Any]:
    """Medians, half of all loads lie within ``iqr``, and the worst."""
    row: dict[str, Any] = {"loads": len(found)}
    for name, ms in zip(("picture", "sound"), np.array(found).T, strict=True):
        low, middle, high = np.percentile(ms, (25, 50, 75))
        row |= {
            f"{name}_p50_ms": float(middle),
            f"{name}_iqr_ms": float(high - low),
            f"{name}_max_ms": float(ms.max()),
        }
    return row
