"""The README's snippets run, its files exist, and its configuration is the default one."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from websockets.sync.client import ClientConnection, connect

from wsstream.app.cli import main
from wsstream.app.factories import make_engines
from wsstream.avatar.portrait import PortraitAvatar
from wsstream.config import Config, make_config
from wsstream.voice.espeak import EspeakVoice

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def reference() -> str:
    """The configuration with everything in it."""
    (source,) = [block for block in blocks("toml") if "[server]" in block]
    return source


def test_every_configuration_shown_can_be_used() -> None:
    for source in blocks("toml"):
        make_config(tomllib.loads(source))


@contextmanager
def serving_snippet(wanted: str, folder: Path) -> Iterator[str]:
    """The address of the application in the snippet with this in it, served as the README says."""
    (source,) = [block for block in blocks("python") if wanted in block]
    (folder / "mymodule.py").write_text(source)
    (line,) = re.findall(r"`(uvicorn mymodule:app [^`]*)`", TEXT)
    command = [sys.executable, "-m", *line.split(), "--port", "0", "--app-dir", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            for log in process.stderr:
                if found := re.search(r"running on http://(\S+)", log):
                    yield found[1]
                    break
            else:
                pytest.fail("it did not start")
        finally:
            process.terminate()
            process.wait(10)


def call(url: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:
        return json.load(answer)


def wait_for(socket: ClientConnection, type: str, **fields: object) -> dict:
    """The next message of that type with these fields."""
    while True:
        data = socket.recv(timeout=10)
        if isinstance(data, str) and {"type": type, **fields}.items() <= json.loads(data).items():
            return json.loads(data)


@pytest.mark.parametrize("snippet", ["class Hum", "class Lamp"])
def test_an_engine_of_ones_own_speaks(snippet: str, tmp_path: Path) -> None:
    with (
        serving_snippet(snippet, tmp_path) as host,
        connect(f"ws://{host}/ws/facetime/ada") as viewer,
    ):
        session = f"http://{host}/api/sessions/{wait_for(viewer, 'welcome')['session']}"
        call(f"{session}/say", {"text": "Hello there."})
        wait_for(viewer, "state", value="speaking")
        assert call(session)["counters"]["avatar_failures"] == 0


def test_it_is_mounted_in_another_application(tmp_path: Path) -> None:
    with (
        serving_snippet("Mount(", tmp_path) as host,
        connect(f"ws://{host}/avatar/ws/facetime/ada") as viewer,
    ):
        wait_for(viewer, "transcript", text="Hello, I am Ada.")
        assert call(f"http://{host}/lunch", {}) == {"told": 1}
        wait_for(viewer, "flush")
        wait_for(viewer, "transcript", text="Lunch is ready.")
        with urllib.request.urlopen(f"http://{host}/avatar/") as page:
            assert b"ws-stream" in page.read()


def test_the_configuration_shown_is_the_default() -> None:
    source = reference()
    data = tomllib.loads(source)
    shown, default = make_config(data), Config()
    assert shown.server == default.server
    assert shown.limits == default.limits
    assert shown.ice == default.ice
    ada = msgspec.structs.replace(shown.agents["ada"], avatar={}, voice={})
    assert ada == default.agents["ada"]
    for section in ("server", "limits", "ice"):
        fields = set(getattr(default, section).__struct_fields__)
        assert set(data[section]) == fields


def test_the_options_shown_are_those_of_the_engines() -> None:
    source = reference()
    shown = re.sub(r"^# (?=\w+ = )", "", source, flags=re.MULTILINE).replace(
        '"me.jpg"', '"LICENSE"'
    )
    ada = make_config(tomllib.loads(shown)).agents["ada"]
    engines = make_engines()
    engines.avatar(ada)
    engines.voice(ada)
    for options, kind in ((ada.avatar, PortraitAvatar), (ada.voice, EspeakVoice)):
        parameters = inspect.signature(kind).parameters
        places = {"provider", "engine", "picture", "eyes", "mouth", "chin"}
        for name, value in options.items():
            assert name in places or value == parameters[name].default, name
        assert set(options) >= set(parameters) - {"fps", "face", "seed"}


def test_the_parameters_of_the_page_are_those_it_reads() -> None:
    page = (ROOT / "static/page.js").read_text()
    (names,) = re.findall(r"for \(const name of (\[.*?\])\)", page)
    (line,) = re.findall(r"takes\nattributes from its address: (.*?)\.\n", TEXT, re.DOTALL)
    assert re.findall(r"`[?&](\w+)", line) == json.loads(names)
    assert "`#token=`" in line


def test_every_file_it_names_exists() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / path).exists(), path


def test_every_command_it_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for command in set(re.findall(r"`wsstream (\w+)", TEXT)):
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["voice"]]
    table = TEXT[TEXT.index("## Dependencies") :]
    for requirement in needed:
        name = re.match(r"[\w-]+", requirement)[0]
        assert name in table, name
