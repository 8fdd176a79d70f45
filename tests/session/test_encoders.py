"""In what form a viewer's sound goes out."""

from __future__ import annotations

import numpy as np

from tests.fakes import packet, sine
from wsstream.media.types import AudioPacket
from wsstream.protocol.frames import FrameType
from wsstream.session.encoders import OpusSound, PcmSound
from wsstream.session.sound_rungs import SoundRungs


def test_opus_goes_out_as_the_session_encodes_it():
    rungs = SoundRungs(32_000)
    sound = OpusSound(rungs.subscribe())
    for n in range(3):
        assert sound.encode(packet(n * 20)) == (
            FrameType.AUDIO,
            rungs.subscribe().take(packet(n * 20)),
        )
    assert sound.stats() == {"codec": "opus", "kbps": 32}


def test_opus_follows_the_pictures_down():
    sound = OpusSound(SoundRungs(32_000).subscribe())
    sound.follow(0)
    for n in range(3):
        sound.encode(packet(n * 20))
    assert sound.stats() == {"codec": "opus", "kbps": 16}


def test_pcm_is_24_khz_little_endian():
    sound = PcmSound()
    tone = sine(1000, 0.1)
    parts = []
    for n, block in enumerate(tone.reshape(-1, 960)):
        type, payload = sound.encode(AudioPacket(n * 20, block))
        assert (type, len(payload)) == (FrameType.AUDIO_PCM, 960)
        parts.append(np.frombuffer(payload, "<i2"))
    heard = np.concatenate(parts)
    assert np.abs(heard[8:].astype(int) - tone[1:4784:2]).max() < 200  # 15 samples later
