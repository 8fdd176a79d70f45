"""What a closed peer leaves behind, with the collector switched off."""

from __future__ import annotations

import asyncio
import gc
import time
import types
import weakref

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from tests.fake_peers import FakeSource
from tests.fakes import packet, picture
from tests.rtc import RtcClient
from tests.servers import WAIT_S
from wsstream.media.video import EncodedVideo
from wsstream.transport.webrtc.peer import RtcPeer
from wsstream.transport.webrtc.release import release

LIBRARIES = ("aiortc.", "aioice.", "pylibsrtp.", "OpenSSL.", "wsstream.transport.webrtc.")
LEFT = {"_VerifyHelper"}
"""Some hundred bytes that pyOpenSSL has in a circle, where nobody can cut it."""


class Nobody:
    """Owns a peer, and does not mind what it goes through."""

    def on_peer_connected(self, peer):
        pass

    on_peer_closed = on_peer_connected

    def on_peer_message(self, peer, text):
        pass

    def on_peer_origins(self, peer, audio, video):
        pass


class Remains:
    """What a peer is made of, and which of it is still there."""

    def __init__(self, peer, before):
        """``before`` are the ids of what was there before the peer was."""
        made = [part for part in _parts(peer) if id(part) not in before]
        self._refs = [(type(part).__qualname__, weakref.ref(part)) for part in made]
        self.names = {name for name, _ in self._refs}

    async def left(self):
        """What stays, once tasks that have been cancelled have ended."""
        deadline = time.monotonic() + WAIT_S
        while True:
            names = {name for name, ref in self._refs if ref() is not None}
            if names <= LEFT or time.monotonic() > deadline:
                return names
            await asyncio.sleep(0.005)  # aioice looks each 20 ms whether it has been closed


def _parts(root):
    """All of the libraries' objects and ours that it leads to."""
    seen, todo = {}, [root]
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, type | types.ModuleType | FakeSource):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, types.FunctionType):
            todo += thing.__closure__ or ()  # and not all that its module has
        elif not isinstance(thing, asyncio.AbstractEventLoop):
            todo += gc.get_referents(thing)
    return [
        thing
        for thing in seen.values()
        if f"{type(thing).__module__}.".startswith(LIBRARIES) and type(thing).__weakrefoffset__
    ]


@pytest.fixture
def uncollected():
    """No collector; the ids of all there is."""
    gc.unfreeze()  # what a server has frozen in this process, which get_objects() leaves out
    gc.collect()
    gc.disable()
    yield {id(thing) for thing in gc.get_objects()}
    gc.enable()


async def begin(peer, client):
    await client.offer()


async def answer(peer, client):
    await peer.answer(await client.offer())


async def connect(peer, client):
    await client.answer(await peer.answer(await client.offer()))
    await client.until(lambda: client.connected and peer.connected)


async def play(peer, client):
    await connect(peer, client)
    await client.until(lambda: client.open)
    peer._source.deliver(EncodedVideo(100, b"\0\0\0\1\x65" + bytes(3000), True))
    peer.offer_sound(packet(100))
    peer.offer_picture(picture(1, 100))
    await client.until(lambda: {"audio", "video"} <= set(client.stamps))


async def lose(peer, client):
    await play(peer, client)
    await client.close()


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("live", [begin, answer, connect, play, lose])
async def test_a_closed_peer_is_freed_at_once_with_all_that_it_held(live, encoded, uncollected):
    source, client = FakeSource(), RtcClient()
    peer = RtcPeer(1, Nobody(), source, now=time.monotonic, encoded=encoded)
    await live(peer, client)
    remains = Remains(peer, uncollected)
    assert {"RtcPeer", "RTCPeerConnection", "MediaTrack", "RTCCertificate"} <= remains.names
    if live is play:
        native = {"Context", "Connection", "Session", "RTCDtlsTransport", "StunProtocol"}
        assert native <= remains.names
    await peer.close()
    source.subscriptions.clear()
    del peer
    assert await remains.left() <= LEFT
    await client.close()


async def test_releasing_twice_or_what_never_began_does_nothing():
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio")
    await connection.close()
    release(connection)
    release(connection)
    assert connection.connectionState == "closed"


class Bare:
    """Has what it is given, and nothing private."""

    def __init__(self, **parts):
        vars(self).update(parts)


def test_what_another_version_does_not_have_is_left_as_it_is():
    dtls = Bare(remove_all_listeners=lambda: None, transport=Bare())
    release(Bare(getSenders=lambda: [Bare(transport=dtls)], sctp=None))
