"""Sound to Opus and back."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys

import numpy as np
import pytest

from wsstream.errors import MediaError
from wsstream.media import opus
from wsstream.media.opus import OpusDecoder, OpusEncoder
from wsstream.media.types import BLOCK_SAMPLES, SAMPLE_RATE_HZ


def tone(blocks, hz=440.0, level=0.5):
    t = np.arange(blocks * BLOCK_SAMPLES) / SAMPLE_RATE_HZ
    pcm = (level * 32767 * np.sin(2 * np.pi * hz * t)).astype(np.int16)
    return list(pcm.reshape(blocks, -1))


def test_a_tone_survives():
    encoder, decoder = OpusEncoder(32_000), OpusDecoder()
    heard = np.concatenate([decoder.decode(encoder.encode(block)) for block in tone(50)])
    assert heard.dtype == np.int16
    assert len(heard) == 50 * BLOCK_SAMPLES
    spectrum = np.abs(np.fft.rfft(heard[-SAMPLE_RATE_HZ // 2 :]))
    assert np.argmax(spectrum) * 2 == 440
    assert np.abs(heard[4800:]).max() == pytest.approx(16_384, rel=0.15)


def test_each_packet_is_one_mono_frame_of_20_ms():
    first = OpusEncoder(32_000).encode(tone(1)[0])[0]  # the TOC byte, RFC 6716 section 3.1
    config, stereo, code = first >> 3, first >> 2 & 1, first & 3
    assert config in (1, 5, 9, 13, 15, 19, 23, 27, 31)
    assert (stereo, code) == (0, 0)


def test_the_bitrate_is_kept_and_may_change_while_running():
    encoder = OpusEncoder(16_000)
    noise = np.random.default_rng(0).integers(-9000, 9000, (100, BLOCK_SAMPLES)).astype(np.int16)
    few = sum(len(encoder.encode(block)) for block in noise[:50])
    encoder.bitrate = 64_000
    many = sum(len(encoder.encode(block)) for block in noise[50:])
    assert encoder.bitrate == 64_000
    assert few * 8 == pytest.approx(16_000, rel=0.25)
    assert many * 8 == pytest.approx(64_000, rel=0.25)


@pytest.mark.parametrize(
    "pcm",
    [np.zeros(480, np.int16), np.zeros((960, 2), np.int16), np.zeros(960, np.float32)],
    ids=["short", "stereo", "float"],
)
def test_what_is_no_block_is_refused_before_libopus_sees_it(pcm):
    with pytest.raises((MediaError, ValueError)):
        OpusEncoder(32_000).encode(pcm)


@pytest.mark.parametrize("packet", [b"", b"\xff", b"\xff\xff\xff", b"\x03" + b"\0" * 8])
def test_what_is_no_packet_is_refused(packet):
    with pytest.raises(MediaError, match="no Opus packet"):
        OpusDecoder().decode(packet)


def test_a_decoder_goes_on_after_a_bad_packet():
    encoder, decoder = OpusEncoder(32_000), OpusDecoder()
    with pytest.raises(MediaError):
        decoder.decode(b"\xff")
    assert len(decoder.decode(encoder.encode(tone(1)[0]))) == BLOCK_SAMPLES


def test_without_a_system_library_the_bundled_one_does():
    assert opus._bundled_libopus()
    code = (
        "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
        "import numpy as np\n"
        "from wsstream.media.opus import OpusEncoder\n"
        "print(len(OpusEncoder(32000).encode(np.zeros(960, np.int16))) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "True", done.stderr


def test_the_search_for_libraries_is_left_as_it_was():
    assert ctypes.util.find_library.__module__ == "ctypes.util"
