"""Finding the parts of a face in a photograph, with the detectors OpenCV brings along."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ...errors import AvatarError
from ...media.types import Pixels, Rect
from .arrays import pixels
from .landmarks import Landmarks, Point
from .lips import Axis, Grey, dark_line, mouth_corners, under_teeth

SEARCH_SIDE = 720
"""Faces are looked for in a picture of at most this side."""
SMALLEST_FACE = 0.12
"""Of the picture's shorter side."""
MIN_SPAN_PX = 20
"""Eyes closer together than this leave nothing to animate."""

# Where a face's parts are in the box the detector finds, when it finds no more than that.
EYE_X, EYE_Y = (0.31, 0.69), 0.39
IRIS = 0.095
"""Its radius, in eye distances."""
CHIN_DOWN = 1.72
"""Its distance from between the eyes, in eye distances."""

_using_cascades = threading.Lock()
"""A cascade keeps what it works on: one thread at a time."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Landmarks the user gives, in parts of the picture's width and height (0..1). ``None``: find
    it."""

    eyes: tuple[Point, Point] | None = None
    mouth: tuple[Point, Point] | None = None
    """The corners."""
    chin: Point | None = None


def landmarks(picture: Pixels, given: Marks) -> Landmarks:
    """The parts of the largest face of ``picture`` (``(height, width, 3)`` uint8 BGR), in its
    pixels.

    Raises:
        AvatarError: when no face is found and the landmarks given do not make up for it, or when
            it is too small.
    """
    rows, columns = picture.shape[:2]
    scale = min(1.0, SEARCH_SIDE / max(rows, columns))
    small = pixels(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    grey: Grey = pixels(cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)))
    size = grey.shape[1], grey.shape[0]
    eyes = _scaled(given.eyes, size)
    if eyes is None:
        eyes = _eyes(grey, _face(grey))
    left, right = sorted(eyes)
    span = float(np.hypot(right[0] - left[0], right[1] - left[1]))
    if span / scale < MIN_SPAN_PX:
        raise AvatarError(
            f"the face is too small: its eyes are {span / scale:.0f} pixels apart, "
            f"{MIN_SPAN_PX} are needed"
        )
    axis = Axis(left, right)
    corners = _scaled(given.mouth, size)
    if corners is None:
        corners = mouth_corners(grey, axis, lambda part, least: _find("smile", part, 12, least))
    chin = axis.down(CHIN_DOWN)
    if given.chin:
        chin = given.chin[0] * size[0], given.chin[1] * size[1]
    seam, toothy = under_teeth(small, dark_line(grey, *sorted(corners)))
    return Landmarks(left, right, seam, chin, toothy).moved(1 / scale)


@lru_cache(maxsize=4)
def _cascade(name: str) -> cv2.CascadeClassifier:
    path = Path(cv2.data.haarcascades) / f"haarcascade_{name}.xml"  # type: ignore[attr-defined]
    return cv2.CascadeClassifier(str(path))


def _find(name: str, grey: Grey, neighbours: int, smallest: float) -> list[Rect]:
    side = max(8, round(smallest))
    with _using_cascades:
        boxes = _cascade(name).detectMultiScale(grey, 1.08, neighbours, minSize=(side, side))
    return [Rect(*(int(v) for v in box)) for box in boxes]


def _face(grey: Grey) -> Rect:
    smallest = SMALLEST_FACE * min(grey.shape)
    for name, neighbours in (("frontalface_default", 5), ("frontalface_alt2", 3)):
        found = _find(name, grey, neighbours, smallest)
        if found:
            return max(found, key=lambda box: box.width)
    raise AvatarError(
        "no face was found in the picture: one is needed that looks at the viewer, upright and "
        "well lit, or give the places of its eyes and mouth"
    )


def _eyes(grey: Grey, face: Rect) -> tuple[Point, Point]:
    """The irises: where the eye detectors agree with a face's proportions, else by these alone."""
    found: list[Point] = []
    for x in EYE_X:
        cx, cy = face.x + x * face.width, face.y + EYE_Y * face.height
        half = 0.21 * face.width
        left, top = round(cx - half), round(cy - 0.75 * half)
        part = grey[max(top, 0) : round(cy + 0.75 * half), max(left, 0) : round(cx + half)]
        part = np.ascontiguousarray(part)
        boxes: list[Rect] = []
        for name in ("eye_tree_eyeglasses", "eye"):
            boxes = boxes or _find(name, part, 3, 0.16 * face.width)
        if boxes:
            box = max(boxes, key=lambda b: b.width)
            cx, cy = max(left, 0) + box.x + box.width / 2, max(top, 0) + box.y + box.height / 2
        found.append(_iris(grey, (cx, cy), (EYE_X[1] - EYE_X[0]) * face.width))
    return found[0], found[1]


def _iris(grey: Grey, near: Point, span: float) -> Point:
    """The middle of the dark disc near a point that has light to its left and right."""
    radius, reach = max(IRIS * span, 1.5), 0.16 * span
    margin = round(reach + 3 * radius) + 1
    cx, cy = round(near[0]), round(near[1])
    around = cv2.copyMakeBorder(grey, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    part = around[cy : cy + 2 * margin + 1, cx : cx + 2 * margin + 1].astype(np.float32)
    side = round(2 * radius) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.float32)
    dark = cv2.filter2D(part, -1, disc / disc.sum())
    aside = round(1.7 * radius)
    white = np.minimum(np.roll(dark, aside, axis=1), np.roll(dark, -aside, axis=1))
    y, x = np.mgrid[-margin : margin + 1, -margin : margin + 1]
    score = dark - 0.6 * white + 40 * np.hypot(x, 1.4 * y) / reach
    score[np.hypot(x, 1.6 * y) > reach] = np.inf
    k = int(score.argmin())
    return cx + float(x.flat[k]), cy + float(y.flat[k])


def _scaled(points: tuple[Point, ...] | None, size: tuple[int, int]) -> tuple[Point, ...] | None:
    if points is None:
        return None
    return tuple((x * size[0], y * size[1]) for x, y in points)
