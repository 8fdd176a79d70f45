"""Whether viewers on bad links touch the others, and what one that reads nothing costs.

    python -m bench crowd

Fifty viewers of one shared session of the test card, 1280x720 at 20 fps, as JPEGs: first all on
good links; then, in the same run, one of them frozen, one at 100 kbit/s and one at 750 kbit/s with
200 ms of round trip (3G), through a shaping relay. The good ones' pictures and intervals are to be
the same. The last row is the server's memory for each of forty viewers that read nothing at all.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from .harness.cpu import memory_bytes
from .harness.load import viewers
from .harness.relay import shaped_relay
from .harness.server import Server, serving
from .harness.shaping import Shape
from .loopback import card
from .report import Report
from .steps import Steps

SIZE, FPS = "1280x720", 20
GOOD, STALLED = 47, 40
SLOW = {
    "100 kbit/s": Shape(rate_kbps=100, delay_ms=20),
    "3G": Shape(rate_kbps=750, delay_ms=100),
}
_HANDSHAKE = (
    "GET /ws/facetime/ada HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def measure(*, quick: bool, step: Steps) -> Report:
    """One row for each crowd, and one for those that read nothing."""
    seconds = 4.0 if quick else 20.0
    step.plan(3)
    rows: list[dict[str, Any]] = []
    config = card(SIZE, FPS, shared=True, mode="ws") | {"limits": {"viewers_per_address": 200}}
    with serving(config) as server:
        step(f"{GOOD} good ones and 3 more")
        with viewers(server.url, 3, video="jpeg"):
            rows.append({"what": f"{GOOD} beside 3 good ones", **_good(server, seconds)})
        step(f"{GOOD} good ones and 3 bad ones")
        with ExitStack() as stack:
            stack.enter_context(_stalled(server, 1))
            for shape in SLOW.values():
                relay = stack.enter_context(shaped_relay(urlsplit(server.url).port or 80, shape))
                stack.enter_context(viewers(relay.url, 1, video="jpeg"))
            rows.append({"what": f"{GOOD} beside 3 bad ones", **_good(server, seconds)})
        step(f"{STALLED} that read nothing")
        before = memory_bytes(server.pid)
        with _stalled(server, STALLED):
            time.sleep(seconds)
            held = (memory_bytes(server.pid) - before) / STALLED / 1000
        rows.append({"what": "each that reads nothing", "memory_kB": held})
    return Report(f"One shared session, {SIZE} at {FPS} fps, JPEG", rows)


def _good(server: Server, seconds: float) -> dict[str, float]:
    with viewers(server.url, GOOD, video="jpeg") as load:
        time.sleep(3)
        load.ask("intervals")
        before = load.ask("received")["video"]
        time.sleep(seconds)
        intervals, after = load.ask("intervals"), load.ask("received")["video"]
    return {
        "fps": (after - before) / seconds / GOOD,
        "interval_p50_ms": intervals["p50"],
        "interval_p95_ms": intervals["p95"],
    }


def _stalled(server: Server, count: int) -> ExitStack:
    """Sockets that shake hands and never read again."""
    host, port = urlsplit(server.url).hostname or "", urlsplit(server.url).port or 80
    stack = ExitStack()
    for _ in range(count):
        connection = stack.enter_context(socket.socket())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((host, port))
        connection.sendall(_HANDSHAKE.format(host=f"{host}:{port}").encode())
    return stack
