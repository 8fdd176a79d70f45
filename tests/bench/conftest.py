"""Machines of their own, for the tests that may have them, and someone to talk to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bench.harness import netns


@pytest.fixture
def root() -> None:
    """Skips the test where there can be no namespaces."""
    can, reason = netns.available()
    if not can:
        pytest.skip(reason)


class Target:
    """A TCP server that sends what it is sent back, or after a first byte ``s`` sends without end,
    or after ``r`` only reads."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.sent_bytes = 0
        self.read_bytes: dict[int, int] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                number = len(self.connections) - 1
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            mode = connection.recv(1)
            while mode == b"s":
                self.sent_bytes += connection.send(bytes(4096))
            while data := connection.recv(65_536):
                self.read_bytes[number] = self.read_bytes.get(number, 0) + len(data)
                if mode == b"e":
                    connection.sendall(data)


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.close()
