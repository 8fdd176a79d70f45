from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.harness import turn
from bench.harness.netns import Firewall, Namespaces, Side, namespaces, run
from bench.harness.turn import Turn, coturn


@pytest.fixture
def net(root: None) -> Iterator[Namespaces]:
    can, reason = turn.available()
    if not can:
        pytest.skip(reason)
    with namespaces(gateway=True) as net:
        yield net


@pytest.fixture
def server(net: Namespaces) -> Iterator[Turn]:
    with coturn(net.gateway) as server:
        yield server


def relayed(net: Namespaces, server: Turn, user: str, password: str) -> int | None:
    """How many datagrams came back that the client sent to the server by TURN over TCP; None when
    it was not let in. coturn's own client and echo."""
    port, quiet = "3480", subprocess.DEVNULL
    echo = ["turnutils_peer", "-L", net.server.address, "-p", port]
    few = ["-t", "-s", "-c", "-n", "5", "-m", "1", "-z", "1"]
    to = ["-e", net.server.address, "-r", port, server.host]
    asker = ["turnutils_uclient", *few, "-u", user, "-w", password, *to]
    with run(net.server, echo, stdout=quiet) as peer:
        with run(net.client, asker, stdout=subprocess.PIPE, text=True) as client:
            said = client.communicate()[0]
        peer.terminate()
    return int(said.rpartition("tot_recv_msgs=")[2].split()[0]) if client.returncode == 0 else None


def test_it_relays_by_tcp_where_udp_is_blocked(net: Namespaces, server: Turn) -> None:
    Firewall(net).block_udp()
    assert relayed(net, server, *server.credentials()) == 5
    assert server.tcp_url == "turn:10.77.2.1:3478?transport=tcp"
    assert server.udp_url == "turn:10.77.2.1:3478?transport=udp"


def test_it_lets_in_only_who_has_the_secret_and_not_for_ever(net: Namespaces, server: Turn) -> None:
    user, password = server.credentials()
    assert relayed(net, server, user, password[:-2] + "x=") is None
    assert relayed(net, server, "9" + user, password) is None
    assert relayed(net, server, *server.credentials(ttl_s=-1)) is None


def test_credentials_are_those_of_the_scheme() -> None:
    """The time it expires and a name; HMAC-SHA1 of that, in base 64."""
    server = Turn("10.0.0.1", 3478, "north", 1, Path())
    user, password = server.credentials("ada", ttl_s=60)
    expires, _, name = user.partition(":")
    assert name == "ada"
    openssl = ["openssl", "dgst", "-sha1", "-hmac", "north", "-binary"]
    digest = subprocess.run(openssl, input=user.encode(), capture_output=True, check=True).stdout
    base64 = subprocess.run(["base64"], input=digest, capture_output=True, check=True).stdout
    assert password == base64.decode().strip()
    assert int(expires) > 1_700_000_000


def test_it_ends(net: Namespaces) -> None:
    with coturn(net.gateway) as server:
        assert Path("/proc", str(server.pid)).exists()
    assert not Path("/proc", str(server.pid)).exists()
    with coturn(net.gateway):
        pass  # and its port is free again


def test_one_that_does_not_start_says_why(net: Namespaces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "START_TIMEOUT_S", 1)
    nowhere = Side(net.client.name, "10.99.0.1")
    with pytest.raises(RuntimeError, match=r"10\.99\.0\.1"), coturn(nowhere):
        pass
