"""What a closed peer connection held is freed without waiting for the collector."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref

import pytest

from tests.fake_peers import FakeSource
from tests.rtc import RtcClient
from wsstream.transport.webrtc.peer import RtcPeer
from wsstream.transport.webrtc.release import release


class Owner:
    def on_peer_connected(self, peer): ...
    def on_peer_closed(self, peer): ...
    def on_peer_message(self, peer, text): ...
    def on_peer_origins(self, peer, audio, video): ...


@pytest.fixture
def _no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def watched_and_closed():
    """References to the parts of a connection that was used and closed."""
    source = FakeSource()
    peer, client = RtcPeer(1, Owner(), source, now=time.monotonic), RtcClient()
    await client.answer(await peer.answer(await client.offer()))
    await client.until(lambda: client.connected and peer.connected and client.open)
    connection = peer._connection
    senders = connection.getSenders()
    dtls = senders[0].transport
    parts = {
        "peer": peer,
        "connection": connection,
        "sender": senders[0],
        "DTLS": dtls,
        "ICE": dtls.transport._connection,
    }
    references = {name: weakref.ref(part) for name, part in parts.items()}
    await peer.close()
    release(connection)  # twice does nothing
    await client.close()
    source.subscriptions.clear()  # a real one keeps none that is closed
    return references


@pytest.mark.usefixtures("_no_collector")
async def test_closed_it_is_freed_at_once():
    references = await watched_and_closed()
    for _ in range(20):  # what was scheduled when it closed
        await asyncio.sleep(0)
    assert [name for name, reference in references.items() if reference() is not None] == []
