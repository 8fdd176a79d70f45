"""Network namespaces: a server and a client on machines of their own, as far as either can tell.

    server ---- client                  namespaces()
    server ---- gateway ---- client     namespaces(gateway=True)

The link to the client is a plain one, or left to `tunlink.tun_link`. As root only; see `available`.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PREFIX = "wsstream-"
"""Of all names; the process id follows."""
TOOLS = {"ip": "iproute2", "nft": "nftables"}
"""Commands, and the packages that have them."""
STOP_TIMEOUT_S = 2.0
CLIENT_LINK = ("10.77.2.1", "10.77.2.2")
_SERVER_LINK = ("10.77.1.1", "10.77.1.2")
_FOLDER = Path("/run/netns")
_TABLE = "harness"
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Side:
    """One namespace."""

    name: str
    address: str
    """Where the others find it."""

    @property
    def command(self) -> tuple[str, ...]:
        """Before any other command, to run it there. The process is the same, so its id is too."""
        return ("ip", "netns", "exec", self.name)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Who is there."""

    server: Side
    client: Side
    gateway: Side | None = None
    """Between the two, where it was asked for."""

    @property
    def near(self) -> Side:
        """At the other end of the client's link."""
        return self.gateway or self.server

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.server, self.client, *([self.gateway] if self.gateway else []))


@cache
def available() -> tuple[bool, str]:
    """Whether namespaces can be made here, and the reason when not."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
        root = os.geteuid() == 0
    except OSError:
        root = False
    if not root:
        return False, "needs root and /dev/net/tun"
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            return False, f"needs the command {tool} (package {package})"
    try:
        with namespaces() as net:
            Firewall(net).block_udp()
    except RuntimeError as error:
        return False, f"this system does not allow network namespaces: {error}"
    return True, ""


@contextmanager
def namespaces(*, gateway: bool = False, link: bool = True) -> Iterator[Namespaces]:
    """Make them, and remove them with all that still runs in them. With ``link`` false the client
    is not connected yet.

    Raises:
        RuntimeError: where that is not allowed.
    """
    remove_stale()
    start = f"{PREFIX}{os.getpid()}-{next(_numbers)}-"
    net = Namespaces(
        Side(f"{start}server", _SERVER_LINK[1] if gateway else CLIENT_LINK[0]),
        Side(f"{start}client", CLIENT_LINK[1]),
        Side(f"{start}gateway", CLIENT_LINK[0]) if gateway else None,
    )
    try:
        for side in net.sides:
            ip("netns", "add", side.name)
            _set(side, "ipv6/conf/all/disable_ipv6", 1)  # else there is a second way
            ip("-n", side.name, "link", "set", "lo", "up")
        if net.gateway:
            _set(net.gateway, "ipv4/ip_forward", 1)
            _join(net.gateway, "eth1", _SERVER_LINK[0], net.server, "eth0", _SERVER_LINK[1])
            ip("-n", net.server.name, "route", "add", "default", "via", _SERVER_LINK[0])
        if link:
            _join(net.near, "eth0", CLIENT_LINK[0], net.client, "eth0", CLIENT_LINK[1])
            finish_client_link(net)
        yield net
    finally:
        for side in net.sides:
            _remove(side.name)


def finish_client_link(net: Namespaces) -> None:
    """Default routes over the client's link, which is up. WebRTC finds its own address by them."""
    ip("-n", net.client.name, "route", "add", "default", "via", CLIENT_LINK[0])
    if not net.gateway:
        ip("-n", net.server.name, "route", "add", "default", "via", CLIENT_LINK[1])


def run(side: Side, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a command there; options are Popen's."""
    return subprocess.Popen([*side.command, *argv], **options)


def ip(*argv: str) -> str:
    """What the command ``ip`` says.

    Raises:
        RuntimeError: when it fails.
    """
    return _output(["ip", *argv])


def remove_stale() -> None:
    """Namespaces of processes that have died without removing them."""
    with suppress(FileNotFoundError):
        for path in _FOLDER.iterdir():
            owner = re.match(rf"{PREFIX}(\d+)-", path.name)
            if owner and not Path("/proc", owner[1]).exists():
                _remove(path.name)


class Firewall:
    """Before the client, both ways, changed live. Senders are not told: what the client sends is
    dropped where it arrives, as a drop in its own namespace would be an error of its `send`."""

    def __init__(self, net: Namespaces) -> None:
        self._hooks = ((net.client, "input"), (net.near, "prerouting"))

    def block_udp(self) -> None:
        """All of it: to and from anywhere, without exception."""
        self._load("iifname eth0 meta l4proto udp counter drop")

    def block_all(self) -> None:
        """As if the cable was pulled, except that the interface is up."""
        self._load("iifname eth0 counter drop")

    def open(self) -> None:
        """Everything passes."""
        self._load("")

    def dropped(self) -> int:
        """Packets since the last of the calls above."""
        count = 0
        for side, _ in self._hooks:
            listed = _output([*side.command, "nft", "list", "table", "inet", _TABLE])
            count += sum(int(packets) for packets in re.findall(r"counter packets (\d+)", listed))
        return count

    def _load(self, rule: str) -> None:
        for side, hook in self._hooks:
            kind = f"type filter hook {hook} priority -300; policy accept;"
            table = f"table inet {_TABLE} {{\nchain drops {{\n{kind}\n{rule}\n}}\n}}\n"
            # One transaction; naming the table first makes sure that there is one to delete.
            script = f"table inet {_TABLE}\ndelete table inet {_TABLE}\n{table}"
            _output([*side.command, "nft", "-f", "-"], script)


def _join(a: Side, name_a: str, address_a: str, b: Side, name_b: str, address_b: str) -> None:
    """Connect two namespaces by a pair of virtual Ethernet devices."""
    peer = ("type", "veth", "peer", "name", name_b, "netns", b.name)
    ip("-n", a.name, "link", "add", name_a, *peer)
    for side, name, address in ((a, name_a, address_a), (b, name_b, address_b)):
        ip("-n", side.name, "address", "add", f"{address}/24", "dev", name)
        ip("-n", side.name, "link", "set", name, "up")


def _set(side: Side, key: str, value: int) -> None:
    _output([*side.command, "tee", f"/proc/sys/net/{key}"], str(value))


def _remove(name: str) -> None:
    """With the processes in it, which were started there for nothing else."""
    with suppress(RuntimeError):  # it is gone
        for sent in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while (pids := ip("netns", "pids", name).split()) and time.monotonic() < deadline:
                for pid in pids:
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), sent)
                time.sleep(0.05)
        ip("netns", "delete", name)


def _output(argv: Sequence[str], given: str | None = None) -> str:
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout
