"""The avatar that needs nothing but a processor: a portrait, its mouth moved by the sound."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from ...errors import AvatarError
from ...media.types import VisemeHint
from ..base import AvatarFrame, AvatarProvider
from ..lipsync import LipSync, MouthPose
from . import photo, shipped
from .detect import Marks
from .landmarks import Point
from .puppet import Puppet
from .rig import Rig, rigs

MIN_SIDE_PX, MAX_SIDE_PX = 64, 4096
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000


class PortraitAvatar(AvatarProvider):
    """A still portrait that speaks: the shipped face, or the one in the user's picture.

    Args:
        fps: pictures per second of sound.
        face: which shipped face to show when ``start`` gets no picture.
        seed: of the blinks, glances and moves; ``None`` for another every time.
        motion: how much the head and the chest move: 1 as drawn, 0 not at all.
        eyes: the irises' places in the user's picture, ``((x, y), (x, y))`` in parts of its width
            and height. This and the next two are found by themselves when not given.
        mouth: the places of the mouth's corners, the same way.
        chin: the place of the chin's lowest point.

    Raises:
        AvatarError: when an option cannot be used.
    """

    name: ClassVar[str] = "portrait"
    lookahead_ms = 0
    crossfade_ms = 0

    def __init__(
        self,
        *,
        fps: float = 25,
        face: str = "ada",
        seed: int | None = None,
        motion: float = 1.0,
        eyes: tuple[Point, Point] | None = None,
        mouth: tuple[Point, Point] | None = None,
        chin: Point | None = None,
    ) -> None:
        if not (isinstance(fps, int | float) and 1 <= fps <= 60):
            raise AvatarError(f"fps must be 1..60, not {fps!r}")
        if not (isinstance(motion, int | float) and 0 <= motion <= 2):
            raise AvatarError(f"motion must be 0..2, not {motion!r}")
        self.fps = fps
        self._face = face
        self._seed = random.getrandbits(32) if seed is None else seed
        self._motion = motion
        self._marks = Marks(_points("eyes", eyes), _points("mouth", mouth), _point("chin", chin))
        self._puppet: Puppet | None = None
        self._lips = LipSync(fps)
        self._given = 0

    async def start(self, reference_image: bytes | None, *, width: int, height: int) -> None:
        """See the port. The second start with the same picture and size takes milliseconds."""
        for side in (width, height):
            if not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
                raise AvatarError(
                    f"a picture of {width}x{height} is asked for; each side must be "
                    f"{MIN_SIDE_PX}..{MAX_SIDE_PX}"
                )
        self._puppet = await asyncio.to_thread(self._prepare, reference_image, width, height)

    async def warm(self) -> None:
        if self._puppet is not None:
            await asyncio.to_thread(self._puppet.rig.warm)

    def feed_audio(
        self, pcm: bytes, sample_rate: int = 16_000, visemes: Sequence[VisemeHint] = ()
    ) -> list[AvatarFrame]:
        if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
            raise AvatarError(
                f"sound of {MIN_RATE_HZ}..{MAX_RATE_HZ} Hz is needed, not {sample_rate}"
            )
        return self._frames(self._lips.feed(pcm, sample_rate, visemes))

    def flush(self) -> list[AvatarFrame]:
        frames = self._frames(self._lips.finish())
        self._forget()
        return frames

    def reset(self, epoch: int) -> None:
        self._forget()

    def get_idle_frame(self, media_ms: int = 0) -> AvatarFrame | None:
        return None if self._puppet is None else AvatarFrame(draw=self._puppet.idle)

    async def stop(self) -> None:
        self._puppet = None
        self._forget()

    def _prepare(self, picture: bytes | None, width: int, height: int) -> Puppet:
        def make() -> Rig:
            if picture is None:
                return shipped.rig(self._face, width, height)
            return photo.rig(picture, self._marks, width, height)

        which = self._face if picture is None else hashlib.sha256(picture).digest()
        key = which, None if picture is None else self._marks, width, height
        return Puppet(rigs.get(key, make), self._seed, self._motion)

    def _frames(self, poses: list[MouthPose]) -> list[AvatarFrame]:
        if self._puppet is None:
            raise AvatarError("the portrait has not been started")
        first, self._given = self._given, self._given + len(poses)
        return [
            AvatarFrame(
                draw=partial(self._puppet.speak, pose), offset_ms=(first + k) * 1000 / self.fps
            )
            for k, pose in enumerate(poses)
        ]

    def _forget(self) -> None:
        self._lips.reset()
        self._given = 0


def _point(name: str, value: Point | None) -> Point | None:
    """Options come from TOML too, where a point is a list."""
    if value is None:
        return None
    try:
        x, y = (float(v) for v in value)
    except (TypeError, ValueError):
        raise AvatarError(f"{name}: two numbers 0..1 are needed, not {value!r}") from None
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise AvatarError(f"{name}: two numbers 0..1 are needed, not {value!r}")
    return x, y


def _points(name: str, value: tuple[Point, Point] | None) -> tuple[Point, Point] | None:
    if value is None:
        return None
    points = [_point(name, p) for p in value] if isinstance(value, list | tuple) else []
    if len(points) != 2 or points[0] is None or points[1] is None:
        raise AvatarError(f"{name}: two points are needed, not {value!r}")
    return points[0], points[1]
