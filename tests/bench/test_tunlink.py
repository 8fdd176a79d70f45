from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.harness.netns import Firewall, Namespaces, ip, namespaces
from bench.harness.shaping import Shape
from bench.harness.tunlink import TunLink, protocol, tun_link

from .talk import ask, echo, probe, tcp_kbps

pytestmark = pytest.mark.usefixtures("root")
DATAGRAM_BYTES = 128
"""A probe with its IP and UDP headers."""


@pytest.fixture(params=[False, True], ids=["direct", "gateway"])
def any_net(request: pytest.FixtureRequest, root: None) -> Iterator[Namespaces]:
    with namespaces(gateway=request.param, link=False) as net:
        yield net


@pytest.fixture
def net(root: None) -> Iterator[Namespaces]:
    with namespaces(link=False) as net:
        yield net


@pytest.fixture
def link(net: Namespaces) -> Iterator[TunLink]:
    with tun_link(net) as link, echo(net.server):
        yield link


def trips_ms(net: Namespaces, count: int = 40) -> np.ndarray:
    return np.array([ms for _, ms in probe(net.client, net.server, count)])


def test_it_joins_the_client_to_the_rest(any_net: Namespaces) -> None:
    net = any_net
    with tun_link(net), echo(net.server), echo(net.client):
        assert ask(net.client, net.server, "udp") == ask(net.client, net.server, "tcp") == "yes"
        assert ask(net.server, net.client, "udp") == ask(net.server, net.client, "tcp") == "yes"


def test_it_is_gone_when_it_ends(net: Namespaces) -> None:
    with tun_link(net) as link:
        assert "eth0" in ip("-n", net.client.name, "link")
    assert "eth0" not in ip("-n", net.client.name, "link")
    assert not Path("/proc", str(link.pid)).exists()


def test_unshaped_it_is_quick(net: Namespaces, link: TunLink) -> None:
    assert np.median(trips_ms(net)) < 5


def test_a_delay_is_each_way(net: Namespaces, link: TunLink) -> None:
    link.change(Shape(delay_ms=50), Shape(delay_ms=50))
    found = trips_ms(net)
    assert len(found) == 40
    assert found.min() >= 98.5
    assert np.median(found) <= 105


def test_jitter_comes_on_top_and_keeps_the_order(net: Namespaces, link: TunLink) -> None:
    link.change(Shape(delay_ms=10, jitter_ms=40))
    found = probe(net.client, net.server, 200, 0.004)
    numbers, times_ms = zip(*found, strict=True)
    assert list(numbers) == list(range(200))
    assert min(times_ms) >= 9
    assert np.std(times_ms) > 5


@pytest.mark.parametrize("delay_ms", [0, 50])
def test_tcp_fills_a_rate_and_no_more(net: Namespaces, link: TunLink, delay_ms: float) -> None:
    link.change(Shape(rate_kbps=2000, delay_ms=delay_ms, queue_ms=200), Shape(delay_ms=delay_ms))
    assert 1750 <= tcp_kbps(net.server, net.client, 2) <= 2000


def test_a_full_queue_drops_the_tail_and_bounds_the_wait(net: Namespaces, link: TunLink) -> None:
    """512 kbit/s of datagrams into 256, with room for 0.1 s."""
    link.change(up=Shape(rate_kbps=256, queue_ms=100))
    found = probe(net.client, net.server, 400, 0.002)
    counts = link.counts().up.udp
    assert 80 <= max(ms for _, ms in found) <= 130
    assert counts.overflowed_packets == 400 - len(found)
    assert len(found) == pytest.approx(200 + 25, abs=30)


def test_the_queue_is_counted_in_bytes_too(net: Namespaces, link: TunLink) -> None:
    link.change(up=Shape(rate_kbps=256, queue_bytes=10 * DATAGRAM_BYTES))
    link.stall(1)
    assert len(probe(net.client, net.server, 50, 0.001, wait_s=1.5)) == 10
    assert link.counts().up.udp.overflowed_packets == 40


def test_losses_are_as_many_as_said_and_the_same_for_a_seed(net: Namespaces) -> None:
    lost = []
    for seed in (1, 1, 2):
        with tun_link(net, up=Shape(loss=0.03), seed=seed) as link, echo(net.server):
            found = {number for number, _ in probe(net.client, net.server, 1000, 0.0005)}
            assert link.counts().up.udp.lost_packets == 1000 - len(found)
            lost.append(set(range(1000)) - found)
    assert 12 <= len(lost[0]) <= 55
    assert lost[0] == lost[1] != lost[2]


def test_udp_is_blocked_and_let_through_live(net: Namespaces, link: TunLink) -> None:
    link.change(Shape(delay_ms=5))
    link.block_udp()
    assert ask(net.client, net.server, "udp") == "no"
    assert ask(net.client, net.server, "tcp") == "yes"
    assert link.counts().up.udp.blocked_packets == 1
    link.block_udp(False)
    assert ask(net.client, net.server, "udp") == "yes"
    assert link.down == Shape(delay_ms=5)


def test_a_firewall_is_before_this_link_too(net: Namespaces, link: TunLink) -> None:
    Firewall(net).block_udp()
    assert ask(net.client, net.server, "udp") == "no"
    assert ask(net.client, net.server, "tcp") == "yes"


def test_a_stall_holds_both_ways_and_loses_nothing(net: Namespaces, link: TunLink) -> None:
    began = time.monotonic()
    link.stall(1)
    found = probe(net.client, net.server, 20, wait_s=1.5)
    assert time.monotonic() - began > 1
    assert len(found) == 20


def test_what_is_on_the_wire_is_counted(net: Namespaces, link: TunLink) -> None:
    link.change(up=Shape(loss=1))
    assert probe(net.client, net.server, 3) == []
    link.change(up=Shape())
    assert len(probe(net.client, net.server, 10)) == 10
    tcp_kbps(net.server, net.client, 0.05)
    counts = link.counts()
    up, down = counts.up.udp, counts.down.udp
    assert (up.sent_packets, up.lost_packets, up.delivered_packets) == (13, 3, 10)
    assert (up.sent_bytes, up.delivered_bytes) == (13 * DATAGRAM_BYTES, 10 * DATAGRAM_BYTES)
    assert (down.sent_packets, down.delivered_bytes) == (10, 10 * DATAGRAM_BYTES)
    tcp = counts.down.tcp
    assert tcp.delivered_bytes > 40 * tcp.delivered_packets > 0
    assert counts.down.total.sent_bytes == down.sent_bytes + tcp.sent_bytes
    assert counts.down.queued_bytes == 0


def test_a_link_starts_in_its_shape(net: Namespaces) -> None:
    with tun_link(net, Shape(delay_ms=30)), echo(net.server):
        assert np.min(trips_ms(net, 5)) >= 29


def test_protocols_are_told_apart() -> None:
    def header(version: int, number: int) -> bytes:
        at = 9 if version == 4 else 6
        return bytes([version << 4]) + bytes(at - 1) + bytes([number]) + bytes(40)

    for version in (4, 6):
        assert [protocol(header(version, n)) for n in (6, 17, 1)] == ["tcp", "udp", "other"]
