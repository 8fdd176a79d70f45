"""The provider port: what an avatar engine has to offer to be streamed.

The least that works is ``feed_audio`` and ``get_idle_frame``:

    class Mine(AvatarProvider):
        name = "mine"

        def feed_audio(self, pcm, sample_rate=16000, visemes=()):
            return [AvatarFrame(pixels) for pixels in self.model(pcm)]

        def get_idle_frame(self, media_ms=0):
            return AvatarFrame(self.still)

Threads. Only ``start``, ``warm``, ``stop`` and ``get_idle_audio`` run on the event loop.
``feed_audio``, ``end_turn``, ``flush`` and ``reset`` are called from one thread, the generating
one, never two at once. ``get_idle_frame`` and ``AvatarFrame.draw`` are called from another, the
drawing one, never two at once. A generating and a drawing call may run at the same time.

The names are those of RoomKit's ``AvatarProvider``, of which this is a superset, so that either
side's providers run on the other through a thin adapter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..media.types import Pcm, Pixels, Rect, VisemeHint


@dataclass(slots=True)
class AvatarFrame:
    """One picture of the face.

    Give ``pixels``, or give ``draw``, which is called with the picture's ``media_ms`` shortly
    before it is shown, and not at all if it never is. A picture drawn late costs nothing when
    speech is interrupted, and can go on moving the head where the idle face left it.

    Raises:
        ValueError: when neither or both are given.
    """

    pixels: Pixels | None = None
    """``(height, width, 3)`` uint8 BGR. The provider must not write to it afterwards."""
    draw: Callable[[int], tuple[Pixels, Rect | None]] | None = None
    """Makes pixels and ``dirty`` at the last moment. Frames are drawn in the order shown."""
    offset_ms: float | None = None
    """Where in the turn's sound it belongs, in ms since the turn began; ``None``: one frame period
    after the frame before it."""
    dirty: Rect | None = None
    """What may differ from the frame shown before it: ``None`` when the provider does not know,
    ``NOTHING`` when the picture is the same."""

    def __post_init__(self) -> None:
        if (self.pixels is None) == (self.draw is None):
            raise ValueError("an AvatarFrame takes either pixels or draw")

    def render(self, media_ms: int) -> tuple[Pixels, Rect | None]:
        """The picture, ``(height, width, 3)`` uint8 BGR, as shown at ``media_ms``, and what of it
        is new."""
        if self.pixels is not None:
            return self.pixels, self.dirty
        assert self.draw is not None
        return self.draw(media_ms)


NOTHING = Rect(0, 0, 0, 0)
"""The ``dirty`` region of a picture that equals the one before it."""


class AvatarProvider(ABC):
    """An avatar engine for one session. See the module's text for threads."""

    name: ClassVar[str] = "unnamed"
    fps: float = 25
    """Pictures per second of sound that ``feed_audio`` returns."""
    lookahead_ms: int = 0
    """How much sound after a picture's own time the engine needs before it can make it."""
    crossfade_ms: int = 160
    """How long the server blends from the last picture of a turn into the idle face; 0 when the
    engine's own pictures join without a jump."""
    capacity: int | None = None
    """How many sessions this process can carry: one more is refused with 4503. ``None``: as many as
    there may be."""

    async def start(self, reference_image: bytes | None, *, width: int, height: int) -> None:
        """Get ready to make pictures of ``width`` x ``height``.

        ``reference_image`` is the whole file (PNG, JPEG, WebP), or ``None`` for the engine's own
        face. Load heavy packages here, not at import; put slow work in a thread.

        Raises:
            AvatarError: when the picture or the options cannot be used, in words for the user.
        """

    async def warm(self) -> None:
        """Fill caches and run the model once, so that the first turn is as quick as the next."""

    @abstractmethod
    def feed_audio(
        self, pcm: bytes, sample_rate: int = 16_000, visemes: Sequence[VisemeHint] = ()
    ) -> list[AvatarFrame]:
        """Take the turn's next sound (signed 16-bit little-endian mono) and return the pictures
        that can be made by now, in order. ``visemes`` are hints by whoever made the sound, with
        offsets from the start of ``pcm``; an engine may ignore them."""

    def end_turn(self) -> None:
        """The turn has no more sound. Called once, before ``flush``."""

    def flush(self) -> list[AvatarFrame]:
        """The pictures still owed for the sound already fed."""
        return []

    def reset(self, epoch: int) -> None:
        """Interrupted: forget the sound fed so far. The next ``feed_audio`` starts a new turn."""

    @abstractmethod
    def get_idle_frame(self, media_ms: int = 0) -> AvatarFrame | None:
        """The face while it says nothing; ``None`` to leave the last picture standing."""

    def get_idle_audio(self, media_ms: int) -> Pcm | None:
        """20 ms of the engine's own sound, ``(960,)`` int16 at 48 kHz, for times when nothing is
        said; ``None`` for silence. Returns at once: it is called on the event loop."""
        return None

    async def stop(self) -> None:
        """Free everything. May be called twice."""
