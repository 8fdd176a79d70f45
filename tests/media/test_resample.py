"""Any rate to 48 kHz, and 48 kHz to 24 kHz for plain PCM."""

from __future__ import annotations

import numpy as np
import pytest

from wsstream.errors import MediaError
from wsstream.media.resample import MAX_RATE_HZ, MIN_RATE_HZ, Halver, Resampler
from wsstream.media.types import BLOCK_SAMPLES, SAMPLE_RATE_HZ


def tone(hz, rate_hz, seconds=1.0, level=0.5):
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return (level * 32767 * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def loudness(pcm):
    return float(np.sqrt(np.mean(np.square(pcm.astype(float)))))


def resampled(pcm, rate_hz, step):
    resampler = Resampler(rate_hz)
    parts = [resampler.push(pcm[i : i + step]) for i in range(0, len(pcm), step)]
    return np.concatenate([*parts, resampler.flush()])


RATES = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("step_ms", [7, 100])
def test_a_second_stays_a_second_however_it_is_cut(rate_hz, step_ms):
    pcm = resampled(tone(300, rate_hz), rate_hz, rate_hz * step_ms // 1000)
    assert pcm.dtype == np.int16
    assert len(pcm) == pytest.approx(SAMPLE_RATE_HZ, abs=SAMPLE_RATE_HZ // 1000)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_keeps_its_pitch_and_loudness(rate_hz):
    pcm = resampled(tone(440, rate_hz), rate_hz, rate_hz // 10)
    middle = pcm[SAMPLE_RATE_HZ // 4 : -SAMPLE_RATE_HZ // 4]
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 2 == 440
    assert loudness(middle) == pytest.approx(16_384 / 2**0.5, rel=0.02)


def test_48_khz_passes_through_untouched():
    pcm = tone(440, 48_000)
    resampler = Resampler(48_000)
    assert resampler.push(pcm) is pcm
    assert len(resampler.flush()) == 0


def test_no_sound_gives_none():
    assert len(Resampler(16_000).push(np.empty(0, np.int16))) == 0


def test_most_of_the_sound_comes_before_the_end():
    resampler = Resampler(16_000)
    assert len(resampler.push(tone(440, 16_000, 0.1))) > SAMPLE_RATE_HZ * 0.09


@pytest.mark.parametrize("rate_hz", [-1, 0, MIN_RATE_HZ - 1, MAX_RATE_HZ + 1, 10**9])
def test_a_rate_that_sound_does_not_have_is_refused(rate_hz):
    with pytest.raises(MediaError, match=f"a sample rate of {rate_hz} Hz"):
        Resampler(rate_hz)


def halved(pcm):
    halver = Halver()
    return np.concatenate([halver.push(block) for block in pcm.reshape(-1, BLOCK_SAMPLES)])


def test_each_block_of_960_gives_exactly_480():
    halver = Halver()
    for block in tone(440, SAMPLE_RATE_HZ).reshape(-1, BLOCK_SAMPLES):
        half = halver.push(block)
        assert half.shape == (BLOCK_SAMPLES // 2,)
        assert half.dtype == np.int16


@pytest.mark.parametrize("hz", [100, 1000, 5000, 9000])
def test_halving_keeps_what_fits(hz):
    half = halved(tone(hz, SAMPLE_RATE_HZ))[100:]
    assert loudness(half) == pytest.approx(16_384 / 2**0.5, rel=0.05)


@pytest.mark.parametrize("hz", [15_000, 17_000, 20_000, 23_000])
def test_halving_suppresses_what_would_fold_back(hz):
    half = halved(tone(hz, SAMPLE_RATE_HZ))[100:]
    assert loudness(half) < 0.01 * 16_384  # 40 dB


def test_halving_has_no_seams():
    pcm = tone(700, SAMPLE_RATE_HZ)
    whole = Halver().push(pcm)
    assert np.array_equal(halved(pcm), whole)


def test_halving_delays_by_fifteen_samples():
    click = np.zeros(BLOCK_SAMPLES, np.int16)
    click[101] = 20_000
    assert np.argmax(Halver().push(click)) == (101 + 15) // 2


def test_halving_the_loudest_square_wave_does_not_overflow():
    square = np.where(np.arange(SAMPLE_RATE_HZ) // 50 % 2, 32_767, -32_768).astype(np.int16)
    half = halved(square)
    middle = half[20:].reshape(-1)
    assert np.abs(np.diff(np.sign(middle.astype(int)))).sum() / 2 == pytest.approx(960, abs=4)
