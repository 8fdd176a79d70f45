"""How alike two pictures look: the mean structural similarity index of Z. Wang, A. C. Bovik,
H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from error visibility to structural
similarity", IEEE Transactions on Image Processing 13(4), 2004."""

from __future__ import annotations

import cv2
import numpy as np

SIDE, SIGMA = 11, 1.5
"""Of the Gaussian window, in pixels (section III.C)."""
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""Equations 7 and 10, with the paper's K1 = 0.01 and K2 = 0.03."""


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Of two planes ``(height, width)`` of 0 to 255, at least 11 pixels each way: equation 13,
    averaged over the places where the whole window fits (equation 14). 1: the same.

    Raises:
        ValueError: when they are of different sizes, or too small.
    """
    if a.shape != b.shape or min(a.shape) < SIDE:
        raise ValueError(f"two planes of one size are needed, {SIDE} at least: {a.shape} {b.shape}")
    x, y = a.astype(np.float32), b.astype(np.float32)
    mean_x, mean_y = _mean(x), _mean(y)
    variance_x = _mean(x * x) - mean_x**2
    variance_y = _mean(y * y) - mean_y**2
    covariance = _mean(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    most = (mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2)
    return float(np.mean(alike / most))


def _mean(plane: np.ndarray) -> np.ndarray:
    """Under the window, where it fits."""
    edge = SIDE // 2
    blurred = cv2.GaussianBlur(plane, (SIDE, SIDE), SIGMA)
    return np.asarray(blurred[edge:-edge, edge:-edge], np.float64)
