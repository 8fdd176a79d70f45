"""The HTTP half: what each route answers, and how it refuses."""

from __future__ import annotations

import asyncio
import urllib.request

import pytest

from tests.fakes import FakeAvatar, audio_file, sine
from tests.servers import TESTCARD, running_server, viewing
from wsstream.version import __version__

SILENT = {**TESTCARD, "title": "", "voice": {"engine": "none"}, "shared": True, "fps": 30}


@pytest.fixture(scope="module")
def server():
    limits = {"text_chars": 100, "message_bytes": 1000, "queued_turns": 2}
    with running_server({"ada": TESTCARD, "mute": SILENT}, limits=limits) as server:
        yield server


@pytest.fixture(scope="module")
def guarded():
    with running_server(server={"token": "s3cret"}) as server:
        yield server


@pytest.fixture
def viewer(server):
    with viewing(server.ws()) as viewer:
        viewer.message("welcome")
        yield viewer


@pytest.fixture
def session(viewer):
    """The address of the session that ``viewer`` watches."""
    return f"api/sessions/{viewer.messages[0]['session']}"


@pytest.fixture
def roomy():
    with running_server() as server, viewing(server.ws()) as viewer:
        yield server, f"api/sessions/{viewer.message('welcome')['session']}"


# The page.


def test_the_page_is_at_the_root(server):
    answer = server.get("")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert b"<ws-stream" in answer.body
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("wsstream.js", "javascript"),
        ("core/protocol.js", "javascript"),
        ("audio/worklet.js", "javascript"),
        ("page.css", "css"),
        ("icon.svg", "svg"),
    ],
)
def test_its_files_have_their_types_and_are_asked_for_again(server, path, kind):
    answer = server.get(f"static/{path}")
    assert answer.status == 200
    assert kind in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "no-cache"


def test_its_modules_may_be_loaded_by_pages_of_other_origins(server):
    answer = server.get("static/wsstream.js", Origin="https://a.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    etag = answer.headers["etag"]
    again = server.get("static/wsstream.js", Origin="https://a.example", If_None_Match=etag)
    assert (again.status, again.headers["access-control-allow-origin"]) == (304, "*")


def test_a_file_that_did_not_change_is_not_sent_again(server):
    etag = server.get("static/wsstream.js").headers["etag"]
    assert server.get("static/wsstream.js", If_None_Match=etag).status == 304


@pytest.mark.parametrize(
    "path",
    ["nothing", "static/nothing.js", "static/../pyproject.toml", "static/%2e%2e/pyproject.toml"],
)
def test_what_is_not_there_is_not_found(server, path):
    assert server.get(path).status == 404


# What there is.


def test_agents(server):
    assert server.get("api/agents").json == [
        {
            "name": "ada",
            "title": "Card",
            "size": [256, 144],
            "fps": 25,
            "shared": False,
            "mode": "auto",
        },
        {
            "name": "mute",
            "title": "mute",
            "size": [256, 144],
            "fps": 30,
            "shared": True,
            "mode": "auto",
        },
    ]


def test_sessions(server, viewer):
    session_id = viewer.messages[0]["session"]
    [found] = [s for s in server.get("api/sessions").json if s["id"] == session_id]
    assert found == {
        "id": session_id,
        "agent": "ada",
        "state": "idle",
        "media_ms": found["media_ms"],
        "viewers": 1,
    }


def test_one_session_in_all_detail(server, viewer, session):
    viewer.watch(100)
    stats = server.get(session).json
    assert stats["agent"] == "ada"
    assert stats["counters"]["packets_sent"] >= 5
    [link] = stats["viewers"]
    assert link["transport"] == "ws"
    assert link["pictures_sent"] >= 2


@pytest.mark.parametrize("path", ["", "/say", "/audio", "/interrupt"])
def test_a_session_that_does_not_exist_is_not_found(server, path):
    url = f"api/sessions/nothing{path}"
    answer = server.post(url, {"text": "Hello."}) if path else server.get(url)
    assert (answer.status, answer.code) == (404, "not_found")


# Having it speak.


def test_say_is_heard(server, viewer, session):
    answer = server.post(f"{session}/say", {"text": "Hello there."})
    assert answer.status == 202
    assert viewer.message("state", value="speaking")
    transcript = viewer.message("transcript")
    assert transcript["text"] == "Hello there."
    assert transcript["id"] == f"{answer.json['turn']}.0"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_message"),
        (b"no JSON", 400, "bad_message"),
        (b"\xff\xfe", 400, "bad_message"),
        (b'{"text": "\xff"}', 400, "bad_message"),
        ([], 400, "bad_message"),
        ({}, 400, "bad_message"),
        ({"text": 1}, 400, "bad_message"),
        ({"text": ""}, 400, "bad_message"),
        ({"text": " \n"}, 400, "bad_message"),
        ({"text": "x" * 101}, 413, "too_large"),
        (b"x" * 1001, 413, "too_large"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(server, session, body, status, code):
    answer = server.post(f"{session}/say", body)
    assert (answer.status, answer.code) == (status, code)
    assert len(answer.json["error"]["message"]) > 10


def test_a_body_nested_too_deep_is_refused_in_words(roomy):
    server, session = roomy
    answer = server.post(f"{session}/say", b"[" * 60_000)
    assert (answer.status, answer.code) == (400, "bad_message")
    answer = server.post(f"{session}/say", b'{"text": "Hello.", "more": ' + b"[" * 60_000)
    assert (answer.status, answer.code) == (400, "bad_message")


def test_too_many_turns_are_refused(server, session):
    answers = [server.post(f"{session}/say", {"text": "x" * 100}) for _ in range(5)]
    assert [answer.status for answer in answers] == [202, 202, 202, 429, 429]
    assert answers[-1].code == "too_many"


def test_an_agent_without_a_voice_cannot_say(server):
    with viewing(server.ws("mute")) as viewer:
        session_id = viewer.message("welcome")["session"]
        answer = server.post(f"api/sessions/{session_id}/say", {"text": "Hello."})
        assert (answer.status, answer.code) == (501, "no_voice")


def test_interrupt_is_heard(server, viewer, session):
    server.post(f"{session}/say", {"text": "x" * 100})
    viewer.message("state", value="speaking")
    answer = server.post(f"{session}/interrupt")
    assert answer.status == 200
    assert viewer.message("flush")["epoch"] == answer.json["epoch"] == 1
    viewer.message("state", value="idle")


@pytest.mark.parametrize("path", ["say", "audio", "interrupt"])
def test_what_changes_something_is_asked_for_by_post(server, session, path):
    assert server.get(f"{session}/{path}").status == 405


# Uploads (more in test_uploads.py).


@pytest.mark.parametrize("format", ["wav", "mp3", "ogg", "flac"])
def test_an_audio_file_is_spoken(server, viewer, session, format):
    data = audio_file(sine(440, 0.5, 16_000), 16_000, format)
    answer = server.post(f"{session}/audio", data)
    assert answer.status == 200
    assert answer.json["seconds"] == pytest.approx(0.5, abs=0.1)
    viewer.message("state", value="speaking")
    viewer.message("state", value="idle")


def test_what_is_no_audio_file_is_refused(server, session):
    answer = server.post(f"{session}/audio", b"This is a letter. " * 100)
    assert (answer.status, answer.code) == (415, "no_audio")


def test_an_upload_over_the_limit_is_refused():
    # What it logs by now and then is test_uploads.py's.
    with (
        running_server(limits={"upload_bytes": 100_000}, may_log_errors=True) as server,
        viewing(server.ws()) as viewer,
    ):
        session = f"api/sessions/{viewer.message('welcome')['session']}"
        answer = server.post(f"{session}/audio", audio_file(sine(440, 5), 48_000, "wav"))
        assert (answer.status, answer.code) == (413, "too_large")


# While a session ends, its engine may take a while to stop.


class Heavy(FakeAvatar):
    async def stop(self):
        await asyncio.sleep(0.5)


@pytest.fixture
def ending():
    """A server, and the address of a session of it that is just ending."""
    agents = {"ada": {**TESTCARD, "avatar": {"provider": "heavy"}}}
    with running_server(agents, avatars={"heavy": Heavy}) as server:
        with viewing(server.ws()) as viewer:
            session_id = viewer.message("welcome")["session"]
        server.loop_call(lambda: server.registry.session(session_id).close())
        yield server, f"api/sessions/{session_id}"


def test_an_interruption_while_a_session_ends_is_no_crash(ending):
    server, session = ending
    assert server.post(f"{session}/interrupt").status in (200, 404, 503)


def test_nothing_is_promised_while_a_session_ends(ending):
    server, session = ending
    assert server.post(f"{session}/say", {"text": "Hello."}).status in (404, 503)


# Who may.

ROUTES = [
    ("GET", "api/agents"),
    ("GET", "api/sessions"),
    ("GET", "api/sessions/x"),
    ("POST", "api/sessions/x/say"),
    ("POST", "api/sessions/x/audio"),
    ("POST", "api/sessions/x/interrupt"),
    ("GET", "metrics"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}], ids=["none", "wrong"])
def test_without_the_token_nothing_is_told_or_done(guarded, method, path, headers):
    data = b"{}" if method == "POST" else None
    answer = ask_of(guarded, path, data, headers)
    assert (answer.status, answer.code) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_with_the_token_it_is(guarded, method, path):
    data = b"{}" if method == "POST" else None
    answer = ask_of(guarded, path, data, {"Authorization": "Bearer s3cret"})
    assert answer.status in (200, 404)


@pytest.mark.parametrize("path", ["", "healthz", "static/wsstream.js"])
def test_the_page_and_health_need_no_token(guarded, path):
    assert guarded.get(path).status == 200


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_scripts_of_other_pages_may_not(server, method, path):
    data = b"{}" if method == "POST" else None
    answer = ask_of(server, path, data, {"Origin": "https://evil.example"})
    assert (answer.status, answer.code) == (403, "forbidden_origin")


def ask_of(server, path, data, headers):
    if data is None:
        return server.get(path, **headers)
    return server.post(path, data, **headers)


# Health.


def test_health(server):
    health = server.get("healthz").json
    assert health["status"] == "ok"
    assert health["version"] == __version__
    assert health["sessions"] >= 0


def test_while_draining_it_is_not_healthy():
    with running_server() as server:
        server.loop_call(lambda: setattr(server.registry, "draining", True))
        answer = server.get("healthz")
        assert (answer.status, answer.json["status"]) == (503, "draining")


def test_head_is_answered_too(server):
    request = urllib.request.Request(server.url + "healthz", method="HEAD")
    with urllib.request.urlopen(request, timeout=5) as response:
        assert response.status == 200
        assert response.read() == b""
