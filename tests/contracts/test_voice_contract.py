from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from wsstream.voice.base import TextToSpeech
from wsstream.voice.espeak import EspeakVoice

from .voice_contract import VoiceContract

ADAPTERS: dict[str, Callable[[], TextToSpeech]] = {
    "espeak": EspeakVoice,
    "espeak, a man's German": lambda: EspeakVoice(language="de", variant="m3"),
}


class TestVoices(VoiceContract):
    @pytest.fixture(params=ADAPTERS)
    async def voice(self, request: pytest.FixtureRequest) -> AsyncIterator[TextToSpeech]:
        voice = ADAPTERS[request.param]()
        await voice.start()
        yield voice
        await voice.stop()
