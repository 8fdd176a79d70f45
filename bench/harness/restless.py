"""The portrait, every picture of which is a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, TypeAlias

from wsstream.avatar.base import AvatarFrame
from wsstream.avatar.portrait import PortraitAvatar
from wsstream.avatar.portrait.arrays import join
from wsstream.media.types import Pixels, Rect, VisemeHint

CORNER = Rect(0, 0, 16, 16)
Draw: TypeAlias = Callable[[int], tuple[Pixels, Rect | None]]


class Restless(PortraitAvatar):
    """A picture that is like the one before is not sent, and between the next two there is twice
    the time: here each has another corner, so that what is missing is late."""

    name: ClassVar[str] = "restless portrait"

    def feed_audio(
        self, pcm: bytes, sample_rate: int = 16_000, visemes: Sequence[VisemeHint] = ()
    ) -> list[AvatarFrame]:
        return [self._restless(frame) for frame in super().feed_audio(pcm, sample_rate, visemes)]

    def flush(self) -> list[AvatarFrame]:
        return [self._restless(frame) for frame in super().flush()]

    def get_idle_frame(self, media_ms: int = 0) -> AvatarFrame | None:
        frame = super().get_idle_frame(media_ms)
        return None if frame is None else self._restless(frame)

    def _restless(self, frame: AvatarFrame) -> AvatarFrame:
        assert frame.draw is not None
        return AvatarFrame(draw=partial(self._draw, frame.draw), offset_ms=frame.offset_ms)

    def _draw(self, draw: Draw, media_ms: int) -> tuple[Pixels, Rect | None]:
        pixels, dirty = draw(media_ms)
        shown = pixels.copy()
        number = round(media_ms * self.fps / 1000)
        shown[: CORNER.height, : CORNER.width] = 255 * (number % 2)
        return shown, None if dirty is None else join(dirty, CORNER)
