"""A process of the harness that takes commands: JSON lines to its standard input, one reply each.

It ends when its standard input does, hence with its parent, however that ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

STOP_TIMEOUT_S = 5
NICE = -15
"""Where it is allowed: on a busy machine a link comes first."""
_ROOT = Path(__file__).resolve().parents[2]


class Child:
    """The parent's end; from any thread."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self.greeting = self._reply()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, command: str, **arguments: Any) -> Any:
        """What it replies.

        Raises:
            RuntimeError: when it refuses, or has died.
        """
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                pass
            return self._reply()

    def _reply(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"it has ended: {self._process.args!r}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["reply"]


@contextmanager
def child(module: str, *arguments: str, command: Sequence[str] = ()) -> Iterator[Child]:
    """Run a module that calls `obey`. ``command`` goes before it, such as
    ``("ip", "netns", "exec", "name")``.

    Raises:
        RuntimeError: when it does not start.
    """
    argv = [*command, sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT) as process:
        try:
            yield Child(process)
        finally:
            try:
                process.communicate(timeout=STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


async def obey(greeting: Any, commands: Mapping[str, Callable[..., Any]]) -> None:
    """The child's end: greet, then answer until standard input ends."""
    with suppress(OSError):
        os.nice(NICE)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print(json.dumps({"reply": greeting}), flush=True)
    while line := await lines.readline():
        arguments = json.loads(line)
        try:
            reply = {"reply": commands[arguments.pop("command")](**arguments)}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
