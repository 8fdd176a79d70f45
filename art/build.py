"""Paints Ada and writes the layers that the portrait provider ships.

python art/build.py [pixels painted for each unit; 2]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import eyes
import features
import hair
import inside
import numpy as np
import paint as p
import scene
import skin

FACES = Path(__file__).parent.parent / "wsstream/avatar/portrait/faces/ada"
TILT_DEG = 2.2
PIVOT = (0.0, 800.0)
SHIFT = 14.0
SHIPPED = 1.5  # pixels a unit
LOSSLESS = 101  # as OpenCV counts: a background of soft gradients shows every block
STAGES = (0.0, 0.25, 0.5, 0.75, 1.0)


def bend(points):
    """Where the head's tilt takes a point: she leans to the viewer's left."""
    points = np.asarray(points, np.float64).reshape(-1, 2)
    t = np.clip((890 - points[:, 1]) / 230, 0, 1)
    a = np.deg2rad(-TILT_DEG) * t * t * (3 - 2 * t)
    d = points - PIVOT
    out = np.stack(
        [np.cos(a) * d[:, 0] - np.sin(a) * d[:, 1], np.sin(a) * d[:, 0] + np.cos(a) * d[:, 1]], 1
    )
    return out + PIVOT + (SHIFT, 0)


def bent(image: np.ndarray) -> np.ndarray:
    x, y = p.grid()
    v = y.copy()
    for _ in range(4):  # the way back, by fixed point
        t = np.clip((890 - v) / 230, 0, 1)
        a = np.deg2rad(TILT_DEG) * t * t * (3 - 2 * t)
        dx, dy = x - SHIFT - PIVOT[0], y - PIVOT[1]
        u = np.cos(a) * dx - np.sin(a) * dy + PIVOT[0]
        v = np.sin(a) * dx + np.cos(a) * dy + PIVOT[1]
    mx = ((u + p.WIDTH / 2) * p.SCALE - 0.5).astype(np.float32)
    my = (v * p.SCALE - 0.5).astype(np.float32)
    return cv2.remap(image, mx, my, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def shifted(m: np.ndarray, dx: float, dy: float) -> np.ndarray:
    return np.roll(m, (round(dy * p.SCALE), round(dx * p.SCALE)), (0, 1))


class Painter:
    def __init__(self) -> None:
        self.behind = hair.back()
        self.right, self.left, self.wisps = hair.right(), hair.left(), hair.wisps()
        front = self.right * (1 - self.left[..., 3:]) + self.left
        self.cast = p.soften(shifted(front[..., 3], 5, 10), 7)

        self.body = p.Canvas()
        skin.paint_skin(self.body, skin.NECK, skin.neck_height())
        face = p.mask(skin.FACE)
        self.body.multiply(p.color("#a0604c"), p.soften(shifted(face, 12, 52), 12), 0.85)
        self.body.multiply(p.color("#7a4238"), p.soften(shifted(face, 4, 22), 9), 0.60)
        scene.necklace(self.body)
        scene.top(self.body)
        self.body.multiply(p.color("#7c3f30"), p.soften(shifted(self.left[..., 3], 8, 12), 9), 0.60)

        self.face = p.Canvas()
        with p.window(-260, 60, 260, 760):
            skin.paint_skin(self.face, skin.FACE, skin.face_height())
        features.blush(self.face)
        features.freckles(self.face)
        features.nose(self.face)
        features.lips(self.face)
        eyes.brows(self.face)

    def figure(self, closure: float) -> np.ndarray:
        """Premultiplied, with holes for the eyes."""
        face = p.Canvas()
        face.all = self.face.all.copy()
        eyes.lids(face, closure)
        holes = p.Canvas()
        for side in (1, -1):
            upper, lower = eyes.lid_curves(closure, side)
            holes.over((0, 0, 0), p.mask(np.vstack([upper, lower[::-1]])))
        face.multiply(p.color("#7c3f30"), self.cast, 0.55)
        c = p.Canvas()
        c.layer(self.behind)
        c.layer(self.right)
        c.layer(self.body)
        c.cut(holes.rgba[..., 3])
        c.layer(face)
        if closure < 0.6:
            with p.window(-190, 340, 190, 470):
                eyes.catch(c, closure)
        _, y = p.grid()
        c.layer(self.right * np.clip((740 - y) / 40, 0, 1)[..., None])
        h = p.Canvas()
        h.rgba = self.left
        hair.parting(h)
        c.layer(h)
        c.layer(self.wisps, 0.75)
        return bent(c.rgba)


def eyeballs() -> tuple[np.ndarray, np.ndarray]:
    ball, iris = p.Canvas(), p.Canvas()
    with p.window(-190, 340, 190, 470):
        eyes.ball(ball)
    eyes.irises(iris)
    return bent(ball.rgba), bent(iris.rgba)


def save(name: str, rgba: np.ndarray, box, scale: float, quality: int) -> dict:
    """One layer: cropped to ``box`` (units), resized to ``scale`` pixels a unit."""
    (left, top), (right, bottom) = p.px_of(*box[:2]), p.px_of(*box[2:])
    width, height = round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale)
    small = cv2.resize(rgba[top:bottom, left:right], (width, height), interpolation=cv2.INTER_AREA)
    out = p.finish(small)
    if out[..., 3].min() == 255:
        out = out[..., :3]
    cv2.imwrite(str(FACES / f"{name}.webp"), out, [cv2.IMWRITE_WEBP_QUALITY, quality])
    return {"box": [float(v) for v in box]}


def sprite(name: str, paint, box) -> dict:
    c = p.Canvas()
    with p.window(*box):
        paint(c)
    return save(name, c.all, box, 1.0, 92)


def toml(value) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return f"{round(float(value), 2):g}"


FIGURE = (-500.0, 0.0, 500.0, 1024.0)
EYES = (-180.0, 300.0, 200.0, 480.0)


def main() -> None:
    p.configure(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
    FACES.mkdir(parents=True, exist_ok=True)
    painter = Painter()
    ball, iris = eyeballs()
    back = p.Canvas()
    scene.background(back)
    half = p.WIDTH / 2
    layers = {
        "background": save("background", back.rgba, (-half, 0.0, half, 1024.0), 0.4, LOSSLESS)
    }
    layers["eyeballs"] = save("eyeballs", ball, EYES, SHIPPED, 92)
    layers["irises"] = save("irises", iris, EYES, SHIPPED, 92)
    for k, closure in enumerate(STAGES):
        rgba = painter.figure(closure)
        if k == 0:
            layers["figure"] = save("figure", rgba, FIGURE, SHIPPED, 95)
        else:
            layers[f"lids{k}"] = save(f"lids{k}", rgba, EYES, SHIPPED, 94)
    inner = {
        "upper_teeth": sprite("upper_teeth", inside.upper, (-200.0, 390.0, 200.0, 530.0)),
        "lower_teeth": sprite("lower_teeth", inside.lower, (-170.0, 535.0, 170.0, 610.0)),
        "tongue": sprite("tongue", inside.tongue, (-150.0, 490.0, 150.0, 650.0)),
    }
    marks = {
        "eyes": bend([(-eyes.IRIS[0], eyes.IRIS[1]), eyes.IRIS]),
        "seam": bend(p.spline(skin.SEAM, steps=3)),
        "chin": bend([(0, 694)])[0],
    }
    lines = [
        "# Ada, as art/build.py wrote her. Units: the picture is 1024 high, x is 0 in its middle.",
        "",
    ]
    lines += ["[landmarks]"] + [f"{k} = {toml(v)}" for k, v in marks.items()]
    lines += ["", "[layers]"] + [f"{k} = {toml(v['box'])}" for k, v in layers.items()]
    lines += ["", "# Half a mouth is 200 units here; the closed lips meet at y = 500.", "[inside]"]
    lines += [f"{k} = {toml(v['box'])}" for k, v in inner.items()]
    (FACES / "face.toml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
