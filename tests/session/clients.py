"""Viewers of a session with fake sockets."""

from __future__ import annotations

import asyncio
import json

from tests.fakes import FakeSocket, settled
from wsstream.protocol.flow import AckWindow
from wsstream.protocol.viewer import ViewerProtocol
from wsstream.session.encoders import make_sound
from wsstream.session.feeds import make_feed
from wsstream.session.viewer import Viewer
from wsstream.transport.websocket import WebSocketTransport


class Client:
    """A viewer with its own socket, and what the other end of it does."""

    def __init__(self, perf, peers=None, **options):
        session = perf.session
        self.socket = FakeSocket()
        self.window = AckWindow(40)
        self.link = WebSocketTransport(
            self.socket,
            clock=session.clock,
            now=session.now,
            window=self.window,
            feed=make_feed(session, "jpeg"),
            sound=make_sound(session, "opus"),
        )
        protocol = ViewerProtocol(session.now(), window=self.window, **options)
        self.viewer = Viewer(session, protocol, self.link, peers)
        self._incoming = asyncio.Queue()
        self.task = asyncio.create_task(self.viewer.run(self._receive()))

    async def _receive(self):
        while (data := await self._incoming.get()) is not None:
            yield data

    async def send(self, type, /, **fields):
        self._incoming.put_nowait(json.dumps({"type": type, **fields}))
        await settled()

    async def send_raw(self, data):
        self._incoming.put_nowait(data)
        await settled()

    async def disconnect(self):
        await self.send_raw(None)

    async def leave(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def of(self, type):
        return [message for message in self.socket.messages if message["type"] == type]


async def join(perf, peers=None, **options):
    """A viewer that has come in."""
    client = Client(perf, peers, **options)
    perf.guests.append(client)
    await settled()
    return client
