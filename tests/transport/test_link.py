"""The TCP connection under a WebSocket: tuned, measured, cut off."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import asynccontextmanager

import pytest

from wsstream.transport.link import (
    NOTSENT_LOWAT_BYTES,
    RTO_MIN_MS,
    WRITE_BUFFER_BYTES,
    Link,
    NoGauges,
    probe_wait_ms,
)

WAIT_S = 5.0


@asynccontextmanager
async def connected():
    """A server's side of a connection, and its peer, which reads nothing by itself."""
    accepted = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        accepted.set_result(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(WAIT_S):
        host, port = server.sockets[0].getsockname()
        peer = socket.create_connection((host, port))
        writer = await accepted
        try:
            yield writer.transport, peer
        finally:
            writer.transport.abort()
            peer.close()


def option(transport, name):
    return transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, name)


async def test_little_waits_unseen():
    async with connected() as (transport, _):
        Link(transport).tune()
        assert transport.get_write_buffer_limits()[1] == WRITE_BUFFER_BYTES
        assert option(transport, socket.TCP_NODELAY) == 1


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the system has it not")
async def test_the_kernel_takes_little_that_it_cannot_send():
    async with connected() as (transport, _):
        Link(transport).tune()
        assert option(transport, socket.TCP_NOTSENT_LOWAT) == NOTSENT_LOWAT_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="the system has it not")
async def test_what_is_lost_again_and_again_does_not_take_longer_each_time():
    async with connected() as (transport, _):
        Link(transport).tune()
        assert option(transport, 16) == 1


def knows_rto_min():
    with socket.socket() as one:
        try:
            return sys.platform == "linux" and one.getsockopt(socket.IPPROTO_TCP, 45) > 0
        except OSError:
            return False


@pytest.mark.skipif(not knows_rto_min(), reason="Linux has it since 6.15")
async def test_what_is_lost_is_sent_again_before_the_sound_runs_out():
    async with connected() as (transport, _):
        Link(transport).tune()
        assert option(transport, 45) == RTO_MIN_MS * 1000


async def test_what_waits_in_the_process_is_known():
    async with connected() as (transport, _):
        link = Link(transport)
        link.tune()
        assert link.buffered_bytes == 0
        transport.write(bytes(8_000_000))  # more than any socket takes at once
        assert 0 < link.buffered_bytes < 8_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
async def test_what_the_peer_has_not_got_is_known():
    async with connected() as (transport, peer):
        link = Link(transport)
        link.tune()
        assert link.queued_bytes == 0
        transport.write(bytes(8_000_000))
        assert link.buffered_bytes < link.queued_bytes <= 8_000_000
        while link.queued_bytes:
            await asyncio.to_thread(peer.recv, 1_000_000)


async def test_of_a_closed_connection_nothing_is_queued():
    async with connected() as (transport, _):
        transport.abort()
        await asyncio.sleep(0.01)
        assert Link(transport).queued_bytes == 0


async def test_cut_off_the_peer_is_told_nothing_and_what_waits_is_forgotten():
    async with connected() as (transport, peer):
        link = Link(transport)
        transport.write(bytes(8_000_000))
        link.abort()
        await asyncio.sleep(0)
        assert transport.is_closing()
        peer.settimeout(WAIT_S)
        assert await asyncio.to_thread(read_all, peer) < 8_000_000


def read_all(peer):
    """How much came before the end, whether or not it was a proper one."""
    taken = 0
    try:
        while data := peer.recv(65_536):
            taken += len(data)
    except ConnectionResetError:
        pass
    return taken


class Elsewhere:
    """A transport that is no TCP: a pipe, a Unix socket, a test."""

    def __init__(self, found):
        self.found = found
        self.limits = None

    def set_write_buffer_limits(self, high):
        self.limits = high

    def get_extra_info(self, name):
        return self.found


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="the system has no Unix sockets")
def test_what_is_no_tcp_is_left_as_it_is():
    with socket.socket(socket.AF_UNIX) as unix:
        for found in (None, unix):
            transport = Elsewhere(found)
            Link(transport).tune()
            assert transport.limits == WRITE_BUFFER_BYTES


def tcp_info(*, state=0, segment=1448, unacked=0, rtt_us=44_000, segments=4, unsent=0):
    """As Linux fills it: each field at its place."""
    info = bytearray(232)
    info[1] = state
    for at, value in ((16, segment), (24, unacked), (68, rtt_us), (80, segments), (144, unsent)):
        struct.pack_into("=I", info, at, value)
    return bytes(info)


def test_while_tcp_measures_the_round_trip_a_large_picture_takes_many():
    assert probe_wait_ms(tcp_info(), 4 * 1448) == 0
    assert probe_wait_ms(tcp_info(), 24_000) == 4 * 44
    assert probe_wait_ms(tcp_info(unacked=4, unsent=4 * 1448), 4 * 1448) == 2 * 44


@pytest.mark.parametrize("other", [{"state": 3}, {"state": 4}, {"segments": 10}, {"segments": 0}])
def test_a_small_window_of_another_reason_is_none(other):
    assert probe_wait_ms(tcp_info(**other), 1_000_000) == 0
    assert probe_wait_ms(b"", 1_000_000) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
async def test_what_tcp_tells_of_itself_is_where_it_is_looked_for():
    async with connected() as (transport, _):
        transport.write(bytes(30_000_000))  # nobody reads
        connection = transport.get_extra_info("socket")
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
        segment, unacked, segments, unsent = (
            struct.unpack_from("=I", info, at)[0] for at in (16, 24, 80, 144)
        )
        assert 500 < segment < 66_000
        assert segments >= 10
        queued = Link(transport).queued_bytes - transport.get_write_buffer_size()
        assert unsent <= queued <= unsent + unacked * segment + segment
        assert Link(transport).wait_ms(10**6) == 0  # such a window is no probe's


async def test_of_a_connection_that_is_gone_or_of_another_server_nothing_is_known():
    async with connected() as (transport, _):
        transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert Link(transport).wait_ms(10**9) == 0
    assert (NoGauges().wait_ms(10**9), NoGauges().queued_bytes) == (0, 0)
