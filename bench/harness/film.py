"""A video file as what is sent: its pictures and its sound, as `rivals.provider.Recorded` plays
them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from wsstream.media.types import SAMPLE_RATE_HZ, Picture, Pixels

from ..errors import Unavailable
from ..rivals.clip import PICTURES, SOUND


def write_film(
    folder: Path, file: Path, width: int, height: int, fps: float, seconds: float
) -> int:
    """The first ``seconds`` of it, in ``fps`` pictures a second of ``width`` x ``height``, with
    bars where the file has another shape, and in mono at 48 kHz, silent where it has no sound. How
    many pictures there are.

    Raises:
        Unavailable: when the file cannot be read as a video.
    """
    wanted = round(seconds * fps)
    path, count = folder / PICTURES, 0
    try:
        kept = np.lib.format.open_memmap(path, "w+", np.uint8, (wanted, height, width, 3))
        for pixels in itertools.islice(_pictures(file, width, height, fps), wanted):
            kept[count] = pixels
            count += 1
        if not count:
            raise Unavailable(f"{file} has no pictures")
        if count < wanted:
            np.save(folder / "shorter.npy", kept[:count])
            (folder / "shorter.npy").replace(path)
        kept.flush()
        sound = _sound(file, seconds)
    except (OSError, av.FFmpegError) as error:
        raise Unavailable(f"{file} cannot be read as a video: {error}") from None
    samples = round(count * SAMPLE_RATE_HZ / fps)
    np.save(folder / SOUND, np.pad(sound, (0, max(0, samples - len(sound))))[:samples])
    return count


def film_pictures(folder: Path, fps: float) -> list[Picture]:
    """As a session releases them: what of each is new, nobody says."""
    kept = np.load(folder / PICTURES, mmap_mode="r")
    return [
        Picture(n, round(n * 1000 / fps), np.asarray(pixels), True, None)
        for n, pixels in enumerate(kept)
    ]


def _pictures(file: Path, width: int, height: int, fps: float) -> Iterator[Pixels]:
    """One for each period: the newest by then."""
    with av.open(str(file)) as container:
        if not container.streams.video:
            return
        number, first_s, pixels = 0, None, None
        for frame in container.decode(container.streams.video[0]):
            at_s = float(frame.time or 0.0)
            first_s = at_s if first_s is None else first_s
            while pixels is not None and number / fps < at_s - first_s:
                yield pixels
                number += 1
            pixels = _fit(frame, width, height)
        if pixels is not None:
            yield pixels


def _fit(frame: VideoFrame, width: int, height: int) -> Pixels:
    """In the middle of a black picture."""
    scale = min(width / frame.width, height / frame.height)
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    inner = cv2.resize(frame.to_ndarray(format="bgr24"), size, interpolation=cv2.INTER_AREA)
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    pixels[top : top + size[1], left : left + size[0]] = inner
    return pixels


def _sound(file: Path, seconds: float) -> np.ndarray:
    parts = [np.zeros(0, np.int16)]
    with av.open(str(file)) as container:
        if not container.streams.audio:
            return parts[0]
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
        for frame in container.decode(container.streams.audio[0]):
            resampled = resampler.resample(frame)
            parts += [mono.to_ndarray()[0] for mono in resampled]
            if sum(map(len, parts)) >= seconds * SAMPLE_RATE_HZ:
                break
    return np.concatenate(parts)
