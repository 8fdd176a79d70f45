"""A TCP relay that behaves like a bottleneck, for anyone: no privileges, no packets.

A sender is held back when the queue before the bottleneck is full, as TCP holds it back on a real
link. What it cannot show: the relay's kernel acknowledges at once, so the sender's own view of the
round trip (TCP_INFO) is loopback's, and nothing is ever lost. For those there is `tunlink`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from .child import Child, child, obey
from .shaping import Line, Shape

SEGMENT_BYTES = 1448
"""As on Ethernet; on loopback they are of 64 KB, and a sender's window is some of them."""
STEP_S = 0.002
"""A piece takes about so long to pass the bottleneck, where a segment takes less."""
PIECE_MAX_BYTES = 65_536
RECEIVE_S, RECEIVE_MIN_BYTES, RECEIVE_MAX_BYTES = 0.02, 2304, 262_144
"""The kernel's buffer before the queue, in time at the rate: what it holds, it holds unseen."""
SEND_BYTES = 131_072
BEHIND_MAX_BYTES = 65_536
"""What has arrived and its reader does not take; more of it is not read."""
WINDOW_BYTES = 4 << 20
"""Of one connection and direction, on its way: a TCP window's bound, for a delay without a rate."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a relay since it began. ``down`` is from the target to whoever connected."""

    connections: int
    down_bytes: int
    """Delivered."""
    up_bytes: int
    down_queued_bytes: int
    """Before the bottleneck, now."""
    up_queued_bytes: int


class Relay:
    """A running relay."""

    def __init__(self, process: Child, down: Shape, up: Shape) -> None:
        self._process = process
        self.port: int = process.greeting
        self.url = f"http://127.0.0.1:{self.port}/"
        self.pid = process.pid
        self.down, self.up = down, up

    def change(self, down: Shape | None = None, up: Shape | None = None) -> None:
        """From now on, for connections that are open as well.

        Raises:
            RuntimeError: for what a relay cannot do.
        """
        down, up = down or self.down, up or self.up
        self._process.ask("change", down=asdict(down), up=asdict(up))
        self.down, self.up = down, up

    def stall(self, seconds: float) -> None:
        """Nothing moves, both ways, for so long; nothing is lost."""
        self._process.ask("stall", seconds=seconds)

    def cut(self) -> None:
        """Reset all connections. New ones are welcome."""
        self._process.ask("cut")

    def counts(self) -> Counts:
        return Counts(**self._process.ask("counts"))


@contextmanager
def shaped_relay(
    target_port: int,
    down: Shape = Shape(),  # noqa: B008 - frozen
    up: Shape = Shape(),  # noqa: B008
    *,
    target_host: str = "127.0.0.1",
    command: Sequence[str] = (),
) -> Iterator[Relay]:
    """A relay on a free loopback port, in a process of its own. ``down`` shapes what the target
    sends. ``command`` goes before the process, such as ``("ip", "netns", "exec", "name")``.

    Raises:
        RuntimeError: for what a relay cannot do, such as losing packets.
    """
    with child(__name__, target_host, str(target_port), command=command) as process:
        relay = Relay(process, down, up)
        relay.change()
        yield relay


class _Way:
    """One direction, shared by all connections."""

    def __init__(self) -> None:
        self.line: Line[tuple[_Flow, bytes]] = Line(Shape(), self._arrived, moved=self._moved)
        self.bytes = 0
        self.flows: set[_Flow] = set()
        self._waiting: deque[tuple[asyncio.Future[None], _Flow, bytes]] = deque()

    async def enter(self, flow: _Flow, data: bytes) -> None:
        """Once the queue has room, and after those who came before: a hungry connection does not
        starve the others."""
        entered = asyncio.get_running_loop().create_future()
        self._waiting.append((entered, flow, data))
        self._moved()
        await entered

    @property
    def piece_bytes(self) -> int:
        rate_kbps = self.line.shape.rate_kbps
        size = round(rate_kbps * 125 * STEP_S) if rate_kbps else PIECE_MAX_BYTES
        return min(max(size, SEGMENT_BYTES), PIECE_MAX_BYTES)

    @property
    def receive_bytes(self) -> int:
        rate_kbps = self.line.shape.rate_kbps
        size = round(rate_kbps * 125 * RECEIVE_S) if rate_kbps else RECEIVE_MAX_BYTES
        return min(max(size, RECEIVE_MIN_BYTES), RECEIVE_MAX_BYTES)

    def change(self, shape: Shape) -> None:
        self.line.change(shape)
        for flow in self.flows:
            limit_receive_buffer(flow.source, self.receive_bytes)
        self._moved()

    def _arrived(self, piece: tuple[_Flow, bytes]) -> None:
        flow, data = piece
        self.bytes += len(data)
        flow.arrived(data)

    def _moved(self) -> None:
        while self._waiting and self.line.fits(len(self._waiting[0][2])):
            entered, flow, data = self._waiting.popleft()
            if not entered.done():  # the connection is still there
                entered.set_result(None)
                self.line.put(len(data), (flow, data))


class _Flow:
    """One direction of one connection."""

    def __init__(self, way: _Way, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self._way, self._target = way, target
        self._under_way_bytes = 0
        self._behind: deque[bytes] = deque()
        self._behind_bytes = 0
        self._may_read, self._may_write = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Until the source has ended and all of it is delivered."""
        self._way.flows.add(self)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._write())
        finally:
            self._way.flows.discard(self)

    def arrived(self, data: bytes) -> None:
        self._under_way_bytes -= len(data)
        self._behind_bytes += len(data)
        self._behind.append(data)
        self._may_write.set()
        self._may_read.set()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        data = b"more"
        while data:
            while self._behind_bytes > BEHIND_MAX_BYTES or self._under_way_bytes > WINDOW_BYTES:
                self._may_read.clear()
                await self._may_read.wait()
            data = await loop.sock_recv(self.source, self._way.piece_bytes)
            self._under_way_bytes += len(data)
            await self._way.enter(self, data)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._behind:
                self._may_write.clear()
                await self._may_write.wait()
            data = self._behind.popleft()
            if not data:
                self._target.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(self._target, data)
            self._behind_bytes -= len(data)
            self._may_read.set()


class _Relay:
    """In the process of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._down, self._up = _Way(), _Way()
        self._open: set[asyncio.Task[None]] = set()
        self._count = 0

    async def run(self) -> None:
        with tcp_socket() as listener:
            limit_receive_buffer(listener, RECEIVE_MIN_BYTES)
            listener.bind(("127.0.0.1", 0))
            listener.listen(100)
            accepting = asyncio.create_task(self._accept(listener))
            commands: dict[str, Callable[..., Any]] = {
                "change": self._change,
                "stall": self._stall,
                "cut": self._cut,
                "counts": self._counts,
            }
            await obey(listener.getsockname()[1], commands)
            accepting.cancel()
            self._cut()
            await asyncio.gather(accepting, *self._open, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(listener)
            self._count += 1
            task = asyncio.create_task(self._connect(client))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _connect(self, client: socket.socket) -> None:
        with client, tcp_socket() as server:
            try:
                for side, way in ((client, self._up), (server, self._down)):
                    side.setblocking(False)
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    limit_receive_buffer(side, way.receive_bytes)
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
                # The kernel has shaken hands already; a handshake takes a round trip.
                ways = (self._up.line.shape, self._down.line.shape)
                await asyncio.sleep(sum(shape.delay_ms for shape in ways) / 1000)
                await asyncio.get_running_loop().sock_connect(server, self._address)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_Flow(self._up, client, server).run())
                    tasks.create_task(_Flow(self._down, server, client).run())
            except* (OSError, asyncio.CancelledError):
                for side in (client, server):  # a reset is passed on as one
                    with suppress(OSError):
                        linger = struct.pack("ii", 1, 0)
                        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _change(self, down: dict[str, Any], up: dict[str, Any]) -> None:
        shapes = Shape(**down), Shape(**up)
        if any(shape.loss or shape.block_udp for shape in shapes):
            raise ValueError("a TCP relay has no packets to lose or block: use a tun_link")
        self._down.change(shapes[0])
        self._up.change(shapes[1])

    def _stall(self, seconds: float) -> None:
        self._down.line.stall(seconds)
        self._up.line.stall(seconds)

    def _cut(self) -> None:
        for task in self._open:
            task.cancel()

    def _counts(self) -> dict[str, int]:
        down, up = self._down, self._up
        return asdict(
            Counts(self._count, down.bytes, up.bytes, down.line.queued_bytes, up.line.queued_bytes)
        )


def tcp_socket() -> socket.socket:
    """One with Ethernet's segments; they are agreed upon when it connects."""
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    return made


def limit_receive_buffer(of: socket.socket, size: int) -> None:
    of.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size // 2)  # the kernel doubles it


async def _main(host: str, port: str) -> None:
    await _Relay(host, int(port)).run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
