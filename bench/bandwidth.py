"""What each way of sending takes on the wire, and how good its pictures are.

    python -m bench bandwidth
    python -m bench bandwidth --clip FILE

On the wire  in two network namespaces (as root) a viewer takes one agent with the portrait,
             speaking or idle, or one that plays FILE; `video` and `audio` are the payloads it gets,
             `overhead` is all the rest that the link delivers to it: our 12 bytes, WebSocket, TCP,
             IP; or RTP, RTCP, SRTP, UDP, IP. The ways take turns; a figure is the median of the
             rounds, with what lies between the least and the most of them.
Quality      PSNR and SSIM of luma between the pictures and what a decoder makes of them, in
             process, with the same encoders and settings.
Equal        kbit/s at the same PSNR of luma (40 dB): each way's setting is tried until it is there.
             `equal wire` has what the way's packets took beside the payload when it was measured.
A switch     for how long both transports carry the portrait, and how many bytes come twice.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from playwright.sync_api import sync_playwright

from wsstream.media.types import Picture

from .choice import chosen
from .errors import Unavailable
from .harness import film
from .harness.browser import AUTOPLAY, chromium, secure_origin
from .harness.cell import Mode, watching
from .harness.child import Child
from .harness.claims import verdicts as judge
from .harness.equal_quality import WANTED_DB
from .harness.load import viewers
from .harness.netns import Namespaces, available, namespaces
from .harness.overlap import watch_overlap
from .harness.portrait import TEXT, pictures
from .harness.quality import FORMS, at_equal_quality, try_form
from .harness.receivers import receivers
from .harness.server import Server, serving
from .harness.tunlink import TunLink, tun_link
from .report import Report, middle
from .steps import Steps

FORMATS = (("854x480", 15), ("1280x720", 20), ("1280x720", 25), ("512x512", 25))
QUICK_FORMATS = (("1280x720", 20),)
ENCODERS = {"ws-h264": "h264", "rtc-h264": "h264"}
"""Forms that share one; the others have one of their own."""
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look."""

    rounds: int
    settle_s: float
    seconds: float
    idle_s: float
    """Longer: a face that blinks each few seconds takes what its last blink took."""
    clip_s: float
    """Pictures to try encoders on."""
    equal_s: float
    """Of these, what the settings are tried on."""
    switches: int


QUICK, FULL = Effort(1, 1.5, 3.0, 4.0, 4, 4, 1), Effort(2, 2.5, 8.0, 16.0, 10, 10, 5)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What is sent."""
    parser.add_argument(
        "--clip", type=_file, metavar="FILE", help="a video to send in place of the portrait"
    )
    parser.add_argument(
        "--formats",
        type=partial(chosen, [_name(*one) for one in FORMATS], separator=","),
        metavar="NAME,NAME",
        help=f"only these, of: {'; '.join(_name(*one) for one in FORMATS)}",
    )


def _name(size: str, fps: int) -> str:
    return f"{size} {fps} fps"


def _file(name: str) -> Path:
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {name}")
    return Path(name)


def measure(
    *, quick: bool, step: Steps, clip: Path | None = None, formats: Sequence[str] | None = None
) -> Report:
    """One row for each way, format and activity."""
    effort, usual = (QUICK, QUICK_FORMATS) if quick else (FULL, FORMATS)
    sent = [one for one in FORMATS if _name(*one) in formats] if formats else usual
    able, why = available()
    activities = ("playing",) if clip else ("speaking", "idle")
    cells = len(FORMS) * len(activities)
    switches = 0 if clip or not able else effort.switches
    step.plan(len(sent) * (1 + able * effort.rounds) * cells + switches)
    rows: list[Row] = []
    for size, fps in sent:
        with tempfile.TemporaryDirectory() as folder:
            source = _Source(size, fps, effort.clip_s, clip, Path(folder))
            found = _quality(source, effort, step)
            if able:
                _on_the_wire(found, source, effort, step)
            rows += found
    notes = [] if able else [f"the wire was not measured: {why}"]
    if switches:
        notes += _switches(switches, step)
    notes += [] if clip else judge(rows)
    source_name = "the portrait" if clip is None else clip.name
    title = f"Bandwidth of {source_name}, by way of sending; equal: at {WANTED_DB:g} dB"
    return Report(title, rows, notes, keys=("size", "mode", "activity"))


class _Source:
    """What is sent, in one format."""

    def __init__(
        self, size: str, fps: int, seconds: float, clip: Path | None, folder: Path
    ) -> None:
        self.name, self.size, self.fps = _name(size, fps), size, fps
        self.width, self.height = map(int, size.split("x"))
        agent = {"size": size, "fps": fps}
        self.pictures: dict[str, Sequence[Picture]]
        self.agents: dict[str, Any]
        if clip is None:
            made = asyncio.run(pictures(self.width, self.height, fps, seconds))
            self.pictures = {"speaking": made.speaking, "idle": made.idle}
            # It begins to speak with its first viewer, and goes on for longer than is measured.
            self.agents = {"speaking": {**agent, "greeting": TEXT * 3}, "idle": agent}
        else:
            film.write_film(folder, clip, self.width, self.height, fps, seconds)
            self.pictures = {"playing": film.film_pictures(folder, fps)}
            avatar = {"provider": "bench.rivals.provider:Recorded", "folder": str(folder)}
            self.agents = {"playing": {**agent, "avatar": avatar, "voice": {"engine": "none"}}}


def _quality(source: _Source, effort: Effort, step: Steps) -> list[Row]:
    """Of the encoders, a row each."""
    rows = []
    count = round(effort.equal_s * source.fps)
    format = (source.width, source.height, source.fps)
    for activity, found in source.pictures.items():
        by_encoder: dict[str, Row] = {}
        for form in FORMS:
            step(f"{source.name}: encoder of {form}, {activity}")
            row: Row = {"size": source.name, "mode": form, "activity": activity}
            if (encoder := ENCODERS.get(form, form)) not in by_encoder:
                tried = try_form(form, found, *format)
                figures: Row = {"psnr_db": tried["psnr_db"], "ssim": tried["ssim"]}
                if activity != "idle":
                    equal = at_equal_quality(form, found[:count], *format)
                    figures["equal_video_kbps"] = equal
                by_encoder[encoder] = figures
            rows.append(row | by_encoder[encoder])
    return rows


def _on_the_wire(rows: list[Row], source: _Source, effort: Effort, step: Steps) -> None:
    """kbit/s by class, towards the viewer, into the rows."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with _wire(source.agents) as (net, link, server):
        for _ in range(effort.rounds):
            for row in rows:
                form, activity = row["mode"], row["activity"]
                step(f"{source.name}: {form} on the wire, {activity}")
                with _viewer(form, server.url, activity, net.client.command) as viewer:
                    time.sleep(effort.settle_s)
                    seconds = effort.idle_s if activity == "idle" else effort.seconds
                    rates = _rates(viewer, link, seconds)
                found.setdefault((form, activity), []).append(rates)
    for row in rows:
        rounds = found[row["mode"], row["activity"]]
        for key in ("video", "audio", "overhead"):
            row[f"{key}_kbps"] = middle(key, "kbps", [one[key] for one in rounds])[f"{key}_kbps"]
        row |= middle("total", "kbps", [one["total"] for one in rounds])
        if row.get("equal_video_kbps") is not None:
            row["equal_wire_kbps"] = row["equal_video_kbps"] + row["overhead_kbps"]


@contextmanager
def _wire(agents: dict[str, Any]) -> Iterator[tuple[Namespaces, TunLink, Server]]:
    """A server, and a link to it that counts."""
    with namespaces(link=False) as net, tun_link(net) as link:
        config = {
            "server": {"host": net.server.address},
            "limits": {"linger_s": 0.0},
            "agents": agents,
        }
        with serving(config, command=net.server.command) as server:
            yield net, link, server


def _viewer(
    form: str, url: str, agent: str, command: Sequence[str]
) -> AbstractContextManager[Child]:
    way, codec = form.split("-")
    if way == "ws":
        return viewers(url, 1, agent, video=codec, command=command)
    return receivers(url, 1, agent, codec=codec, command=command)


def _rates(viewer: Child, link: TunLink, seconds: float) -> dict[str, float]:
    before, since_s = _read(viewer, link), time.monotonic()
    time.sleep(seconds)
    after, elapsed_s = _read(viewer, link), time.monotonic() - since_s
    rates = {key: (after[key] - before[key]) * 8 / elapsed_s / 1000 for key in after}
    return rates | {"overhead": rates["total"] - rates["video"] - rates["audio"]}


def _read(viewer: Child, link: TunLink) -> dict[str, int]:
    received, wire = viewer.ask("received"), link.counts().down.total.delivered_bytes
    return {
        "video": received["video_bytes"],
        "audio": received["audio_bytes"],
        "total": wire,
    }


def _switches(count: int, step: Steps) -> list[str]:
    """What is on both transports at once, in a line; or why that is not known."""
    size, fps = QUICK_FORMATS[0]
    agents = {"ada": {"size": size, "fps": fps, "greeting": TEXT * 8}}
    found = []
    try:
        with (
            _wire(agents) as (net, link, server),
            sync_playwright() as playwright,
            chromium(
                playwright, AUTOPLAY, secure_origin(server.url), command=net.client.command
            ) as browser,
            watching(browser, server.url, Mode("mode=ws")) as page,
        ):
            for number in range(count):
                step(f"switch {number + 1} of {count}")
                found.append(watch_overlap(page, link, "webrtc"))
                page.evaluate("probe.switchTo('ws')")
    except Unavailable as error:
        return [f"the overlap at a switch was not measured: {error}"]
    lasts = middle("overlap", "ms", [one.lasts_ms for one in found])
    twice = middle("twice", "kB", [one.twice_bytes / 1000 for one in found])
    return [
        f"a switch to WebRTC, {size} at {fps} fps, speaking: both transports carry media for "
        f"{lasts['overlap_ms']:.0f} ms, {twice['twice_kB']:.0f} kB come twice "
        f"(median of {count})"
    ]
