"""What a way of sending takes for pictures of a wanted quality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WANTED_DB, WITHIN_DB = 40.0, 0.5
TRIES = 9


@dataclass(frozen=True, slots=True)
class Point:
    """What came out with one setting."""

    psnr_db: float
    kbps: float


def kbps_at(
    try_at: Callable[[float], Point],
    low: float,
    high: float,
    wanted_db: float = WANTED_DB,
    within_db: float = WITHIN_DB,
) -> float | None:
    """The rate at which the PSNR is as wanted; ``None`` where no setting from ``low`` to ``high``
    comes within ``within_db`` of it.

    The setting is halved in on, by its logarithm; a better one is better in PSNR. What is between
    the two points nearest to the wanted is read off a straight line of the rate's logarithm over
    the PSNR, which is what a rate-distortion curve is like so near.
    """
    points: list[Point] = []
    for _ in range(TRIES):
        setting = float(np.sqrt(low * high))
        point = try_at(setting)
        points.append(point)
        if point.psnr_db < wanted_db:
            low = setting
        else:
            high = setting
        if len(points) > 1 and abs(point.psnr_db - wanted_db) <= within_db:
            break
    one, other = sorted(points, key=lambda point: abs(point.psnr_db - wanted_db))[:2]
    if abs(one.psnr_db - wanted_db) > within_db:
        return None
    if one.psnr_db == other.psnr_db:
        return one.kbps
    slope = (np.log(other.kbps) - np.log(one.kbps)) / (other.psnr_db - one.psnr_db)
    return float(one.kbps * np.exp(slope * (wanted_db - one.psnr_db)))
