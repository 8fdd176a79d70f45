"""How each way of sending stands links that are slow, long, lossy or stuck.

    python -m bench links
    python -m bench links --source portrait --merge
    python -m bench links --rows "clean,3 % loss" --modes ws-patch,auto --seconds 60 --merge

Server and Chromium are in network namespaces, with a link between them that is made to measure
(`harness/tunlink.py`), so it runs as root only. The picture is the test card at 1280x720 and 20 fps
with a tone, or with ``--source portrait`` the portrait, speaking, with the card's grid in a corner
and the same tone: each picture carries its time, and a silence in the tone is a gap. `lag` is from
the session's clock to the screen's refresh; never given without the fps beside it. `video` and
`audio` are what the browser got of each, `down` all that the link delivered. All modes of a row
follow one another, on one machine, with the same link. `cell` is all the time that a row took,
`seconds` what of it was looked at, `idle` what the cores had left in it: of a machine with next to
nothing left the figures say little.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, sync_playwright

from .choice import chosen
from .errors import Unavailable
from .harness.browser import AUTOPLAY, chromium, secure_origin
from .harness.cell import MODES, watching
from .harness.cell import measure as measure_cell
from .harness.netns import available, namespaces
from .harness.server import serving
from .harness.shaping import Shape
from .harness.tunlink import TunLink, tun_link
from .report import Report
from .rivals.clip import write_clip
from .steps import Steps

SIZE, FPS, TONE_HZ = "1280x720", 20, 440
SOURCES = CARD, PORTRAIT = "testcard", "portrait"
CLIP_S = 10
OPEN = Shape()


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look."""

    start_s: float
    """On the open link, after everything plays."""
    settle_s: float
    """After the link has changed: what it is like at first is not what it is like."""
    seconds: float


QUICK, FULL = Effort(1.0, 2.5, 5.0), Effort(3.0, 8.0, 60.0)


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of link. ``shape`` gets the mode's own clean bitrate in kbit/s."""

    name: str
    shape: Callable[[float], Shape]
    disturb: Callable[[TunLink], None] | None = None
    relative: bool = False
    """Whether it can only be measured after the clean one."""


def fixed(shape: Shape) -> Callable[[float], Shape]:
    """The same, whatever the mode takes."""
    return lambda _: shape


def times(factor: float) -> Callable[[float], Shape]:
    """So many times the mode's clean bitrate."""
    return lambda kbps: Shape(rate_kbps=factor * kbps, delay_ms=10, queue_ms=300)


CLEAN = Row("clean", fixed(OPEN))
ROWS = (
    CLEAN,
    Row("40 ms RTT", fixed(Shape(delay_ms=20))),
    Row("1 % loss", fixed(Shape(delay_ms=10, loss=0.01))),
    Row("3 % loss", fixed(Shape(delay_ms=10, loss=0.03))),
    Row("5 % loss", fixed(Shape(delay_ms=10, loss=0.05))),
    Row("1.0 x its clean rate", times(1.0), relative=True),
    Row("0.7 x its clean rate", times(0.7), relative=True),
    Row("1.5 Mbit/s", fixed(Shape(rate_kbps=1500, delay_ms=10, queue_ms=300))),
    Row("300 kbit/s", fixed(Shape(rate_kbps=300, delay_ms=10, queue_ms=300))),
    Row("1 Mbit/s, 2 s of buffer", fixed(Shape(rate_kbps=1000, delay_ms=10, queue_ms=2000))),
    Row("a stall of 3 s", fixed(Shape(delay_ms=10)), lambda link: link.stall(3)),
)
QUICK_ROWS, QUICK_MODES = ("clean", "3 % loss", "300 kbit/s"), ("ws-patch", "auto")


def arguments(parser: argparse.ArgumentParser) -> None:
    """For a part of the table."""
    parser.add_argument(
        "--rows",
        type=partial(chosen, [row.name for row in ROWS], separator=","),
        metavar="NAME,NAME",
        help=f"only these links, of: {'; '.join(row.name for row in ROWS)}".replace("%", "%%"),
    )
    parser.add_argument(
        "--modes",
        type=partial(chosen, list(MODES), separator=","),
        metavar="NAME,NAME",
        help=f"only these ways of sending, of: {', '.join(MODES)}",
    )
    parser.add_argument("--source", choices=SOURCES, default=CARD, help="the pictures")
    parser.add_argument("--seconds", type=float, metavar="N", help="how long to look at each")


def measure(
    *,
    quick: bool,
    step: Steps,
    rows: Sequence[str] | None = None,
    modes: Sequence[str] | None = None,
    seconds: float | None = None,
    source: str = CARD,
) -> Report:
    """One row for each mode on each link."""
    able, why = available()
    if not able:
        raise Unavailable(why)
    effort = QUICK if quick else FULL
    effort = Effort(effort.start_s, effort.settle_s, seconds or effort.seconds)
    wanted = _rows(rows or (QUICK_ROWS if quick else [row.name for row in ROWS]))
    modes = modes or (QUICK_MODES if quick else tuple(MODES))
    with _avatar(source, step) as avatar:
        found = _measure(wanted, modes, effort, avatar, step)
    found = [{"source": source, **cell} for cell in found]
    title = f"{SIZE} at {FPS} fps, by link and mode"
    return Report(title, found, keys=("source", "link", "mode"))


@contextmanager
def _avatar(source: str, step: Steps) -> Iterator[dict[str, Any]]:
    if source == CARD:
        yield {"provider": CARD, "tone_hz": TONE_HZ}
        return
    step("the clip")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(write_clip(Path(folder), *map(int, SIZE.split("x")), FPS, CLIP_S))
        provider = "bench.harness.speaking_card:SpeakingCard"
        yield {"provider": provider, "tone_hz": TONE_HZ, "folder": folder}


def _rows(names: Sequence[str]) -> list[Row]:
    """Those, and the clean one where another needs it."""
    rows = [row for row in ROWS if row.name in names]
    return [CLEAN, *rows] if rows[0] is not CLEAN and any(r.relative for r in rows) else rows


def _measure(
    rows: Sequence[Row], modes: Sequence[str], effort: Effort, avatar: dict[str, Any], step: Steps
) -> list[dict[str, Any]]:
    agents = {"ada": {"size": SIZE, "fps": FPS, "avatar": avatar}}
    found = []
    step.plan(len(rows) * len(modes))
    with namespaces(link=False) as net, tun_link(net) as link:
        config = {"server": {"host": net.server.address}, "agents": agents}
        with (
            serving(config, command=net.server.command) as server,
            sync_playwright() as playwright,
            chromium(
                playwright, AUTOPLAY, secure_origin(server.url), command=net.client.command
            ) as browser,
        ):
            clean_kbps: dict[str, float] = {}
            for row in rows:
                for mode in modes:
                    step(f"{mode} on {row.name}")
                    since_s = time.monotonic()
                    kbps = clean_kbps.get(mode, 0.0)
                    cell = _cell(browser, server.url, link, row, mode, kbps, effort)
                    cell["cell_s"] = time.monotonic() - since_s
                    if row is CLEAN:
                        down = cell.get("tcp_down_kbps", 0) + cell.get("udp_down_kbps", 0)
                        clean_kbps[mode] = down
                    found.append(cell)
    return found


def _cell(
    browser: Browser,
    url: str,
    link: TunLink,
    row: Row,
    mode: str,
    clean_kbps: float,
    effort: Effort,
) -> dict[str, Any]:
    cell: dict[str, Any] = {"link": row.name, "mode": mode, "seconds": effort.seconds}
    if row.relative and not clean_kbps:
        return cell | {"failed": "its clean rate is not known"}
    link.change(OPEN, OPEN)
    try:
        with watching(browser, url, MODES[mode], settle_s=effort.start_s) as page:
            shape = row.shape(clean_kbps)
            link.change(shape, Shape(delay_ms=shape.delay_ms, loss=shape.loss))
            page.wait_for_timeout(effort.settle_s * 1000)
            disturb = partial(row.disturb, link) if row.disturb else lambda: None
            cell |= measure_cell(page, link, effort.seconds, disturb)
            cell["ended_on"] = page.evaluate("document.querySelector('ws-stream').stats().mode")
    except (Error, RuntimeError) as error:  # the other cells are as good without it
        cell["failed"] = str(error).splitlines()[0]
    return cell
