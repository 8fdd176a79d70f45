from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from bench.harness import netns
from bench.harness.browser import chromium, probed_page, secure_origin, wait_for_picture
from bench.harness.netns import PREFIX, Firewall, Namespaces, Side, namespaces, run
from bench.harness.server import serving

from .talk import ask, echo

pytestmark = pytest.mark.usefixtures("root")


def names() -> set[str]:
    return {path.name for path in Path("/run/netns").iterdir()}


@pytest.fixture
def net():
    with namespaces() as net:
        yield net


@pytest.mark.parametrize("gateway", [False, True])
def test_the_two_reach_each_other_by_udp_and_tcp(gateway):
    with namespaces(gateway=gateway) as net:
        for here, there in ((net.server, net.client), (net.client, net.server)):
            with echo(there):
                assert ask(here, there, "udp") == ask(here, there, "tcp") == "yes"


def test_they_are_parted_from_this_machine_and_have_one_address_each(net: Namespaces):
    with echo(net.server):
        assert ask(None, net.server, "tcp") != "yes"
    listed = netns.ip("-n", net.client.name, "-json", "address", "show", "dev", "eth0")
    (device,) = json.loads(listed)
    assert [info["local"] for info in device["addr_info"]] == [net.client.address]


def test_they_are_removed_with_what_runs_in_them(monkeypatch):
    monkeypatch.setattr(netns, "STOP_TIMEOUT_S", 0.5)
    with namespaces(gateway=True) as net:
        mine = {side.name for side in net.sides}
        assert mine <= names()
        sleeper = run(net.client, ["sh", "-c", "trap '' TERM; sleep 60; sleep 60"])
    assert not mine & names()
    assert sleeper.wait(5) != 0


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_has_is_not(net: Namespaces):
    with subprocess.Popen(["true"]) as dead:
        pass
    stale = Side(f"{PREFIX}{dead.pid}-0-server", "")
    netns.ip("netns", "add", stale.name)
    with run(stale, ["sleep", "60"]) as sleeper:
        netns.remove_stale()
        assert sleeper.wait(5) != 0
    assert stale.name not in names()
    assert {side.name for side in net.sides} <= names()


def test_a_command_keeps_its_process_id(net: Namespaces):
    with run(net.client, ["sh", "-c", "echo $$"], stdout=subprocess.PIPE, text=True) as process:
        assert int(process.communicate()[0]) == process.pid


def test_a_firewall_drops_udp_both_ways_and_only_that(net: Namespaces):
    firewall = Firewall(net)
    for here, there in ((net.server, net.client), (net.client, net.server)):
        with echo(there):
            firewall.block_udp()
            assert ask(here, there, "udp") == "no"  # nor an error of send()
            assert firewall.dropped() == 1
            assert ask(here, there, "tcp") == "yes"
            firewall.open()
            assert ask(here, there, "udp") == "yes"
            assert firewall.dropped() == 0


def test_a_firewall_drops_what_is_under_way_already(net: Namespaces):
    firewall = Firewall(net)
    script = """
import socket, sys
with socket.create_connection((sys.argv[1], 7)) as s:
    for line in sys.stdin:
        s.settimeout(0.3)
        s.sendall(b'?')
        try:
            print('yes' if s.recv(100) else 'closed', flush=True)
        except TimeoutError:
            print('no', flush=True)
"""
    argv, pipe = [sys.executable, "-c", script, net.server.address], subprocess.PIPE
    with echo(net.server), run(net.client, argv, stdin=pipe, stdout=pipe, text=True) as asker:

        def answer() -> str:
            asker.stdin.write("\n")
            asker.stdin.flush()
            return asker.stdout.readline().strip()

        assert answer() == "yes"
        firewall.block_all()
        assert answer() == "no"
        assert firewall.dropped() > 0
        firewall.open()
        assert answer() == "yes"
        asker.stdin.close()


def test_udp_is_blocked_towards_the_gateway_too():
    with namespaces(gateway=True) as net, echo(net.gateway), echo(net.server):
        Firewall(net).block_udp()
        assert ask(net.client, net.gateway, "udp") == "no"
        assert ask(net.client, net.gateway, "tcp") == "yes"
        assert ask(net.server, net.gateway, "udp") == "yes"


def test_what_is_missing_is_said(monkeypatch):
    netns.available.cache_clear()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert netns.available() == (False, "needs root and /dev/net/tun")
    monkeypatch.undo()
    netns.available.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    assert netns.available() == (False, "needs the command ip (package iproute2)")
    netns.available.cache_clear()


@pytest.mark.browser
def test_a_browser_and_a_server_meet_and_udp_is_none_of_their_business(net: Namespaces):
    """How it is done: a command before each, and a flag for what pages may at localhost only."""
    Firewall(net).block_udp()
    card = {"title": "Card", "size": "256x144", "avatar": {"provider": "testcard"}}
    config = {"server": {"host": net.server.address}, "agents": {"ada": card}}
    with (
        serving(config, command=net.server.command) as server,
        sync_playwright() as playwright,
        chromium(playwright, secure_origin(server.url), command=net.client.command) as browser,
        probed_page(browser) as page,
    ):
        assert net.server.address in server.url
        page.goto(server.url)
        wait_for_picture(page)
        assert page.evaluate("isSecureContext && 'AudioWorklet' in window")
