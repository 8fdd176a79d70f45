"""wsstream and its rivals as things to measure: a server to start, and a way in for viewers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urljoin

from ..harness.server import Server, serving
from ..report import Step
from . import catalogue
from .catalogue import Rival, Way
from .environment import Environment, Missing, environment
from .running import running

SIZE, FPS = (1280, 720), 20
RTC_MORE, PRIVATE_MORE, WS_MORE = 12, 4, 40
"""Viewers beside the first one: what one costs is told by the difference."""
RIVAL_RTC_MORE, RIVAL_JPEG_MORE = 1, 6
"""Fewer: each of them has an encoder, and two cores are soon full."""

OUR_SHARED = "wsstream, WebRTC, shared, H.264"
OUR_PRIVATE = "wsstream, WebRTC, private, H.264"
OUR_PICTURES = "wsstream, WebRTC, private, pictures alone, H.264"
OUR_SOCKET = "wsstream, WebSocket, shared, JPEG"
MANY_FPS = 60
OUR_SOCKET_MANY = f"{OUR_SOCKET}, {MANY_FPS} fps"
"""What one picture more costs is told by the difference: sound comes 50 times a second anyway."""
LOOPBACK, LINK = "loopback", "link"
Start: TypeAlias = Callable[..., AbstractContextManager[Server]]
"""Of ``host``, ``command`` and ``extra``; its server's URL is the one that viewers go to."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One row."""

    what: str
    start: Start
    way: Way
    more: int
    ours: bool
    codec: str = "jpeg"
    has_pictures: bool = True
    """Else only bytes."""
    sound: bool = True
    own_source: bool = True
    """For each viewer; else one for all."""
    quick: tuple[str, ...] = (LOOPBACK, LINK)
    """What of it a quick run measures."""

    @property
    def webrtc(self) -> bool:
        return self.codec != "jpeg"

    def tries_url(self, url: str) -> str:
        """Where the time to the first picture is measured: for ours a session of the viewer's own,
        which has to start first."""
        return url.replace("shared", "private") if self.ours else url


def our_subjects(clip: Path) -> list[Subject]:
    """wsstream's."""

    def start(path: str, fps: int = FPS) -> Start:
        @contextmanager
        def run(host: str = "127.0.0.1", command: Sequence[str] = (), **_: Any) -> Iterator[Server]:
            agent = {
                "size": "x".join(map(str, SIZE)),
                "fps": fps,
                "avatar": {"provider": "bench.rivals.provider:Recorded", "folder": str(clip)},
                "voice": {"engine": "none"},
            }
            config = {
                "server": {"host": host},
                "limits": {"linger_s": 0.0, "viewers_per_address": 1000},
                "agents": {"shared": {**agent, "shared": True}, "private": agent},
            }
            with serving(config, command=tuple(command)) as server:
                yield replace(server, url=urljoin(server.url, f"/{path}"))

        return run

    whep, private = start("whep/shared"), start("whep/private")
    socket_path = "ws/facetime/shared?start=small"  # as our client asks
    socket, many = start(socket_path), start(socket_path, MANY_FPS)
    our_vp8 = OUR_PRIVATE.replace("H.264", "VP8")
    return [
        Subject(
            OUR_SHARED, whep, "whep", RTC_MORE, True, "h264", own_source=False, quick=(LOOPBACK,)
        ),
        Subject(OUR_PRIVATE, private, "whep", PRIVATE_MORE, True, "h264"),
        Subject(
            OUR_PICTURES,
            private,
            "whep",
            PRIVATE_MORE,
            True,
            "h264",
            sound=False,
            quick=(LOOPBACK,),
        ),
        Subject(our_vp8, private, "whep", PRIVATE_MORE, True, "vp8", quick=()),
        Subject(OUR_SOCKET, socket, "facetime", WS_MORE, True),
        Subject(OUR_SOCKET_MANY, many, "facetime", WS_MORE, True, quick=(LOOPBACK,)),
    ]


def rival_subjects(clip: Path, step: Step) -> tuple[list[Subject], dict[str, str], list[str]]:
    """Those that can be measured, why the others cannot, and what they are."""
    found: list[Subject] = []
    missing: dict[str, str] = {}
    notes: list[str] = []
    for rival in catalogue.RIVALS:
        try:
            made = environment(rival, step)
        except Missing as error:
            missing[rival.name] = str(error)
            continue
        found += _of(rival, made, clip)
        versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
        notes.append(f"{rival.name}: {versions}" + (f"; {rival.note}" if rival.note else ""))
    return found, missing, notes


def _of(rival: Rival, made: Environment, clip: Path) -> list[Subject]:
    def start(**options: Any) -> AbstractContextManager[Server]:
        return running(rival, made, clip, FPS, **options)

    name, sound = rival.name, not rival.note.startswith("pictures only")
    if rival is catalogue.UVICORN:
        return [
            Subject(what, start, rival.way, WS_MORE, False, has_pictures=False, sound=sound)
            for what, sound in ((f"{name}, a picture", False), (f"{name}, picture and sound", True))
        ]
    if not rival.webrtc:
        return [
            Subject(
                f"{name}, JPEG",
                start,
                rival.way,
                RIVAL_JPEG_MORE,
                False,
                sound=sound,
                quick=(LOOPBACK,),
            )
        ]
    h264 = Subject(f"{name}, H.264", start, rival.way, RIVAL_RTC_MORE, False, "h264", sound=sound)
    if rival is not catalogue.AIORTC:
        return [h264]

    def start_each(**options: Any) -> AbstractContextManager[Server]:
        return start(**{**options, "extra": (1,)})

    vp8 = replace(h264, what=f"{name}, VP8", codec="vp8", quick=())
    each = [
        replace(one, what=one.what.replace(name, f"{name}, a source each"), start=start_each)
        for one in (replace(h264, quick=(LOOPBACK,)), vp8)
    ]
    return [replace(one, own_source=False) for one in (h264, vp8)] + each
