"""The same pictures and sound for wsstream, as an avatar."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from wsstream.avatar.base import AvatarFrame, AvatarProvider
from wsstream.media.types import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm, VisemeHint

from .clip import PICTURES, SOUND


@cache
def _clip(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Once in a process, as its rivals do."""
    return np.load(folder / PICTURES, mmap_mode="r"), np.load(folder / SOUND)


class Recorded(AvatarProvider):
    """Plays a clip in a loop. What of a picture is new it does not say: the others do not know
    either."""

    name: ClassVar[str] = "recorded"
    crossfade_ms = 0

    def __init__(self, *, folder: str, fps: float = 25) -> None:
        self.fps = fps
        self._folder = Path(folder)

    async def start(self, reference_image: bytes | None, *, width: int, height: int) -> None:
        self._pictures, self._sound = _clip(self._folder)

    def feed_audio(
        self, pcm: bytes, sample_rate: int = 16_000, visemes: Sequence[VisemeHint] = ()
    ) -> list[AvatarFrame]:
        return []

    def get_idle_frame(self, media_ms: int = 0) -> AvatarFrame:
        number = round(media_ms * self.fps / 1000) % len(self._pictures)
        return AvatarFrame(np.asarray(self._pictures[number]))

    def get_idle_audio(self, media_ms: int) -> Pcm:
        at = media_ms * SAMPLE_RATE_HZ // 1000 % len(self._sound)
        block = self._sound[at : at + BLOCK_SAMPLES]
        return block if len(block) == BLOCK_SAMPLES else np.resize(block, BLOCK_SAMPLES)
