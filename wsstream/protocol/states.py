"""Which path carries a viewer's media: one table, the same on both ends (static/core/states.js).

Pure: time is an argument. See protocol.md section 6, into which the table is printed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from .messages import Transport

PINNED = "pinned"
"""The reason of a switch somebody wanted: no failure of the path."""


class Path(StrEnum):
    """Where a viewer's media stand."""

    WS = "ws"
    """On the socket."""
    PROBING = "probing"
    """On the socket, while a peer connection is tried."""
    WEBRTC = "webrtc"
    """On the peer connection; the socket is there for messages."""
    HEDGE = "hedge"
    """On both, because the peer connection is in doubt."""
    ORPHAN = "orphan"
    """On the peer connection; the socket is lost and may come back."""
    ENDED = "ended"
    """The viewer is gone."""


class Event(StrEnum):
    """What moves it."""

    OFFERED = "offered"
    """The client offers a peer connection."""
    SWITCHED = "switched"
    """The client presents the peer connection's media."""
    REVERTED = "reverted"
    """The client wants the socket's media (again)."""
    DOUBTED = "doubted"
    """The server has heard nothing from the peer for a while."""
    FAILED = "failed"
    """The peer connection is closed, or never came to be."""
    DEADLINE = "deadline"
    """The state lasted too long."""
    LOST = "lost"
    """The socket is gone."""
    RESUMED = "resumed"
    """The viewer is back on a new socket."""


TABLE: dict[Path, dict[Event, Path]] = {
    Path.WS: {Event.OFFERED: Path.PROBING, Event.LOST: Path.ENDED},
    Path.PROBING: {
        Event.OFFERED: Path.PROBING,
        Event.SWITCHED: Path.WEBRTC,
        Event.REVERTED: Path.WS,
        Event.FAILED: Path.WS,
        Event.DEADLINE: Path.WS,
        Event.LOST: Path.ENDED,
    },
    Path.WEBRTC: {
        Event.REVERTED: Path.HEDGE,
        Event.DOUBTED: Path.HEDGE,
        Event.FAILED: Path.WS,
        Event.LOST: Path.ORPHAN,
    },
    Path.HEDGE: {
        Event.SWITCHED: Path.WEBRTC,
        Event.FAILED: Path.WS,
        Event.DEADLINE: Path.WS,
        Event.LOST: Path.ORPHAN,
    },
    Path.ORPHAN: {
        Event.RESUMED: Path.WEBRTC,
        Event.FAILED: Path.ENDED,
        Event.DEADLINE: Path.ENDED,
    },
    Path.ENDED: {},
}
"""An event that a state does not list changes nothing."""

DEADLINES_S: dict[Path, float] = {Path.PROBING: 10.0, Path.HEDGE: 5.0, Path.ORPHAN: 15.0}
"""The longest stay, in seconds."""

CARRIES: dict[Path, frozenset[Transport]] = {
    Path.WS: frozenset({"ws"}),
    Path.PROBING: frozenset({"ws", "webrtc"}),
    Path.WEBRTC: frozenset({"webrtc"}),
    Path.HEDGE: frozenset({"ws", "webrtc"}),
    Path.ORPHAN: frozenset({"webrtc"}),
    Path.ENDED: frozenset(),
}
"""Which transports the server feeds."""

AUDIBLE: dict[Path, Transport | None] = {
    Path.WS: "ws",
    Path.PROBING: "ws",
    Path.WEBRTC: "webrtc",
    Path.HEDGE: "ws",
    Path.ORPHAN: "webrtc",
    Path.ENDED: None,
}
"""Whose sound is heard: never both, and one as long as there is a viewer."""

Failure = Literal["connect", "transit"]

_FAILURES: dict[tuple[Path, Event], Failure] = {
    (Path.PROBING, Event.FAILED): "connect",
    (Path.PROBING, Event.DEADLINE): "connect",
    (Path.PROBING, Event.REVERTED): "connect",
    (Path.WEBRTC, Event.FAILED): "transit",
    (Path.HEDGE, Event.FAILED): "transit",
    (Path.HEDGE, Event.DEADLINE): "transit",
}


class MediaPath:
    """One viewer's place in the table. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self.state = Path.WS
        self.epoch = 0
        """Of the newest peer connection; counted by the client."""
        self.reason = ""
        """Why media come the way they do."""
        self.deadline: float | None = None
        self.failures: dict[Failure, int] = {"connect": 0, "transit": 0}

    @property
    def carries(self) -> frozenset[Transport]:
        """Which transports the server feeds now."""
        return CARRIES[self.state]

    @property
    def transport(self) -> Transport:
        """Whose media are presented."""
        return AUDIBLE[self.state] or "ws"

    def handle(self, event: Event, now: float, reason: str = "") -> bool:
        """Move. ``False`` when the event means nothing here, and nothing changed."""
        target = TABLE[self.state].get(event)
        if target is None:
            return False
        failure = _FAILURES.get((self.state, event))
        if failure is not None and PINNED not in (reason, self.reason):
            self.failures[failure] += 1
        self.state, self.reason = target, reason
        limit_s = DEADLINES_S.get(target)
        self.deadline = None if limit_s is None else now + limit_s
        return True


def table_markdown() -> str:
    """The table as protocol.md prints it."""
    lines = ["| state | media on | heard | event | next |", "|---|---|---|---|---|"]
    for state, moves in TABLE.items():
        limit_s = DEADLINES_S.get(state)
        rows = [
            (f"{event} ({limit_s:g} s)" if event is Event.DEADLINE else str(event), str(target))
            for event, target in moves.items()
        ]
        carried = ", ".join(sorted(CARRIES[state], reverse=True)) or "–"
        for i, (event_text, target_text) in enumerate(rows or [("–", "–")]):
            head = (state, carried, AUDIBLE[state] or "–") if i == 0 else ("", "", "")
            lines.append(f"| {' | '.join((*map(str, head), event_text, target_text))} |")
    return "\n".join(lines)
