"""A real firewall between a real browser and a real server, and a real TURN server beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from bench.harness import turn
from bench.harness.browser import (
    AUTOPLAY,
    chromium,
    probed_page,
    secure_origin,
    wait_for_picture,
    wait_for_sound,
)
from bench.harness.cpu import memory_bytes
from bench.harness.netns import Firewall, Namespaces, available, namespaces
from bench.harness.server import Server, serving

from .conftest import card

pytestmark = pytest.mark.skipif(not available()[0], reason=available()[1])

CYCLES = 6
BACK_MS = 2000
RETRY_NOW = "dispatchEvent(new Event('online'))"
"""The network has changed: no need to wait for the next retry."""


@contextmanager
def call(
    playwright: Playwright, net: Namespaces, ice: dict[str, Any] | None = None, query: str = ""
) -> Iterator[tuple[Page, Server]]:
    """A page on one side, playing the test card of a server on the other."""
    config = {"server": {"host": net.server.address}, **card(tone_hz=440)}
    if ice:
        config["ice"] = ice
    with ExitStack() as stack:
        server = stack.enter_context(serving(config, command=net.server.command))
        flags = (AUTOPLAY, secure_origin(server.url))
        browser = stack.enter_context(chromium(playwright, *flags, command=net.client.command))
        page = stack.enter_context(probed_page(browser))
        page.goto(server.url + query)
        wait_for_picture(page)
        wait_for_sound(page)
        yield page, server


def wait_for_mode(page: Page, mode: str, timeout_s: float = 10) -> None:
    page.wait_for_function(
        f"document.querySelector('ws-stream').stats().mode === '{mode}'", timeout=timeout_s * 1000
    )


def stats(page: Page) -> dict[str, Any]:
    return page.evaluate("document.querySelector('ws-stream').stats()")


def longest_gap_ms(page: Page) -> float:
    seen = page.evaluate("() => card()")
    gaps = [(b["atMs"] - a["atMs"], a["atMs"]) for a, b in pairwise(seen)]
    print(f"of {len(gaps)} pictures the longest waits: {sorted(gaps)[-4:]}")
    return max(gaps)[0]


def test_behind_a_firewall_the_websocket_plays_on_and_the_badge_says_why(
    playwright: Playwright,
) -> None:
    with namespaces() as net:
        firewall = Firewall(net)
        firewall.block_udp()
        with call(playwright, net) as (page, _):
            page.wait_for_timeout(1500)  # a page that starts has more to do
            page.evaluate(
                "async () => { card = probe.watchCard(); sound = await probe.watchSound(); }"
            )
            page.wait_for_function(
                "document.querySelector('ws-stream').stats().reason.includes('UDP looks blocked')",
                timeout=15_000,
            )
            page.wait_for_timeout(1000)
            quiet = [s for s in page.evaluate("() => sound()") if s["kind"] == "quiet"]
            gap_ms = longest_gap_ms(page)
            badge = page.locator("ws-stream .badge").get_attribute("title")
            assert firewall.dropped() > 0
            assert stats(page)["mode"] == "ws"
            assert badge is not None
            assert "UDP looks blocked" in badge
            assert gap_ms < 150
            assert max((s["lastsMs"] for s in quiet), default=0) < 60

            firewall.open()
            wait_for_mode(page, "webrtc", timeout_s=30)  # the next retry, by itself


def test_udp_dropped_and_allowed_again_and_again(playwright: Playwright) -> None:
    with namespaces() as net, call(playwright, net) as (page, server):
        firewall = Firewall(net)
        wait_for_mode(page, "webrtc")
        backs, weights = [], []
        for _ in range(CYCLES):
            page.wait_for_timeout(500)
            page.evaluate("() => { card = probe.watchCard(); droppedMs = performance.now(); }")
            firewall.block_udp()
            page.wait_for_timeout(BACK_MS + 500)
            seen, dropped_ms = page.evaluate("() => [card(), droppedMs]")
            after = [one["atMs"] - dropped_ms for one in seen if one["on"] == "ws"]
            backs.append(after[0])
            firewall.open()
            page.wait_for_timeout(100)
            # Either the doubted connection recovers, or it is given up and a new one is made.
            page.evaluate(RETRY_NOW)
            wait_for_mode(page, "webrtc", timeout_s=40)
            weights.append(weight(server.pid))
        print(f"back after {min(backs):.0f} to {max(backs):.0f} ms; {weights}")
        assert np.median(backs) < BACK_MS
        assert stats(page)["reconnects"] == 0
        (threads, memory), (threads_then, memory_then) = weights[2], weights[-1]
        assert threads_then <= threads
        assert memory_then - memory < 20e6


def weight(pid: int) -> tuple[int, int]:
    """Threads and bytes of a process."""
    return len(list(Path(f"/proc/{pid}/task").iterdir())), memory_bytes(pid)


@pytest.mark.skipif(not turn.available()[0], reason=turn.available()[1])
def test_turn_over_tcp_passes_a_firewall_that_udp_does_not(playwright: Playwright) -> None:
    with namespaces(gateway=True) as net:
        assert net.gateway is not None
        Firewall(net).block_udp()
        with turn.coturn(net.gateway) as server:
            ice = {"turn": [server.tcp_url], "turn_secret": server.secret}
            with call(playwright, net, ice) as (page, _):
                wait_for_mode(page, "webrtc")
                page.wait_for_timeout(1500)
                found = stats(page)
                assert "relay" in str(found), found


@pytest.mark.skipif(not turn.available()[0], reason=turn.available()[1])
def test_wrong_turn_credentials_fail_cleanly(playwright: Playwright) -> None:
    with namespaces(gateway=True) as net:
        assert net.gateway is not None
        Firewall(net).block_udp()
        with turn.coturn(net.gateway) as server:
            ice = {"turn": [server.tcp_url], "turn_secret": "not the secret"}
            with call(playwright, net, ice) as (page, _):
                page.wait_for_function(
                    "document.querySelector('ws-stream').stats().reason.includes('blocked')",
                    timeout=15_000,
                )
                page.evaluate("() => { card = probe.watchCard(); }")
                page.wait_for_timeout(2000)
                assert longest_gap_ms(page) < 150
