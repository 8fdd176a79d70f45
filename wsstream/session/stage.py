"""One session's avatar provider, on its two threads, and the picture it shows next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..avatar.base import NOTHING, AvatarFrame, AvatarProvider
from ..errors import AvatarError
from ..media.compositor import crossfade, fit
from ..media.types import Pcm, Pixels, Rect, VisemeHint, is_block
from .pool import GENERATE

Drawn: TypeAlias = tuple[Pixels, Rect | None]
"""A picture, ``(height, width, 3)`` uint8 BGR, and what of it is new."""
Drawing: TypeAlias = Future[Drawn]

T = TypeVar("T")

STOP_WAIT_S = 5.0
"""An engine that is still busy then is not waited for."""

logger = logging.getLogger(__name__)


async def drawn_by(drawing: Drawing) -> Drawn:
    """What came of it, when it has."""
    return drawing.result() if drawing.done() else await asyncio.wrap_future(drawing)


class Stage:
    """Calls the provider where the port says it may be called, and keeps its pictures coming: an
    engine that fails leaves the last picture standing and is counted."""

    def __init__(
        self, provider: AvatarProvider, *, width: int, height: int, drawing: Executor
    ) -> None:
        self.provider = provider
        self._width, self._height = width, height
        self._drawing = drawing
        self._generating = ThreadPoolExecutor(1, thread_name_prefix=GENERATE)
        self._calls: set[Future[Any]] = set()
        self._offset_ms = 0.0
        self._pixels: Pixels = np.zeros((height, width, 3), np.uint8)
        self._source: Pixels | None = None
        self._source_fitted: Pixels | None = None
        self._stopped = False
        self._spoke_until_ms: int | None = None
        self._faded_from: Pixels | None = None
        self.failures = 0
        self._has_sound = type(provider).get_idle_audio is not AvatarProvider.get_idle_audio

    async def start(self, reference_image: bytes | None) -> None:
        """Start the provider.

        Raises:
            AvatarError: when it cannot.
        """
        try:
            await self.provider.start(reference_image, width=self._width, height=self._height)
        except BaseException as error:
            await self.stop()  # what it has begun
            if isinstance(error, AvatarError) or not isinstance(error, Exception):
                raise
            logger.exception("avatar %s did not start", self.provider.name)
            raise AvatarError(f"avatar {self.provider.name} did not start: {error}") from error

    async def stop(self) -> None:
        """Stop the provider, once its calls have come back, and its thread."""
        self._stopped = True
        self._generating.shutdown(wait=False, cancel_futures=True)
        calls = [asyncio.wrap_future(call) for call in tuple(self._calls)]
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await asyncio.gather(*calls, return_exceptions=True)
        except TimeoutError:
            logger.warning("avatar %s hangs, and is stopped all the same", self.provider.name)
        try:
            await self.provider.stop()
        except Exception:
            logger.exception("avatar %s did not stop cleanly", self.provider.name)

    def _submit(self, executor: Executor, call: Callable[[], T]) -> Future[T]:
        """Nobody may wait for it any more and it still runs: remembered until it has come back."""
        future = executor.submit(call)
        self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        return future

    # Generating: sound in, frames out.

    def begin_turn(self) -> None:
        """Offsets count from here."""
        self._offset_ms = 0.0

    async def feed(
        self, pcm: bytes, rate_hz: int, visemes: Sequence[VisemeHint]
    ) -> list[tuple[float, AvatarFrame]]:
        """The turn's next sound; the frames that are ready, each with its place in the turn. An
        engine that fails gives none: the voice goes on over the idle face."""
        feed_audio = self.provider.feed_audio
        return await self._generate(lambda: feed_audio(pcm, rate_hz, visemes))

    async def finish_turn(self) -> list[tuple[float, AvatarFrame]]:
        """The turn has no more sound; the frames still owed."""

        def finish() -> list[AvatarFrame]:
            self.provider.end_turn()
            return self.provider.flush()

        return await self._generate(finish)

    def reset(self, epoch: int) -> None:
        """Interrupted. Comes before whatever is fed from now on."""

        def reset() -> None:
            try:
                self.provider.reset(epoch)
            except Exception:
                self._failed("did not reset")

        if not self._stopped:
            self._submit(self._generating, reset)

    async def _generate(
        self, call: Callable[[], list[AvatarFrame]]
    ) -> list[tuple[float, AvatarFrame]]:
        try:
            return self._placed(await asyncio.wrap_future(self._submit(self._generating, call)))
        except Exception:
            self._failed("made no pictures")
            return []

    def _placed(self, frames: list[AvatarFrame]) -> list[tuple[float, AvatarFrame]]:
        placed = []
        for frame in frames:
            if frame.offset_ms is not None:
                self._offset_ms = frame.offset_ms
            placed.append((self._offset_ms, frame))
            self._offset_ms += 1000 / self.provider.fps
        return placed

    # Drawing: what is shown at a time.

    async def draw(self, frame: AvatarFrame | None, media_ms: int) -> Drawn:
        """The picture shown at ``media_ms``, ``(height, width, 3)`` BGR, and what of it is new.
        ``None`` asks for the idle face."""
        return await drawn_by(self.begin_drawing(frame, media_ms))

    def begin_drawing(self, frame: AvatarFrame | None, media_ms: int) -> Drawing:
        """The same, ahead of its time; the event loop is not woken for it."""
        return self._submit(self._drawing, partial(self._draw, frame, media_ms))

    def _draw(self, frame: AvatarFrame | None, media_ms: int) -> Drawn:
        try:
            shown = frame or self.provider.get_idle_frame(media_ms)
            pixels, dirty = self._fitted(*shown.render(media_ms)) if shown else self._same
        except Exception:
            self._failed("drew no picture")
            return self._same
        if self.provider.crossfade_ms:
            pixels, dirty = self._faded(pixels, dirty, frame is not None, media_ms)
        self._pixels = pixels
        return pixels, dirty

    def idle_sound(self, media_ms: int) -> Pcm | None:
        """The engine's own sound from ``media_ms`` on, ``(960,)`` int16; ``None`` for silence."""
        if not self._has_sound:
            return None
        try:
            pcm = self.provider.get_idle_audio(media_ms)
            if pcm is None or is_block(pcm):
                return pcm
            raise AvatarError(f"expected 960 int16 samples of sound, got {pcm!r:.80}")
        except Exception:
            self._failed("gave no sound")
            return None

    @property
    def _same(self) -> Drawn:
        return self._pixels, NOTHING

    def _fitted(self, pixels: Pixels, dirty: Rect | None) -> Drawn:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise AvatarError(
                f"expected pixels of shape (height, width, 3) and uint8, "
                f"got {pixels.shape} and {pixels.dtype}"
            )
        if pixels.shape[:2] == (self._height, self._width):
            return np.ascontiguousarray(pixels), dirty
        if pixels is not self._source or self._source_fitted is None:
            self._source = pixels
            self._source_fitted = fit(pixels, self._width, self._height)[0]
        return self._source_fitted, NOTHING if self._source_fitted is self._pixels else None

    def _faded(self, pixels: Pixels, dirty: Rect | None, speaking: bool, media_ms: int) -> Drawn:
        """Blend from the last picture of a turn into the idle face."""
        if speaking:
            self._spoke_until_ms, self._faded_from = media_ms, None
            return pixels, dirty
        if self._spoke_until_ms is None:
            return pixels, dirty
        if self._faded_from is None:
            self._faded_from = self._pixels
        t = (media_ms - self._spoke_until_ms) / self.provider.crossfade_ms
        if t < 1:
            return crossfade(self._faded_from, pixels, t), None
        self._spoke_until_ms = self._faded_from = None
        return pixels, None

    def _failed(self, what: str) -> None:
        self.failures += 1
        if self.failures & (self.failures - 1) == 0:  # at powers of two: a log, not a flood
            logger.exception("avatar %s %s (%d failures)", self.provider.name, what, self.failures)
