"""``wsstream check``: what works here, and what to do about what does not."""

from __future__ import annotations

import socket

import pytest

from wsstream.app.check import check
from wsstream.config import make_config


def findings(agent=None, **server):
    agent = {"size": "256x144", "avatar": {"provider": "testcard"}, "voice": {"engine": "none"}} | (
        agent or {}
    )
    config = make_config({"server": {"port": 0, **server}, "agents": {"ada": agent}})
    return {finding.what: finding for finding in check(config)}


@pytest.fixture(scope="module")
def fine():
    return findings()


def test_here_everything_needed_works(fine):
    assert {what for what, finding in fine.items() if finding.needed and not finding.works} == set()


@pytest.mark.parametrize(
    "what",
    ["Python", "JPEG", "Opus", "H.264 (record)", "AAC (record)", "avatar of ada", "voice of ada"],
)
def test_each_is_tried_and_told_in_words(fine, what):
    assert fine[what].works
    assert fine[what].words


def test_the_avatar_is_told_with_its_size_and_rate(fine):
    assert fine["avatar of ada"].words == "testcard, 256x144 at 25 fps"


def test_no_voice_wanted_is_fine(fine):
    assert fine["voice of ada"].words == "none wanted"


def test_an_avatar_that_cannot_start_is_needed():
    found = findings({"size": "64x512"})["avatar of ada"]
    assert (found.works, found.needed) == (False, True)
    assert "wider" in found.words


def test_a_picture_that_is_missing_is_named():
    found = findings({"avatar": {"provider": "testcard", "picture": "/absent.png"}})
    assert not found["avatar of ada"].works
    assert "absent.png" in found["avatar of ada"].words


def test_an_avatar_that_does_not_exist_is_named():
    found = findings({"avatar": {"provider": "testcart"}})["avatar of ada"]
    assert not found.works
    assert "testcard" in found.words


def test_a_voice_that_cannot_be_had_is_told_and_not_needed():
    found = findings({"voice": {"engine": "espeek"}})["voice of ada"]
    assert (found.works, found.needed) == (False, False)
    assert "espeak" in found.words


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = findings(port=port)[f"port {port}"]
    assert (found.works, found.needed) == (False, True)


def test_a_port_is_tried_on_the_address_it_is_for():
    assert findings(host="localhost")["port 0"].works


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_port_is_tried_on_ipv6():
    assert findings(host="::1")["port 0"].works


def test_an_engine_that_crashes_is_a_finding_not_a_crash():
    found = findings({"avatar": {"provider": "tests.app.test_check:Crashing"}})["avatar of ada"]
    assert not found.works


class Crashing:
    name = "crashing"

    async def start(self, reference_image, *, width, height):
        raise KeyError("oh")

    async def stop(self):
        pass
