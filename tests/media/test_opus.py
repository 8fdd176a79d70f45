"""Sound to Opus and back."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys

import numpy as np
import pytest

from wsstream.errors import MediaError
from wsstream.media import opus
from wsstream.media.opus import OpusDecoder, OpusEncoder, OpusForm
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
    encoder.form = OpusForm(64_000)
    many = sum(len(encoder.encode(block)) for block in noise[50:])
    assert few * 8 == pytest.approx(16_000, rel=0.25)
    assert many * 8 == pytest.approx(64_000, rel=0.25)


@pytest.mark.parametrize("fec", [False, True])
def test_in_silence_packets_have_a_few_bytes_and_decode_to_comfort_noise_at_most(fec):
    encoder, decoder = OpusEncoder(32_000, fec), OpusDecoder()
    packets = [encoder.encode(block) for block in tone(50)]
    packets += [encoder.encode(np.zeros(BLOCK_SAMPLES, np.int16)) for _ in range(100)]
    heard = [decoder.decode(packet) for packet in packets]
    assert sum(map(len, packets[70:])) * 8 / (80 * 0.02) < 1500  # 8 kbit/s without DTX
    assert sorted(map(len, packets))[79] <= 3
    assert all(len(block) == BLOCK_SAMPLES and np.abs(block).max() < 66 for block in heard[70:])


@pytest.mark.parametrize("fec", [False, True])
@pytest.mark.parametrize("level", [0.5, 0.002])
def test_a_steady_tone_is_no_silence(fec, level):
    encoder, decoder = OpusEncoder(32_000, fec), OpusDecoder()
    heard = [decoder.decode(encoder.encode(block)) for block in tone(150, level=level)]
    assert rms_db(np.concatenate(heard[100:]), tone(50, level=level)) > -3


def test_sound_after_silence_is_there_from_its_first_packet():
    encoder, decoder = OpusEncoder(32_000), OpusDecoder()
    blocks = [np.zeros(BLOCK_SAMPLES, np.int16)] * 50 + tone(10)
    heard = np.concatenate([decoder.decode(encoder.encode(block)) for block in blocks])
    assert rms_db(heard[50 * BLOCK_SAMPLES + 312 :][:1920], tone(2)) > -1


def rms_db(heard, said):
    power = [np.mean(np.square(x, dtype=float)) for x in (heard, np.concatenate(said))]
    return 10 * np.log10(power[0] / power[1])


def has_copy(packet):
    """Whether it has a coarse copy of the one before it: the LBRR flag, after that of voice
    activity (RFC 6716 section 4.2.3), in a packet that is not CELT alone."""
    return packet[0] >> 3 < 16 and bool(packet[1] & 0x40)


def babble(blocks):
    """Like a voice: the harmonics of 120 Hz, four syllables a second, with pauses between."""
    t = np.arange(blocks * BLOCK_SAMPLES) / SAMPLE_RATE_HZ
    voiced = sum(np.sin(2 * np.pi * 120 * k * t + k * k) / k for k in range(1, 33))
    pcm = voiced * np.maximum(0, np.sin(2 * np.pi * 4 * t))
    return list((pcm / np.abs(pcm).max() * 16_000).astype(np.int16).reshape(blocks, -1))


@pytest.mark.parametrize("bitrate", [24_000, 32_000, 48_000])
def test_fec_adds_copies_to_a_voice_within_the_bitrate(bitrate):
    for fec in (False, True):
        encoder = OpusEncoder(bitrate, fec)
        packets = [encoder.encode(block) for block in babble(150)][50:]
        copies = sum(map(has_copy, packets))
        assert copies > 40 if fec else copies == 0
        assert sum(map(len, packets)) * 8 / 2 < bitrate * 1.15


def test_a_fork_goes_on_exactly_as_the_encoder_it_was_made_of():
    encoder = OpusEncoder(32_000)
    blocks = tone(40)
    for block in blocks[:20]:
        encoder.encode(block)
    fork = encoder.fork()
    assert fork.form == encoder.form
    assert [encoder.encode(b) for b in blocks[20:]] == [fork.encode(b) for b in blocks[20:]]


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


@pytest.mark.parametrize("fec", [False, True])
def test_silence_with_a_little_noise_costs_as_little_as_without(fec):
    rng = np.random.default_rng(1)
    encoder = OpusEncoder(32_000, fec)
    noise = rng.integers(-20, 21, (100, BLOCK_SAMPLES)).astype(np.int16)
    packets = [encoder.encode(block) for block in noise]
    assert np.mean([len(packet) for packet in packets[20:]]) < 4
