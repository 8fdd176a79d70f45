"""What is said when: turns of speech on the media clock. Pure; times come in as arguments.

A turn's sound and pictures are pushed as they are made, ahead of time, and released together:
block by block, picture by picture. Sound is the master. It waits for its first picture a little,
and never after that: a picture that is late is dropped or held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from .types import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm

F = TypeVar("F")
C = TypeVar("C")

PICTURE_WAIT_MS = 250
"""How long a turn's sound waits for its first picture."""
PREROLL_MS = 40
"""How much of it has to be there before a turn starts, unless it is shorter."""
HOLD_MS = 120
"""When a turn runs dry: how long its last picture stands before the idle face comes back."""
FADE_SAMPLES = SAMPLE_RATE_HZ // 100
"""Ten ms, over which an interrupted word fades, so that it does not click."""


@dataclass(slots=True)
class Released(Generic[C]):
    """What 20 ms bring. ``pcm`` is ``(960,)`` int16, or ``None`` when nothing is said."""

    pcm: Pcm | None = None
    started: str | None = None
    ended: list[str] = field(default_factory=list)
    cues: list[C] = field(default_factory=list)


@dataclass(slots=True)
class _Turn(Generic[F, C]):
    id: str
    pcm: deque[Pcm] = field(default_factory=deque)
    rest: Pcm = field(default_factory=lambda: np.empty(0, np.int16))
    frames: deque[tuple[float, F]] = field(default_factory=deque)
    cues: deque[tuple[float, C]] = field(default_factory=deque)
    shown: F | None = None
    pushed_samples: int = 0
    complete: bool = False
    first_sound_ms: int | None = None
    start_ms: int | None = None
    begun: bool = False
    dry_ms: int = 0

    @property
    def pushed_ms(self) -> float:
        return self.pushed_samples * 1000 / SAMPLE_RATE_HZ


class Timeline(Generic[F, C]):
    """Turns in the order they were begun. ``F`` is whatever stands for a picture, ``C`` whatever is
    to be told when the sound reaches a place (a cue)."""

    def __init__(self, lead_ms: int) -> None:
        """``lead_ms``: how long before its release a picture is asked for."""
        self._lead_ms = -(-lead_ms // BLOCK_MS) * BLOCK_MS
        self._turns: deque[_Turn[F, C]] = deque()
        self._tail: Pcm | None = None
        self.epoch = 0
        self.underruns = 0
        self.skipped_frames = 0

    # Made ahead of time. Each returns False when the epoch is over and there is no use going on.

    def begin(self, epoch: int, turn_id: str) -> bool:
        """A turn follows those begun before it."""
        if epoch == self.epoch:
            self._turns.append(_Turn(turn_id))
        return epoch == self.epoch

    def push_sound(self, epoch: int, pcm: Pcm) -> bool:
        """The last begun turn's next sound, int16 at 48 kHz, any length."""
        if epoch != self.epoch:
            return False
        turn = self._turns[-1]
        turn.pushed_samples += len(pcm)
        pcm = np.concatenate([turn.rest, pcm])
        whole = len(pcm) // BLOCK_SAMPLES * BLOCK_SAMPLES
        turn.pcm.extend(pcm[:whole].reshape(-1, BLOCK_SAMPLES))
        turn.rest = pcm[whole:]
        return True

    def push_frames(self, epoch: int, frames: Iterable[tuple[float, F]]) -> bool:
        """Its next pictures, each with its place in the turn's sound (ms)."""
        if epoch == self.epoch:
            self._turns[-1].frames.extend(frames)
        return epoch == self.epoch

    def push_cue(self, epoch: int, cue: C) -> bool:
        """To be told when the sound pushed from now on is heard."""
        if epoch == self.epoch:
            turn = self._turns[-1]
            turn.cues.append((turn.pushed_ms, cue))
        return epoch == self.epoch

    def end(self, epoch: int) -> bool:
        """The last begun turn is complete."""
        if epoch != self.epoch:
            return False
        turn = self._turns[-1]
        if len(turn.rest):
            turn.pcm.append(np.pad(turn.rest, (0, BLOCK_SAMPLES - len(turn.rest))))
            turn.rest = turn.rest[:0]
        turn.complete = True
        return True

    def interrupt(self) -> int:
        """Forget everything. Returns the new epoch; what is pushed for an older one is refused."""
        turn = self._turns[0] if self._turns else None
        if turn and turn.begun and turn.pcm:
            fade = np.linspace(1, 0, FADE_SAMPLES)
            self._tail = np.zeros(BLOCK_SAMPLES, np.int16)
            self._tail[:FADE_SAMPLES] = turn.pcm[0][:FADE_SAMPLES] * fade
        self._turns.clear()
        self.epoch += 1
        return self.epoch

    # Released on time.

    @property
    def ahead_ms(self) -> int:
        """How much sound waits to be released."""
        return sum(len(turn.pcm) for turn in self._turns) * BLOCK_MS

    @property
    def speaking(self) -> bool:
        """Whether a turn is being said or waits to be."""
        return bool(self._turns)

    @property
    def heard_from_ms(self) -> int | None:
        """When the turn that is being said began; ``None`` when none is."""
        return self._turns[0].start_ms if self._turns else None

    def release_sound(self, media_ms: int) -> Released[C]:
        """The 20 ms from ``media_ms`` on. Call once per block, in order."""
        released: Released[C] = Released()
        if self._tail is not None:
            released.pcm, self._tail = self._tail, None
            return released
        while self._turns:
            turn = self._turns[0]
            if turn.start_ms is None:
                self._start_if_ready(turn, media_ms)
            if turn.complete and not turn.pcm:
                self._turns.popleft()
                released.ended.append(turn.id)
                released.cues.extend(cue for _, cue in turn.cues)  # of no sound, but told
                continue
            if turn.start_ms is None or media_ms < turn.start_ms:
                break
            if not turn.pcm:
                self._run_dry(turn)
                break
            position_ms = media_ms - turn.start_ms
            if not turn.begun:
                turn.begun, released.started = True, turn.id
            turn.dry_ms = 0
            released.pcm = turn.pcm.popleft()
            while turn.cues and turn.cues[0][0] < position_ms + BLOCK_MS:
                released.cues.append(turn.cues.popleft()[1])
            break
        return released

    def frame_at(self, media_ms: int) -> F | None:
        """The picture that belongs to ``media_ms``; ``None`` for the idle face. Call in order, by
        ``lead_ms`` before the release."""
        turn = self._turns[0] if self._turns else None
        if turn is None or turn.start_ms is None or media_ms < turn.start_ms:
            return None
        offset_ms = media_ms - turn.start_ms
        if (turn.complete and offset_ms >= turn.pushed_ms) or turn.dry_ms > HOLD_MS:
            return None
        taken = 0
        while turn.frames and turn.frames[0][0] <= offset_ms:
            turn.shown = turn.frames.popleft()[1]
            taken += 1
        self.skipped_frames += max(0, taken - 1)
        return turn.shown

    def _start_if_ready(self, turn: _Turn[F, C], media_ms: int) -> None:
        if not turn.pcm:
            return
        if turn.first_sound_ms is None:
            turn.first_sound_ms = media_ms
        enough = turn.complete or len(turn.pcm) * BLOCK_MS >= PREROLL_MS
        if enough and (turn.frames or media_ms - turn.first_sound_ms >= PICTURE_WAIT_MS):
            turn.start_ms = media_ms + self._lead_ms

    def _run_dry(self, turn: _Turn[F, C]) -> None:
        """The engine is late: what follows is said as much later."""
        assert turn.start_ms is not None
        self.underruns += turn.dry_ms == 0
        turn.start_ms += BLOCK_MS
        turn.dry_ms += BLOCK_MS
