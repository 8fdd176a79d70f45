"""The figures that were claimed before there was anything to measure, and whether they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOLERANCE = 0.05
"""Of a claim's bounds: they are round figures."""


@dataclass(frozen=True, slots=True)
class Claim:
    """kbit/s of a speaking portrait, from and to."""

    what: str
    size: str
    mode: str
    column: str
    least: float
    most: float

    def verdict(self, rows: list[dict[str, Any]]) -> str:
        """In a line, by the row that it is about."""
        said = f"{self.what}: claimed {_range(self.least, self.most)} kbit/s"
        for row in rows:
            if (row["size"], row["mode"], row["activity"]) == (self.size, self.mode, "speaking"):
                kbps = row.get(self.column)
                if kbps is not None:
                    return f"{said}, measured {kbps:.0f}: {self._holds(kbps)}"
        return f"{said}, not measured in this run"

    def _holds(self, kbps: float) -> str:
        if kbps > self.most * (1 + TOLERANCE):
            return "DOES NOT HOLD, it takes more"
        if kbps < self.least * (1 - TOLERANCE):
            return "holds, it takes less"
        return "holds"


def _range(least: float, most: float) -> str:
    return f"{most:g}" if least == most else f"{least:g} to {most:g}"


CLAIMS = (
    Claim("MJPEG, 720p at 20 fps", "1280x720 20 fps", "ws-jpeg", "video_kbps", 3000, 5000),
    Claim("H.264, 720p at 20 fps", "1280x720 20 fps", "rtc-h264", "video_kbps", 600, 600),
    Claim("MJPEG, 480p at 15 fps", "854x480 15 fps", "ws-jpeg", "video_kbps", 1500, 2500),
    Claim("Opus", "1280x720 20 fps", "rtc-h264", "audio_kbps", 24, 32),
)
MOST_PATCH, MOST_H264, MOST_IDLE = 1 / 4, 1.05, 1 / 10
"""What was wanted at equal PSNR: of patches against whole JPEGs, and of H.264 on the WebSocket
against H.264 on WebRTC, with all that goes over the wire for it; and of the pictures of an idle
face against those of a speaking one."""


def verdicts(rows: list[dict[str, Any]]) -> list[str]:
    """Each claim, and what was wanted at equal quality, of the rows of each size."""
    lines = [claim.verdict(rows) for claim in CLAIMS]
    for size in dict.fromkeys(row["size"] for row in rows):
        by_mode = {
            row["mode"]: row for row in rows if row["size"] == size and row["activity"] != "idle"
        }
        lines += [
            _ratio(by_mode, "ws-patch", "ws-jpeg", "equal_video_kbps", MOST_PATCH, size),
            _ratio(by_mode, "ws-h264", "rtc-h264", "equal_wire_kbps", MOST_H264, size),
        ]
    lines += [_idle(row, rows) for row in rows if row["activity"] == "idle"]
    return [line for line in lines if line]


def _idle(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    spoken = row | {"activity": "speaking"}
    keys = ("size", "mode", "activity")
    speaking = next((one for one in rows if all(one[k] == spoken[k] for k in keys)), {})
    idle_kbps, speaking_kbps = row.get("video_kbps"), speaking.get("video_kbps")
    if not idle_kbps or not speaking_kbps:
        return ""
    ratio = idle_kbps / speaking_kbps
    return (
        f"{row['size']}, {row['mode']}: an idle face takes {ratio:.3g} times what a speaking one "
        f"does; wanted at most {MOST_IDLE:g}: {_holds(ratio <= MOST_IDLE)}"
    )


def _holds(it_does: bool) -> str:
    return "holds" if it_does else "DOES NOT HOLD"


def _ratio(
    rows: dict[str, dict[str, Any]], one: str, other: str, column: str, most: float, size: str
) -> str:
    a, b = (rows.get(mode, {}).get(column) for mode in (one, other))
    if not a or not b:
        return ""
    return (
        f"{size}, at equal PSNR: {one} takes {a:.0f} kbit/s, {other} {b:.0f}, a ratio of "
        f"{a / b:.3g}; wanted at most {most:g}: {_holds(a / b <= most)}"
    )
