"""What was wanted, and whether it is so, in a line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .subjects import OUR_PICTURES, OUR_PRIVATE, OUR_SHARED, OUR_SOCKET, Subject

Rows = dict[str, dict[str, Any]]
PSNR_TOLERANCE_DB = 0.1
ONE_MORE = "wsstream, WebSocket, shared, JPEG, one picture more"


def verdicts(subjects: list[Subject], rows: Rows) -> list[str]:
    """One line for each figure that was wanted; where something is missing, none can be had."""
    theirs = [rows[s.what] for s in subjects if s.webrtc and not s.ours]
    shared, private, ours_ws = rows[OUR_SHARED], rows[OUR_PRIVATE], rows[OUR_SOCKET]
    same = [rows[s.what] for s in subjects if s.codec == "h264" and not s.ours]
    own = [s for s in subjects if s.webrtc and not s.ours and s.own_source]
    each = [rows[s.what] for s in own if s.sound]
    each_same = [rows[s.what] for s in own if s.sound and s.codec == "h264"]
    silent = [rows[s.what] for s in own if not s.sound]
    bare = {s.sound: [rows[s.what]] for s in subjects if not s.has_pictures}
    cpu = "cpu_ms_per_picture"
    lines = [
        _line("CPU per shared WebRTC viewer", shared, theirs, cpu, 1 / 20),
        _line("CPU per shared WebRTC viewer, H.264 alone", shared, same, cpu, 1 / 20),
        _line("CPU per private WebRTC session", private, each, cpu, 1 / 4),
        _line("CPU per private WebRTC session, H.264 alone", private, each_same, cpu, 1 / 4),
        _line(
            "CPU per private WebRTC session, pictures alone", rows[OUR_PICTURES], silent, cpu, 1 / 4
        ),
        _line("CPU per private WebRTC session to one source for all", private, theirs, cpu, 1 / 4),
        _quality(private, theirs),
        _line("first picture, loopback", ours_ws, theirs, "first_ms", 1),
        _line("first picture, 100 ms RTT", ours_ws, theirs, "first_100_ms_rtt_ms", 1 / 2),
        _line("WebSocket, picture and sound", ours_ws, bare.get(True, []), cpu, 2),
    ]
    if more := rows.get(ONE_MORE):
        lines.append(_line("WebSocket, one picture more", more, bare.get(False, []), cpu, 2))
    encoders = [row for what, row in rows.items() if what.startswith("JPEG encoder")]
    if len(encoders) == 2:
        lines.append(_line("JPEG", encoders[0], encoders[1:], cpu, 1.15))
    return [line for line in lines if line]


def _line(what: str, ours: dict[str, Any], theirs: Iterable[Any], key: str, most: float) -> str:
    best = min((r for r in theirs if r[key]), key=lambda row: row[key], default=None)
    if best is None or not ours[key]:
        return ""
    ratio = ours[key] / best[key]
    holds = "holds" if ratio <= most else "DOES NOT HOLD"
    return (
        f"{what}: {_times(ratio)} {best['what']} ({ours[key]:.3g} to {best[key]:.3g} ms); "
        f"wanted at most {_times(most)}: {holds}"
    )


def _quality(ours: dict[str, Any], theirs: list[dict[str, Any]]) -> str:
    """Of the pictures, against the best of any peer."""
    priced = [row for row in theirs if row["cpu_ms_per_picture"] and row["psnr_db"]]
    if not priced or not ours["psnr_db"]:
        return ""
    best = max(priced, key=lambda row: row["psnr_db"])
    holds = ours["psnr_db"] >= best["psnr_db"] - PSNR_TOLERANCE_DB
    return (
        f"its PSNR: {ours['psnr_db']:.1f} dB at {ours['kbps']:.0f} kbit/s against "
        f"{best['psnr_db']:.1f} dB at {best['kbps']:.0f} kbit/s of {best['what']}; "
        f"wanted no worse: {'holds' if holds else 'DOES NOT HOLD'}"
    )


def _times(ratio: float) -> str:
    return f"1/{1 / ratio:.3g}" if ratio < 1 else f"{ratio:.3g} x"
