"""How each way of sending stands links that are slow, long, lossy or stuck.

    python -m bench links

Server and Chromium are in network namespaces, with a link between them that is made to measure
(`harness/tunlink.py`), so it runs as root only. The picture is the test card at 1280x720 and 20 fps
with a tone: each picture carries its time, and a silence in the tone is a gap. `lag` is from the
session's clock to the screen's refresh; it is never given without the fps beside it. All modes of a
row follow one another, on one machine, with the same link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from playwright.sync_api import Error, sync_playwright

from .harness.browser import AUTOPLAY, chromium, secure_origin
from .harness.cell import MODES, watching
from .harness.cell import measure as measure_cell
from .harness.netns import available, namespaces
from .harness.server import serving
from .harness.shaping import Shape
from .harness.tunlink import TunLink, tun_link
from .report import Report, Step

SIZE, FPS = "1280x720", 20
OPEN = Shape()
SETTLE_S = 8.0
"""After the link has changed: what it is like at first is not what it is like."""


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of link. ``shape`` gets the mode's own clean bitrate in kbit/s."""

    name: str
    shape: Callable[[float], Shape]
    disturb: Callable[[TunLink], None] | None = None


def fixed(shape: Shape) -> Callable[[float], Shape]:
    """The same, whatever the mode takes."""
    return lambda _: shape


ROWS = (
    Row("clean", fixed(OPEN)),
    Row("40 ms RTT", fixed(Shape(delay_ms=20))),
    Row("1 % loss", fixed(Shape(delay_ms=10, loss=0.01))),
    Row("3 % loss", fixed(Shape(delay_ms=10, loss=0.03))),
    Row("5 % loss", fixed(Shape(delay_ms=10, loss=0.05))),
    Row("1.0 x its clean rate", lambda kbps: Shape(rate_kbps=kbps, delay_ms=10, queue_ms=300)),
    Row("0.7 x its clean rate", lambda kbps: Shape(0.7 * kbps, delay_ms=10, queue_ms=300)),
    Row("1.5 Mbit/s", fixed(Shape(rate_kbps=1500, delay_ms=10, queue_ms=300))),
    Row("300 kbit/s", fixed(Shape(rate_kbps=300, delay_ms=10, queue_ms=300))),
    Row("1 Mbit/s, 2 s of buffer", fixed(Shape(rate_kbps=1000, delay_ms=10, queue_ms=2000))),
    Row("a stall of 3 s", fixed(Shape(delay_ms=10)), lambda link: link.stall(3)),
)
QUICK_ROWS = ("clean", "3 % loss", "1.5 Mbit/s", "300 kbit/s")


def measure(*, quick: bool, step: Step) -> Report:
    """One row for each mode on each link."""
    able, why = available()
    if not able:
        return Report("Links", [], [f"not measured: {why}"])
    seconds = 8.0 if quick else 60.0
    rows = []
    for name, mode in MODES.items():
        rows += _measure_mode(name, mode, seconds, quick, partial(_say, step, name))
    rows.sort(key=lambda row: [r.name for r in ROWS].index(row["link"]))
    return Report("Test card, 1280x720 at 20 fps, by link and mode", rows)


def _say(step: Step, mode: str, row: str) -> None:
    step(f"{mode} on {row}")


def _measure_mode(
    name: str, mode: Any, seconds: float, quick: bool, step: Step
) -> list[dict[str, Any]]:
    avatar = {"provider": "testcard", "tone_hz": 440}
    rows = []
    with namespaces(link=False) as net, tun_link(net) as link:
        config = {
            "server": {"host": net.server.address},
            "agents": {"ada": {"size": SIZE, "fps": FPS, "avatar": avatar}},
        }
        with (
            serving(config, command=net.server.command) as server,
            sync_playwright() as playwright,
            chromium(
                playwright, AUTOPLAY, secure_origin(server.url), command=net.client.command
            ) as browser,
        ):
            clean_kbps = 0.0
            for row in ROWS:
                if quick and row.name not in QUICK_ROWS:
                    continue
                step(row.name)
                link.change(OPEN, OPEN)
                cell: dict[str, Any] = {"link": row.name, "mode": name}
                try:
                    with watching(browser, server.url, mode) as page:
                        shape = row.shape(clean_kbps)
                        link.change(shape, Shape(delay_ms=shape.delay_ms, loss=shape.loss))
                        page.wait_for_timeout(SETTLE_S * 1000)
                        disturb = partial(row.disturb, link) if row.disturb else lambda: None
                        cell |= measure_cell(page, link, seconds, disturb)
                        cell["ended_on"] = page.evaluate(
                            "document.querySelector('ws-stream').stats().mode"
                        )
                except Error as error:
                    cell["failed"] = str(error).splitlines()[0]
                if row.name == "clean":
                    clean_kbps = cell.get("tcp_down_kbps", 0) + cell.get("udp_down_kbps", 0)
                rows.append(cell)
    return rows
