"""A real server on a free port, in a thread of its own, and a client that blocks."""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.fakes import FakeAvatar, FakeVoice
from wsstream.app import server as serving
from wsstream.app.app import create_app
from wsstream.config import Config, make_config
from wsstream.protocol import frames
from wsstream.protocol.frames import Frame, FrameType
from wsstream.session.registry import Registry

WAIT_S = 10.0
"""Nothing here takes so long; a test fails rather than hangs."""


@dataclass(frozen=True)
class RunningServer:
    """Where it is, and what is in it. The registry belongs to the server's thread."""

    url: str
    registry: Registry
    loop_call: Callable[[Callable[[], Any]], Any]
    """Call something in the server's loop, and wait for its result."""
    connections: Callable[[], list[asyncio.Transport]]
    """What is connected; to be called in the server's loop."""

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rsplit(":", 1)[1])

    def ws(self, path: str = "ada") -> str:
        return f"ws://127.0.0.1:{self.port}/ws/facetime/{path}"

    def get(self, path: str, **options: Any) -> Answer:
        return ask(self.url + path, **options)

    def post(self, path: str, body: Any = b"", **options: Any) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.url + path, data=data, **options)


@dataclass(frozen=True)
class Answer:
    """Of an HTTP request."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of an error."""
        return str(self.json["error"]["code"])


def ask(url: str, *, data: bytes | None = None, **headers: str) -> Answer:
    """GET, or POST where there is data."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, names)
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as response:
            return Answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers)


TESTCARD: dict[str, Any] = {
    "title": "Card",
    "size": "256x144",
    "avatar": {"provider": "testcard"},
    "voice": {"engine": "fake"},
}


class _Errors(logging.Handler):
    """Keeps what a thread logs as an error: a handler for most, a filter for uvicorn's logger,
    whose handlers the next server throws out."""

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self._thread = thread

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread.ident:
            self.lines.append(self.format(record))

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "uvicorn.error" and record.levelno >= logging.ERROR:
            self.emit(record)
        return True


@contextmanager
def running_server(
    agents: Mapping[str, Any] | None = None,
    *,
    server: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    ice: Mapping[str, Any] | None = None,
    may_log_errors: bool = False,
    wrap: Callable[[Starlette], Any] | None = None,
    plain: Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[RunningServer]:
    """Serve, with the test card and a fake voice for ``ada`` where nothing else is said. The
    voice ``fake`` and the avatar ``fake`` are known. ``wrap`` puts another application around
    ours, which then has no lifespan. ``plain`` are settings of uvicorn as others run it; with
    either it is not ours that serves.

    A test fails when its server logs an error that it did not announce.
    """
    config: Config = make_config(
        {
            "server": {"port": 0, "allowed_hosts": ["*"], **(server or {})},
            "limits": limits or {},
            "ice": ice or {},
            "agents": agents or {"ada": TESTCARD},
        }
    )
    options.setdefault("avatars", {"fake": FakeAvatar})
    options.setdefault("voices", {"fake": FakeVoice})
    app = create_app(config, **options)
    ready: queue.Queue[str | BaseException] = queue.Queue()
    servers: list[Any] = []

    class Stoppable(serving._Server):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            servers.append(self)

        async def startup(self, sockets: Any = None) -> None:
            self.loop = asyncio.get_running_loop()
            await super().startup(sockets)

    def serve() -> None:
        try:
            if wrap is None and plain is None:
                serving.serve(app, config, ready=ready.put)
            else:
                served = app if wrap is None else wrap(app)
                settings = uvicorn.Config(
                    served, port=0, log_level="warning", lifespan="off", **(plain or {})
                )
                Stoppable(settings, app.state.wsstream, ready.put).run()
        except BaseException as error:
            ready.put(error)

    with mock.patch.object(serving, "_Server", Stoppable):
        thread = threading.Thread(target=serve, name="server")
        thread.start()
        url = ready.get(timeout=WAIT_S)
    if isinstance(url, BaseException):
        thread.join(WAIT_S)
        raise url

    def loop_call(function: Callable[[], Any]) -> Any:
        result: queue.Queue[Any] = queue.Queue()
        servers[0].loop.call_soon_threadsafe(lambda: result.put(function()))
        return result.get(timeout=WAIT_S)

    def connections() -> list[asyncio.Transport]:
        return [protocol.transport for protocol in servers[0].server_state.connections]

    errors = _Errors(thread)
    root, uvicorns = logging.getLogger(), logging.getLogger("uvicorn.error")
    root.addHandler(errors)
    uvicorns.addFilter(errors)
    try:
        yield RunningServer(url, app.state.wsstream, loop_call, connections)
    finally:
        servers[0].should_exit = True
        thread.join(WAIT_S)
        root.removeHandler(errors)
        uvicorns.removeFilter(errors)
        assert not thread.is_alive(), "the server does not stop"
    assert may_log_errors or errors.lines == []


class Viewer:
    """A client on a blocking socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[Frame] = []
        self.messages: list[dict[str, Any]] = []

    def send(self, type: str, /, **fields: Any) -> None:
        self.connection.send(json.dumps({"type": type, **fields}))

    def receive(self) -> Frame | dict[str, Any]:
        """The next frame or message."""
        data = self.connection.recv(timeout=WAIT_S)
        if isinstance(data, bytes):
            self.frames.append(frames.decode(data))
            return self.frames[-1]
        self.messages.append(json.loads(data))
        return self.messages[-1]

    def message(self, type: str, **fields: Any) -> dict[str, Any]:
        """The next message of this type and with these fields; others are taken in on the way."""
        for got in self._receiving(f"{type} {fields}"):
            if isinstance(got, dict) and got["type"] == type and fields.items() <= got.items():
                return got

    def frame(self, type: FrameType) -> Frame:
        """The next frame of this type."""
        for got in self._receiving(type.name):
            if isinstance(got, Frame) and got.type == type:
                return got

    def watch(self, ms: int) -> None:
        """Take in so much sound."""
        until = self.frame(FrameType.AUDIO).timestamp_ms + ms
        while self.frame(FrameType.AUDIO).timestamp_ms < until:
            pass

    def closed(self) -> tuple[int, str]:
        """Wait for the server to close: the code and the reason it gave."""
        with pytest.raises(ConnectionClosed) as end:
            self._receive_all()
        assert end.value.rcvd is not None, "no close frame came"
        return end.value.rcvd.code, end.value.rcvd.reason

    def _receive_all(self) -> None:
        for _ in self._receiving("the end"):
            pass

    def _receiving(self, what: str) -> Iterator[Frame | dict[str, Any]]:
        """Whatever comes, until ``what`` should have come long since: media never stop."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            yield self.receive()
        pytest.fail(f"{what} did not come")

    def times(self, type: FrameType) -> list[int]:
        return [frame.timestamp_ms for frame in self.frames if frame.type == type]

    def of(self, type: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == type]


@contextmanager
def viewing(url: str, **headers: str) -> Iterator[Viewer]:
    """Connect, as a plain client does."""
    with connect(
        url,
        compression=None,
        max_size=None,
        open_timeout=WAIT_S,
        close_timeout=1,
        additional_headers=headers,
        proxy=None,
    ) as connection:
        yield Viewer(connection)


@contextmanager
def undisturbed(server: RunningServer, path: str = "ada", **hello: Any) -> Iterator[None]:
    """One who watches all the while, and whose stream has to go on as if nothing happened."""
    stop = threading.Event()
    with viewing(server.ws(path)) as other:
        if hello:
            other.send("hello", protocol=1, **hello)
        other.frame(FrameType.AUDIO)
        session_id = other.of("welcome")[0]["session"]
        began = time.monotonic()

        def watch() -> None:
            while not stop.is_set():
                other.receive()

        watching = threading.Thread(target=watch, name="bystander")
        watching.start()
        try:
            yield
        finally:
            time.sleep(max(0.0, began + 0.3 - time.monotonic()))
            stop.set()
            watching.join(WAIT_S)
            elapsed_ms = (time.monotonic() - began) * 1000
        counters = server.loop_call(lambda: server.registry.session(session_id).counters())
    sounds, pictures = other.times(FrameType.AUDIO), other.times(FrameType.VIDEO)
    assert set(np.diff(sounds)) == {20}
    assert sounds[-1] - sounds[0] == pytest.approx(elapsed_ms, abs=400)  # a busy machine
    assert set(np.diff(pictures) % 40) == {0}
    assert min(np.diff(pictures)) > 0
    # What such a machine had no time for is counted; nothing else may be missing.
    missing = (pictures[-1] - pictures[0]) / 40 + 1 - len(pictures)
    lost = ("pictures_skipped", "pictures_replaced", "pictures_stale")
    assert missing <= sum(counters[name] for name in lost)
    assert other.of("error") == []
