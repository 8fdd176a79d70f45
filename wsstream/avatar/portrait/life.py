"""What a face does when nobody makes it: blinks, glances, breath, small turns of the head.

Pure functions of the media clock and a seed, so that any two pictures can be drawn in any order
and an idle face goes on where the speaking one stood. Everything comes in whole steps, and in
short moves with stillness between them: a step that is not taken is a picture that need not be
sent.
"""

from __future__ import annotations

from typing import NamedTuple

BLINK_EVERY_MS = 4000
BLINK_JITTER_MS = 2000
BLINK_MS = (0, 35, 70, 115, 150, 180)
"""When each of the lids' steps begins; after the last the eye is open."""
BLINK_LIDS = (2, 4, 3, 2, 1)
DOUBLE_BLINK = 0.16
DOUBLE_BLINK_AFTER_MS = 290

SETTLE_MS = 60
"""An eye that has just moved is left alone this long: one picture at 20 a second."""

BREATH_STEP_MS = 440
BREATH = (0, 2, 4, 6, 8, 7, 5, 3, 1)
"""Neighbours differ, and so do neighbours but one: no two pictures half a second apart are the
same. Nine steps are a breath of four seconds."""

GLANCE_EVERY_MS = 2600
GLANCE_JITTER_MS = 1400
GLANCES = ((0.0, 0.0), (-1.0, 0.0), (1.0, 0.0), (-0.7, 0.45), (0.7, 0.35), (0.0, 0.5))
"""Where the eyes look, in glance widths; the first is at the viewer."""
GLANCE_AWAY = 0.45
DRIFTS = ((0.0, 0.0), (0.13, 0.05), (-0.13, 0.06), (0.02, -0.13))
"""Where in a glance the eyes come to stand, in glance widths: another place after each blink. So a
picture before a blink and one after it differ even when nothing else has moved."""

TURN_EVERY_MS = 9500
TURN_JITTER_MS = 4000
TURN_MS = 520

GESTURE_EVERY_MS = 2800
GESTURE_JITTER_MS = 1300
GESTURE_MS = 680
GESTURES = (  # sway, nod, roll, brow at their highest
    (0, 5, 0, 0),
    (0, 6, 0, 2),
    (-3, 2, -5, 0),
    (3, 2, 5, 0),
    (0, -3, 0, 3),
    (-2, 3, -3, 1),
    (2, 3, 3, 0),
)


class Posture(NamedTuple):
    """A face's stand, all in whole steps; all 0 is the picture as it came."""

    lids: int = 0
    """0 open .. 4 shut."""
    gaze: int = 0
    """Which of ``GLANCES``."""
    drift: int = 0
    """Which of ``DRIFTS``."""
    brow: int = 0
    breath: int = 0
    turn: int = 0
    """The face alone, to the right, and down: steps of a face unit, 1/184 of the eyes' distance."""
    bow: int = 0
    sway: int = 0
    """The whole head, the same way."""
    nod: int = 0
    roll: int = 0
    """The whole head, clockwise, in steps of 1/400 rad."""


class Gesture(NamedTuple):
    """A move made only by a face that speaks when it begins. It ends where it began."""

    number: int
    """Which one: it is made whole, or not at all."""
    begun: bool
    """Whether it has only just begun, so that it may still be joined."""
    sway: int
    nod: int
    roll: int
    brow: int


def chance(seed: int, kind: int, n: int) -> float:
    """0..1, the same each time for the same numbers (splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + kind * 0xBF58476D1CE4E5B9 + n * 0x94D049BB133111EB) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) / 2**64


_MASK = 2**64 - 1
_BLINK, _DOUBLE, _GLANCE, _WHERE, _TURN, _TO, _GESTURE, _WHICH = range(8)


def posture(media_ms: int, seed: int) -> Posture:
    """How the face stands at ``media_ms`` when it does not speak."""
    lids, drift, blinking_ms = _blink(media_ms, seed)
    gaze, glancing_ms = _glance(media_ms, seed)
    turn, bow = _turn(media_ms, seed)
    # The chest waits while the eyes move, so that no picture changes at both its ends.
    breath_ms = media_ms - max(blinking_ms, glancing_ms)
    breath = BREATH[breath_ms // BREATH_STEP_MS % len(BREATH)]
    return Posture(lids, gaze, drift, 0, breath, turn, bow)


def gesture(media_ms: int, seed: int) -> Gesture | None:
    """What a speaking face would be doing at ``media_ms`` on top of its posture."""
    number, since_ms = _slot(media_ms, seed, _GESTURE, GESTURE_EVERY_MS, GESTURE_JITTER_MS)
    if since_ms >= GESTURE_MS:
        return None
    way = _ease(min(since_ms, GESTURE_MS - since_ms) / (GESTURE_MS / 2))
    peak = GESTURES[int(chance(seed, _WHICH, number) * len(GESTURES))]
    sway, nod, roll, brow = (round(p * way) for p in peak)
    return Gesture(number, since_ms < 120, sway, nod, roll, brow)


def _slot(media_ms: int, seed: int, kind: int, every_ms: int, jitter_ms: int) -> tuple[int, int]:
    """Which event of a kind came last, and how long ago. Event ``n`` comes at a random moment of
    the first ``jitter_ms`` of the ``n``-th ``every_ms``."""
    n = media_ms // every_ms
    since = media_ms - n * every_ms - int(chance(seed, kind, n) * jitter_ms)
    if since < 0:
        n -= 1
        since = media_ms - n * every_ms - int(chance(seed, kind, n) * jitter_ms)
    return n, since


def _blink(media_ms: int, seed: int) -> tuple[int, int, int]:
    """The lids, the drift, and for how long the lids have been moving; 0 when they are not."""
    n, since_ms = _slot(media_ms, seed, _BLINK, BLINK_EVERY_MS, BLINK_JITTER_MS)
    again = since_ms >= DOUBLE_BLINK_AFTER_MS and chance(seed, _DOUBLE, n) < DOUBLE_BLINK
    since_ms -= DOUBLE_BLINK_AFTER_MS * again
    drift = 2 * (n % 2) + again
    if since_ms >= BLINK_MS[-1]:
        return 0, drift, since_ms if since_ms < BLINK_MS[-1] + SETTLE_MS else 0
    step = max(i for i, begins_ms in enumerate(BLINK_MS) if begins_ms <= since_ms)
    return BLINK_LIDS[step], drift, since_ms


def _glance(media_ms: int, seed: int) -> tuple[int, int]:
    """Where the eyes look, and for how long they have been moving there; 0 when they are not."""
    n, since_ms = _slot(media_ms, seed, _GLANCE, GLANCE_EVERY_MS, GLANCE_JITTER_MS)
    gaze = _look(n, seed)
    moving = since_ms < SETTLE_MS and gaze != _look(n - 1, seed)
    return gaze, since_ms if moving else 0


def _look(n: int, seed: int) -> int:
    x = chance(seed, _WHERE, n)
    return 1 + int(x / GLANCE_AWAY * (len(GLANCES) - 1)) if x < GLANCE_AWAY else 0


def _turn(media_ms: int, seed: int) -> tuple[int, int]:
    n, since_ms = _slot(media_ms, seed, _TURN, TURN_EVERY_MS, TURN_JITTER_MS)
    way = _ease(min(since_ms / TURN_MS, 1.0))
    (ax, ay), (bx, by) = _stand(n - 1, seed), _stand(n, seed)
    return round(ax + (bx - ax) * way), round(ay + (by - ay) * way)


def _stand(n: int, seed: int) -> tuple[float, float]:
    """Where turn ``n`` ends. Odd ones go to the other side than even ones: every one is seen."""
    x, y = chance(seed, _TO, 2 * n), chance(seed, _TO, 2 * n + 1)
    return (1 if n % 2 else -1) * (1 + 3 * x), 5 * y - 2


def _ease(x: float) -> float:
    return x * x * (3 - 2 * x)
