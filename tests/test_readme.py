"""The README's snippets run, its files exist, and its configuration is the default one."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from wsstream.app.cli import main
from wsstream.config import Config, make_config

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def app_of(wanted: str):
    """The application that the snippet with this in it makes."""
    (source,) = [block for block in blocks("python") if wanted in block]
    namespace: dict = {"__name__": "snippet"}
    exec(compile(source, "README.md", "exec"), namespace)
    return namespace["app"]


def first_session(client: TestClient, prefix: str = "") -> str:
    return client.get(f"{prefix}/api/sessions").json()[0]["id"]


def wait_for_level(socket, client: TestClient, path: str) -> None:
    """Until the session speaks."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        message = socket.receive()
        if '"speaking"' in (message.get("text") or ""):
            return
    pytest.fail(f"it did not speak: {client.get(path).json()}")


@pytest.mark.parametrize("snippet", ["class Hum", "class Lamp"])
def test_an_engine_of_ones_own_speaks(snippet: str) -> None:
    with TestClient(app_of(snippet)) as client, client.websocket_connect("/ws/facetime/ada") as ws:
        session = first_session(client)
        said = client.post(f"/api/sessions/{session}/say", json={"text": "Hello there."})
        assert said.status_code == 202
        wait_for_level(ws, client, f"/api/sessions/{session}")
        assert client.get(f"/api/sessions/{session}").json()["counters"]["avatar_failures"] == 0


def test_it_is_mounted_in_another_application() -> None:
    with TestClient(app_of("Mount(")) as client:
        with client.websocket_connect("/avatar/ws/facetime/ada") as ws:
            wait_for_level(ws, client, "/avatar/api/sessions")
            assert client.post("/lunch").json() == {"told": 1}
            wait_for_level(ws, client, "/avatar/api/sessions")
        assert "ws-stream" in client.get("/avatar/").text


def test_the_configuration_shown_is_the_default() -> None:
    (source,) = blocks("toml")
    data = tomllib.loads(source)
    shown, default = make_config(data), Config()
    assert shown.server == default.server
    assert shown.limits == default.limits
    ada = msgspec.structs.replace(shown.agents["ada"], avatar={}, voice={})
    assert ada == default.agents["ada"]
    for section in ("server", "limits"):
        fields = set(getattr(default, section).__struct_fields__)
        assert set(data[section]) == fields


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
