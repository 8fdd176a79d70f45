from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from wsstream.voice.espeak import EspeakVoice


@pytest.fixture
async def voice() -> AsyncIterator[EspeakVoice]:
    voice = EspeakVoice()
    await voice.start()
    yield voice
    await voice.stop()
