"""What stands around Ada's face: the room behind her and what she wears."""

from __future__ import annotations

import numpy as np
import paint as p
import skin

BODY = [
    (122, 780),
    (158, 794),
    (222, 810),
    (318, 838),
    (398, 884),
    (446, 966),
    (468, 1050),
    (474, 1110),
]
RIGHT_PANEL = p.spline(
    [
        (122, 780),
        (118, 830),
        (92, 892),
        (44, 954),
        (-30, 1030),
        (-60, 1110),
        (474, 1110),
        *BODY[:0:-1],
    ],
    closed=True,
)
LEFT_PANEL = p.spline(
    [
        (-x, y)
        for x, y in [
            (122, 780),
            (118, 830),
            (94, 890),
            (48, 948),
            (-34, 1022),
            (-80, 1110),
            (474, 1110),
            *BODY[:0:-1],
        ]
    ],
    closed=True,
)
CLOTH = [
    (0.0, "#5d4a43"),
    (0.25, "#94796b"),
    (0.45, "#c4ab99"),
    (0.65, "#e6d5c4"),
    (0.85, "#f7ede0"),
    (1.0, "#fffaf2"),
]


def box(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def background(c: p.Canvas) -> None:
    """A room at dusk, far out of focus."""
    x, y = p.grid()
    r = np.hypot((x + 60) / 760, (y - 330) / 620)
    c.over(
        p.ramp(
            r,
            [
                (0, "#a4bcb4"),
                (0.25, "#86a5a1"),
                (0.55, "#5a7d80"),
                (0.85, "#3a5a62"),
                (1.3, "#20383f"),
            ],
        ),
        np.ones_like(x),
    )
    for k in range(3):  # a window on the left
        left = -960 + k * 150
        c.screen(
            p.color("#cfe3dc"), p.mask(box(left, -60, left + 128, 620), blur=16), 0.26 - 0.05 * k
        )
    c.screen(p.color("#cfe3dc"), p.spot(-800, 260, 380, 420), 0.18)
    for k, top_ in enumerate((150, 360, 570)):  # shelves on the right
        c.multiply(p.color("#2b4148"), p.mask(box(560, top_ + 120, 1000, top_ + 142), blur=9), 0.45)
        rng = np.random.default_rng(40 + k)
        at = 585.0
        while at < 900:
            wide, high = rng.uniform(18, 52), rng.uniform(50, 104)
            tint = p.mix(
                p.color(("#c98d62", "#3f5f62", "#d8c3a0", "#7d4f3f")[rng.integers(4)]),
                p.color("#4d6d70"),
                0.45,
            )
            c.on(tint, p.mask(box(at, top_ + 122 - high, at + wide, top_ + 122), blur=10), 0.55)
            at += wide + rng.uniform(4, 40)
    c.screen(p.color("#f4b878"), p.spot(700, 250, 300, 320), 0.50)
    rng = np.random.default_rng(12)
    for _ in range(18):
        cx, cy = rng.uniform(360, 900), rng.uniform(60, 640)
        rad = rng.uniform(14, 40)
        d = np.hypot(x - cx, y - cy)
        disc = np.clip((rad - d) / 5 + 0.5, 0, 1) * 0.75 + 0.25 * np.exp(-(((d - rad) / 5) ** 2))
        c.screen(p.color("#ffd7a0"), p.soften(disc, 3), rng.uniform(0.05, 0.20))
    c.multiply(p.color("#16282d"), np.clip((y - 640) / 520, 0, 1), 0.45)


FOLDS = [  # path, height, width, softness; for the viewer's right
    ([(250, 850), (200, 930), (90, 1050)], 14, (4, 20, 34), 12),
    ([(330, 880), (270, 960), (190, 1070)], -15, (4, 18, 30), 12),
    ([(200, 850), (150, 930), (60, 1010)], -10, (4, 14, 20), 9),
    ([(396, 905), (352, 970), (340, 1070)], 14, (4, 20, 26), 10),
    ([(430, 960), (390, 1000), (384, 1080)], -13, (4, 16, 22), 10),
]


def panel(c: p.Canvas, outline, side: int) -> None:
    m = p.mask(outline)
    z = 110 * p.inflate(p.mask(LEFT_PANEL, RIGHT_PANEL), 4) ** 0.95
    for path, height, width, blur in FOLDS:
        z += height * p.mask(p.taper(p.spline([(x * side, y) for x, y in path]), width), blur=blur)
    edge = outline[: 24 * 5]
    z += 5.0 * p.mask(p.taper(p.moved(edge, side * 5, 4), (10, 10)), blur=3)
    t, _ = skin.light(p.soften(z, 3))
    c.multiply(
        p.color("#8a5a48"),
        p.soften(np.roll(m, (round(5 * p.SCALE), round(-side * 4 * p.SCALE)), (0, 1)), 6),
        0.45,
    )
    c.over(p.ramp(np.clip(t * 0.96, 0, 1), CLOTH), m)
    c.on(
        p.color("#a58a78"),
        m * p.mask(p.taper(p.moved(edge, side * 12, 6), (1.0, 1.0)), blur=0.7),
        0.50,
    )
    c.on(
        p.color("#fffaf2"),
        m * p.mask(p.taper(p.moved(edge, side * 1.5, 1), (1.8, 1.8)), blur=0.8),
        0.60,
    )


def top(c: p.Canvas) -> None:
    panel(c, RIGHT_PANEL, 1)
    panel(c, LEFT_PANEL, -1)


def necklace(c: p.Canvas) -> None:
    chain = p.spline(
        [(-112, 768), (-96, 804), (-60, 840), (0, 862), (60, 840), (96, 804), (112, 768)]
    )
    c.on(p.color("#8a5040"), p.mask(p.taper(p.moved(chain, 1.5, 4), (4, 4)), blur=2), 0.32)
    c.over(p.color("#b98a45"), p.mask(p.taper(chain, (1.9, 1.9)), blur=0.3), 0.95)
    beads = chain[::3]
    c.over(
        p.color("#ffe9b0"),
        p.mask(
            *[
                [(a - 0.7, b - 1), (a + 0.7, b - 1), (a + 0.7, b + 0.2), (a - 0.7, b + 0.2)]
                for a, b in beads
            ],
            blur=0.3,
        ),
        0.85,
    )
    a = np.linspace(0, 2 * np.pi, 40)
    drop = np.stack([7.5 * np.cos(a), 871 + 8.5 * np.sin(a)], 1)
    c.on(p.color("#8a5040"), p.mask(p.moved(drop, 2, 5), blur=3), 0.40)
    c.over(p.color("#c3924a"), p.mask(drop, blur=0.4))
    c.on(p.color("#fff1c4"), p.spot(-2.6, 868, 3.4, 3.4), 0.95)
    c.on(p.color("#7d5522"), p.spot(3, 876, 4.5, 3.4), 0.55)
