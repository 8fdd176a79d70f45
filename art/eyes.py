"""Ada's eyes: the ball, the iris, the lids at any closure, lashes and brows.

Everything is drawn for her left eye (the viewer's right, x > 0) and mirrored with ``side = -1``.
"""

from __future__ import annotations

import numpy as np
import paint as p

GROW = 1.09
IRIS = (92.0, 405.0)
IRIS_RADIUS = 21.5

UPPER = [
    (45, 413),
    (52, 405),
    (64, 396),
    (78, 390),
    (93, 387.6),
    (108, 388.8),
    (122, 393.4),
    (133, 399.4),
    (142, 404.5),
]
LOWER = [
    (45, 413),
    (53, 416.2),
    (66, 419.6),
    (80, 421.8),
    (94, 422.4),
    (108, 420.9),
    (121, 416.8),
    (132, 411.2),
    (142, 404.5),
]
UPPER = [(92 + (x - 92) * GROW, 405 + (y - 405) * GROW) for x, y in UPPER]
LOWER = [(92 + (x - 92) * GROW, 405 + (y - 405) * GROW) for x, y in LOWER]
INK = p.color("#2b1510")


def flip(points, side):
    return np.asarray(points, float) * (side, 1)


def lid_curves(closure: float, side: int):
    up, low = np.array(UPPER, float), np.array(LOWER, float)
    shut = p.moved(low, 0, -1.5)
    shut[1:-1, 1] -= 1.0
    upper = p.mix(up, shut, closure)
    lower = low - np.array([(0, 3.0 * closure * np.sin(np.pi * i / 8)) for i in range(9)])
    upper[:, 1] = np.minimum(upper[:, 1], lower[:, 1])
    return p.spline(flip(upper, side)), p.spline(flip(lower, side))


def ball(c: p.Canvas) -> None:
    """The white and what shades it: no lid's shadow, that is the lid's."""
    for side in (1, -1):
        cx, cy = IRIS[0] * side, IRIS[1]
        m = p.mask(
            p.spline(
                flip([(36, 380), (95, 372), (152, 385), (152, 425), (95, 436), (36, 430)], side),
                closed=True,
            )
        )
        c.over(p.color("#f1e8e2"), m)
        c.on(p.color("#c9a89a"), m * (1 - p.spot(cx, cy - 2, 46, 34)), 0.75)
        c.on(p.color("#d98f80"), m * p.spot(46 * side, 414, 11, 8), 0.85)
        c.on(p.color("#d8a294"), m * p.spot(140 * side, 406, 10, 9), 0.55)


def irises(c: p.Canvas) -> None:
    for side in (1, -1):
        with p.window(IRIS[0] * side - 40, 370, IRIS[0] * side + 40, 440):
            iris(c, side)


def iris(c: p.Canvas, side: int) -> None:
    x, y = p.grid()
    cx, cy, r0 = IRIS[0] * side, IRIS[1], IRIS_RADIUS
    u, v = (x - cx) / r0, (y - cy) / r0
    r, a = np.hypot(u, v), np.arctan2(v, u)
    m = np.clip((1 - r) * r0 * 0.7 + 0.5, 0, 1)
    rng = np.random.default_rng(5 if side > 0 else 6)
    fibre = np.zeros_like(r)
    for k in (9, 17, 29, 43, 61):
        fibre += (
            rng.uniform(0.5, 1)
            * np.sin(a * k + rng.uniform(0, 6.3) + 0.6 * np.sin(3 * a + k) + r * rng.uniform(-2, 2))
            / k**0.35
        )
    fibre = fibre / 2.2
    base = p.ramp(
        r,
        [
            (0, "#1d120c"),
            (0.36, "#5b3f1e"),
            (0.48, "#7d6a35"),
            (0.66, "#6f7f55"),
            (0.84, "#47604e"),
            (0.93, "#22362f"),
            (1, "#14201d"),
        ],
    )
    c.over(base, m)
    band = np.clip((r - 0.36) / 0.2, 0, 1) * np.clip((0.98 - r) / 0.2, 0, 1)
    c.on(p.color("#c9c48c"), m * band * np.clip(fibre, 0, 1), 0.60)
    c.on(p.color("#16201a"), m * band * np.clip(-fibre, 0, 1), 0.55)
    low = np.clip(v * 0.9 + 0.25 + 0.25 * u * side, 0, 1)
    c.screen(p.color("#b9b26a"), m * band * low, 0.62)
    c.on(p.color("#0b0605"), np.clip((0.42 - r) * r0 * 0.8 + 0.5, 0, 1), 1)


def catch(c: p.Canvas, closure: float = 0.0) -> None:
    """The lights' reflections: they stay where they are when the eye turns."""
    for side in (1, -1):
        cx, cy = IRIS[0] * side, IRIS[1]
        upper, lower = lid_curves(closure, side)
        seen = p.mask(np.vstack([p.moved(upper, 0, 3), lower[::-1]]), blur=0.6)
        window = p.spline(
            [(cx - 11, cy - 10.5), (cx - 4.5, cy - 12), (cx - 3.2, cy - 5), (cx - 10, cy - 3.8)],
            closed=True,
        )
        c.over((1, 1, 1), seen * p.mask(window, blur=0.5), 0.96)
        c.over((1, 1, 1), seen * p.spot(cx + 9, cy + 8.5, 3.2, 2.4, -35), 0.55)


def lash(root, angle, length, curl, width):
    t = np.linspace(0, 1, 10)
    a = np.deg2rad(angle) + np.deg2rad(curl) * t
    step = length / 9
    path = np.cumsum(np.stack([np.cos(a), -np.sin(a)], 1) * step, axis=0) + root
    return p.taper(path, (width, width * 0.8, width * 0.45, 0.25))


def lids(c: p.Canvas, closure: float) -> None:
    """Cuts the eyes into the skin and draws the lids around them."""
    for side in (1, -1):
        with p.window(min(20 * side, 190 * side), 340, max(20 * side, 190 * side), 470):
            lid(c, closure, side)


def lid(c: p.Canvas, closure: float, side: int) -> None:
    upper, lower = lid_curves(closure, side)
    opening = p.mask(np.vstack([upper, lower[::-1]]))
    # Lid skin: the socket's shade, the crease, the light on the lid.
    crease_open = p.spline(
        flip(
            [
                (43, 402),
                (54, 390.5),
                (71, 380.5),
                (92, 376),
                (112, 377),
                (131, 385.5),
                (146, 397),
                (154, 404),
            ],
            side,
        )
    )
    crease_shut = p.spline(
        flip(
            [
                (48, 404),
                (58, 396),
                (74, 388),
                (93, 384),
                (112, 386),
                (129, 393),
                (143, 401),
                (150, 406),
            ],
            side,
        )
    )
    crease = p.mix(crease_open, crease_shut, closure * 0.7)
    plate = p.mask(np.vstack([crease, upper[::-1]]), blur=2.0)
    shade = p.color("#8a4b3c")
    c.on(shade, p.mask(p.taper(p.moved(crease, 2 * side, -6), (6, 16, 20, 20, 8)), blur=6.5), 0.34)
    c.on(p.color("#a8604c"), p.spot(132 * side, 384, 24, 13, 24 * side), 0.30)
    c.on(p.color("#c98a70"), plate, 0.34)
    c.on(
        p.color("#ffe6d4"),
        plate * p.spot(90 * side - 3, p.mix(382, 400, closure), 22, p.mix(4.5, 9, closure)),
        0.50,
    )
    c.on(
        p.color("#6b3325"), p.mask(p.taper(crease, (0.8, 2.6, 3.2, 3.0, 2.4, 0.8)), blur=1.1), 0.62
    )
    # Under the eye.
    c.on(p.color("#b06a55"), p.mask(p.taper(p.moved(lower, 0, 9), (2, 8, 10, 8, 2)), blur=5), 0.20)
    c.on(
        p.color("#a4604d"),
        p.mask(p.taper(p.moved(lower[24:-24], 0, 13), (0.5, 2.5, 3, 2.5, 0.5)), blur=2.6),
        0.22,
    )
    c.on(
        p.color("#ffe9da"),
        p.mask(p.taper(p.moved(lower, 0, 5.2), (0.5, 3, 4, 3, 0.5)), blur=1.6),
        0.40,
    )
    c.cut(opening)
    # The upper lid's shadow on the ball.
    if closure < 0.95:
        c.over(
            p.color("#2a120d"),
            opening * p.mask(p.taper(p.moved(upper, 0, 2.5), (6, 10, 12, 11, 7)), blur=3.2),
            0.62,
        )
        c.over(
            p.color("#c4806e"),
            opening * p.mask(p.taper(p.moved(lower, 0, -0.6), (3, 2.2, 2.2, 2.6, 2.0)), blur=0.7),
            0.75,
        )
        c.over(
            p.color("#fff4ec"),
            opening * p.mask(p.taper(p.moved(lower, 0, -1.8), (0.4, 1, 1.2, 1, 0.4)), blur=0.4),
            0.45,
        )
        c.over(p.color("#d58b7c"), opening * p.spot(49 * side, 412.5, 5.5, 4.2), 0.8)
    # Lash lines.
    tip = (
        upper[-1]
        + np.array([(3.5 * side, -2.0), (7.5 * side, -5.5)])
        * (1 - 1.2 * closure, 1 - 1.6 * closure)
        if closure < 0.7
        else upper[-1] + np.array([(3 * side, 0.5), (6 * side, 1.5)])
    )
    line = np.vstack([upper, tip])
    c.over(
        INK,
        p.mask(
            p.taper(p.moved(line, 0, -0.6), (1.0, 2.4, 3.6, 4.4, 5.0, 5.2, 3.0, 0.4)), blur=0.55
        ),
        0.96,
    )
    c.over(
        p.color("#4c2a20"),
        p.mask(p.taper(p.moved(lower, 0, 0.6), (0.5, 0.8, 1.0, 1.5, 2.2)), blur=0.8),
        0.60,
    )
    rng = np.random.default_rng(11)
    hairs = []
    for k in range(40):
        s = 0.30 + 0.70 * (k / 39) ** 0.85
        i = min(int(s * (len(upper) - 1)), len(upper) - 1)
        root = upper[i] + (rng.uniform(-0.8, 0.8), -0.6)
        up = np.interp(s, [0.3, 0.5, 0.75, 1.0], [84, 62, 36, 12]) + rng.uniform(-6, 6)
        down = np.interp(s, [0, 0.5, 1.0], [-115, -82, -42])
        angle = p.mix(up, down, np.clip((closure - 0.25) / 0.6, 0, 1))
        length = np.interp(s, [0.3, 0.5, 0.75, 0.92, 1.0], [3, 6, 12, 16, 14]) * rng.uniform(
            0.6, 1.1
        )
        length *= p.mix(1.0, 0.85, closure)
        curl = p.mix(np.interp(s, [0.3, 0.7, 1], [14, 34, 40]), 16, closure)
        if side < 0:
            angle, curl = 180 - angle, -curl
        hairs.append(lash(root, angle, length, curl, 1.1))
    c.over(INK, p.mask(*hairs), 0.85)
    hairs = []
    for k in range(20):
        s = 0.30 + 0.66 * k / 19
        i = int(s * (len(lower) - 1))
        angle = np.interp(s, [0.3, 0.6, 1.0], [-100, -78, -50]) + rng.uniform(-8, 8)
        length = np.interp(s, [0.3, 0.8, 1.0], [3.0, 5.5, 5.0]) * rng.uniform(0.7, 1.1)
        curl = 15
        if side < 0:
            angle, curl = 180 - angle, -curl
        hairs.append(lash(lower[i] + (0, 1.0), angle, length, curl, 0.8))
    c.over(p.color("#4a281e"), p.mask(*hairs), 0.38)


BROW_TOP = [(39, 339.5), (60, 333), (88, 327.5), (112, 325.5), (134, 331.5), (152, 343), (164, 353)]
BROW_LOW = [(41, 354.5), (62, 348.5), (90, 341.5), (114, 337.5), (134, 340), (152, 348), (165, 355)]


def brows(c: p.Canvas) -> None:
    for side in (1, -1):
        with p.window(min(10 * side, 190 * side), 300, max(10 * side, 190 * side), 380):
            brow(c, side)


def brow(c: p.Canvas, side: int) -> None:
    rng = np.random.default_rng(21 + side)
    top, low = p.spline(flip(BROW_TOP, side)), p.spline(flip(BROW_LOW, side))
    x, _ = p.grid()
    fade = 0.35 + 0.65 * np.clip((x * side - 36) / 30, 0, 1)
    c.on(p.color("#5d3626"), p.mask(np.vstack([top, low[::-1]]), blur=2.8) * fade, 0.58)
    dark, light = [], []
    for _ in range(230):
        s = rng.uniform(0.0, 0.97)
        v = rng.uniform(0, 1)
        i = int(s * (len(top) - 1))
        root = p.mix(low[i], top[i], v * 0.85)
        angle = (
            np.interp(s, [0, 0.12, 0.35, 0.65, 1], [82, 62, 36, 8, -30])
            + rng.uniform(-9, 9)
            - 22 * v * (s > 0.1)
        )
        length = np.interp(s, [0, 0.2, 0.6, 1], [9, 13, 12, 7]) * rng.uniform(0.7, 1.1)
        curl = -16
        if side < 0:
            angle, curl = 180 - angle, -curl
        (dark if rng.random() < 0.75 else light).append(lash(root, angle, length, curl, 1.25))
    c.over(p.color("#3c2118"), p.mask(*dark[::2]) * fade, 0.55)
    c.over(p.color("#7d5138"), p.mask(*light) * fade, 0.40)
    c.over(p.color("#3c2118"), p.mask(*dark[1::2]) * fade, 0.55)
