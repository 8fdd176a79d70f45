"""What an open mouth shows: teeth and tongue, as sprites for any face.

Here a mouth is 400 units wide from corner to corner (half of it, 200, is the unit of the landmarks
and of the shapes), its closed lips meet at y = 500 on the middle line.
"""

from __future__ import annotations

import numpy as np
import paint as p

ENAMEL = [(0.0, "#7d6258"), (0.35, "#c7b3a4"), (0.65, "#eadfd3"), (1.0, "#fbf6ef")]


def tooth(cx, top, width, height, up: bool, round_: float = 0.35):
    """An outline; ``up`` when it hangs from above."""
    w, h = width / 2, height
    s = 1 if up else -1
    return p.spline(
        [
            (cx - w * 0.86, top),
            (cx - w * 0.99, top + s * h * 0.5),
            (cx - w * 0.93, top + s * h * (1 - 0.12)),
            (cx - w * (1 - round_), top + s * h),
            (cx + w * (1 - round_), top + s * h),
            (cx + w * 0.93, top + s * h * (1 - 0.12)),
            (cx + w * 0.99, top + s * h * 0.5),
            (cx + w * 0.86, top),
        ],
        closed=True,
    )


def row(c: p.Canvas, teeth, top, up: bool, arch: float) -> None:
    """``teeth``: (width, height) from the middle out; ``arch``: how much the row curves."""
    for side in (1, -1):
        at = 0.0
        shapes = []
        for width, height in teeth:
            cx = at + width / 2
            lift = arch * (cx / 160) ** 2 * (-1 if up else 1)
            shapes.append((cx, width, height, top + lift))
            at += width + 0.8
        for cx, width, height, y0 in shapes[::-1]:
            m = p.mask(tooth(cx * side, y0, width, height, up), blur=0.7)
            x, _ = p.grid()
            across = (x - cx * side) / (width / 2)
            turn = 1 - (cx / 205) ** 2
            value = np.clip(0.90 * turn + 0.06 - 0.13 * np.abs(across) ** 3 - 0.05 * across, 0, 1)
            c.over(p.ramp(value, ENAMEL), m)


def upper(c: p.Canvas) -> None:
    gum = p.spline(
        [(-190, 395), (190, 395), (176, 440), (90, 462), (0, 468), (-90, 462), (-176, 440)],
        closed=True,
    )
    c.over(p.color("#b5605f"), p.mask(gum, blur=3))
    row(c, [(36, 70), (29, 64), (30, 66), (26, 58), (25, 54), (24, 48)], 450, True, 20)
    x, y = p.grid()
    c.on(p.color("#6b3a36"), np.clip((np.abs(x) - 95) / 95, 0, 1), 0.75)
    c.on(p.color("#e9b7a8"), np.clip((462 - y) / 20, 0, 1) * np.exp(-((x / 130) ** 2)), 0.20)


def lower(c: p.Canvas) -> None:
    gum = p.spline(
        [(-150, 600), (-140, 560), (-70, 548), (0, 545), (70, 548), (140, 560), (150, 600)],
        closed=True,
    )
    c.over(p.color("#a8575a"), p.mask(gum, blur=3))
    row(c, [(22, 46), (24, 46), (25, 48), (24, 42), (24, 38)], 552, False, 16)
    x, _ = p.grid()
    c.on(p.color("#4a2423"), np.ones_like(x), 0.16)
    c.on(p.color("#4a2423"), np.clip((np.abs(x) - 55) / 80, 0, 1), 0.80)


def tongue(c: p.Canvas) -> None:
    shape = p.spline(
        [(-128, 640), (-118, 560), (-72, 516), (0, 504), (72, 516), (118, 560), (128, 640)],
        closed=True,
    )
    m = p.mask(shape, blur=4)
    c.over(p.color("#b5545a"), m)
    c.on(p.color("#7d2f36"), np.clip(1 - p.spot(0, 560, 112, 62), 0, 1), 0.75)
    c.screen(p.color("#f09a98"), p.spot(-30, 536, 46, 16, -6) + p.spot(36, 538, 34, 13, 6), 0.50)
    c.on(p.color("#8d3a42"), p.mask(p.taper([(0, 520), (1, 600)], (2, 7, 9)), blur=5), 0.45)
