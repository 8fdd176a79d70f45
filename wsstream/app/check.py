"""``wsstream check``: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import asyncio
import platform
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from ..config import Agent, Config
from ..errors import WsstreamError
from ..media.jpeg import decode_jpeg, encode_jpeg
from ..media.opus import OpusDecoder, OpusEncoder
from ..media.types import BLOCK_SAMPLES
from .factories import make_engines


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    works: bool
    words: str
    needed: bool = True


def check(config: Config) -> list[Finding]:
    """Try everything once."""
    agents = config.agents.items()
    return [
        _try("Python", lambda: f"{platform.python_version()} on {platform.system()}"),
        _try("JPEG", _jpeg),
        _try("Opus", _opus),
        _try("H.264 (record)", lambda: _encoder("libx264")),
        _try("AAC (record)", lambda: _encoder("aac")),
        _try("face detection", _cascades, needed=False),
        *(_try(f"avatar of {name}", partial(_avatar, agent)) for name, agent in agents),
        *(_try(f"voice of {name}", partial(_voice, agent), needed=False) for name, agent in agents),
        _try(f"port {config.server.port}", lambda: _port(config)),
    ]


def _try(what: str, probe: Callable[[], str], *, needed: bool = True) -> Finding:
    try:
        return Finding(what, True, probe(), needed)
    except Exception as error:  # an engine of somebody else's may raise anything
        words = str(error) if isinstance(error, WsstreamError | OSError) else repr(error)
        return Finding(what, False, words, needed)


def _jpeg() -> str:
    pixels = np.zeros((16, 16, 3), np.uint8)
    decode_jpeg(encode_jpeg(pixels, 75))
    return "libjpeg-turbo, by simplejpeg"


def _opus() -> str:
    OpusDecoder().decode(OpusEncoder(32_000).encode(np.zeros(BLOCK_SAMPLES, np.int16)))
    return "libopus, by opuslib"


def _encoder(name: str) -> str:
    av.Codec(name, "w")
    return f"{name}, by PyAV {av.__version__}"


def _cascades() -> str:
    path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
    if cv2.CascadeClassifier(str(path)).empty():
        raise WsstreamError("OpenCV has no face cascade: give the landmarks in the configuration")
    return f"OpenCV {cv2.__version__}"


def _avatar(agent: Agent) -> str:
    async def start() -> str:
        provider, picture = make_engines().avatar(agent)
        try:
            await provider.start(picture, width=agent.width, height=agent.height)
        finally:
            await provider.stop()
        return f"{provider.name}, {agent.width}x{agent.height} at {agent.fps:g} fps"

    return asyncio.run(start())


def _voice(agent: Agent) -> str:
    async def start() -> str:
        voice = make_engines().voice(agent)
        if voice is None:
            return "none wanted"
        await voice.start()
        await voice.stop()
        return voice.name

    return asyncio.run(start())


def _port(config: Config) -> str:
    host, port = config.server.host, config.server.port
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    return f"free on {host}"
