"""How many peers there may be, and which servers help them."""

from __future__ import annotations

import pytest

from tests.fake_peers import FakeSource
from wsstream.config import Ice
from wsstream.errors import Unavailable
from wsstream.transport.webrtc import peers as peers_module
from wsstream.transport.webrtc.ice import turn_credentials
from wsstream.transport.webrtc.peers import AiortcPeers

TURN = {
    "turn": ("turn:t.example:3478", "turns:t.example:443?transport=tcp"),
    "turn_secret": "north",
}


def make(limit=10, now=lambda: 0.0, **ice):
    return AiortcPeers(Ice(**ice), limit, now=now, wall=lambda: 1_700_000_000.0)


def servers_of(peer):
    return peer._connection._RTCPeerConnection__configuration.iceServers


async def test_with_nothing_configured_nobody_is_asked():
    peers = make()
    assert peers.ice_servers("ada") == []
    assert peers.policy == "all"
    peer = peers.open(1, None, FakeSource())
    assert servers_of(peer) == []  # and not aiortc's own default
    assert peer.epoch == 1
    await peer.close()


def test_a_client_gets_every_server_and_a_password_of_its_own():
    peers = make(stun=("stun:s.example",), turn_ttl_s=600, policy="relay", **TURN)
    stun, turn = peers.ice_servers("ada")
    assert (stun.urls, stun.username) == (["stun:s.example"], "")
    assert turn.urls == list(TURN["turn"])
    assert (turn.username, turn.credential) == turn_credentials("north", "ada", 1_700_000_600)
    assert peers.ice_servers("bob")[1].credential != turn.credential
    assert peers.policy == "relay"


def test_without_a_secret_there_is_one_password_for_all():
    peers = make(turn=TURN["turn"], turn_username="u", turn_password="p")
    [turn] = peers.ice_servers("ada")
    assert (turn.username, turn.credential) == ("u", "p")


@pytest.mark.parametrize("relay", [False, True])
async def test_the_server_itself_uses_turn_only_where_it_is_told_to(relay):
    peers = make(stun=("stun:a", "stun:b"), relay=relay, **TURN)
    peer = peers.open(1, None, FakeSource())
    urls = [server.urls for server in servers_of(peer)]
    assert urls == ["stun:a", *(["turn:t.example:3478"] if relay else [])]
    await peer.close()


async def test_there_are_as_many_as_there_may_be_and_a_closed_one_makes_room():
    peers = make(limit=2)
    one, two = (peers.open(n, None, FakeSource()) for n in range(2))
    with pytest.raises(Unavailable, match="2 WebRTC viewers"):
        peers.open(3, None, FakeSource())
    await one.close()
    three = peers.open(3, None, FakeSource())
    await two.close()
    await three.close()


async def test_an_aiortc_without_our_hooks_is_said_aloud_and_has_to_encode(monkeypatch, caplog):
    monkeypatch.setattr(peers_module, "missing_hooks", lambda: ["RTCRtpSender.x"])
    peers = make()
    assert "RTCRtpSender.x" in caplog.text
    peer = peers.open(1, None, FakeSource())
    assert not peer._encoded
    await peer.close()


async def test_with_the_hooks_nothing_is_said(caplog):
    peers = make()
    assert caplog.text == ""
    peer = peers.open(1, None, FakeSource())
    assert peer._encoded
    await peer.close()
