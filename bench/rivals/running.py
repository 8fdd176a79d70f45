"""A rival's server in a process of its own, in its own environment."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..harness.server import Server
from .catalogue import Rival
from .environment import Environment, Missing

START_TIMEOUT_S, STOP_TIMEOUT_S = 60.0, 3.0
_FOLDER = Path(__file__).resolve().parent


@contextmanager
def running(
    rival: Rival,
    environment: Environment,
    clip: Path,
    fps: int,
    *,
    host: str = "127.0.0.1",
    command: Sequence[str] = (),
    extra: Sequence[int] = (),
) -> Iterator[Server]:
    """Its server, with the URL that its viewers go to. ``command`` goes before it, such as
    ``("ip", "netns", "exec", "name")``; ``extra`` is what its program alone is told.

    Raises:
        Missing: when it does not start.
    """
    port = _free_port()
    argv = [*command, environment.python, _FOLDER / rival.program, clip, host, port, fps, *extra]
    # What belongs to this project's environment is kept from the other one.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    quiet = {**kept, "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [str(one) for one in argv], stdout=log, stderr=log, env=quiet, cwd=clip
        ) as process,
    ):
        try:
            _wait(process, log.fileno())
            yield Server(f"http://{host}:{port}/{rival.path}", process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], log: int) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        text = os.pread(log, 1 << 20, 0).decode(errors="replace")
        if "\nready\n" in text:
            return
        if process.poll() is not None:
            lines = text.strip().splitlines() or ["nothing was said"]
            raise Missing(f"its server ended: {lines[-1]}")
        if time.monotonic() > deadline_s:
            raise Missing(f"its server did not listen within {START_TIMEOUT_S:.0f} s")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
