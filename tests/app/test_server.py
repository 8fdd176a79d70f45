"""Serving: whoever reads nothing costs no memory, and is let go; what is not used is given back."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from tests.servers import WAIT_S, running_server, undisturbed
from wsstream.app import server as serving
from wsstream.protocol.messages import Error

PING = b"\x89\xfd" + bytes(4) + b"x" * 125


@pytest.fixture
def server(monkeypatch):
    with running_server(limits={"linger_s": 0}) as server:
        yield server


@contextmanager
def deaf(server):
    """A WebSocket that reads nothing of what it gets."""
    with socket.socket() as connection:
        connection.settimeout(WAIT_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(
            b"GET /ws/facetime/ada HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in connection.recv(20)
        yield connection


def viewers_left(server, count):
    deadline = time.monotonic() + WAIT_S
    while server.loop_call(lambda: server.registry.viewers) != count:
        assert time.monotonic() < deadline, "it was not let go"
        time.sleep(0.01)


def test_whoever_pings_and_never_reads_is_cut_off(server):
    with undisturbed(server), deaf(server) as connection:
        viewers_left(server, 2)
        pings = PING * (20 * serving.PONGS_MAX_BYTES // len(PING))
        with pytest.raises(ConnectionError):
            connection.sendall(pings)
        viewers_left(server, 1)


def test_whoever_answers_no_ping_is_let_go_though_it_reads_nothing(monkeypatch):
    monkeypatch.setattr(serving, "PING_INTERVAL_S", 0.3)
    monkeypatch.setattr(serving, "PING_TIMEOUT_S", 0.3)
    with running_server(limits={"linger_s": 0}) as server, deaf(server):
        viewers_left(server, 1)
        note = Error(code="note", message="x" * 10_000, fatal=False)
        for _ in range(100):  # more than the connection takes
            server.loop_call(lambda: [s.post(note) for s in server.registry.sessions()])
        viewers_left(server, 0)


def test_memory_is_given_back_as_long_as_it_serves(monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    async def keep_trimmed():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(serving, "keep_trimmed", keep_trimmed)
    with running_server():
        assert begun.wait(WAIT_S)
        assert not ended.is_set()
    assert ended.is_set()
