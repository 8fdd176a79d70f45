"""A small painter: shapes with soft edges, laid over each other on a float canvas.

Coordinates are *units*: the picture is 1024 high, x is 0 on the face's middle line. ``SCALE``
pixels make one unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps

import cv2
import numpy as np

WIDTH, HEIGHT = 1820, 1024
SCALE = 2.0
_window = (0, 0, 0, 0)  # left, top, right, bottom in pixels: all painting happens inside


def configure(scale: float) -> None:
    global SCALE, _window
    SCALE = scale
    _window = (0, 0, round(WIDTH * scale), round(HEIGHT * scale))


@contextmanager
def window(x0: float, y0: float, x1: float, y1: float) -> Iterator[None]:
    """Paint only inside this box (units), which is quicker than the whole canvas."""
    global _window
    before = _window
    left, top = px_of(x0, y0)
    right, bottom = px_of(x1, y1)
    _window = (
        max(left, before[0]),
        max(top, before[1]),
        min(right, before[2]),
        min(bottom, before[3]),
    )
    try:
        yield
    finally:
        _window = before


def within(x0: float, y0: float, x1: float, y1: float):
    """The same for a whole function."""

    def wrap(function):
        @wraps(function)
        def inner(*args, **kwargs):
            with window(x0, y0, x1, y1):
                return function(*args, **kwargs)

        return inner

    return wrap


def px_of(x: float, y: float) -> tuple[int, int]:
    return round((x + WIDTH / 2) * SCALE), round(y * SCALE)


def size() -> tuple[int, int]:
    return _window[2] - _window[0], _window[3] - _window[1]


def px(points) -> np.ndarray:
    points = np.asarray(points, np.float64).reshape(-1, 2)
    return (moved(points, WIDTH / 2, 0)) * SCALE - _window[:2]


def color(text: str) -> np.ndarray:
    """``#rrggbb`` as BGR floats."""
    return np.array([int(text[i : i + 2], 16) for i in (5, 3, 1)], np.float32) / 255


def mix(a, b, t):
    return np.asarray(a) * (1 - t) + np.asarray(b) * t


def spline(points, closed: bool = False, steps: int = 24) -> np.ndarray:
    """A Catmull-Rom curve through ``points``."""
    p = np.asarray(points, np.float64)
    if closed:
        p = np.vstack([p[-1], p, p[:2]])
    else:
        p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    out = []
    for i in range(1, len(p) - 2):
        p0, p1, p2, p3 = p[i - 1 : i + 3]
        out.append(
            0.5
            * (
                2 * p1
                + (p2 - p0) * t
                + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                + (3 * p1 - p0 - 3 * p2 + p3) * t**3
            )
        )
    if not closed:
        out.append(p[-2][None])
    return np.vstack(out)


def mirror(points) -> np.ndarray:
    return np.asarray(points, np.float64) * (-1, 1)


def moved(points, dx: float, dy: float) -> np.ndarray:
    return np.asarray(points, np.float64) + np.array((dx, dy))


def both(points) -> np.ndarray:
    """A closed outline from its right half, top to bottom."""
    right = np.asarray(points, np.float64)
    left = mirror(right)[::-1]
    return np.vstack([right, left])


def taper(path, widths) -> np.ndarray:
    """The outline of a stroke along ``path`` whose width at each point is given."""
    path = np.asarray(path, np.float64)
    d = np.gradient(path, axis=0)
    n = np.stack([-d[:, 1], d[:, 0]], 1) / np.maximum(np.hypot(*d.T), 1e-6)[:, None]
    w = np.interp(
        np.linspace(0, 1, len(path)), np.linspace(0, 1, len(widths)), np.asarray(widths, float)
    )
    return np.vstack([path + n * w[:, None] / 2, (path - n * w[:, None] / 2)[::-1]])


def mask(*polygons, blur: float = 0.0) -> np.ndarray:
    """Coverage 0..1 of the polygons over the whole canvas, its edge softened by ``blur`` units."""
    w, h = size()
    out = np.zeros((h, w), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(
            out, [np.round(px(polygon) * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4
        )
    return soften(out.astype(np.float32) / 255, blur)


def soften(m: np.ndarray, blur: float) -> np.ndarray:
    if blur <= 0:
        return m
    sigma = blur * SCALE
    if sigma < 4:
        return cv2.GaussianBlur(m, (0, 0), sigma)
    # A wide blur needs no fine grid.
    f = max(1, int(sigma // 3))
    small = cv2.resize(m, (m.shape[1] // f, m.shape[0] // f), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / f)
    return cv2.resize(small, (m.shape[1], m.shape[0]), interpolation=cv2.INTER_CUBIC)


def grid() -> tuple[np.ndarray, np.ndarray]:
    """x and y in units at every pixel."""
    w, h = size()
    x = (np.arange(w, dtype=np.float32) + 0.5 + _window[0]) / SCALE - WIDTH / 2
    y = (np.arange(h, dtype=np.float32) + 0.5 + _window[1]) / SCALE
    return np.meshgrid(x, y)


def spot(cx, cy, sx, sy, angle: float = 0.0, power: float = 2.0) -> np.ndarray:
    """A soft ellipse."""
    x, y = grid()
    a = np.deg2rad(angle)
    u = (x - cx) * np.cos(a) + (y - cy) * np.sin(a)
    v = -(x - cx) * np.sin(a) + (y - cy) * np.cos(a)
    r = (np.abs(u / sx)) ** power + (np.abs(v / sy)) ** power
    return np.exp(-r)


class Canvas:
    """Premultiplied BGRA floats."""

    def __init__(self) -> None:
        self.origin = _window[:2]
        w, h = size()
        self.all = np.zeros((h, w, 4), np.float32)

    @property
    def rgba(self) -> np.ndarray:
        """What the window shows of it."""
        x, y = self.origin
        left, top, right, bottom = _window
        return self.all[top - y : bottom - y, left - x : right - x]

    @rgba.setter
    def rgba(self, value: np.ndarray) -> None:
        self.rgba[:] = value

    def over(self, tint, m: np.ndarray, opacity: float = 1.0) -> None:
        """Lay a colour (one, or one a pixel) over what is there."""
        a = (m * opacity)[..., None]
        self.rgba *= 1 - a
        self.rgba[..., :3] += np.asarray(tint, np.float32) * a
        self.rgba[..., 3:] += a

    def on(self, tint, m, opacity: float = 1.0) -> None:
        """The same, only where something is already."""
        a = (m * opacity)[..., None]
        self.rgba[..., :3] += (
            np.asarray(tint, np.float32) * self.rgba[..., 3:] - self.rgba[..., :3]
        ) * a

    def multiply(self, tint, m, opacity: float = 1.0) -> None:
        a = (m * opacity)[..., None]
        self.rgba[..., :3] *= 1 + (np.asarray(tint, np.float32) - 1) * a

    def screen(self, tint, m, opacity: float = 1.0) -> None:
        a = (m * opacity)[..., None] * np.asarray(tint, np.float32)
        alpha = self.rgba[..., 3:]
        self.rgba[..., :3] += a * (alpha - self.rgba[..., :3])

    def layer(self, other: Canvas | np.ndarray, opacity: float = 1.0) -> None:
        rgba = other.rgba if isinstance(other, Canvas) else other
        self.rgba *= 1 - rgba[..., 3:] * opacity
        self.rgba += rgba * opacity

    def cut(self, m) -> None:
        self.rgba *= (1 - m)[..., None]

    def keep(self, m) -> None:
        self.rgba *= m[..., None]


def inflate(m: np.ndarray, cell: float = 2.0) -> np.ndarray:
    """A cushion over a mask: 0 at its edge, 1 at its highest. The square root of Poisson's
    equation's answer, found on a coarse grid of ``cell`` units."""
    h, w = m.shape
    f = max(1, round(cell * SCALE))
    fine = cv2.resize(m, (w // f, h // f), interpolation=cv2.INTER_AREA)
    levels = [fine]
    while min(levels[-1].shape) > 24:
        s = levels[-1]
        levels.append(
            cv2.resize(s, (s.shape[1] // 2, s.shape[0] // 2), interpolation=cv2.INTER_AREA)
        )
    z = np.zeros_like(levels[-1])
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    for level in reversed(levels):
        if z.shape != level.shape:
            z = cv2.resize(z * 4, (level.shape[1], level.shape[0]), interpolation=cv2.INTER_LINEAR)
        inside = np.clip(level, 0, 1)
        for _ in range(160):
            z = (cv2.filter2D(z, -1, kernel) + 1.0) * inside
    z = np.sqrt(np.maximum(z, 0))
    z /= z.max()
    return np.clip(cv2.resize(z, (w, h), interpolation=cv2.INTER_CUBIC), 0, 1)


def normals(z: np.ndarray) -> np.ndarray:
    """Unit normals (x right, y down, z to the viewer) of a height field in units."""
    zx = cv2.Sobel(z, cv2.CV_32F, 1, 0, ksize=3) / 8 * SCALE
    zy = cv2.Sobel(z, cv2.CV_32F, 0, 1, ksize=3) / 8 * SCALE
    n = np.dstack([-zx, -zy, np.ones_like(z)])
    return n / np.linalg.norm(n, axis=2, keepdims=True)


def unit(v) -> np.ndarray:
    v = np.asarray(v, np.float32)
    return v / np.linalg.norm(v)


def ramp(t: np.ndarray, stops) -> np.ndarray:
    """Colours along ``stops`` of ``(position, '#rrggbb')`` at ``t``."""
    at = [s[0] for s in stops]
    colors = np.array([color(s[1]) for s in stops])
    return np.dstack([np.interp(t, at, colors[:, i]) for i in range(3)]).astype(np.float32)


def finish(rgba: np.ndarray) -> np.ndarray:
    """Straight (not premultiplied) BGRA bytes."""
    a = rgba[..., 3:]
    out = np.concatenate([rgba[..., :3] / np.maximum(a, 1e-4), a], 2)
    return np.round(np.clip(out, 0, 1) * 255).astype(np.uint8)
