"""What a session says: turns wait in line, and are made at most a second ahead of being heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from ..avatar.base import AvatarFrame
from ..errors import TooMany, VoiceError, WsstreamError
from ..media.resample import Resampler
from ..media.timeline import Timeline
from ..voice.base import SpeechChunk, TextToSpeech
from ..voice.sentences import split_sentences
from .stage import Stage

logger = logging.getLogger(__name__)

AHEAD_MAX_MS = 1000
"""An interruption throws away what was made ahead, and memory holds it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A cue: from here on this sentence is heard."""

    id: str
    text: str


SpeechTimeline: TypeAlias = Timeline[AvatarFrame, Sentence]


class Source(Protocol):
    """Where a turn's sound comes from; an async generator will do. Always closed, where it can be,
    even when it was never begun."""

    def __aiter__(self) -> AsyncIterator[SpeechChunk | Sentence]: ...

    def aclose(self) -> Awaitable[None]: ...


@dataclass(slots=True)
class _Turn:
    id: str
    epoch: int
    source: Source


class Speech:
    """Fills the timeline. One turn is made at a time."""

    def __init__(
        self,
        timeline: SpeechTimeline,
        stage: Stage,
        *,
        voice: TextToSpeech | None,
        voiceless: str = "this agent has no voice",
        queued_turns: int = 16,
        on_error: Callable[[str], None],
    ) -> None:
        """``voiceless`` says why there is no voice; ``on_error`` is told of turns that fail."""
        self._timeline = timeline
        self._stage = stage
        self._voice = voice
        self._voiceless = voiceless
        self._queued_turns = queued_turns
        self._on_error = on_error
        self._turns: asyncio.Queue[_Turn] = asyncio.Queue()
        self._making: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._count = 0
        self._waiting = 0  # turns of the present epoch

    @property
    def pending(self) -> bool:
        """Whether anything waits to be made."""
        return self._making is not None or not self._turns.empty()

    def say(self, text: str, turn_id: str | None = None) -> str:
        """Say a text after what is being said. Returns the turn's id.

        Raises:
            VoiceError: when there is no voice.
            TooMany: when too much waits already.
        """
        if self._voice is None:
            raise VoiceError(self._voiceless)
        text = text.encode(errors="replace").decode()  # half a character cannot be told to anyone
        return self._enqueue(lambda id: self._spoken(self._voice, id, text), turn_id)

    def play(self, source: Source, turn_id: str | None = None) -> str:
        """Say ready-made sound after what is being said. Returns the turn's id.

        Raises:
            TooMany: when too much waits already.
        """
        return self._enqueue(lambda id: source, turn_id)

    def interrupt(self) -> int:
        """Say no more of what is being said or waits. Returns the new epoch."""
        epoch = self._timeline.interrupt()
        self._waiting = 0
        if self._making is not None:
            self._making.cancel()
        self._stage.reset(epoch)
        return epoch  # turns that waited are of an old epoch now, and run() lets them go

    def heard(self) -> None:
        """Sound was released: there may be room to make more."""
        if self._timeline.ahead_ms < AHEAD_MAX_MS:
            self._room.set()

    async def run(self) -> None:
        """Make turns until cancelled."""
        try:
            while True:
                turn = await self._turns.get()
                self._waiting -= turn.epoch == self._timeline.epoch
                await self._perform(turn)
        finally:
            while not self._turns.empty():
                await _let_go(self._turns.get_nowait())

    async def _perform(self, turn: _Turn) -> None:
        """One turn, in a task of its own, which an interruption can cancel."""
        try:
            if turn.epoch == self._timeline.epoch:
                self._making = asyncio.create_task(self._make(turn))
                await asyncio.wait([self._making])
        finally:
            if self._making is not None:
                self._making.cancel()
                await asyncio.wait([self._making])
                self._making = None
            await _let_go(turn)

    def _enqueue(self, make: Callable[[str], Source], turn_id: str | None) -> str:
        if self._waiting >= self._queued_turns:
            raise TooMany(f"{self._queued_turns} turns wait already")
        self._waiting += 1
        self._count += 1
        turn_id = turn_id or f"turn-{self._count}"
        self._turns.put_nowait(_Turn(turn_id, self._timeline.epoch, make(turn_id)))
        return turn_id

    async def _spoken(
        self, voice: TextToSpeech | None, turn_id: str, text: str
    ) -> AsyncGenerator[SpeechChunk | Sentence, None]:
        assert voice is not None
        reported = False
        for n, sentence in enumerate(split_sentences(text)):
            cue: Sentence | None = Sentence(f"{turn_id}.{n}", sentence)
            try:
                async with aclosing(voice.synthesize(sentence)) as chunks:
                    async for chunk in chunks:
                        if cue is not None and chunk.pcm:  # what has no sound ("-") is not told
                            yield cue
                            cue = None
                        yield chunk
            except VoiceError as error:  # the next sentence may be one it can speak
                if not reported:
                    self._on_error(str(error))
                reported = True

    async def _make(self, turn: _Turn) -> None:
        timeline, stage = self._timeline, self._stage
        timeline.begin(turn.epoch, turn.id)
        stage.begin_turn()
        resampler: Resampler | None = None
        try:
            async for item in turn.source:
                if isinstance(item, Sentence):
                    timeline.push_cue(turn.epoch, item)
                    continue
                if resampler is None or resampler.rate_hz != item.sample_rate:
                    resampler = Resampler(item.sample_rate)
                await self._wait_for_room()
                pcm = np.frombuffer(item.pcm, "<i2").astype(np.int16, copy=False)
                timeline.push_sound(turn.epoch, resampler.push(pcm))
                frames = await stage.feed(item.pcm, item.sample_rate, item.visemes)
                timeline.push_frames(turn.epoch, frames)
            if resampler is not None:
                timeline.push_sound(turn.epoch, resampler.flush())
                timeline.push_frames(turn.epoch, await stage.finish_turn())
        except WsstreamError as error:
            stage.reset(turn.epoch)  # the engine forgets the half that it was fed
            self._on_error(str(error))
        except Exception as error:
            logger.exception("turn %s failed", turn.id)
            stage.reset(turn.epoch)
            self._on_error(f"the turn could not be spoken: {type(error).__name__}")
        finally:
            timeline.end(turn.epoch)

    async def _wait_for_room(self) -> None:
        while self._timeline.ahead_ms >= AHEAD_MAX_MS:
            self._room.clear()
            await self._room.wait()


async def _let_go(turn: _Turn) -> None:
    """A source is somebody else's code: what it does when it is closed ends no session."""
    try:
        if hasattr(turn.source, "aclose"):
            await turn.source.aclose()
    except Exception:
        logger.exception("the source of turn %s did not close cleanly", turn.id)
