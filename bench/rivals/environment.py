"""A virtual environment for each rival, made once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from ..report import Step
from .catalogue import Rival

INSTALL_TIMEOUT_S = 300
TELLING = ("aiortc", "av", "fastrtc", "numpy", "opencv-python-headless", "pipecat-ai", "uvicorn")
"""Packages whose versions explain a figure."""


_failed: dict[str, str] = {}


class Missing(RuntimeError):
    """A rival that cannot be measured here, and why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One that is there."""

    python: Path
    versions: dict[str, str]


def cache_folder() -> Path:
    """Where environments are kept."""
    given = os.environ.get("WSSTREAM_BENCH_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "wsstream-bench"


def environment(rival: Rival, step: Step) -> Environment:
    """The rival's own; rivals with the same packages share one.

    Raises:
        Missing: when it cannot be installed.
    """
    wanted = json.dumps([sys.version, sorted(rival.packages)])
    name = hashlib.sha256(wanted.encode()).hexdigest()[:16]
    folder = cache_folder() / name
    python, done = folder / "bin" / "python", folder / "versions.json"
    if name in _failed:
        raise Missing(_failed[name])
    if not done.exists():
        step(f"installing {rival.name}, once")
        try:
            venv.create(folder, clear=True, with_pip=True)
            _pip(python, "install", "--retries", "1", "--prefer-binary", *rival.packages)
            listed = json.loads(_pip(python, "list", "--format", "json"))
        except (OSError, subprocess.SubprocessError) as error:
            _failed[name] = f"not installed: {_reason(error)}"
            raise Missing(_failed[name]) from None
        done.write_text(json.dumps({one["name"].lower(): one["version"] for one in listed}))
    versions = json.loads(done.read_text())
    return Environment(python, {name: versions[name] for name in TELLING if name in versions})


def _pip(python: Path, *arguments: str) -> str:
    argv = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    return subprocess.run(
        argv, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S
    ).stdout


def _reason(error: Exception) -> str:
    """In a line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took more than {INSTALL_TIMEOUT_S} s"
    text = str(getattr(error, "stderr", "") or error).strip().splitlines()
    return next((line for line in text if line.startswith("ERROR")), text[-1] if text else "?")
