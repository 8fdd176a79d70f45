"""The one WebSocket: from accept to close, and why. Nobody else's stream is touched."""

from __future__ import annotations

import json
import socket
import struct
import time

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.exceptions import ConnectionClosed

from tests.fakes import FakeAvatar
from tests.servers import TESTCARD, WAIT_S, running_server, undisturbed, viewing
from wsstream.avatar.testcard import read_testcard
from wsstream.errors import AvatarError
from wsstream.media.jpeg import decode_jpeg
from wsstream.media.opus import OpusDecoder
from wsstream.protocol import frames
from wsstream.protocol.frames import FrameType
from wsstream.protocol.messages import Error
from wsstream.transport.link import Link
from wsstream.transport.websocket import MESSAGES_MAX

HALL = {**TESTCARD, "title": "Hall", "shared": True}


@pytest.fixture(scope="module")
def server():
    with running_server({"ada": TESTCARD, "hall": HALL}) as server:
        yield server


@pytest.fixture(scope="module")
def guarded():
    """Asks for a token."""
    with running_server(server={"token": "s3cret", "hello_timeout_s": 0.3}) as server:
        yield server


def refused(viewer, code, name):
    """The server says why, in words and in numbers, and closes; the reason it gave."""
    closed_with, reason = viewer.closed()
    error, bye = viewer.messages[-2:]
    assert (error["type"], error["code"], error["fatal"]) == ("error", name, True)
    assert (bye["type"], bye["code"]) == ("bye", code)
    assert closed_with == code
    assert reason == bye["reason"]
    assert error["message"].startswith(reason)
    assert len(reason) > 10
    return error["message"]


# A plain client.


def test_a_plain_client_gets_a_face_at_once_and_sound(server):
    began = time.monotonic()
    with viewing(server.ws()) as viewer:
        viewer.frame(FrameType.VIDEO)
        assert time.monotonic() - began < 0.5  # 0.1 on a machine that does nothing else
        assert viewer.messages[0]["type"] == "welcome"
        viewer.watch(400)
    decoder = OpusDecoder()
    for frame in viewer.frames:
        if frame.type == FrameType.VIDEO:
            reading = read_testcard(decode_jpeg(frame.payload))
            assert reading.media_ms == frame.timestamp_ms
        else:
            assert len(decoder.decode(frame.payload)) == 960
    sounds = viewer.times(FrameType.AUDIO)
    assert sounds == list(range(sounds[0], sounds[-1] + 1, 20))


def test_viewers_of_their_own_have_sessions_of_their_own(server):
    with viewing(server.ws()) as one, viewing(server.ws()) as two:
        sessions = {viewer.message("welcome")["session"] for viewer in (one, two)}
    assert len(sessions) == 2


def test_viewers_of_a_shared_agent_see_the_same(server):
    with viewing(server.ws("hall")) as one:
        first = one.message("welcome")
        one.watch(200)
        with viewing(server.ws("hall")) as two:
            second = two.message("welcome")
            assert second["session"] == first["session"]
            assert second["media_ms"] >= 200
            two.watch(200)
            one.watch(200)
    both = set(one.times(FrameType.VIDEO)) & set(two.times(FrameType.VIDEO))
    assert len(both) >= 3
    payloads = [
        {f.timestamp_ms: f.payload for f in v.frames if f.type == FrameType.VIDEO}
        for v in (one, two)
    ]
    assert all(payloads[0][ms] == payloads[1][ms] for ms in both)  # encoded once


def test_a_session_may_be_joined_by_its_id(server):
    with viewing(server.ws()) as one:
        session = one.message("welcome")["session"]
        with viewing(server.ws(f"ada?session={session}")) as two:
            assert two.message("welcome")["session"] == session


def test_the_path_may_be_typed_in_any_of_its_right_forms_only(server):
    for path in ("", "ada/", "ada/x"):
        with pytest.raises(Exception, match=r"403|404|rejected"), viewing(server.ws(path)):
            pass


# Talking.


def test_what_is_said_is_heard_by_all_who_watch_and_an_interruption_too(server):
    with viewing(server.ws("hall")) as one, viewing(server.ws("hall")) as two:
        one.message("welcome")
        one.send("say", text="x" * 200, id="a1")
        for viewer in (one, two):
            viewer.message("state", value="speaking")
            assert viewer.message("transcript")["id"] == "a1.0"
        two.send("interrupt")
        for viewer in (one, two):
            assert viewer.message("flush")["epoch"] >= 1
            viewer.message("state", value="idle")


def test_a_ping_is_answered_at_once(server):
    with viewing(server.ws()) as viewer:
        media_ms = viewer.frame(FrameType.AUDIO).timestamp_ms
        viewer.send("ping", t=12.5)
        pong = viewer.message("pong")
        assert pong["t"] == 12.5
        assert pong["media_ms"] >= media_ms


def test_hello_may_ask_for_plain_pcm(server):
    with viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("hello", protocol=1, audio=["pcm"])
        assert viewer.message("welcome")["audio"]["codec"] == "pcm"
        assert len(viewer.frame(FrameType.AUDIO_PCM).payload) == 960


def test_with_acks_pictures_keep_coming_and_without_them_they_stop(server):
    with viewing(server.ws()) as viewer:
        for _ in range(8):
            shown = viewer.frame(FrameType.VIDEO)
            viewer.send("ack", video=shown.timestamp_ms, buffered_ms=0)
        viewer.watch(300)  # acks nothing any more
        viewer.frames.clear()
        viewer.watch(300)
        assert len(viewer.times(FrameType.VIDEO)) == 0
        assert len(viewer.times(FrameType.AUDIO)) >= 15


def test_the_connection_is_asked_what_it_takes(server, monkeypatch):
    monkeypatch.setattr(Link, "wait_ms", lambda self, size: 10_000.0)
    with viewing(server.ws()) as viewer:
        session = viewer.message("welcome")["session"]
        viewer.frame(FrameType.VIDEO)
        (stats,) = server.get(f"api/sessions/{session}").json["viewers"]
    assert stats["squeezes"] == 1


def test_unknown_messages_and_the_microphone_do_no_harm(server):
    with viewing(server.ws()) as viewer:
        viewer.send("hologram", depth=3)
        viewer.connection.send(frames.encode(0x77, 0, b"x"))
        viewer.connection.send(frames.encode(FrameType.AUDIO, 0, b"opus"))
        viewer.send("ping", t=1)
        viewer.message("pong")


# Close codes: every row of the table, while somebody else watches.


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no JSON",
        "[]",
        '{"type":"say"}',
        '{"type":"hello","protocol":2}',
        b"",
        b"\1" * 11,
        frames.encode(FrameType.VIDEO, 0, b"jpeg"),
        frames.encode(FrameType.AUDIO, 0, b"opus") + b"!",
    ],
    ids=["empty", "text", "list", "no text", "version", "no bytes", "short", "picture", "length"],
)
def test_4400_a_message_that_cannot_be_understood(server, data):
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.connection.send(data)
        refused(viewer, 4400, "bad_message")


def test_4401_a_wrong_token(guarded):
    with undisturbed(guarded, token="s3cret"), viewing(guarded.ws()) as viewer:
        viewer.send("hello", protocol=1, token="guess")
        assert "s3cret" not in refused(viewer, 4401, "unauthorized")
        assert viewer.frames == []


def test_4401_a_message_before_the_token(guarded):
    with undisturbed(guarded, token="s3cret"), viewing(guarded.ws()) as viewer:
        viewer.send("say", text="Hello.")
        refused(viewer, 4401, "unauthorized")


def test_4401_no_token_in_time(guarded):
    with undisturbed(guarded, token="s3cret"), viewing(guarded.ws()) as viewer:
        began = time.monotonic()
        refused(viewer, 4401, "unauthorized")
        assert 0.25 < time.monotonic() - began < 1.0
        assert viewer.frames == []


def test_without_its_token_nothing_is_started_for_a_viewer():
    with running_server(server={"token": "s3cret", "hello_timeout_s": 0.3}) as server:
        with viewing(server.ws()) as late, viewing(server.ws()) as viewer:
            viewer.send("hologram")  # unknown, and skipped
            refused(late, 4401, "unauthorized")
            assert server.loop_call(server.registry.counters)["sessions_opened"] == 0
            refused(viewer, 4401, "unauthorized")
        with viewing(server.ws()):
            pass  # goes by itself
        with viewing(server.ws()) as viewer:
            viewer.send("hello", protocol=1, token="s3cret", audio=["pcm"])
            assert viewer.message("welcome")["audio"]["codec"] == "pcm"
            assert len(viewer.of("welcome")) == 1
            assert server.loop_call(server.registry.counters)["sessions_opened"] == 1


def test_with_its_token_a_viewer_comes_in(guarded):
    with viewing(guarded.ws()) as viewer:
        viewer.send("hello", protocol=1, token="s3cret")
        viewer.message("welcome")
        viewer.watch(400)  # longer than the deadline


def test_4403_a_page_of_another_origin(server):
    with undisturbed(server), viewing(server.ws(), Origin="https://evil.example") as viewer:
        refused(viewer, 4403, "forbidden_origin")
        assert viewer.frames == []


def test_our_own_pages_and_allowed_ones_come_in(server):
    with viewing(server.ws(), Origin=server.url.rstrip("/")) as viewer:
        viewer.message("welcome")
    with (
        running_server(server={"allowed_origins": ["https://a.example"]}) as open_server,
        viewing(open_server.ws(), Origin="https://a.example") as viewer,
    ):
        viewer.message("welcome")


@pytest.mark.parametrize("path", ["nobody", "ada?session=nothing", "Ada", "a%20b", "%E4%B8%96"])
def test_4404_what_does_not_exist(server, path):
    with undisturbed(server), viewing(server.ws(path)) as viewer:
        refused(viewer, 4404, "not_found")


def test_a_reason_longer_than_a_close_frame_is_cut():
    with (
        running_server() as server,
        viewing(server.ws("%E4%B8%96" * 60)) as viewer,
    ):
        closed_with, reason = viewer.closed()
        assert closed_with == 4404
        assert 0 < len(reason.encode()) <= 123


def test_4404_a_session_of_another_agent(server):
    with viewing(server.ws("hall")) as hall:
        session = hall.message("welcome")["session"]
        with viewing(server.ws(f"ada?session={session}")) as viewer:
            refused(viewer, 4404, "not_found")


def test_4413_a_message_too_large(server):
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("say", text="x" * 70_000)
        refused(viewer, 4413, "too_large")


def test_1009_a_message_beyond_what_the_websocket_layer_takes(server):
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        try:
            viewer.connection.send(b"\2" * (1 << 20) + b"!")
        except ConnectionClosed:
            pass
        assert viewer.closed()[0] == 1009


def test_4429_too_many_messages(server):
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        try:
            for _ in range(500):
                viewer.send("ping", t=1)
        except ConnectionClosed:
            pass
        refused(viewer, 4429, "too_many")


def test_4429_too_many_viewers_of_one_address():
    with (
        running_server(limits={"viewers_per_address": 2}) as server,
        undisturbed(server),
        viewing(server.ws()),
    ):
        for _ in range(2):
            with viewing(server.ws()) as third:
                refused(third, 4429, "too_many")


def test_4503_a_server_that_is_full():
    with (
        running_server(limits={"viewers": 1}) as server,
        undisturbed(server),
        viewing(server.ws()) as viewer,
    ):
        assert "full" in refused(viewer, 4503, "unavailable")


def test_4503_no_more_sessions():
    with (
        running_server(limits={"sessions": 1}) as server,
        undisturbed(server),
        viewing(server.ws()) as viewer,
    ):
        refused(viewer, 4503, "unavailable")


def test_4503_a_session_that_is_full():
    with (
        running_server({"hall": HALL}, limits={"viewers_per_session": 1}) as server,
        undisturbed(server, "hall"),
        viewing(server.ws("hall")) as viewer,
    ):
        refused(viewer, 4503, "unavailable")


def test_4503_a_session_that_ended(server):
    with undisturbed(server), viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        server.loop_call(lambda: server.registry.session(session_id).close())
        assert "ended" in refused(viewer, 4503, "unavailable")


def test_4503_a_viewer_that_reads_none_of_its_messages(server):
    with undisturbed(server), viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        session = server.registry.session(session_id)
        note = Error(code="note", message="a note", fatal=False)
        server.loop_call(lambda: [session.post(note) for _ in range(MESSAGES_MAX + 1)])
        assert "reads" in refused(viewer, 4503, "unavailable")


def test_4503_what_nobody_expected_is_logged_and_told():
    async def hook(session):
        raise RuntimeError("the language model is down")

    with (
        running_server(on_session=hook, may_log_errors=True) as server,
        viewing(server.ws()) as viewer,
    ):
        assert "language" not in refused(viewer, 4503, "unavailable")  # which is for the log


class Fragile(FakeAvatar):
    """Starts once, for the server's own try, and never again."""

    started = 0

    async def start(self, reference_image, *, width, height):
        Fragile.started += 1
        if Fragile.started > 1:
            raise AvatarError("out of memory")
        await super().start(reference_image, width=width, height=height)


def test_4503_an_avatar_that_cannot_start():
    agents = {"ada": TESTCARD, "bob": {"avatar": {"provider": "fragile"}, "size": "64x64"}}
    with (
        running_server(agents, avatars={"fragile": Fragile}) as server,
        undisturbed(server),
        viewing(server.ws("bob")) as viewer,
    ):
        assert "out of memory" in refused(viewer, 4503, "unavailable")


def test_4503_a_server_that_shuts_down():
    with running_server() as server, viewing(server.ws()) as viewer:
        viewer.message("welcome")
        server.loop_call(lambda: setattr(server.registry, "draining", True))
        with viewing(server.ws()) as late:
            assert "shutting down" in refused(late, 4503, "unavailable")
        viewer.watch(100)  # who is in stays until the end


def test_4503_when_the_server_stops_its_viewers_are_told():
    with running_server() as server:
        viewers = [viewing(server.ws()) for _ in range(3)]
        inside = [viewer.__enter__() for viewer in viewers]
        for viewer in inside:
            viewer.message("welcome")
    for viewer, leaving in zip(inside, viewers, strict=True):
        refused(viewer, 4503, "unavailable")
        leaving.__exit__(None, None, None)


# Going.


def gone(server, session_id):
    """Wait until nobody watches the session any more."""
    deadline = time.monotonic() + WAIT_S
    while server.loop_call(lambda: len(server.registry.session(session_id).viewers)):
        assert time.monotonic() < deadline, "the server did not notice"
        time.sleep(0.01)


def test_a_viewer_that_closes_is_gone(server):
    with viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
    gone(server, session_id)


def test_a_viewer_that_says_bye_gets_a_close_frame(server):
    with viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("bye")
        assert viewer.closed()[0] == 1000


def test_a_connection_that_is_reset_is_gone_and_nobody_else_notices(server):
    with undisturbed(server):
        with viewing(server.ws()) as viewer:
            session_id = viewer.message("welcome")["session"]
            linger = struct.pack("ii", 1, 0)
            viewer.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            viewer.connection.socket.close()
        gone(server, session_id)


def test_a_viewer_that_reads_nothing_disturbs_nobody(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.sendall(
            b"GET /ws/facetime/ada HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in silent.recv(20)
        with undisturbed(server):
            time.sleep(1.0)


def test_a_place_is_given_back():
    with running_server(limits={"viewers": 1, "linger_s": 0}) as server:
        for _ in range(5):
            with viewing(server.ws()) as viewer:
                session_id = viewer.message("welcome")["session"]
            deadline = time.monotonic() + WAIT_S
            while server.loop_call(lambda: server.registry.viewers):
                assert time.monotonic() < deadline
                time.sleep(0.005)
        assert session_id not in json.dumps(server.get("api/sessions").json)


# In other applications.


def test_mounted_in_another_application_it_starts_with_its_first_viewer():
    def wrap(app):
        return Starlette(routes=[Mount("/avatar", app)])

    with running_server(wrap=wrap) as server:
        url = server.ws().replace("/ws/", "/avatar/ws/")
        with viewing(url) as viewer:
            viewer.message("welcome")
            viewer.send("say", text="Hello.")
            viewer.message("state", value="speaking")
        assert server.get("avatar/healthz").json["status"] == "ok"


def test_mounted_with_a_mistake_in_its_configuration_it_says_so_to_its_viewer():
    def wrap(app):
        return Starlette(routes=[Mount("/", app)])

    agents = {"ada": {"avatar": {"provider": "testcart"}}}
    with (
        running_server(agents, wrap=wrap) as server,
        viewing(server.ws()) as viewer,
    ):
        assert "testcard" in refused(viewer, 4503, "unavailable")
