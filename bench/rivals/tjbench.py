"""Our JPEG encoder against libjpeg-turbo's own benchmark, on one picture and in one thread."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from wsstream.media.jpeg import encode_jpeg

from .clip import PICTURES

QUALITY = 75
TOOL, PACKAGE = "tjbench", "libjpeg-turbo-progs"


def compare(clip: Path, rounds: int, seconds: float) -> tuple[float, float | None]:
    """Milliseconds per picture, by us and by it (``None`` where it is not installed): the medians
    of turns taken one after the other.

    Raises:
        RuntimeError: when it does not say.
    """
    pixels = np.ascontiguousarray(np.load(clip / PICTURES, mmap_mode="r")[0])
    found, picture = shutil.which(TOOL), clip / "picture.ppm"
    cv2.imwrite(str(picture), pixels)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_ours(pixels, seconds))
        if found:
            theirs.append(_theirs(found, picture, pixels.shape[0] * pixels.shape[1], seconds))
    return median(ours), median(theirs) if theirs else None


def _ours(pixels: np.ndarray, seconds: float) -> float:
    for _ in range(20):
        encode_jpeg(pixels, QUALITY)
    count, started_s = 0, time.perf_counter()
    while (elapsed_s := time.perf_counter() - started_s) < seconds:
        encode_jpeg(pixels, QUALITY)
        count += 1
    return 1000 * elapsed_s / count


def _theirs(tool: str, picture: Path, size: int, seconds: float) -> float:
    argv = [tool, str(picture), str(QUALITY), "-subsamp", "420", "-fastdct", "-bgr"]
    argv += ["-nowrite", "-componly", "-benchtime", str(seconds), "-warmup", "0.2"]
    said = subprocess.run(argv, capture_output=True, text=True).stdout
    rate = re.search(r"Throughput:\s*([\d.]+) Megapixels/sec", said)
    if rate is None:
        raise RuntimeError(f"{TOOL} said {said!r}")
    return size / float(rate[1]) / 1000
