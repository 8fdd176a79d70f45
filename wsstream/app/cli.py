"""``wsstream``: the command line."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import math
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..config import Config, load_config, parse_value
from ..errors import ConfigError, WsstreamError
from ..version import __version__
from .app import create_app
from .check import check
from .client import DEFAULT_AGENT, socket_url
from .factories import DEFAULT_AVATAR, DEFAULT_VOICE
from .record import record
from .server import serve

DEFAULT_URL = "http://127.0.0.1:8000/"

_SHORTCUTS = {
    "host": ("server.host", "ADDRESS", "listen on this address (default 127.0.0.1)"),
    "port": ("server.port", "PORT", "listen on this port (default 8000)"),
    "token": ("server.token", "TEXT", "let in only those who give this token"),
    "avatar": ("agents.*.avatar.provider", "NAME", "portrait, testcard, or package.module:Class"),
    "picture": ("agents.*.avatar.picture", "FILE", "a portrait picture to bring to life"),
    "voice": ("agents.*.voice.engine", "NAME", "espeak, none, or package.module:Class"),
    "language": ("agents.*.voice.language", "CODE", "the voice's language, such as de or en-us"),
    "size": ("agents.*.size", "WIDTHxHEIGHT", "of the picture (default 512x512)"),
    "fps": ("agents.*.fps", "N", "pictures per second (default 25)"),
}
"""Flags for what people change most; agents.* means every agent."""

out = Console()
err = Console(stderr=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns its exit status: 0, 1 for a failure, 2 for a mistake in the call."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except ConfigError as error:
        err.print(f"wsstream: configuration: {error}", style="red", markup=False)
        return 2
    except WsstreamError as error:
        err.print(f"wsstream: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wsstream", description="Streams a talking avatar, face and voice, to any browser."
    )
    parser.add_argument("--version", action="version", version=f"wsstream {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    _add_config_flags(command("serve", _serve, "Serve the page and its streams."))
    _add_config_flags(command("agents", _agents, "List the configured agents."))
    _add_config_flags(command("check", _check, "Tell what works on this machine."))

    sub = command("record", _record, "Watch a stream and write it to an MP4 file.")
    sub.add_argument("url", help="of the server's page, or of the WebSocket itself")
    sub.add_argument("file", type=Path, help="the MP4 to write")
    text = "how long (default 10, or until --say is said)"
    sub.add_argument("--seconds", type=_seconds, help=text)
    sub.add_argument("--say", default="", metavar="TEXT", help="have the agent say this")
    _add_client_flags(sub)

    sub = command("say", _say, "Have a running session say something.")
    sub.add_argument("text")
    sub.add_argument("--url", default=DEFAULT_URL, help=f"the server (default {DEFAULT_URL})")
    _add_client_flags(sub)
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected more than 0, got {text}")
    return seconds


def _add_config_flags(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--config", type=Path, metavar="FILE", help="a TOML file (or WSSTREAM_CONFIG)")
    for flag, (_, metavar, text) in _SHORTCUTS.items():
        sub.add_argument(f"--{flag}", metavar=metavar, help=text)
    sub.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any key of the configuration, such as limits.sessions=5",
    )


def _add_client_flags(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--agent", help=f"(default {DEFAULT_AGENT})")
    sub.add_argument("--session", metavar="ID", help="a running session, as /api/sessions lists it")
    sub.add_argument("--token", default="", help="the server's token, where it asks for one")


def _load(options: argparse.Namespace) -> Config:
    overrides: list[tuple[str, Any]] = []
    for flag, (key, _, _) in _SHORTCUTS.items():
        if (text := getattr(options, flag)) is not None:
            literal = flag in ("token", "picture")
            overrides.append((key, text if literal else parse_value(text)))
    for assignment in options.set:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: expected KEY=VALUE")
        overrides.append((key.strip(), parse_value(text.strip())))
    path = options.config or os.environ.get("WSSTREAM_CONFIG")
    return load_config(Path(path) if path else None, os.environ, overrides)


def _serve(options: argparse.Namespace) -> int:
    config = _load(options)

    def ready(url: str) -> None:
        if DEFAULT_AGENT not in config.agents:
            url += f"?agent={next(iter(config.agents))}"
        out.print(f"wsstream {__version__}: open [link={url}]{url}[/link]", highlight=False)
        names = ", ".join(config.agents)
        if config.server.token:
            out.print("add #token= and the token to the address", style="dim", highlight=False)
        out.print(f"agents: {names}   stop with Ctrl+C", style="dim", highlight=False)

    serve(create_app(config), config, ready=ready)
    return 0


def _agents(options: argparse.Namespace) -> int:
    table = Table("agent", "title", "avatar", "voice", "size", "fps", "shared")
    for name, agent in _load(options).agents.items():
        avatar = agent.avatar.get("provider", DEFAULT_AVATAR)
        voice = agent.voice.get("engine", DEFAULT_VOICE)
        shared = "yes" if agent.shared else "no"
        row = (name, agent.title, avatar, voice, agent.size, f"{agent.fps:g}", shared)
        table.add_row(*(Text(str(cell)) for cell in row))
    out.print(table)
    return 0


def _check(options: argparse.Namespace) -> int:
    findings = check(_load(options))
    table = Table("what", "works", "")
    for finding in findings:
        mark = "[green]yes[/]" if finding.works else "[red]no[/]" if finding.needed else "no"
        table.add_row(Text(finding.what), mark, Text(finding.words))
    out.print(table)
    return 0 if all(finding.works or not finding.needed for finding in findings) else 1


def _record(options: argparse.Namespace) -> int:
    url = socket_url(options.url, options.agent, options.session)
    seconds = options.seconds if options.seconds or options.say else 10.0
    columns = (TextColumn("recording"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=seconds)
        recorded = asyncio.run(
            record(
                url,
                options.file,
                seconds=seconds,
                say=options.say,
                token=options.token,
                progress=lambda done: bar.update(task, completed=done),
            )
        )
    out.print(f"{options.file}: {recorded:.1f} s", highlight=False)
    return 0


def _say(options: argparse.Namespace) -> int:
    base = options.url.rstrip("/")
    if "://" not in base:
        base = f"http://{base}"
    session = options.session or _only_session(base, options)
    answer = _call(f"{base}/api/sessions/{session}/say", options.token, {"text": options.text})
    out.print(f"session {session} says it as {answer['turn']}", highlight=False)
    return 0


def _only_session(base: str, options: argparse.Namespace) -> str:
    sessions = _call(f"{base}/api/sessions", options.token)
    ids = [s["id"] for s in sessions if options.agent in (None, s["agent"])]
    if len(ids) != 1:
        found = f"there are {len(ids)} sessions: name one with --session" if ids else "none runs"
        raise WsstreamError(f"which session? {found}")
    return str(ids[0])


def _call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        request = urllib.request.Request(url, data, headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        try:
            message = json.load(error)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = f"{url} answered {error.code}"
        raise WsstreamError(message) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise WsstreamError(f"no answer from {url}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
