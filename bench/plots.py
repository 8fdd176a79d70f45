"""Pictures of what was measured. A bench that is not in ``DRAW`` has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Rows: TypeAlias = list[dict[str, Any]]
OURS, THEIRS = "#e2725b", "#8a8f98"
CLASSES = {"video_kbps": "#e2725b", "audio_kbps": "#4a90a4", "overhead_kbps": "#c9c5bf"}
MODES = {
    "ws-jpeg": "#8a8f98",
    "ws-patch": "#e0b04c",
    "ws-h264": "#e2725b",
    "rtc-h264": "#4a90a4",
    "rtc-vp8": "#7d6aa8",
    "auto": "#5b8c5a",
}
PREFERRED_SIZE = "1280x720 20 fps"


def draw(name: str, rows: Rows, path: Path) -> bool:
    """The picture of a bench's rows, as SVG (or what the path ends in); whether there is one."""
    figure = DRAW[name](rows) if name in DRAW else None
    if figure is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
    return True


def bandwidth(rows: Rows) -> Figure | None:
    """kbit/s by way of sending and class, in one size, for each activity."""
    rows = [row for row in rows if row.get("total_kbps")]
    sizes = [row["size"] for row in rows]
    if not sizes:
        return None
    size = PREFERRED_SIZE if PREFERRED_SIZE in sizes else sizes[0]
    rows = [row for row in rows if row["size"] == size]
    activities = list(dict.fromkeys(row["activity"] for row in rows))
    figure, panes = pyplot.subplots(
        1, len(activities), figsize=(9, 3.2), layout="constrained", squeeze=False
    )
    for pane, activity in zip(panes[0], activities, strict=True):
        chosen = [row for row in rows if row["activity"] == activity][::-1]
        names, left = [row["mode"] for row in chosen], [0.0] * len(chosen)
        for key, colour in CLASSES.items():
            values = [row[key] for row in chosen]
            pane.barh(names, values, left=left, color=colour, label=key.removesuffix("_kbps"))
            left = [a + b for a, b in zip(left, values, strict=True)]
        _label(pane, names, left, ".0f")
        pane.set(title=f"{size}, {activity}, kbit/s", xlim=(0, max(left) * 1.15))
    panes[0][0].legend(frameon=False, fontsize=8)
    return figure


def links(rows: Rows) -> Figure | None:
    """Lag and pictures per second, by link and mode; of the first source."""
    rows = [row for row in rows if row.get("fps") is not None]
    if not rows:
        return None
    rows = [row for row in rows if row.get("source") == rows[0].get("source")]
    names = list(dict.fromkeys(row["link"] for row in rows))
    modes = [mode for mode in MODES if any(row["mode"] == mode for row in rows)]
    figure, panes = pyplot.subplots(
        1, 2, figsize=(9, 0.22 * len(names) * (len(modes) + 1) + 1), layout="constrained"
    )
    for pane, key, title in zip(
        panes, ("lag_p50_ms", "fps"), ("lag, median, ms", "pictures per second"), strict=True
    ):
        for number, mode in enumerate(modes):
            found = {row["link"]: row[key] for row in rows if row["mode"] == mode}
            places = [names.index(link) + 0.8 * number / len(modes) for link in found]
            pane.barh(places, list(found.values()), 0.7 / len(modes), color=MODES[mode], label=mode)
        pane.set(title=title, yticks=[n + 0.4 - 0.4 / len(modes) for n in range(len(names))])
        pane.set_yticklabels(names if pane is panes[0] else [], fontsize=8)
        pane.invert_yaxis()
        pane.spines[["top", "right"]].set_visible(False)
    handles, labels = panes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(modes), frameon=False, fontsize=8
    )
    return figure


def bars(key: str, title: str, label: str = "what") -> Callable[[Rows], Figure | None]:
    """One bar for each row that has the figure."""

    def plot(rows: Rows) -> Figure | None:
        chosen = [row for row in rows if row.get(key)][::-1]
        if not chosen:
            return None
        figure, pane = pyplot.subplots(figsize=(9, 0.34 * len(chosen) + 0.8), layout="constrained")
        names, values = [str(row[label]) for row in chosen], [row[key] for row in chosen]
        colours = [THEIRS if _is_rival(name) else OURS for name in names]
        pane.barh(names, values, color=colours)
        _label(pane, names, values, ".3g")
        pane.set(title=title, xlim=(0, max(values) * 1.12))
        return figure

    return plot


def _is_rival(name: str) -> bool:
    return any(word in name for word in ("aiortc", "FastRTC", "Pipecat", "naive", "bare", "alone"))


def _label(pane: Axes, names: list[str], values: list[float], form: str) -> None:
    for name, value in zip(names, values, strict=True):
        pane.text(value, name, f" {value:{form}}", va="center", fontsize=8)
    pane.spines[["top", "right"]].set_visible(False)


def _peers(rows: Rows) -> Figure | None:
    servers = [row for row in rows if "encoder" not in row["what"]]
    return bars("cpu_ms_per_picture", "CPU per viewer and picture, ms")(servers)


DRAW: dict[str, Callable[[Rows], Figure | None]] = {
    "latency": bars("picture_p50_ms", "from the session's clock to the screen, ms", "mode"),
    "startup": bars("picture_p50_ms", "from navigation to the first picture, ms"),
    "sessions": bars("cpu_per_session_percent", "CPU per private session, % of a core"),
    "bandwidth": bandwidth,
    "fanout": bars("cpu_per_viewer_percent", "CPU per WebRTC viewer, % of a core"),
    "links": links,
    "peers": _peers,
}
