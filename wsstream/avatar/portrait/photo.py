"""A user's own picture, made ready to be moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import AvatarError
from ...media.compositor import fit
from ...media.types import Pixels
from . import shipped
from .arrays import empty
from .detect import Marks, landmarks
from .inside import Inside
from .landmarks import Landmarks
from .lids import PhotoEyes
from .mouth import Mouth
from .picture import decode
from .rig import Rig, assemble, still_size

SMALLEST_SPAN, LARGEST_SPAN = 0.14, 0.25
"""The eyes' distance in parts of the picture's height: a smaller face is brought closer, and a
larger one is not, not even to fill the width."""
EYES_AT = 0.43
"""Where it is then put, in parts of the height from the top."""
SKIN_LUMA = 190.0
"""How light the shipped face's cheeks are, under which the inside of the mouth was painted."""


def rig(data: bytes, given: Marks, width: int, height: int) -> Rig:
    """The picture's face at ``width`` x ``height``.

    Raises:
        AvatarError: when the picture cannot be read or shows no face that can be used.
    """
    picture = decode(data)
    marks = landmarks(picture, given)
    still, marks = _framed(picture, marks, still_size(width, height))
    eyes = PhotoEyes(still, marks)
    inside = _lit(shipped.load(shipped.names()[0]).inside, still, marks)
    mouth = Mouth(still, marks, inside)
    if empty(eyes.box) or empty(mouth.box):
        raise AvatarError("the eyes and the mouth are too far apart to be of one face")
    return assemble(still, marks, eyes, mouth, width, height)


def _framed(picture: Pixels, marks: Landmarks, size: tuple[int, int]) -> tuple[Pixels, Landmarks]:
    """The part of the picture to show, at the still's size: as much of its height as leaves the
    face large enough and fills the width, with a backdrop where that cannot be."""
    rows, columns = picture.shape[:2]
    shape = size[0] / size[1]
    high = max(min(rows, marks.span / SMALLEST_SPAN, columns / shape), marks.span / LARGEST_SPAN)
    high = min(rows, round(high))
    wide = min(columns, round(high * shape))
    (ex, ey), mouth_x = marks.eyes, (marks.seam[0][0] + marks.seam[-1][0]) / 2
    left = int(np.clip(round((ex + mouth_x) / 2 - wide / 2), 0, columns - wide))
    top = int(np.clip(round(ey - EYES_AT * high), 0, rows - high))
    part = np.ascontiguousarray(picture[top : top + high, left : left + wide])
    still, (scale, x, y) = fit(part, *size)
    return still, marks.moved(1, -left, -top).moved(scale, x, y)


def _lit(inside: Inside, still: Pixels, marks: Landmarks) -> Inside:
    """The inside of the mouth, as bright as the cheeks about it."""
    (ex, ey), span = marks.eyes, marks.span
    x, y, side = round(ex - 0.5 * span), round(ey + 0.45 * span), max(2, round(0.2 * span))
    cheeks = [still[y : y + side, x + k * round(0.8 * span) :][:, :side] for k in (0, 1)]
    luma = [float(c.mean(axis=(0, 1)) @ (0.114, 0.587, 0.299)) for c in cheeks if c.size]
    glow = float(np.clip(np.mean(luma) / SKIN_LUMA, 0.35, 1.1)) if luma else 1.0
    upper = None if marks.toothy else inside.upper_teeth
    return replace(inside, upper_teeth=upper, glow=glow)
