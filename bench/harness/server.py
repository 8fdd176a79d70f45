"""``wsstream serve`` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

STOP_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    url: str
    pid: int


@contextmanager
def serving(
    config: Mapping[str, Any],
    *,
    command: tuple[str, ...] = (),
    program: tuple[str, ...] = ("-m", "wsstream"),
) -> Iterator[Server]:
    """Serve this configuration (as a TOML file would hold it) on a free port. ``command`` goes
    before it, such as ``("ip", "netns", "exec", "name")``; ``program`` is what Python runs.

    Raises:
        RuntimeError: when it does not start.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(to_toml(config))
        file.flush()
        argv = [*command, sys.executable, *program, "serve", "--config", file.name]
        if "port" not in config.get("server", {}):
            argv += ["--port", "0"]
        # The configuration is all that counts, not what else is set here.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WSSTREAM_")}
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=kept
        ) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                match = re.search(r"http://\S+", line)
                if match is None:
                    raise RuntimeError(f"the server did not start: {line!r}")
                # What is printed may name an agent.
                yield Server(urljoin(match[0], "/"), process.pid)
            finally:
                process.terminate()
                process.wait(STOP_TIMEOUT_S)


def thread_seconds(server: Server) -> dict[str, float]:
    """CPU of the server's threads so far, by what they do."""
    with urllib.request.urlopen(urljoin(server.url, "/metrics")) as answer:
        text = answer.read().decode()
    found = re.findall(r'^wsstream_thread_cpu_seconds{work="(\w+)"} (\S+)$', text, re.MULTILINE)
    return {work: float(seconds) for work, seconds in found}


_ROOT = Path(__file__).resolve().parents[2]


def to_toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """Enough TOML for a configuration: a table's values first, then the tables in it."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in table.items() if not isinstance(v, Mapping)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += [f"[{prefix}{key}]", to_toml(value, f"{prefix}{key}.")]
    return "\n".join(lines)
