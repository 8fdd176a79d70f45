"""Which path carries a viewer's media: the table, and what must hold in whatever order things
happen."""

from __future__ import annotations

import json
from pathlib import Path as File

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.protocol.states import (
    AUDIBLE,
    CARRIES,
    DEADLINES_S,
    PINNED,
    TABLE,
    Event,
    MediaPath,
    Path,
    table_markdown,
)

VECTORS = json.loads((File(__file__).parent.parent / "vectors/states.json").read_text("utf-8"))

REASONS = st.sampled_from(["", "stalled", PINNED, "failed"])
STEPS = st.lists(st.tuples(st.sampled_from(list(Event)), REASONS), max_size=40)


def walk(*events, now=0.0, reason=""):
    """A path after these events."""
    path = MediaPath()
    for event in events:
        assert path.handle(event, now, reason), (path.state, event)
    return path


WALKS = {
    Path.WS: (),
    Path.PROBING: (Event.OFFERED,),
    Path.WEBRTC: (Event.OFFERED, Event.SWITCHED),
    Path.HEDGE: (Event.OFFERED, Event.SWITCHED, Event.DOUBTED),
    Path.ORPHAN: (Event.OFFERED, Event.SWITCHED, Event.LOST),
    Path.ENDED: (Event.LOST,),
}
"""How to get there."""


# The same on both ends.


def test_the_table_is_the_one_that_the_client_has():
    ours = {
        state: {str(event): str(target) for event, target in moves.items()}
        for state, moves in TABLE.items()
    }
    assert ours == VECTORS["table"]


def test_deadlines_and_transports_are_those_that_the_client_has():
    assert VECTORS["deadlines_s"] == {**DEADLINES_S}
    assert {state: sorted(carried) for state, carried in CARRIES.items()} == VECTORS["carries"]
    assert VECTORS["audible"] == {**AUDIBLE}


# One walk at a time.


@pytest.mark.parametrize("state", Path)
@pytest.mark.parametrize("event", Event)
def test_an_event_moves_as_the_table_says_or_changes_nothing(state, event):
    path = walk(*WALKS[state], now=5.0)
    before = (path.state, path.reason, path.deadline, dict(path.failures))
    target = TABLE[state].get(event)
    assert path.handle(event, 7.0, "why") == (target is not None)
    if target is None:
        assert (path.state, path.reason, path.deadline, path.failures) == before
    else:
        assert (path.state, path.reason) == (target, "why")


@pytest.mark.parametrize("state", Path)
def test_a_state_lasts_no_longer_than_its_deadline(state):
    path = walk(*WALKS[state], now=100.0)
    limit_s = DEADLINES_S.get(state)
    assert path.deadline == (None if limit_s is None else 100.0 + limit_s)
    assert (Event.DEADLINE in TABLE[state]) == (limit_s is not None)


def test_an_offer_while_one_is_tried_starts_the_time_anew():
    path = walk(Event.OFFERED, now=1.0)
    path.handle(Event.OFFERED, 4.0)
    assert path.deadline == 14.0


@pytest.mark.parametrize(
    ("state", "event", "kind"),
    [
        (Path.PROBING, Event.FAILED, "connect"),
        (Path.PROBING, Event.DEADLINE, "connect"),
        (Path.PROBING, Event.REVERTED, "connect"),
        (Path.WEBRTC, Event.FAILED, "transit"),
        (Path.HEDGE, Event.FAILED, "transit"),
        (Path.HEDGE, Event.DEADLINE, "transit"),
    ],
)
def test_what_never_connected_and_what_broke_are_counted_apart(state, event, kind):
    path = walk(*WALKS[state])
    path.handle(event, 1.0, "UDP is blocked")
    other = {"connect": "transit", "transit": "connect"}[kind]
    assert path.failures == {kind: 1, other: 0}


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (state, event)
        for state, moves in TABLE.items()
        for event in moves
        if event not in (Event.FAILED, Event.DEADLINE) or state is Path.ORPHAN
        if (state, event) != (Path.PROBING, Event.REVERTED)
    ],
)
def test_nothing_else_is_a_failure(state, event):
    path = walk(*WALKS[state])
    path.handle(event, 1.0)
    assert path.failures == {"connect": 0, "transit": 0}


@pytest.mark.parametrize("event", [Event.FAILED, Event.DEADLINE])
def test_what_somebody_wanted_is_no_failure(event):
    path = walk(Event.OFFERED, Event.SWITCHED)
    path.handle(Event.REVERTED, 1.0, PINNED)
    path.handle(event, 2.0, "the peer connection closed")
    assert path.failures == {"connect": 0, "transit": 0}
    assert path.state is Path.WS


def test_after_a_pin_was_taken_back_failures_count_again():
    path = walk(Event.OFFERED, Event.SWITCHED)
    path.handle(Event.REVERTED, 1.0, PINNED)
    path.handle(Event.SWITCHED, 2.0)
    path.handle(Event.FAILED, 3.0, "gone")
    assert path.failures["transit"] == 1


def test_a_new_viewer_is_on_its_socket():
    path = MediaPath()
    assert (path.state, path.transport, path.carries) == (Path.WS, "ws", {"ws"})
    assert (path.epoch, path.deadline) == (0, None)


# Whatever the order.


@given(STEPS)
def test_at_every_moment_exactly_one_transport_is_heard_while_there_is_a_viewer(steps):
    path = MediaPath()
    heard = []  # what is heard from each moment on
    for n, (event, reason) in enumerate(steps):
        path.handle(event, float(n), reason)
        heard.append(AUDIBLE[path.state])
        if path.state is Path.ENDED:
            assert heard[-1] is None
        else:
            assert heard[-1] in ("ws", "webrtc")
            assert heard[-1] in path.carries  # and it is being fed
            assert path.transport == heard[-1]


@given(STEPS)
def test_while_the_socket_is_open_some_transport_carries_video(steps):
    path, is_open = MediaPath(), True
    for n, (event, reason) in enumerate(steps):
        moved = path.handle(event, float(n), reason)
        if moved and event is Event.LOST:
            is_open = False
        elif moved and event is Event.RESUMED:
            is_open = True
        if is_open:
            assert path.carries
            assert path.state not in (Path.ORPHAN, Path.ENDED)
        else:
            assert "ws" not in path.carries  # nothing is sent into a closed socket
            assert path.state in (Path.ORPHAN, Path.ENDED)


@given(STEPS)
def test_what_is_heard_changes_only_to_what_was_fed_before(steps):
    """Make before break: but for a peer that is gone, there is no other choice then."""
    path = MediaPath()
    for n, (event, reason) in enumerate(steps):
        before, carried = AUDIBLE[path.state], path.carries
        path.handle(event, float(n), reason)
        after = AUDIBLE[path.state]
        if after == "webrtc" != before:
            assert "webrtc" in carried
        if before == "webrtc" and after == "ws":
            assert path.state is Path.HEDGE or event is Event.FAILED


@given(STEPS)
def test_no_step_counts_more_than_one_failure_and_counts_never_go_down(steps):
    path = MediaPath()
    for n, (event, reason) in enumerate(steps):
        before = sum(path.failures.values())
        moved = path.handle(event, float(n), reason)
        assert sum(path.failures.values()) - before in ((0, 1) if moved else (0,))


@given(STEPS, st.floats(0, 30))
def test_left_alone_a_viewer_comes_to_rest_on_one_transport(steps, pause_s):
    path, now = MediaPath(), 0.0
    for event, reason in steps:
        now += pause_s
        if path.deadline is not None and now >= path.deadline:
            path.handle(Event.DEADLINE, now)
        path.handle(event, now, reason)
    for _ in range(3):
        if path.deadline is not None:
            path.handle(Event.DEADLINE, path.deadline)
    assert path.deadline is None
    assert path.state in (Path.WS, Path.WEBRTC, Path.ENDED)
    assert len(path.carries) == (0 if path.state is Path.ENDED else 1)


# For people.


def test_the_printed_table_has_every_move():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table_markdown().splitlines()[2:]
    ]
    state, printed = "", []
    for head, _, _, event, target in rows:
        state = head or state
        if event != "–":
            printed.append((state, event.split()[0], target))
    assert printed == [
        (state, event, target) for state, moves in TABLE.items() for event, target in moves.items()
    ]
    assert {row[0]: (row[1], row[2]) for row in rows if row[0]} == {
        "ws": ("ws", "ws"),
        "probing": ("ws, webrtc", "ws"),
        "webrtc": ("webrtc", "webrtc"),
        "hedge": ("ws, webrtc", "ws"),
        "orphan": ("webrtc", "webrtc"),
        "ended": ("–", "–"),
    }
