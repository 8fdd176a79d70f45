"""Ada's head, neck and chest: a height field, lit, with the painted accents on top."""

from __future__ import annotations

import cv2
import numpy as np
import paint as p

KEY = p.unit((-0.50, -0.48, 0.86))
FILL = p.unit((0.75, -0.05, 0.65))

FACE = p.spline(
    p.both(
        [
            (40, 112),
            (105, 134),
            (150, 190),
            (173, 268),
            (181, 345),
            (181, 410),
            (174, 470),
            (158, 524),
            (134, 578),
            (103, 626),
            (71, 663),
            (41, 686),
            (14, 693),
        ]
    ),
    closed=True,
)
LIFT = -20  # the body, against the head
NECK = p.spline(
    p.both(
        [
            (90, 580),
            (87, 640),
            (85, 700),
            (88, 745 + LIFT),
            (102, 782 + LIFT),
            (146, 810 + LIFT),
            (212, 836 + LIFT),
            (310, 866 + LIFT),
            (370, 920),
            (380, 1060),
            (200, 1080),
        ]
    ),
    closed=True,
)

# The seam between the lips, left to right.
SEAM = [
    (-74, 570.5),
    (-53, 578.8),
    (-27, 584.2),
    (-9, 585.6),
    (0, 587.4),
    (9, 585.6),
    (27, 584.2),
    (53, 578.8),
    (74, 570.5),
]
UPPER_LIP = p.spline(
    [
        (-73, 570.5),
        (-47, 567.5),
        (-23, 563.6),
        (-10, 560.2),
        (0, 563.4),
        (10, 560.2),
        (23, 563.6),
        (47, 567.5),
        (73, 570.5),
        *SEAM[::-1][1:-1],
    ],
    closed=True,
)
LOWER_LIP = p.spline(
    [
        (-70, 573),
        *SEAM[1:-1],
        (70, 573),
        (56, 588),
        (38, 602.5),
        (16, 610.2),
        (0, 611.5),
        (-16, 610.2),
        (-38, 602.5),
        (-56, 588),
    ],
    closed=True,
)

SKIN = [
    (0.00, "#3a1613"),
    (0.16, "#6e3226"),
    (0.32, "#a55c43"),
    (0.47, "#cf8d6d"),
    (0.62, "#e6b092"),
    (0.78, "#f3c9ad"),
    (0.92, "#fbdfc9"),
    (1.00, "#fff0e2"),
]


def gauss(cx, cy, sx, sy, amp, angle=0.0):
    return amp * p.spot(cx, cy, sx * 1.4142, sy * 1.4142, angle)


def pair(cx, cy, sx, sy, amp, angle=0.0):
    return gauss(cx, cy, sx, sy, amp, angle) + gauss(-cx, cy, sx, sy, amp, -angle)


def nose() -> np.ndarray:
    x, y = p.grid()
    rows = y[:, 0]
    along = np.interp(
        rows,
        [350, 382, 415, 450, 482, 500, 511, 521, 531, 545],
        [0, 5, 12, 20, 30, 34, 31.5, 22, 9, 0],
    ).astype(np.float32)
    along = cv2.GaussianBlur(np.repeat(along[:, None], 3, 1), (1, int(11 * p.SCALE) | 1), 0)[:, :1]
    width = np.interp(rows, [350, 395, 440, 486, 515, 545], [20, 13, 13, 16.5, 21, 24]).astype(
        np.float32
    )[:, None]
    ridge = along * np.exp(-0.5 * (np.abs(x) / width) ** 2.2)
    return ridge + gauss(0, 499, 14, 12, 10) + pair(25.5, 511, 9.0, 8.5, 10, 20)


def face_height() -> np.ndarray:
    m = p.mask(FACE)
    z = 150 * p.inflate(m) ** 1.12
    z += pair(92, 392, 46, 22, -17) + pair(36, 396, 13, 17, -11)
    z += pair(88, 340, 62, 15, 6) + gauss(0, 350, 30, 16, 3)
    z += pair(92, 407, 33, 19, 11)
    z += pair(108, 474, 40, 32, 13, 20) - pair(128, 560, 30, 40, 5, 20)
    z += pair(68, 540, 9, 26, -4.2, -24) + pair(98, 520, 26, 22, 4)
    z += gauss(0, 576, 58, 34, 9)
    z += gauss(0, 543, 6.5, 12, -3.0) + pair(11, 543, 5, 12, 1.6)
    z += gauss(0, 622, 40, 8, -6.5) + gauss(0, 654, 33, 20, 10)
    z += pair(83, 571, 7, 8, -2.5)
    z += gauss(0, 250, 100, 50, 4)
    z += nose()
    z += 9.0 * p.soften(p.inflate(p.mask(UPPER_LIP), 1), 1.5)
    z += 12.0 * p.soften(p.inflate(p.mask(LOWER_LIP), 1), 1.5)
    return p.soften(z, 2.2)


def neck_height() -> np.ndarray:
    z = 90 * p.inflate(p.mask(NECK), 4) ** 0.9
    for s in (-1, 1):  # the two long muscles, the collar bones, the hollow between them
        muscle = p.spline([(s * 88, 640), (s * 64, 710), (s * 36, 784), (s * 16, 838 + LIFT)])
        z += 10 * p.mask(p.taper(muscle, (24, 22, 17, 10)), blur=9)
        bone = p.spline(
            [
                (s * 20, 848 + LIFT),
                (s * 70, 846 + LIFT),
                (s * 140, 830 + LIFT),
                (s * 230, 834 + LIFT),
                (s * 310, 858 + LIFT),
            ]
        )
        z += 12 * p.mask(p.taper(bone, (16, 17, 14, 14, 10)), blur=7)
        z -= 10 * p.mask(p.taper(p.moved(bone, 0, -26), (12, 16, 20, 16, 8)), blur=11)
    z += gauss(0, 838 + LIFT, 13, 16, -9)
    z += pair(75, 980, 55, 60, 12)
    return p.soften(z, 3)


def light(z: np.ndarray, relief: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Brightness 0..1 along the skin ramp, and the sheen."""
    n = p.normals(z * relief)
    key = np.clip((n @ KEY + 0.36) / 1.36, 0, 1)
    fill = np.clip((n @ FILL + 0.35) / 1.35, 0, 1)
    top = np.clip(0.5 - 0.5 * n[..., 1], 0, 1)
    bounce = np.clip(n[..., 1], 0, 1) * np.clip(0.3 + n[..., 2], 0, 1)
    t = 0.72 * key + 0.20 * fill + 0.12 * top + 0.10 * bounce
    half = p.unit(KEY + np.array((0, 0, 1)))
    sheen = np.clip(n @ half, 0, 1) ** 26
    return t, sheen


def paint_skin(canvas: p.Canvas, outline, z, t_shift=0.0) -> None:
    t, sheen = light(z)
    body = p.ramp(np.clip(t + t_shift, 0, 1), SKIN)
    m = p.mask(outline)
    canvas.over(body, m)
    canvas.on(p.color("#fff6ec"), m * sheen, 0.16)
