"""``python -m bench NAME``: what wsstream costs, and how well it does, on this machine."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from .report import write
from .runner import Runner

BENCHES = {
    "latency": "how late a viewer sees and hears, and how soon it speaks when asked",
    "startup": "from navigation to the first picture and sound, against WebRTC alone",
    "sessions": "private sessions of the portrait per core",
    "loopback": "latency, CPU and the portrait's cost, on the WebSocket (not part of all)",
    "bandwidth": "kbit/s by class, PSNR and SSIM of each way of sending; at equal quality, too",
    "fanout": "CPU per WebRTC viewer of one shared session, against aiortc's own encoders",
    "crowd": "whether viewers on bad links touch the others, and what a stalled one costs",
    "links": "each way of sending on links that are slow, long, lossy or stuck",
    "soak": "memory and threads over 20 minutes of flips (not part of all)",
    "switch": "the picture and the sound across 50 switches up and 50 down",
    "peers": "beside aiortc, FastRTC, Pipecat, MJPEG and a naive WebSocket, in one run",
}
NOT_IN_ALL = ("soak", "loopback")
RESULTS = Path("bench-results")
"""Not the folder of the results that the README shows: those are replaced on purpose only."""
_COMMON = ("name", "quick", "json", "results", "merge")


def parse(argv: list[str]) -> argparse.Namespace:
    """What is asked for. A bench may add arguments of its own, by a function ``arguments``, which
    its ``measure`` is then given."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, text in {**BENCHES, "all": "each of them"}.items():
        sub = names.add_parser(name, help=text, description=text)
        sub.add_argument("--quick", action="store_true", help="shorter runs, rougher figures")
        sub.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
        sub.add_argument(
            "--results",
            type=Path,
            metavar="DIR",
            default=RESULTS,
            help=f"where NAME.json and NAME.svg are written (default: {RESULTS})",
        )
        sub.add_argument(
            "--merge",
            action="store_true",
            help="keep the rows of DIR/NAME.json that this run does not measure",
        )
        if argv[:1] == [name] and name in BENCHES:
            # Only of the one that is run: what the others need may not be there.
            with suppress(ModuleNotFoundError):  # the runner says so
                bench = importlib.import_module(f".{name}", __package__)
                getattr(bench, "arguments", lambda _: None)(sub)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Measure, show, and write what is asked for; 1 when a bench failed."""
    argv = sys.argv[1:] if argv is None else argv
    options = parse(argv)
    runner = Runner(
        quick=options.quick,
        results=options.results,
        merge=options.merge,
        own={name: value for name, value in vars(options).items() if name not in _COMMON},
        command=shlex.join(["python", "-m", "bench", *argv]),
    )
    started_s = time.monotonic()
    everything = [name for name in BENCHES if name not in NOT_IN_ALL]
    try:
        runner.run(everything if options.name == "all" else [options.name])
    finally:
        runner.plot()
        if options.json:
            write(options.json, runner.reports)
        Console().print(f"{time.monotonic() - started_s:.0f} s", style="dim")
    if runner.failed:
        print(f"failed: {', '.join(runner.failed)}", file=sys.stderr)
    return bool(runner.failed)


if __name__ == "__main__":
    sys.exit(main())
