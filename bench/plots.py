"""The two pictures that say most, from the JSON that the measurements wrote.

python -m bench.plots bandwidth.json peers.json bench/results
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

OURS, THEIRS = "#e2725b", "#8a8f98"
CLASSES = {"video_kbps": "#e2725b", "audio_kbps": "#4a90a4", "overhead_kbps": "#c9c5bf"}


def bandwidth(rows: list[dict[str, Any]], path: Path) -> None:
    """kbit/s by way of sending and class, 720p at 20 fps, speaking and idle."""
    wanted = [row for row in rows if row["size"] == "1280x720 20 fps"]
    figure, panes = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for pane, activity in zip(panes, ("speaking", "idle"), strict=True):
        chosen = [row for row in wanted if row["activity"] == activity][::-1]
        left = [0.0] * len(chosen)
        for key, colour in CLASSES.items():
            values = [row[key] for row in chosen]
            names = [row["mode"] for row in chosen]
            pane.barh(names, values, left=left, color=colour, label=key.removesuffix("_kbps"))
            left = [a + b for a, b in zip(left, values, strict=True)]
        for name, total in zip(names, left, strict=True):
            pane.text(total, name, f" {total:.0f}", va="center", fontsize=8)
        pane.set(title=f"{activity}, kbit/s", xlim=(0, max(left) * 1.15))
        pane.spines[["top", "right"]].set_visible(False)
    panes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def peers(rows: list[dict[str, Any]], path: Path) -> None:
    """CPU of the server per picture and viewer, beside what people use today."""
    key = next(k for row in rows for k in row if k.startswith("cpu_ms_per_picture"))
    chosen = [row for row in rows if row.get(key) and "encoder" not in row["what"]][::-1]
    figure, pane = pyplot.subplots(figsize=(9, 0.34 * len(chosen) + 0.8), layout="constrained")
    names, values = [row["what"] for row in chosen], [row[key] for row in chosen]
    colours = [OURS if name.startswith("wsstream") else THEIRS for name in names]
    pane.barh(names, values, color=colours)
    for name, value in zip(names, values, strict=True):
        pane.text(value, name, f" {value:.2f}", va="center", fontsize=8)
    pane.set(title="CPU per viewer and picture, ms", xlim=(0, max(values) * 1.12))
    pane.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main(bandwidth_json: str, peers_json: str, folder: str) -> None:
    """Both."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, source, draw in (
        ("bandwidth", bandwidth_json, bandwidth),
        ("peers", peers_json, peers),
    ):
        rows = json.loads(Path(source).read_text())[name]["rows"]
        draw(rows, Path(folder, f"{name}.svg"))


if __name__ == "__main__":
    main(*sys.argv[1:])
