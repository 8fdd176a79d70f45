"""The process that speaks, and the one thread of this one that talks to it.

However many voices there are, they share one process and one thread: sentences are spoken first
come, first served, each in a few milliseconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ..errors import VoiceError
from .espeak_library import Phonemes
from .espeak_voices import VoiceEntry

T = TypeVar("T")

_SCRIPT = Path(__file__).with_name("espeak_library.py")
_GOODBYE_S = 2.0


class EspeakDied(VoiceError):
    """The process ended where it should have answered."""


class EspeakProcess:
    """libespeak-ng, running. Every method but ``kill`` blocks, and is for one thread only."""

    def __init__(self) -> None:
        """Raises:
        VoiceError: when espeak-ng is not installed or does not start.
        """
        try:
            import espeakng_loader
        except ImportError:
            raise VoiceError("the offline voice needs: pip install 'wsstream[voice]'") from None
        paths = [str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT), *paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise VoiceError(f"espeak-ng cannot be started: {error}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._replies = self._process.stdin, self._process.stdout
        try:
            greeting = self._reply()
        except VoiceError:
            self.close()
            raise
        self.sample_rate_hz: int = greeting["sample_rate_hz"]
        self.voices: list[VoiceEntry] = greeting["voices"]
        self.variants: list[str] = greeting["variants"]

    def speak(self, request: dict[str, Any], heard: Callable[[bytes, Phonemes], bool]) -> None:
        """Speak a ``text`` with a ``voice``, ``rate_wpm``, ``pitch`` and ``volume``.

        ``heard`` is called with each buffer of PCM and the phonemes that begin in it, and answers
        whether to go on.

        Raises:
            EspeakDied: when the library crashed.
            VoiceError: when it refuses.
        """
        self._send(json.dumps(request).encode() + b"\n")
        while "end" not in (reply := self._reply()):
            pcm = self._replies.read(reply["bytes"])
            if len(pcm) < reply["bytes"]:
                raise self._died()
            self._send(b"+" if heard(pcm, reply["phonemes"]) else b"-")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, from any thread. What waits for it fails with ``EspeakDied``."""
        self._process.kill()

    def close(self) -> None:
        """End it and wait until it has ended. May be called twice."""
        try:
            self._requests.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._replies.close()

    def _send(self, message: bytes) -> None:
        try:
            self._requests.write(message)
            self._requests.flush()
        except OSError:
            raise self._died() from None

    def _reply(self) -> dict[str, Any]:
        line = self._replies.readline()
        if not line.endswith(b"\n"):
            raise self._died()
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise VoiceError(str(reply["error"]))
        return reply

    def _died(self) -> EspeakDied:
        self.close()
        return EspeakDied(f"espeak-ng crashed (status {self._process.returncode})")


class EspeakThread:
    """Runs work with the process, one piece after the other, in the order of arrival. A process
    that died is replaced for the next piece."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="espeak")
        self._process: EspeakProcess | None = None

    def run(self, work: Callable[[EspeakProcess], T]) -> Future[T]:
        """Raises:
        VoiceError: in the future, what ``work`` or starting the process raises.
        """
        return self._thread.submit(self._run, work)

    def kill(self) -> None:
        """Give up what is being worked on, from any thread."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> Future[None]:
        """End the process, whatever it is at, and the thread. What waits in line fails."""
        self.kill()
        closed = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        return closed

    def _run(self, work: Callable[[EspeakProcess], T]) -> T:
        if self._process is None or not self._process.alive:
            self._close()
            self._process = EspeakProcess()
        return work(self._process)

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()


_lock = threading.Lock()
_shared: EspeakThread | None = None
_users = 0


def acquire() -> EspeakThread:
    """The thread that all voices of this process share. Give it back with ``release``."""
    global _shared, _users
    with _lock:
        _users += 1
        if _shared is None:
            _shared = EspeakThread()
        return _shared


def release() -> Future[None] | None:
    """Give the shared thread back. The last to do so gets a future, done when all is closed."""
    global _shared, _users
    with _lock:
        _users -= 1
        if _users or _shared is None:
            return None
        last, _shared = _shared, None
        return last.close()
