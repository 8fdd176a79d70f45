"""Any PCM to the server's 48 kHz mono, by FFmpeg's swresample."""

from __future__ import annotations

import av
import numpy as np

from ..errors import MediaError
from .types import SAMPLE_RATE_HZ, Pcm

MIN_RATE_HZ, MAX_RATE_HZ = 4000, 192_000


def check_rate(rate_hz: int) -> None:
    """
    Raises:
        MediaError: when the rate is none that sound has.
    """
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise MediaError(f"a sample rate of {rate_hz} Hz, expected {MIN_RATE_HZ} to {MAX_RATE_HZ}")


class Resampler:
    """One stream of signed 16-bit mono at ``rate_hz``.

    Raises:
        MediaError: when the rate is none that sound has.
    """

    def __init__(self, rate_hz: int) -> None:
        check_rate(rate_hz)
        self.rate_hz = rate_hz
        self._swr = (
            None
            if rate_hz == SAMPLE_RATE_HZ
            else av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        )

    def push(self, pcm: Pcm) -> Pcm:
        """The next sound, and what of it can be given at 48 kHz by now."""
        if self._swr is None or not len(pcm):
            return pcm
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self.rate_hz
        return _joined(self._swr.resample(frame))

    def flush(self) -> Pcm:
        """The rest. The stream is over."""
        return np.empty(0, np.int16) if self._swr is None else _joined(self._swr.resample(None))


def _joined(frames: list[av.AudioFrame]) -> Pcm:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.empty(0, np.int16)


class Halver:
    """48 kHz to 24 kHz, block by block, for clients that take plain PCM.

    A half-band low pass of 31 taps: its delay is constant, 15 samples (0.3 ms), so that every block
    of 960 gives exactly 480 and timestamps need no care.
    """

    RATE_HZ = SAMPLE_RATE_HZ // 2
    _TAPS = 31

    def __init__(self) -> None:
        n = np.arange(self._TAPS) - self._TAPS // 2
        taps = np.sinc(n / 2) * np.hamming(self._TAPS)
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._past = np.zeros(self._TAPS - 1, np.float32)

    def push(self, pcm: Pcm) -> Pcm:
        """``(n,)`` int16 in, ``(n / 2,)`` int16 out; ``n`` is even."""
        x = np.concatenate([self._past, pcm.astype(np.float32)])
        self._past = x[-(self._TAPS - 1) :]
        y = np.convolve(x, self._taps, "valid")[::2]
        return np.clip(np.rint(y), -32768, 32767).astype(np.int16)
