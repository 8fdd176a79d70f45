"""Whoever stops reading holds a bounded part of the server's memory, under any server that the
application may be mounted in, is let go in the end, and nobody beside it misses a picture.

Counted is what waits in the process: the event loop's buffer of the connection. Not counted is what
the kernel has taken, which is bounded by its own limits (``net.ipv4.tcp_wmem`` on Linux), and by
``TCP_NOTSENT_LOWAT`` where our own protocol serves.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from tests.servers import WAIT_S, running_server, viewing
from wsstream.app import facetime
from wsstream.protocol.frames import FrameType
from wsstream.transport import websocket
from wsstream.transport.link import WRITE_BUFFER_BYTES

PERIOD_MS = 50
CARD = {
    "title": "Card",
    "size": "1280x720",
    "fps": 1000 / PERIOD_MS,
    "shared": True,
    "jpeg_quality": 95,
    "avatar": {"provider": "testcard"},
    "voice": {"engine": "fake"},
}
UVICORN_BUFFER_BYTES = 64 * 1024
"""asyncio's default, which uvicorn keeps: ``send`` waits while more than this is left."""
OURS = "wsstream.app.server:WebSocketProtocol"
HANDSHAKE = (
    b"GET /ws/facetime/ada HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
HEADERS_BYTES = 10 + 12
"""Of a WebSocket message (RFC 6455 section 5.2) and of one of ours."""


def text_frame(type, **fields):
    """A short one, masked with nothing (RFC 6455 section 5.2)."""
    data = json.dumps({"type": type, **fields}, separators=(",", ":")).encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data)]) + bytes(4) + data


class Stalled:
    """A viewer that reads nothing after the handshake. It may say that it does."""

    def __init__(self, port, client, acks):
        self.client = client
        self._acks = acks
        self._connection = socket.socket()
        self._connection.settimeout(WAIT_S)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._connection.connect(("127.0.0.1", port))
        self._connection.sendall(HANDSHAKE)
        assert b"101" in self._connection.recv(20)
        self._connection.sendall(text_frame("hello", protocol=1, client=client))
        self.address = self._connection.getsockname()

    def acknowledge(self):
        """All that was ever sent, and more."""
        if self._acks:
            self._connection.sendall(text_frame("ack", video=(1 << 31) - 1))

    def close(self):
        self._connection.close()


@contextmanager
def stalled(port, client, acks):
    viewer = Stalled(port, client, acks)
    try:
        yield viewer
    finally:
        viewer.close()


@contextmanager
def watching(server):
    """One who reads all the while."""
    stop = threading.Event()
    with viewing(server.ws()) as viewer:
        viewer.send("hello", protocol=1, client="good")
        viewer.frame(FrameType.VIDEO)

        def read():
            while not stop.is_set():
                viewer.receive()

        reading = threading.Thread(target=read, name="good viewer")
        reading.start()
        try:
            yield viewer
        finally:
            stop.set()
            reading.join(WAIT_S)


class Samples:
    """What the server has of each viewer, as it goes on."""

    def __init__(self, server, readers):
        self._server = server
        self._readers = readers
        self.held_bytes = {reader.client: 0 for reader in readers}
        self.counters = {}
        self.skipped = 0

    def take(self):
        """Who is there."""
        stats, waiting, skipped = self._server.loop_call(self._look)
        for client, size in waiting.items():
            self.held_bytes[client] = max(self.held_bytes[client], size)
        self.counters.update({viewer["client"]: viewer for viewer in stats})
        self.skipped = skipped
        return {viewer["client"] for viewer in stats}

    def _look(self):
        (session,) = self._server.registry.sessions()
        connections = {c.get_extra_info("peername"): c for c in self._server.connections()}
        waiting = {
            reader.client: connections[reader.address].get_write_buffer_size()
            for reader in self._readers
            if reader.address in connections
        }
        return session.stats()["viewers"], waiting, session.counters()["pictures_skipped"]


def until(condition):
    deadline = time.monotonic() + 2 * WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "they are not let go"
        time.sleep(0.02)


# The oldest of uvicorn's implementations says that it is.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", ["websockets", "websockets-sansio", "wsproto", OURS, "own server"])
def test_whoever_stops_reading_holds_little_and_is_let_go_and_nobody_else_notices(ws, monkeypatch):
    monkeypatch.setattr(websocket, "STALLED_S", 1.5)
    monkeypatch.setattr(facetime, "CLOSE_TIMEOUT_S", 0.1)
    plain = None if ws == "own server" else {"ws": ws, "ws_per_message_deflate": False}
    tuned = ws in (OURS, "own server")
    with (
        running_server({"ada": CARD}, plain=plain, limits={"linger_s": 0}) as server,
        watching(server) as good,
        stalled(server.port, "says nothing", acks=False) as silent,
        stalled(server.port, "says it has all", acks=True) as liar,
    ):
        samples = Samples(server, [silent, liar])

        def alone():
            liar.acknowledge()
            return samples.take() == {"good"}

        until(alone)
        if tuned:  # elsewhere nothing can cut a connection off, which then stays as it is
            until(lambda: len(server.loop_call(server.connections)) == 1)
    pictures = [frame for frame in good.frames if frame.type == FrameType.VIDEO]
    largest = max(len(picture.payload) for picture in pictures)
    most = (WRITE_BUFFER_BYTES if tuned else UVICORN_BUFFER_BYTES) + largest + HEADERS_BYTES
    for reader in (silent, liar):
        assert 0 < samples.held_bytes[reader.client] <= most
        assert samples.counters[reader.client]["pictures_replaced"] > 10
        assert samples.counters[reader.client]["packets_dropped"] > 10
    times = [picture.timestamp_ms for picture in pictures]
    missing = (times[-1] - times[0]) / PERIOD_MS + 1 - len(times)
    # What a busy machine had no time for is counted; nothing else may be missing.
    own = samples.counters["good"]
    assert missing <= own["pictures_replaced"] + own["pictures_stale"] + samples.skipped
    assert own["packets_dropped"] == 0
