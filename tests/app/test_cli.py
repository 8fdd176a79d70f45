"""``wsstream``, as it is called from a shell."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import av
import pytest

from tests.servers import TESTCARD, ask, running_server, viewing
from wsstream.app import cli
from wsstream.app.cli import main
from wsstream.version import __version__

COMMANDS = ["serve", "agents", "check", "record", "say"]
CARD = ["--avatar", "testcard", "--voice", "none", "--size", "256x144"]


@pytest.fixture(autouse=True)
def wide_terminal_without_configuration(monkeypatch):
    for name in list(os.environ):
        if name.startswith("WSSTREAM_"):
            monkeypatch.delenv(name)
    for console in (cli.out, cli.err):
        monkeypatch.setattr(console, "width", 200)


@pytest.fixture
def call(capsys):
    """Run a command in this process: its exit status, output and errors."""

    def call(*arguments):
        try:
            status = main(list(map(str, arguments)))
        except SystemExit as end:
            status = end.code
        out, err = capsys.readouterr()
        return status, out, err

    return call


# Help and mistakes.


def test_help_names_every_command(call):
    status, out, _ = call("--help")
    assert status == 0
    for command in COMMANDS:
        assert re.search(rf"^ +{command} +\w", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(call, command):
    status, out, _ = call(command, "--help")
    assert status == 0
    assert out.startswith(f"usage: wsstream {command}")


def test_the_version(call):
    assert call("--version") == (0, f"wsstream {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["serve", "--nothing"],
        ["serve", "--port"],
        ["record"],
        ["record", "http://host/"],
        ["record", "http://host/", "x.mp4", "--seconds", "ten"],
        ["record", "http://host/", "x.mp4", "--seconds", "0"],
        ["record", "http://host/", "x.mp4", "--seconds=-1"],
        ["record", "http://host/", "x.mp4", "--seconds", "nan"],
        ["say"],
    ],
    ids=" ".join,
)
def test_a_mistake_in_the_call_is_2_and_shows_the_usage(call, arguments):
    status, _, err = call(*arguments)
    assert status == 2
    assert "usage: wsstream" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "server.prot=1"], "unknown key 'server.prot'; did you mean 'port'?"),
        (["--set", "server.port"], "--set server.port: expected KEY=VALUE"),
        (["--port", "eighty"], "server.port: expected `int`, got `str`"),
        (["--port", "70000"], "server.port"),
        (["--size", "512"], "agents.ada.size: expected WIDTHxHEIGHT, such as 512x512, got 512"),
        (["--size", "wide"], "agents.ada.size: expected WIDTHxHEIGHT, such as 512x512, got 'wide'"),
        (["--size", "513x512"], "even"),
        (["--fps", "0"], "fps"),
        (["--config", "/absent.toml"], "/absent.toml: No such file"),
        (["--set", "agents={}"], "at least one agent"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_the_configuration_is_2_in_words(call, arguments, words):
    status, out, err = call("agents", *arguments)
    assert status == 2
    assert err.startswith("wsstream: configuration: ")
    assert words in err
    assert "Traceback" not in err + out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--avatar", "nothing"],
        ["--avatar", "5"],
        ["--voice", "[odd]"],
        ["--set", "agents.*.title=[bold]"],
    ],
    ids=lambda value: value[1],
)
def test_odd_names_are_listed_as_they_are(call, arguments):
    status, out, _ = call("agents", *arguments)
    assert status == 0
    assert arguments[1].split("=")[-1] in out


# Where the configuration comes from.


def test_agents_are_listed(call, tmp_path):
    path = tmp_path / "wsstream.toml"
    path.write_text('[agents.bob]\ntitle = "Bob B."\nsize = "640x360"\nfps = 20\nshared = true\n')
    status, out, _ = call("agents", "--config", path)
    assert status == 0
    [row] = [line for line in out.splitlines() if "bob" in line]
    for word in ("Bob B.", "portrait", "espeak", "640x360", "20", "yes"):
        assert word in row


def test_flags_win_over_the_environment_and_that_over_the_file(call, tmp_path, monkeypatch):
    path = tmp_path / "wsstream.toml"
    path.write_text('[agents.ada]\nsize = "64x64"\nfps = 10\ntitle = "File"\n')
    monkeypatch.setenv("WSSTREAM_CONFIG", str(path))
    monkeypatch.setenv("WSSTREAM_AGENTS__ADA__SIZE", "128x128")
    monkeypatch.setenv("WSSTREAM_AGENTS__ADA__FPS", "15")
    _, out, _ = call("agents", "--fps", "30")
    [row] = [line for line in out.splitlines() if "ada" in line]
    assert "File" in row
    assert "128x128" in row
    assert re.search(r"\b30\b", row)


def test_a_token_is_text_even_when_it_looks_like_a_number(call):
    status, _, err = call("agents", "--token", "12345")
    assert (status, err) == (0, "")


# check.


def test_check_is_0_where_everything_needed_works(call):
    status, out, _ = call("check", *CARD, "--port", "0")
    assert status == 0
    assert "avatar of ada" in out


def test_check_is_1_where_something_needed_does_not(call):
    status, out, _ = call("check", *CARD, "--port", "0", "--picture", "/absent.png")
    assert status == 1
    assert re.search(r"avatar of ada.* no .*absent\.png", out)


# record and say, with a server that runs.


@pytest.fixture(scope="module")
def server():
    with running_server({"ada": TESTCARD, "bob": TESTCARD}) as server:
        yield server


def test_record_writes_a_file_that_plays(call, server, tmp_path):
    path = tmp_path / "card.mp4"
    status, out, err = call("record", server.url, path, "--seconds", "0.6")
    assert status == 0, err
    assert re.search(r"card\.mp4: 0\.6 s", out)
    with av.open(str(path)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.width, video.height, video.codec.name) == (256, 144, "h264")
        assert audio.codec.name == "aac"
        video_ms, audio_ms = (float(s.duration * s.time_base) * 1000 for s in (video, audio))
    assert audio_ms == pytest.approx(600, abs=50)
    assert video_ms == pytest.approx(audio_ms, abs=40)


def test_record_may_have_it_say_something(call, server, tmp_path):
    status, out, err = call("record", server.ws(), tmp_path / "x.mp4", "--say", "Hello.")
    assert status == 0, err
    assert float(re.search(r": ([\d.]+) s", out)[1]) == pytest.approx(0.8, abs=0.3)


def test_record_without_a_server_is_1_in_words(call, tmp_path):
    status, out, err = call("record", "http://127.0.0.1:9/", tmp_path / "x.mp4")
    assert status == 1
    assert "wsstream: no connection to ws://127.0.0.1:9/ws/facetime/ada" in err
    assert "Traceback" not in err + out
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize("url", ["http://[", "http://host:port/", "http://", "ftp://host/", ""])
def test_record_with_an_address_that_is_none_is_1_in_words(call, tmp_path, url):
    status, out, err = call("record", url, tmp_path / "x.mp4")
    assert status == 1
    assert f"{url!r} is no address of a server: expected one such as http://127" in err
    assert "Traceback" not in err + out


def test_say_is_heard(call, server):
    with viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        address = server.url.removeprefix("http://")  # as one would type it
        status, out, _ = call("say", "Hello.", "--url", address, "--session", session_id)
        assert status == 0
        assert viewer.message("transcript")["text"] == "Hello."
        assert re.search(rf"session {session_id} says it as turn-\d", out)


def test_say_finds_the_only_session_of_an_agent(call, server):
    with viewing(server.ws("bob")) as viewer:
        viewer.message("welcome")
        assert call("say", "Hello.", "--url", server.url, "--agent", "bob")[0] == 0
        assert viewer.message("transcript")["text"] == "Hello."


def test_say_asks_which_session_where_there_are_more(call):
    with running_server() as server:
        status, _, err = call("say", "Hello.", "--url", server.url)
        assert (status, "none runs" in err) == (1, True)
        with viewing(server.ws()) as one, viewing(server.ws()) as two:
            one.message("welcome")
            two.message("welcome")
            status, _, err = call("say", "Hello.", "--url", server.url)
            assert (status, "there are 2 sessions" in err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Hello.", "--session", "nothing"], "there is no session 'nothing'"),
        (["", "--session", "nothing"], "there is no session"),
    ],
)
def test_what_the_server_refuses_is_1_in_its_words(call, server, arguments, words):
    status, _, err = call("say", *arguments, "--url", server.url)
    assert status == 1
    assert words in err


def test_say_gives_the_token(call):
    with running_server(server={"token": "s3cret"}) as server:
        status, _, err = call("say", "Hello.", "--url", server.url, "--session", "x")
        assert (status, "token is required" in err) == (1, True)
        call_with = ["say", "Hello.", "--url", server.url, "--session", "x", "--token", "s3cret"]
        status, _, err = call(*call_with)
        assert (status, "no session 'x'" in err) == (1, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "ftp://host/",
        "localhost:9",
        "http://[",
        "http://host:port/",
        "http://a b/",
        "",
    ],
)
def test_say_without_a_server_is_1_in_words(call, url):
    status, _, err = call("say", "Hello.", "--url", url)
    assert status == 1
    assert "no answer from" in err
    assert "Traceback" not in err


# serve.


@pytest.fixture
def served(call, monkeypatch):
    """What is printed by a server that starts, and stops at once."""

    def served(*arguments):
        def serve(app, config, *, ready):
            ready("http://127.0.0.1:8000/")

        monkeypatch.setattr(cli, "serve", serve)
        status, out, err = call("serve", *arguments)
        assert (status, err) == (0, "")
        return out

    return served


def test_serve_names_the_page_of_an_agent_that_is_not_the_usual_one(served, tmp_path):
    path = tmp_path / "wsstream.toml"
    path.write_text("[agents.bob]\n[agents.eve]\n")
    assert "open http://127.0.0.1:8000/?agent=bob\n" in served("--config", path)
    path.write_text("[agents.bob]\n[agents.ada]\n")
    assert "open http://127.0.0.1:8000/\n" in served("--config", path)


def test_serve_says_where_a_token_goes_and_does_not_print_it(served):
    assert "#token=" not in served()
    out = served("--token", "s3cret")
    assert "#token=" in out
    assert "s3cret" not in out


# serve, in a process of its own.


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_tells_its_address_and_stops_when_it_is_asked_to(stop):
    command = [sys.executable, "-m", "wsstream", "serve", "--port", "0", *CARD]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            url = re.search(r"http://\S+", line)[0]
            assert f"wsstream {__version__}" in line
            assert "ada" in process.stdout.readline()
            assert ask(url + "healthz").status == 200
            process.send_signal(stop)
            _, err = process.communicate(timeout=10)
            assert process.returncode in (0, 128 + stop, -stop)
            assert "Traceback" not in err
        finally:
            process.kill()


def test_serve_with_an_avatar_that_cannot_start_is_1_in_words():
    command = [sys.executable, "-m", "wsstream", "serve", "--port", "0", *CARD]
    done = subprocess.run(
        [*command, "--picture", "/absent.png"], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert "absent.png" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_on_a_port_that_is_taken_is_told(server):
    command = [sys.executable, "-m", "wsstream", "serve", "--port", str(server.port), *CARD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.count("in use") == 1
    assert done.stderr.count(str(server.port)) == 1
    assert "Traceback" not in done.stderr
