"""The faces that come with the package: painted in layers."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...errors import AvatarError
from ...media.types import Pixels, Rect
from .arrays import Floats, cut, overlap, pixels
from .eyes import LIDS_SHUT, PaintedEyes
from .inside import DRAWN_SEAM, Inside, Sprite
from .landmarks import Landmarks
from .mouth import Mouth
from .rig import Rig, assemble, still_size

FACES = Path(__file__).parent / "faces"
UNITS_HIGH = 1024
PX_PER_UNIT = 1.5
"""Of the layers; the background, which has no detail, is coarser."""


@dataclass(frozen=True, eq=False)
class Painting:
    """A shipped face as it lies on disk: layers of straight BGRA, boxes and landmarks in units."""

    layers: dict[str, Pixels]
    boxes: dict[str, tuple[float, float, float, float]]
    marks: Landmarks
    inside: Inside


def names() -> list[str]:
    """The faces there are."""
    return sorted(path.parent.name for path in FACES.glob("*/face.toml"))


@lru_cache(maxsize=2)
def load(name: str) -> Painting:
    """Read a face from disk.

    Raises:
        AvatarError: when there is no such face.
    """
    if name not in names():
        raise AvatarError(f"there is no face {name!r}; there are: {', '.join(names())}")
    described = tomllib.loads((FACES / name / "face.toml").read_text())

    def image(layer: str) -> Pixels:
        picture = cv2.imread(str(FACES / name / f"{layer}.webp"), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise AvatarError(f"the face {name!r} is damaged: {layer}.webp cannot be read")
        return _premultiplied(pixels(picture))

    layers = {layer: image(layer) for layer in described["layers"]}

    def sprite(part: str) -> Sprite:
        x, y, _, _ = described["inside"][part]
        return Sprite(image(part), x, y - DRAWN_SEAM)

    inside = Inside(sprite("upper_teeth"), sprite("lower_teeth"), sprite("tongue"))
    return Painting(layers, described["layers"], _landmarks(described), inside)


def rig(name: str, width: int, height: int) -> Rig:
    """The face at ``width`` x ``height``, filling it."""
    painting = load(name)
    size = still_size(width, height)
    units_wide = UNITS_HIGH * size[0] / size[1]
    view = round(units_wide * PX_PER_UNIT), round(UNITS_HIGH * PX_PER_UNIT)

    def placed(layer: str) -> Pixels:
        """The layer on the whole view, at the still's size."""
        whole = np.zeros((view[1], view[0], 4), np.uint8)
        picture, (x, y, _, _) = painting.layers[layer], painting.boxes[layer]
        _paste(whole, picture, round((x + units_wide / 2) * PX_PER_UNIT), round(y * PX_PER_UNIT))
        return pixels(cv2.resize(whole, size, interpolation=cv2.INTER_AREA))

    scale = size[1] / UNITS_HIGH
    marks = painting.marks.moved(scale, size[0] / 2)
    x0, y0, x1, y1 = painting.boxes["eyeballs"]
    left, top = round(x0 * scale + size[0] / 2), round(y0 * scale)
    box = Rect(left, top, round((x1 - x0) * scale), round((y1 - y0) * scale))
    box = overlap(box, Rect(0, 0, *size))
    part = cut(box)

    figure = placed("figure")
    lids = [figure[part], *(placed(f"lids{k}")[part] for k in range(1, LIDS_SHUT + 1))]
    eyes = PaintedEyes(marks, box, placed("eyeballs")[part], placed("irises")[part], lids)
    still = _background(painting.layers["background"], size)
    picture = pixels(still * (1 - figure[..., 3:].astype(np.float32) / 255) + figure[..., :3])
    picture[part] = eyes.draw(0, 0)
    mouth = Mouth(picture, marks, painting.inside)
    return assemble(picture, marks, eyes, mouth, width, height)


def _landmarks(described: dict[str, Any]) -> Landmarks:
    marks = described["landmarks"]
    left, right = (tuple(eye) for eye in marks["eyes"])
    return Landmarks(left, right, tuple(tuple(p) for p in marks["seam"]), tuple(marks["chin"]))


def _premultiplied(picture: Pixels) -> Pixels:
    if picture.shape[2] == 3:
        return picture
    out = picture.astype(np.float32)
    out[..., :3] *= out[..., 3:] / 255
    return pixels(out)


def _paste(whole: Pixels, picture: Pixels, x: int, y: int) -> None:
    """``picture`` into ``whole`` at a corner that may lie outside."""
    box = Rect(x, y, picture.shape[1], picture.shape[0])
    seen = overlap(box, Rect(0, 0, whole.shape[1], whole.shape[0]))
    whole[cut(seen)] = picture[cut(Rect(seen.x - x, seen.y - y, seen.width, seen.height))]


def _background(picture: Pixels, size: tuple[int, int]) -> Floats:
    """Its middle at the still's size; a still wider than it sees its sides mirrored."""
    high = picture.shape[0]
    wide = round(high * size[0] / size[1])
    extra = max(0, -(-(wide - picture.shape[1]) // 2))
    if extra:
        picture = pixels(cv2.copyMakeBorder(picture, 0, 0, extra, extra, cv2.BORDER_REFLECT))
    left = (picture.shape[1] - wide) // 2
    # In floats: enlarged bytes would show their steps.
    middle = picture[:, left : left + wide].astype(np.float32)
    return np.asarray(cv2.resize(middle, size, interpolation=cv2.INTER_CUBIC), np.float32)
