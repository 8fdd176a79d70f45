"""A client's link with delay, jitter, rate, queue and loss, from user space: it needs no `netem`.

Two TUN devices, one in the namespace at either end, and a process that carries the packets between
them. What it counts is what was on the wire: IP packets with their headers.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from .child import Child, child, obey
from .netns import CLIENT_LINK, Namespaces, finish_client_link, ip
from .shaping import Line, Shape

DEVICE_QUEUE_PACKETS = 2000
"""In the kernel, before the process reads them; it is there for bursts only."""
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_PACKET_MAX_BYTES = 65_536
_PACKETS_AT_ONCE = 64


@dataclass(slots=True)
class Counts:
    """One direction and protocol, in IP packets."""

    sent_packets: int = 0
    """By the host at this end."""
    sent_bytes: int = 0
    delivered_packets: int = 0
    delivered_bytes: int = 0
    lost_packets: int = 0
    """At random."""
    overflowed_packets: int = 0
    """For which the queue had no room."""
    blocked_packets: int = 0

    def __add__(self, other: Counts) -> Counts:
        mine, its = asdict(self), asdict(other)
        return Counts(**{key: mine[key] + its[key] for key in mine})


@dataclass(frozen=True, slots=True)
class WayCounts:
    """One direction."""

    udp: Counts
    tcp: Counts
    other: Counts
    queued_bytes: int
    """Before the bottleneck, now."""

    @property
    def total(self) -> Counts:
        return self.udp + self.tcp + self.other


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """Since the link is up. ``down`` is towards the client."""

    down: WayCounts
    up: WayCounts


class TunLink:
    """A running link."""

    def __init__(self, process: Child, down: Shape, up: Shape) -> None:
        self._process = process
        self.pid = process.pid
        self.down, self.up = down, up

    def change(self, down: Shape | None = None, up: Shape | None = None) -> None:
        """From now on."""
        self.down, self.up = down or self.down, up or self.up
        self._process.ask("change", down=asdict(self.down), up=asdict(self.up))

    def block_udp(self, blocked: bool = True) -> None:
        """Both ways. Unlike with a firewall on it, the host is not told."""
        self.change(replace(self.down, block_udp=blocked), replace(self.up, block_udp=blocked))

    def stall(self, seconds: float) -> None:
        """Nothing moves, both ways, for so long; nothing is lost but what the queue cannot hold."""
        self._process.ask("stall", seconds=seconds)

    def counts(self) -> LinkCounts:
        ways = {}
        for name, way in self._process.ask("counts").items():
            queued_bytes = way.pop("queued_bytes")
            protocols = {protocol: Counts(**counts) for protocol, counts in way.items()}
            ways[name] = WayCounts(queued_bytes=queued_bytes, **protocols)
        return LinkCounts(**ways)


@contextmanager
def tun_link(
    net: Namespaces,
    down: Shape = Shape(),  # noqa: B008 - frozen
    up: Shape = Shape(),  # noqa: B008
    *,
    seed: int = 0,
) -> Iterator[TunLink]:
    """Connect the client of ``namespaces(link=False)``. ``down`` shapes what comes to it; ``seed``
    decides which packets are lost. Both ends have their addresses from now on, and servers can be
    started.

    Raises:
        RuntimeError: where that is not allowed.
    """
    ends = [[net.near.name, *CLIENT_LINK], [net.client.name, *reversed(CLIENT_LINK)]]
    with child(__name__, json.dumps({"ends": ends, "seed": seed})) as process:
        link = TunLink(process, down, up)
        link.change()
        finish_client_link(net)
        yield link


class _Way:
    """One direction, in the process of its own."""

    def __init__(self, source: int, target: int, seed: int) -> None:
        self._source, self._target = source, target
        self._random = random.Random(seed)
        self._counts = {name: Counts() for name in ("udp", "tcp", "other")}
        self.line: Line[bytes] = Line(Shape(), self._arrived, seed=seed)
        asyncio.get_running_loop().add_reader(source, self._read)

    def _read(self) -> None:
        for _ in range(_PACKETS_AT_ONCE):
            try:
                self._enter(os.read(self._source, _PACKET_MAX_BYTES))
            except BlockingIOError:
                return

    def _enter(self, packet: bytes) -> None:
        shape, counts = self.line.shape, self._counts[protocol(packet)]
        counts.sent_packets += 1
        counts.sent_bytes += len(packet)
        if shape.block_udp and counts is self._counts["udp"]:
            counts.blocked_packets += 1
        elif shape.loss and self._random.random() < shape.loss:
            counts.lost_packets += 1
        elif not self.line.fits(len(packet)):
            counts.overflowed_packets += 1
        else:
            self.line.put(len(packet), packet)

    def _arrived(self, packet: bytes) -> None:
        counts = self._counts[protocol(packet)]
        counts.delivered_packets += 1
        counts.delivered_bytes += len(packet)
        with suppress(OSError):  # the device is going away
            os.write(self._target, packet)

    def counts(self) -> dict[str, Any]:
        protocols = {name: asdict(counts) for name, counts in self._counts.items()}
        return {**protocols, "queued_bytes": self.line.queued_bytes}


def protocol(packet: bytes) -> str:
    """Which of those that are counted, by the IP header."""
    number = packet[9] if packet[0] >> 4 == 4 else packet[6]
    return {6: "tcp", 17: "udp"}.get(number, "other")


def open_tun(namespace: str, address: str, peer: str) -> int:
    """A device in this namespace; it is there as long as the descriptor is open. WebRTC takes what
    is not called eth* for a lesser one."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wanted = struct.pack("16sH22x", b"wsstream%d", _IFF_TUN | _IFF_NO_PI)
    name = fcntl.ioctl(descriptor, _TUNSETIFF, wanted)[:16].rstrip(b"\0").decode()
    ip("link", "set", name, "netns", namespace, "name", "eth0")
    ip("-n", namespace, "address", "add", address, "peer", peer, "dev", "eth0")
    queue = ("txqueuelen", str(DEVICE_QUEUE_PACKETS))
    ip("-n", namespace, "link", "set", "eth0", "mtu", "1500", *queue, "up")
    return descriptor


async def _main(options: str) -> None:
    given = json.loads(options)
    near, client = (open_tun(*end) for end in given["ends"])
    down, up = _Way(near, client, given["seed"]), _Way(client, near, given["seed"] + 1)

    def change(**shapes: dict[str, Any]) -> None:
        down.line.change(Shape(**shapes["down"]))
        up.line.change(Shape(**shapes["up"]))

    def stall(seconds: float) -> None:
        down.line.stall(seconds)
        up.line.stall(seconds)

    def counts() -> dict[str, Any]:
        return {"down": down.counts(), "up": up.counts()}

    await obey("up", {"change": change, "stall": stall, "counts": counts})


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
