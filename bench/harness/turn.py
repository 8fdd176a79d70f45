"""A TURN server (coturn) in a namespace, with credentials that expire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .netns import Side, run

PACKAGE = "coturn"
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 1.0
"""It takes its time; after this it is killed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A running server."""

    host: str
    port: int
    secret: str
    pid: int
    log: Path

    @property
    def udp_url(self) -> str:
        return f"turn:{self.host}:{self.port}?transport=udp"

    @property
    def tcp_url(self) -> str:
        return f"turn:{self.host}:{self.port}?transport=tcp"

    def credentials(self, user: str = "test", ttl_s: float = 3600) -> tuple[str, str]:
        """A name with the time it expires, and the password that the secret makes of it."""
        name = f"{int(time.time() + ttl_s)}:{user}"
        digest = hmac.digest(self.secret.encode(), name.encode(), hashlib.sha1)
        return name, base64.b64encode(digest).decode()


def available() -> tuple[bool, str]:
    """Whether there is one to start, and the reason when not; it also needs namespaces."""
    found = shutil.which("turnserver") is not None
    return found, "" if found else f"needs the command turnserver (package {PACKAGE})"


@contextmanager
def coturn(
    side: Side, *, secret: str = "a shared secret", port: int = 3478, realm: str = "wsstream.test"
) -> Iterator[Turn]:
    """Serve clients by UDP and TCP at this side's address, and relay to and from there by UDP. Its
    place is the gateway: the client's firewall does not part it from the server.

    Raises:
        RuntimeError: when it does not start.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "log"
        argv = [
            "turnserver",
            "-n",
            *(f"--listening-ip={side.address}", f"--listening-port={port}"),
            *(f"--relay-ip={side.address}", "--min-port=49160", "--max-port=49960"),
            *("--use-auth-secret", f"--static-auth-secret={secret}", f"--realm={realm}"),
            *("--no-tls", "--no-dtls", "--no-cli", "--fingerprint", "--relay-threads=1"),
            *(f"--pidfile={folder}/pid", f"--userdb={folder}/db", "--log-file=stdout", "--verbose"),
        ]
        with log.open("wb") as output, run(side, argv, stdout=output, stderr=output) as process:
            try:
                turn = Turn(side.address, port, secret, process.pid, log)
                _wait_until_it_listens(process, turn)
                yield turn
            finally:
                process.terminate()
                try:
                    process.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], turn: Turn) -> None:
    address = int.from_bytes(socket.inet_aton(turn.host), sys.byteorder)
    socket_name = f"{address:08X}:{turn.port:04X}"
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        # Of its namespace, and of ours as long as it is not in there: hence the address.
        table = Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]
        if any(line.split()[1] == socket_name for line in table):
            return
        time.sleep(0.02)
    raise RuntimeError(f"coturn did not start:\n{turn.log.read_text(errors='replace')}")
