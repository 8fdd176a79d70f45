from __future__ import annotations

import fcntl
import socket
import statistics
import struct
import termios
import threading
import time

import pytest

from bench.harness.relay import RECEIVE_MIN_BYTES, SEGMENT_BYTES, Relay, shaped_relay
from bench.harness.shaping import Shape

from .conftest import Target

SLACK_BYTES = RECEIVE_MIN_BYTES + 2 * SEGMENT_BYTES


def connect(relay: Relay, mode: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", relay.port), timeout=5)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(mode)
    except OSError:  # it may be closed before anything was sent
        connection.close()
        raise
    return connection


def rate_kbps(connection: socket.socket, seconds: float) -> float:
    """At which it comes, from one arrival to another."""
    assert connection.recv(1 << 20)
    began = last = time.monotonic()
    count = 0
    while last - began < seconds:
        count += len(connection.recv(1 << 20))
        last = time.monotonic()
    return count * 8 / 1000 / (last - began)


def round_trips_ms(connection: socket.socket, count: int) -> list[float]:
    found = []
    for _ in range(count):
        began = time.monotonic()
        connection.sendall(b".")
        assert connection.recv(1) == b"."
        found.append(1000 * (time.monotonic() - began))
    return found


def acknowledged(connection: socket.socket, seconds: float) -> int:
    """How much the other side's kernel takes of a sender that sends all it can."""
    deadline = time.monotonic() + seconds
    connection.setblocking(False)
    sent = 0
    while time.monotonic() < deadline:
        try:
            sent += connection.send(bytes(4096))
        except BlockingIOError:
            time.sleep(0.01)
    (waiting,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))
    return sent - waiting


@pytest.mark.parametrize("kbps", [100, 2000, 50_000])
def test_a_rate_is_kept(target: Target, kbps: int) -> None:
    shape = Shape(rate_kbps=kbps, queue_ms=100)  # what it may be late by on a busy machine
    with shaped_relay(target.port, shape) as relay, connect(relay, b"s") as viewer:
        assert rate_kbps(viewer, 1) == pytest.approx(kbps, rel=0.05)


def test_each_direction_has_its_own_shape(target: Target) -> None:
    with shaped_relay(target.port, up=Shape(rate_kbps=400, queue_bytes=8000)) as relay:
        with connect(relay, b"r") as sender:
            acknowledged(sender, 0.5)
            before, began = target.read_bytes[0], time.monotonic()
            acknowledged(sender, 1)
            taken = target.read_bytes[0] - before
            assert taken * 8 / 1000 / (time.monotonic() - began) == pytest.approx(400, rel=0.1)
        with connect(relay, b"s") as viewer:
            assert rate_kbps(viewer, 0.3) > 50_000


def test_connections_share_the_link_evenly(target: Target) -> None:
    with shaped_relay(target.port, up=Shape(rate_kbps=8000)) as relay:
        senders = [connect(relay, b"r") for _ in range(4)]
        threads = [threading.Thread(target=acknowledged, args=(s, 1.2)) for s in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = list(target.read_bytes.values())
        for sender in senders:
            sender.close()
    assert len(counts) == 4
    assert max(counts) < 2 * min(counts)


def test_a_delay_is_each_way_and_the_handshake_waits_too(target: Target) -> None:
    shape = Shape(delay_ms=30)
    with shaped_relay(target.port, shape, shape) as relay:
        began = time.monotonic()
        with connect(relay, b"e") as viewer:
            first_ms = round_trips_ms(viewer, 1)[0]
            both_ms = 1000 * (time.monotonic() - began)
            trips_ms = round_trips_ms(viewer, 9)
    assert both_ms == pytest.approx(120, abs=25)
    assert first_ms <= both_ms
    assert min(trips_ms) >= 58
    assert statistics.median(trips_ms) <= 70


def test_jitter_comes_on_top(target: Target) -> None:
    with (
        shaped_relay(target.port, Shape(delay_ms=5, jitter_ms=40)) as relay,
        connect(relay, b"e") as viewer,
    ):
        trips_ms = round_trips_ms(viewer, 25)
    assert min(trips_ms) >= 4
    assert statistics.stdev(trips_ms) > 4
    assert 12 <= statistics.mean(trips_ms) <= 45


@pytest.mark.parametrize(
    "shape",
    [Shape(rate_kbps=500, queue_bytes=8000), Shape(rate_kbps=500, queue_ms=1000)],
    ids=["bytes", "ms"],
)
def test_a_sender_is_held_back_when_the_queue_is_full(target: Target, shape: Shape) -> None:
    with shaped_relay(target.port, up=shape) as relay, connect(relay, b"r") as sender:
        relay.stall(30)
        taken = acknowledged(sender, 0.5)
        queued = relay.counts().up_queued_bytes
    assert shape.limit_bytes - SEGMENT_BYTES <= queued <= shape.limit_bytes
    assert queued <= taken <= shape.limit_bytes + SLACK_BYTES


def test_segments_are_as_on_ethernet(target: Target) -> None:
    with shaped_relay(target.port) as relay, connect(relay, b"e") as viewer:
        round_trips_ms(viewer, 1)
        for end in (viewer, target.connections[0]):
            assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= SEGMENT_BYTES


def test_one_who_does_not_read_is_held_back_and_nobody_else(target: Target) -> None:
    with (
        shaped_relay(target.port, Shape(rate_kbps=50_000, queue_ms=100)) as relay,
        connect(relay, b"s") as frozen,
        connect(relay, b"s") as viewer,
    ):
        assert frozen.recv(1)
        rate_kbps(viewer, 0.7)
        assert rate_kbps(viewer, 0.5) == pytest.approx(50_000, rel=0.05)


def test_a_stall_ends_and_nothing_is_lost(target: Target) -> None:
    data = bytes(range(256)) * 200
    with (
        shaped_relay(target.port, Shape(rate_kbps=4000), Shape(rate_kbps=4000)) as relay,
        connect(relay, b"e") as viewer,
    ):
        round_trips_ms(viewer, 1)
        began = time.monotonic()
        relay.stall(0.5)
        viewer.sendall(data)
        viewer.shutdown(socket.SHUT_WR)
        first = viewer.recv(1)
        assert time.monotonic() - began >= 0.5
        got = first + b"".join(iter(lambda: viewer.recv(65_536), b""))
    assert got == data


def test_changes_hold_for_open_connections(target: Target) -> None:
    slow = Shape(rate_kbps=500, queue_bytes=16_000)
    with shaped_relay(target.port, slow) as relay, connect(relay, b"s") as viewer:
        assert rate_kbps(viewer, 0.5) == pytest.approx(500, rel=0.1)
        relay.change(Shape(rate_kbps=8000))
        rate_kbps(viewer, 0.2)
        assert rate_kbps(viewer, 0.5) == pytest.approx(8000, rel=0.05)
        relay.change(slow)
        rate_kbps(viewer, 0.5)
        assert rate_kbps(viewer, 0.5) == pytest.approx(500, rel=0.1)


def test_bytes_are_counted(target: Target) -> None:
    with shaped_relay(target.port) as relay, connect(relay, b"e") as viewer:
        viewer.sendall(bytes(1000))
        count = 0
        while count < 1000:
            count += len(viewer.recv(4096))
        counts = relay.counts()
    assert (counts.connections, counts.up_bytes, counts.down_bytes) == (1, 1001, 1000)


def test_a_cut_resets_and_others_may_come(target: Target) -> None:
    with shaped_relay(target.port) as relay:
        with connect(relay, b"e") as viewer:
            round_trips_ms(viewer, 1)
            relay.cut()
            with pytest.raises(ConnectionResetError):
                viewer.recv(1)
        with connect(relay, b"e") as viewer:
            assert round_trips_ms(viewer, 1)


def test_a_target_that_is_not_there_is_a_closed_connection() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with shaped_relay(nobody.getsockname()[1]) as relay:
            with pytest.raises(ConnectionError), connect(relay, b"e") as viewer:
                viewer.recv(1)
            assert relay.counts().connections == 1


def test_what_a_relay_cannot_do_it_refuses() -> None:
    with pytest.raises(RuntimeError, match="tun_link"), shaped_relay(1, Shape(loss=0.1)):
        pass
