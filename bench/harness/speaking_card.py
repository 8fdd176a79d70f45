"""A face that speaks, in pictures that can be measured."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from wsstream.avatar.testcard import TestcardAvatar, draw_grid
from wsstream.media.types import Pixels, Rect

from ..rivals.clip import PICTURES


class SpeakingCard(TestcardAvatar):
    """Plays a clip's pictures in a loop, with the test card's grid in a corner and its tone in
    place of the clip's sound: in speech there are silences, and no gap would be told from them. The
    clip jumps where it begins again, and what of a picture is new is found out by the server."""

    name: ClassVar[str] = "speaking card"

    def __init__(self, *, folder: str, fps: float = 25, tone_hz: float = 440.0) -> None:
        super().__init__(fps=fps, tone_hz=tone_hz, beep=False)
        self._folder = Path(folder)

    async def start(self, reference_image: bytes | None, *, width: int, height: int) -> None:
        await super().start(reference_image, width=width, height=height)
        self._pictures = np.load(self._folder / PICTURES, mmap_mode="r")

    def _draw(self, media_ms: int) -> tuple[Pixels, Rect | None]:
        number = round(media_ms * self.fps / 1000)
        pixels = np.array(self._pictures[number % len(self._pictures)])
        draw_grid(pixels, number, media_ms)
        return pixels, None
