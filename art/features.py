"""The painted accents of the face: nose, lips, blush, shadows, freckles."""

from __future__ import annotations

import numpy as np
import paint as p
import skin


@p.within(-90, 380, 90, 570)
def nose(c: p.Canvas) -> None:
    c.on(p.color("#a85c47"), p.spot(0, 522, 27, 8), 0.26)
    for s in (1, -1):
        nostril = p.spline(
            [
                (s * 6.5, 519.5),
                (s * 11.5, 515.8),
                (s * 18, 516.2),
                (s * 21.5, 519.5),
                (s * 15.5, 522),
                (s * 8.5, 522),
            ],
            closed=True,
        )
        c.on(p.color("#5a2418"), p.mask(nostril, blur=1.4), 0.74)
        c.on(p.color("#3a130c"), p.mask(nostril, blur=2.2) * p.spot(13.5 * s, 518.5, 7, 3), 0.6)
        wing = p.spline(
            [(s * 28, 498), (s * 35, 506), (s * 36.5, 515), (s * 30, 522.5), (s * 23, 522.5)]
        )
        c.on(p.color("#9a5440"), p.mask(p.taper(wing, (0.5, 3, 4, 3, 0.5)), blur=2.2), 0.50)
    side = p.spline([(16, 398), (17, 435), (20, 470), (26, 498)])
    c.on(p.color("#b87258"), p.mask(p.taper(side, (6, 9, 11, 6)), blur=7), 0.22)
    c.on(p.color("#b87258"), p.mask(p.taper(p.mirror(side), (6, 7, 8, 5)), blur=6), 0.10)
    c.screen(
        p.color("#ffe9d8"),
        p.mask(p.taper([(-2, 416), (-2, 444), (-2.5, 478)], (5, 5, 6)), blur=4),
        0.24,
    )
    c.screen(p.color("#fff2e6"), p.spot(-4, 496, 7.5, 6), 0.50)


@p.within(-110, 550, 110, 660)
def lips(c: p.Canvas) -> None:
    up, low = p.mask(skin.UPPER_LIP, blur=1.1), p.mask(skin.LOWER_LIP, blur=1.1)
    c.on(p.color("#d98a78"), p.mask(skin.UPPER_LIP, skin.LOWER_LIP, blur=4), 0.25)
    c.multiply(p.color("#da7f7e"), up, 0.92)
    c.multiply(p.color("#ec9792"), low, 0.92)
    x, y = p.grid()
    rng = np.random.default_rng(3)
    lines = sum(
        rng.uniform(0.4, 1) * np.sin(x * f + rng.uniform(0, 6) + 0.02 * x * np.abs(x) * 0.2)
        for f in (0.9, 1.37, 2.1)
    )
    c.on(p.color("#7c2b30"), low * np.clip(lines, 0, 1), 0.025)
    c.on(p.color("#ffd9d2"), low * np.clip(-lines, 0, 1), 0.03)
    c.multiply(p.color("#b9585c"), up * np.clip((y - 571) / 14, 0, 1), 0.55)
    c.on(p.color("#ffe3dc"), p.spot(-15, 596, 20, 4.6, 3), 0.55)
    c.on(p.color("#ffe3dc"), p.spot(22, 596.5, 12, 3.6, -5), 0.30)
    c.on(
        p.color("#ffdcd2"),
        p.mask(
            p.taper(
                p.spline(
                    [
                        (-42, 568),
                        (-21, 560.6),
                        (-9.5, 557.2),
                        (0, 560.4),
                        (9.5, 557.2),
                        (21, 560.6),
                        (42, 568),
                    ]
                ),
                (0.5, 1.8, 2.2, 1.6, 2.2, 1.8, 0.5),
            ),
            blur=1.2,
        ),
        0.42,
    )
    seam = p.spline(skin.SEAM)
    c.on(
        p.color("#5e1a1e"),
        p.mask(p.taper(seam, (1.6, 2.4, 2.0, 2.6, 2.2, 2.6, 2.0, 2.4, 1.6)), blur=0.9),
        0.78,
    )
    for s in (1, -1):
        c.on(p.color("#7a3328"), p.spot(73 * s, 571.5, 4.5, 3.4), 0.55)
        c.on(p.color("#a5604c"), p.spot(82 * s, 569, 6, 9), 0.16)
    c.on(p.color("#a05844"), p.spot(0, 620, 30, 7), 0.30)


@p.within(-220, 400, 220, 720)
def blush(c: p.Canvas) -> None:
    for s in (1, -1):
        c.on(p.color("#e8836f"), p.spot(114 * s, 480, 48, 30, -22 * s), 0.28)
    for s in (1, -1):
        fold = p.spline([(42 * s, 514), (58 * s, 528), (74 * s, 546), (84 * s, 562)])
        c.on(p.color("#b56c55"), p.mask(p.taper(fold, (1, 5, 6, 1)), blur=5), 0.20)
    c.on(p.color("#e28d76"), p.spot(0, 500, 24, 16), 0.18)
    c.on(p.color("#e6947d"), p.spot(0, 660, 40, 22), 0.14)
    c.screen(p.color("#ffeede"), p.spot(-104, 455, 30, 13, 20), 0.30)
    c.screen(p.color("#ffeede"), p.spot(106, 455, 24, 11, -20), 0.14)


@p.within(-180, 400, 180, 560)
def freckles(c: p.Canvas) -> None:
    rng = np.random.default_rng(8)
    dots = []
    while len(dots) < 60:
        x, y = rng.normal(0, 72), rng.normal(466, 18)
        if abs(x) > 150 or (abs(abs(x) - 92) < 50 and y < 440):
            continue
        r = rng.uniform(0.5, 1.25)
        a = np.linspace(0, 2 * np.pi, 10)
        dots.append(np.stack([x + r * np.cos(a), y + r * np.sin(a)], 1))
    c.on(p.color("#a8684a"), p.mask(*dots, blur=0.7), 0.22)
