"""``python -m bench NAME``: what wsstream costs, and how well it does, on this machine."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from .report import Report, write

BENCHES = {
    "latency": "how late a viewer sees and hears, and how soon it speaks when asked",
    "startup": "from navigation to the first picture and sound, against WebRTC alone",
    "sessions": "private sessions of the portrait per core",
    "loopback": "latency in Chromium, CPU per viewer, and the portrait's cost, on the WebSocket",
    "bandwidth": "kbit/s by class and PSNR of each way of sending, on the wire",
    "fanout": "CPU per WebRTC viewer of one shared session, against aiortc's own encoders",
    "crowd": "whether viewers on bad links touch the others, and what a stalled one costs",
    "links": "each way of sending on links that are slow, long, lossy or stuck",
    "soak": "memory and threads over 20 minutes of flips (not part of all)",
    "switch": "the picture and the sound across 50 switches up and 50 down",
    "peers": "beside aiortc, FastRTC, Pipecat, MJPEG and a naive WebSocket, in one run",
}


def main() -> int:
    """Measure, show, and write what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, text in {**BENCHES, "all": "each of them"}.items():
        sub = names.add_parser(name, help=text, description=text)
        sub.add_argument("--quick", action="store_true", help="shorter runs, rougher figures")
        sub.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    out = Console()
    reports: dict[str, Report] = {}
    started = time.monotonic()
    all_of_them = [name for name in BENCHES if name != "soak"]
    for name in all_of_them if options.name == "all" else (options.name,):
        bench = importlib.import_module(f".{name}", __package__)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(name, total=None)
            step = partial(_step, progress, task, name)
            reports[name] = bench.measure(quick=options.quick, step=step)
        reports[name].show(out)
    if options.json:
        write(options.json, reports)
    out.print(f"{time.monotonic() - started:.0f} s", style="dim")
    return 0


def _step(progress: Progress, task: TaskID, name: str, text: str) -> None:
    progress.update(task, description=f"{name}: {text}")


if __name__ == "__main__":
    sys.exit(main())
