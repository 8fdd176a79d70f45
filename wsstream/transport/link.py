"""The TCP connection under a WebSocket, where the server lets us at it: tuned so that little waits
unseen in buffers, and cut off when it has to be."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import sys
from contextlib import suppress
from typing import Protocol

if sys.platform == "linux":
    import fcntl
else:
    fcntl = None

WRITE_BUFFER_BYTES = 32 * 1024
"""``send`` waits while more than this is left in the process."""
NOTSENT_LOWAT_BYTES = 16 * 1024
"""The kernel takes no more while this much of what it has was never sent (RFC 793 leaves it free;
Linux and macOS have the option)."""
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", None)
RTO_MIN_MS = 60
"""What is lost is sent again a round trip and at least this long after it was sent: 200 ms unless
told, ten packets of sound. Acknowledgements are delayed by 40 ms (Linux) and more (RFC 9293 section
3.8.6.3: up to 500), but for every other segment, and sound alone is a segment each 20 ms."""
_THIN_LINEAR_TIMEOUTS, _RTO_MIN_US = 16, 45  # linux/tcp.h; Python has no names for them
_ON_LINUX = (
    # What is lost again and again is sent again after the same time each, not after twice the last
    # one, where few segments are under way: half a second without sound, not two.
    (_THIN_LINEAR_TIMEOUTS, 1),
    (_RTO_MIN_US, RTO_MIN_MS * 1000),  # since 6.15
)

_SIOCOUTQ = 0x5411  # linux/sockios.h
_INFO = struct.Struct("=xB14xI4xI40xI8xI60xI")
"""Of ``struct tcp_info`` (linux/tcp.h): state, snd_mss, unacked, rtt, snd_cwnd, notsent_bytes."""
_OPEN = 0
"""The ``ca_state`` in which nothing is thought to be lost."""
_PROBE_SEGMENTS = 4
"""The congestion window of BBR's ProbeRTT (draft-ietf-ccwg-bbr, BBRMinPipeCwnd)."""

EXTENSION = "wsstream.link"
"""The key in an ASGI scope's ``extensions``."""


class Gauges(Protocol):
    """What is known of a connection."""

    @property
    def queued_bytes(self) -> int:
        """What the other side has not got yet, as far as can be known."""

    def wait_ms(self, size: int) -> float:
        """By how much longer than a round trip so many bytes more would take, while TCP takes
        little to measure one; else 0."""


class NoGauges:
    """Of one that another server keeps to itself."""

    queued_bytes = 0

    def wait_ms(self, size: int) -> float:
        return 0.0


class Link:
    """One connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def tune(self) -> None:
        """Small buffers, no Nagle. What the system does not offer is left as it is."""
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _NOTSENT_LOWAT is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
        for option, value in _ON_LINUX if sys.platform == "linux" else ():
            with suppress(OSError):  # an older kernel
                connection.setsockopt(socket.IPPROTO_TCP, option, value)

    @property
    def buffered_bytes(self) -> int:
        """What waits in the process."""
        return self._transport.get_write_buffer_size()

    @property
    def queued_bytes(self) -> int:
        """What the other side has not got yet, as far as can be known: what waits in the process,
        and on Linux what its kernel has sent and not seen acknowledged, or not sent at all."""
        connection = self._transport.get_extra_info("socket")
        queued = 0
        if fcntl is not None and connection is not None and connection.fileno() >= 0:
            try:
                answer = fcntl.ioctl(connection.fileno(), _SIOCOUTQ, b"\0\0\0\0")
                queued = int.from_bytes(answer, sys.byteorder)
            except OSError:
                pass
        return queued + self.buffered_bytes

    def wait_ms(self, size: int) -> float:
        """See the port. A round trip for each congestion window that they fill, those before them
        included; 0 where the system does not tell."""
        connection = self._transport.get_extra_info("socket")
        if sys.platform != "linux" or connection is None or connection.fileno() < 0:
            return 0.0
        try:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        except OSError:
            return 0.0
        return probe_wait_ms(info, size + self.buffered_bytes)

    def abort(self) -> None:
        """Cut it off: its reader takes nothing, so no goodbye will reach it."""
        self._transport.abort()


def probe_wait_ms(info: bytes, size: int) -> float:
    """By how much longer than a round trip so many bytes take, by a ``struct tcp_info``, while TCP
    looks for the least round trip there is; else 0. A window that is as small because much was
    lost, or because all has just begun, is no reason to wait."""
    if len(info) < _INFO.size:  # an older kernel
        return 0.0
    state, segment, unacked, rtt_us, segments, unsent = _INFO.unpack(info[: _INFO.size])
    if state != _OPEN or not 0 < segments <= _PROBE_SEGMENTS:
        return 0.0
    trips = math.ceil((segment * unacked + unsent + size) / max(1, segment * segments))
    return float(max(0, trips - 1) * rtt_us / 1000)
