"""Ada's hair: strands that run between guide curves, gathered into locks, lit one by one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import paint as p
from guides import LEFT, RIGHT, WISPS

HAIR = [
    (0.00, "#140a08"),
    (0.16, "#26130e"),
    (0.32, "#3f2016"),
    (0.48, "#613422"),
    (0.64, "#8b5233"),
    (0.80, "#b97b4c"),
    (0.92, "#dda974"),
    (1.00, "#f4d3a4"),
]
LIGHT = p.unit((-0.50, -0.62, 0.70))
POINTS = 72


@dataclass
class Lock:
    centre: float  # between the first guide (0) and the last (1)
    width: float
    phase: float
    swell: float
    cut: float
    tone: float


def resample(path: np.ndarray, n: int) -> np.ndarray:
    d = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    s = np.linspace(0, d[-1], n)
    return np.stack([np.interp(s, d, path[:, 0]), np.interp(s, d, path[:, 1])], 1)


def split(rng, count: int, wave: float) -> list[Lock]:
    """Locks side by side, their waves drifting slowly from one to the next."""
    drift = np.cumsum(rng.normal(0, 2.6 / count, count))
    return [
        Lock(
            centre=(k + 0.5) / count + rng.normal(0, 0.12 / count),
            width=rng.uniform(0.75, 1.9) / count,
            phase=drift[k],
            swell=wave * rng.uniform(0.75, 1.25),
            cut=float(np.clip(rng.normal(0.95, 0.04), 0.84, 1.0)),
            tone=rng.normal(0, 0.035),
        )
        for k in range(count)
    ]


def strands(guides, lock: Lock, rng, count: int, side: int, stray: float = 1.0):
    """Paths ``(count, POINTS, 2)``, each one's place across the lock (-1..1), how far the wave
    turns it to the light there (-1..1)."""
    g = np.array([resample(p.spline(x), POINTS) for x in guides])
    s = np.linspace(0, 1, POINTS) * np.clip(
        lock.cut + rng.normal(0, 0.04, (count, 1)) * np.abs(rng.normal(0, 1, (count, 1))), 0.7, 1
    )
    across = rng.uniform(-1, 1, count) * stray
    end = np.clip((s / lock.cut - 0.80) / 0.20, 0, 1)
    gather = np.interp(s, [0, 0.3, 0.55, 1], [0.60, 0.62, 0.80, 0.80]) * (1 - 0.80 * end**1.5)
    u = lock.centre + across[:, None] * gather * lock.width
    u = np.clip(u + rng.normal(0, 0.006, (count, 1)), -0.03, 1.05) * (len(guides) - 1)
    i = np.clip(u.astype(int), 0, len(guides) - 2)
    f = (u - i)[..., None]
    at = np.broadcast_to(s * (POINTS - 1), u.shape)
    j = np.clip(at.astype(int), 0, POINTS - 2)
    w = (at - j)[..., None]

    def guide(k):
        return g[k, j] * (1 - w) + g[k, j + 1] * w

    path = guide(i) * (1 - f) + guide(i + 1) * f
    grow = np.interp(s, [0, 0.30, 0.50, 0.8, 1], [0, 0.05, 0.6, 1.1, 1.2])
    turn = 2 * np.pi * s * 3.3 + lock.phase + 0.9 + rng.normal(0, 0.06, (count, 1))
    path[..., 0] += side * grow * lock.swell * np.sin(turn)
    path[..., 1] += 0.25 * grow * lock.swell * np.sin(turn + 0.8 * across[:, None])
    return path, across, np.cos(turn) * np.clip(grow, 0, 1)


def draw(out: np.ndarray, paths, widths, colors) -> None:
    """Strands onto premultiplied BGRA bytes, in order; ``colors`` ``(n, POINTS, 3)`` 0..1."""
    q = (p.moved(paths, p.WIDTH / 2, 0)) * p.SCALE - p._window[:2]
    d = np.gradient(q, axis=1)
    length = np.maximum(np.hypot(d[..., 0], d[..., 1]), 1e-6)[..., None]
    n = np.stack([-d[..., 1], d[..., 0]], -1) / length
    half = widths[..., None] * p.SCALE / 2
    a, b, step = q + n * half, q - n * half, d * 0.12
    quads = np.stack(
        [
            a[:, :-1] - step[:, :-1],
            b[:, :-1] - step[:, :-1],
            b[:, 1:] + step[:, 1:],
            a[:, 1:] + step[:, 1:],
        ],
        2,
    )
    quads = np.round(quads * 16).astype(np.int32)
    bgr = np.clip(colors * 255, 0, 255).astype(np.float64).tolist()
    for s in range(len(paths)):
        for k in range(paths.shape[1] - 1):
            cv2.fillConvexPoly(out, quads[s, k], (*bgr[s][k], 255.0), cv2.LINE_AA, 4)


def shade(paths, across, turn, lock: Lock, rng) -> np.ndarray:
    """A brightness 0..1 for each point of each strand."""
    d = np.gradient(paths, axis=1)
    d /= np.maximum(np.linalg.norm(d, axis=2, keepdims=True), 1e-6)
    # The head is a ball and the falling hair a half cylinder: what faces us, faces the light.
    x, y = paths[..., 0], paths[..., 1]
    falling = np.clip((y - 330) / 200, 0, 1)
    nx = np.clip(x / 300, -0.95, 0.95) * (1 - 0.3 * falling) + across[:, None] * (
        0.10 + 0.45 * falling
    )
    ny = np.clip((y - 330) / 270, -0.95, 0.1)
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0.05, 1))
    tangent = np.concatenate([d, (-(d[..., 0] * nx + d[..., 1] * ny) / nz)[..., None]], -1)
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
    diffuse = np.clip((nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2] + 0.30) / 1.30, 0, 1)
    half = p.unit(LIGHT + np.array((0, 0, 1)))
    along = tangent @ half + rng.normal(0, 0.05, (len(paths), 1)) + 0.06
    sheen = np.sqrt(np.clip(1 - along**2, 0, 1)) ** 30
    s = np.linspace(0, 1, paths.shape[1])[None]
    value = 0.10 + 0.32 * diffuse + 0.36 * sheen * diffuse * (1 - 0.6 * falling)
    value += 0.27 * np.clip(turn, -0.6, 1) * diffuse
    value += 0.07 * s + lock.tone + rng.normal(0, 0.022, (len(paths), 1))
    value -= (0.02 + 0.09 * falling) * np.abs(across[:, None]) ** 2.5
    value -= 0.10 * np.exp(-s / 0.03)
    value += 0.10 * np.clip((np.abs(x) - 200) / 90, 0, 1) * np.clip((lock.centre - 0.7) / 0.3, 0, 1)
    value += (
        0.22 * np.clip((x - 170) / 110, 0, 1) * np.clip(0.4 + across[:, None], 0, 1)
    )  # the lamp behind
    return value


def tint(value):
    at = [t for t, _ in HAIR]
    colors = np.array([p.color(c) for _, c in HAIR])
    return np.stack([np.interp(value, at, colors[:, i]) for i in range(3)], -1)


def lay(out, guides, lock: Lock, rng, side: int, dark: float = 0.0, density: float = 1.0) -> None:
    """One lock: broad dark strands, then finer and lighter ones."""
    for count, width, lift, stray in (
        (40, 5.0, -0.06, 1.0),
        (120, 2.0, 0.0, 1.0),
        (110, 1.05, 0.035, 1.0),
        (16, 0.6, 0.03, 2.2),
    ):
        n = max(2, int(count * density))
        paths, across, turn = strands(guides, lock, rng, n, side, stray)
        value = shade(paths, across, turn, lock, rng) + lift - dark
        order = np.argsort(value.mean(1) + rng.normal(0, 0.05, n))
        s = np.linspace(0, 1, POINTS)
        w = (
            rng.uniform(0.65, 1.2, (n, 1))
            * width
            * np.interp(s, [0, 0.06, 0.6, 0.85, 1], [0.6, 1, 0.9, 0.5, 0.08])
        )
        draw(out, paths[order], w[order], tint(np.clip(value[order], 0, 1)))


def blank() -> np.ndarray:
    w, h = p.size()
    return np.zeros((h, w, 4), np.uint8)


def floats(out: np.ndarray) -> np.ndarray:
    return out.astype(np.float32) / 255


def locks(guides, side: int, seed: int) -> np.ndarray:
    out = blank()
    rng = np.random.default_rng(seed)
    under = split(rng, 7, 18)
    for lock in sorted(under, key=lambda k: -k.centre):
        lay(out, guides, lock, rng, side, dark=0.10, density=1.3)
    over = split(rng, 17, 18)
    for lock in sorted(over, key=lambda k: -k.centre + rng.normal(0, 0.12)):
        lay(out, guides, lock, rng, side)
    # Softened, then sharp single hairs on top: hair, not wood.
    out = cv2.GaussianBlur(out, (0, 0), 0.9 * p.SCALE)
    for lock in over:
        paths, across, turn = strands(guides, lock, rng, 55, side, 1.1)
        value = shade(paths, across, turn, lock, rng) + 0.05 + rng.normal(0, 0.035, (55, 1))
        s = np.linspace(0, 1, POINTS)
        w = rng.uniform(0.35, 1.0, (55, 1)) * np.interp(s, [0, 0.06, 0.6, 1], [0.5, 1, 0.8, 0.1])
        draw(out, paths, w, tint(np.clip(value, 0, 1)))
    for lock in over[-4:]:
        paths, across, turn = strands(guides, lock, rng, 4, side, 1.2)
        s = np.linspace(0, 1, POINTS)
        bulge = rng.uniform(1, 6, (4, 1)) * np.sin(
            np.pi * np.clip(s * rng.uniform(0.9, 3.2, (4, 1)), 0, 1)
        )
        paths[..., 0] += side * bulge
        paths[..., 1] -= 0.8 * bulge * (s < 0.25)
        value = shade(paths, across, turn, lock, rng) + 0.10
        draw(out, paths, 0.45 * np.ones((4, POINTS)), tint(np.clip(value, 0, 1)))
    return floats(out)


def right() -> np.ndarray:
    """The side that falls behind the shoulder."""
    return locks(RIGHT, 1, 4)


def left() -> np.ndarray:
    """The side that falls in front of it."""
    return locks(LEFT, -1, 7)


def wisps() -> np.ndarray:
    out = blank()
    rng = np.random.default_rng(77)
    for path, count, apart in WISPS:
        base = resample(p.spline(path), POINTS)
        for _ in range(count):
            s = np.linspace(0, 1, POINTS)
            off = rng.normal(0, 1, 2) * apart
            line = base + np.stack([off[0] * s**1.3, off[1] * s * 0.4], 1)
            line[:, 0] += 3.0 * s * np.sin(9 * s + rng.uniform(0, 6))
            line = line[: int(POINTS * rng.uniform(0.7, 1.0))]
            line = resample(line, POINTS)
            value = (
                0.30
                + 0.16 * np.exp(-(((line[:, 1] - 240) / 60) ** 2))
                + 0.12 * s
                + rng.normal(0, 0.05)
            )
            draw(
                out,
                line[None],
                (rng.uniform(0.6, 1.1) * np.interp(s, [0, 0.1, 0.6, 1], [0.5, 1, 0.8, 0.15]))[None],
                tint(np.clip(value, 0, 1))[None],
            )
    return floats(out)


def back() -> np.ndarray:
    """What hangs behind the neck."""
    out = blank()
    for side in (1, -1):
        rng = np.random.default_rng(30 + side)
        guides = [
            [
                (side * 10, 300),
                (side * 60, 420),
                (side * 84, 540),
                (side * 80, 640),
                (side * 78, 740),
                (side * 84, 850),
                (side * 90, 920),
            ],
            [
                (side * 60, 200),
                (side * 180, 360),
                (side * 205, 500),
                (side * 222, 640),
                (side * 238, 740),
                (side * 246, 840),
                (side * 225, 945),
            ],
        ]
        for lock in split(rng, 8, 8):
            lay(out, guides, lock, rng, side, dark=0.24, density=1.0)
    return floats(out)


def parting(c: p.Canvas) -> None:
    line = p.spline([(55, 193), (50, 152), (45, 118), (41, 90)])
    c.on(p.color("#d9a488"), p.mask(p.taper(line, (4.0, 3.0, 2.0, 0.4)), blur=1.8), 0.40)
