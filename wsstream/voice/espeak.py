"""The offline voice: espeak-ng, which speaks some 130 languages on any machine, on no network."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from typing import Any, ClassVar

from ..errors import VoiceError
from .base import SpeechChunk, TextToSpeech
from .espeak_chunks import SpeechCutter
from .espeak_library import Phonemes
from .espeak_process import EspeakProcess, EspeakThread, acquire, release
from .espeak_voices import find_variant, find_voice, languages_of
from .sentences import split_sentences

STALLED_S = 10.0
"""Sound that has not come by then will not come: a sentence takes milliseconds."""

_RANGES = {"rate_wpm": (80, 450), "pitch": (0, 99), "volume": (0, 200)}
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
"""All that is not white space. espeak-ng takes what follows a \\x01 for a command."""


class EspeakVoice(TextToSpeech):
    """A voice of espeak-ng. All of them share one process, which is started with the first and
    ended with the last."""

    name: ClassVar[str] = "espeak"

    def __init__(
        self,
        *,
        language: str = "en-us",
        variant: str = "f2",
        rate_wpm: int = 165,
        pitch: int = 50,
        volume: int = 90,
    ) -> None:
        """``language`` is a code or an English name that espeak-ng knows ("de", "German"); where
        it has no voice for a region ("de-AT"), the language is taken. ``variant`` is one of its
        timbres: "f2" is a woman's, "m3" a man's, "" the language's own. ``rate_wpm`` is in words
        per minute, 80 to 450; ``pitch`` is 0 to 99; ``volume`` is 0 to 200, where more than 100
        may distort.

        Raises:
            VoiceError: when an option has the wrong type or is out of range. Whether espeak-ng
                knows the language and the variant, ``start`` finds out.
        """
        for option, value in (("language", language), ("variant", variant)):
            if not isinstance(value, str):
                raise VoiceError(f"{option} must be a string, not {value!r}")
        self._numbers = {"rate_wpm": rate_wpm, "pitch": pitch, "volume": volume}
        for option, (low, high) in _RANGES.items():
            number = self._numbers[option]
            if type(number) is not int or not low <= number <= high:
                raise VoiceError(
                    f"{option} must be a whole number from {low} to {high}, not {number!r}"
                )
        self._language, self._variant = language, variant
        self._thread: EspeakThread | None = None
        self._languages: list[tuple[str, str]] = []
        self._request: dict[str, Any] = {}
        self._speaking: set[_Sentence] = set()

    async def start(self) -> None:
        """Start espeak-ng and choose the voice.

        Raises:
            VoiceError: when espeak-ng is not installed, or knows no such language or variant.
        """
        if self._thread is not None:
            return
        thread = acquire()
        try:
            await asyncio.wrap_future(thread.run(self._choose))
        except BaseException:
            release()
            raise
        self._thread = thread

    async def stop(self) -> None:
        if self._thread is None:
            return
        self._thread = None
        for sentence in self._speaking:
            sentence.fail(VoiceError("the voice was stopped"))
        closed = release()
        if closed is not None:
            await asyncio.shield(asyncio.wrap_future(closed))

    def languages(self) -> list[tuple[str, str]]:
        """The code and the English name of every language; known once started."""
        return list(self._languages)

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speak a text, sentence by sentence, in chunks of ``CHUNK_MS``. Text without letters,
        figures or symbols gives none.

        A sentence is made in one go however slowly it is heard, for others wait behind it. What
        is buffered is bounded by its length: about 12 s of sound, 0.5 MB; for symbols that are
        spelled out, some minutes.

        Raises:
            VoiceError: when the voice is not started, is stopped, or espeak-ng fails.
        """
        for sentence in split_sentences(_CONTROLS.sub("", text)):
            if not any(unicodedata.category(character)[0] in "LNS" for character in sentence):
                continue
            if self._thread is None:
                raise VoiceError("the voice is not started")
            spoken = _Sentence(self._thread, {**self._request, "text": sentence})
            self._speaking.add(spoken)
            try:
                while (chunk := await spoken.next()) is not None:
                    yield chunk
            finally:
                self._speaking.discard(spoken)
                spoken.abandon()

    def _choose(self, process: EspeakProcess) -> None:
        self._languages = languages_of(process.voices)
        voice = find_voice(process.voices, self._language)
        variant = find_variant(process.variants, self._variant)
        self._request = {"voice": f"{voice}+{variant}" if variant else voice, **self._numbers}
        named: Phonemes = []

        def heard(pcm: bytes, phonemes: Phonemes) -> bool:
            named.extend(phonemes)
            return True

        # It reads the language's dictionary, which the first sentence need not wait for then.
        process.speak({**self._request, "text": "1 a"}, heard)
        if not any(name for _, name in named):
            raise VoiceError(f"espeak-ng has no pronunciation for language {self._language!r}")


class _Sentence:
    """One on its way from the thread, where it is spoken, to the loop, where it is heard."""

    def __init__(self, thread: EspeakThread, request: dict[str, Any]) -> None:
        self._thread = thread
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[SpeechChunk | BaseException | None] = asyncio.Queue()
        self._wanted = True
        self._future = thread.run(self._speak)
        self._future.add_done_callback(self._spoken)

    async def next(self) -> SpeechChunk | None:
        """The next chunk; ``None`` at the end.

        Raises:
            VoiceError: when it fails.
        """
        try:
            async with asyncio.timeout(STALLED_S):
                item = await self._arrived.get()
        except TimeoutError:
            self._thread.kill()  # whichever sentence it hangs in, the next gets a new process
            raise VoiceError(f"espeak-ng gave no sound for {STALLED_S:.0f} s") from None
        if isinstance(item, BaseException):
            raise item
        return item

    def abandon(self) -> None:
        """Nobody listens any more."""
        self._wanted = False
        self._future.cancel()

    def fail(self, error: VoiceError) -> None:
        """Stop, and tell who listens."""
        self._arrived.put_nowait(error)
        self.abandon()

    def _speak(self, process: EspeakProcess) -> None:
        cutter = SpeechCutter(process.sample_rate_hz)

        def heard(pcm: bytes, phonemes: Phonemes) -> bool:
            self._put(*cutter.feed(pcm, phonemes))
            return self._wanted

        process.speak(self._request, heard)
        self._put(*cutter.finish())

    def _spoken(self, future: Future[None]) -> None:
        if not future.cancelled():
            self._put(future.exception())

    def _put(self, *items: SpeechChunk | BaseException | None) -> None:
        try:
            for item in items if self._wanted else ():
                self._loop.call_soon_threadsafe(self._arrived.put_nowait, item)
        except RuntimeError:
            self._wanted = False  # the loop is closed, and with it whoever listened
