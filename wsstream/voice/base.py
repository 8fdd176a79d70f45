"""The voice port: what a text-to-speech engine has to offer to be heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from ..media.types import VisemeHint


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The next piece of a sentence's sound, and the mouth shapes in it where the engine knows."""

    pcm: bytes
    """Signed 16-bit little-endian mono."""
    sample_rate: int
    visemes: tuple[VisemeHint, ...] = ()
    """Offsets count from the start of this chunk."""


class TextToSpeech(ABC):
    """One voice, used by many sessions at once."""

    name: ClassVar[str] = "unnamed"

    async def start(self) -> None:
        """Load the engine. Called once, before the first ``synthesize``.

        Raises:
            VoiceError: when the engine or the chosen voice is missing, saying what to install.
        """

    @abstractmethod
    def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speak one sentence. Chunks come as soon as they are made; closing the generator stops the
        engine. Blocking work belongs in the engine's own thread.

        Raises:
            VoiceError: when this text cannot be spoken.
        """

    async def stop(self) -> None:
        """Free everything. May be called twice."""
