from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.avatar.lipsync import REST, SHAPES, LipSync, MouthPose
from wsstream.avatar.phonetics import NAMES, WINDOW_MS, classify, spectra_at
from wsstream.media.types import Viseme, VisemeHint

RATE_HZ = 16_000
FORMANTS_HZ = {  # a grown woman's, not those of the templates
    Viseme.AA: (850, 1220, 2810),
    Viseme.E: (610, 2330, 2990),
    Viseme.IH: (310, 2790, 3310),
    Viseme.OH: (590, 920, 2710),
    Viseme.OU: (370, 950, 2670),
}


def noise(duration_ms: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, RATE_HZ * duration_ms // 1000)


def vowel(formants_hz: tuple[int, ...], duration_ms: int, pitch_hz: float = 200) -> np.ndarray:
    """A train of glottal pulses through resonators in series."""
    out = np.zeros(RATE_HZ * duration_ms // 1000)
    out[(np.arange(0, len(out), RATE_HZ / pitch_hz)).astype(int)] = 1.0
    for k in range(1, len(out)):
        out[k] += 0.93 * out[k - 1]
    for hz in formants_hz:
        r = math.exp(-math.pi * 90 / RATE_HZ)
        a1, a2 = 2 * r * math.cos(2 * math.pi * hz / RATE_HZ), -r * r
        y1 = y2 = 0.0
        for k, x in enumerate(out):
            out[k] = x + a1 * y1 + a2 * y2
            y1, y2 = out[k], y1
    return out


def band(low_hz: float, high_hz: float, duration_ms: int) -> np.ndarray:
    """Noise between two frequencies."""
    spectrum = np.fft.rfft(noise(duration_ms))
    hz = np.fft.rfftfreq(RATE_HZ * duration_ms // 1000, 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] *= 0.03
    return np.fft.irfft(spectrum)


def pcm(samples: np.ndarray, level: float = 0.3) -> bytes:
    return (samples / np.abs(samples).max() * level * 32767).astype("<i2").tobytes()


def silence(duration_ms: int, rate_hz: int = RATE_HZ) -> bytes:
    return bytes(2 * (rate_hz * duration_ms // 1000))


def poses(
    sound: bytes, hints: tuple[VisemeHint, ...] = (), rate_hz: int = RATE_HZ
) -> list[MouthPose]:
    lips = LipSync(25)
    return lips.feed(sound, rate_hz, hints) + lips.finish()


def heard(samples: np.ndarray) -> Viseme:
    """What the middle of a sound is taken for."""
    spectra = spectra_at(RATE_HZ)
    count = RATE_HZ * WINDOW_MS // 1000
    middle = len(samples) // 2
    windows = np.array([samples[middle + k : middle + k + count] for k in range(0, 800, 100)])
    fit = classify(spectra(windows.astype(np.float32) * 0.1), spectra.known).mean(axis=0)
    totals = {v: sum(f for f, n in zip(fit, NAMES, strict=True) if n == v) for v in set(NAMES)}
    return max(totals, key=lambda v: totals[v])


def close(a: MouthPose, b: MouthPose) -> float:
    return float(np.abs(np.subtract(a, b)).max())


def test_every_viseme_has_a_shape() -> None:
    assert set(SHAPES) == set(Viseme)
    assert len(set(SHAPES.values())) == len(Viseme)


@pytest.mark.parametrize("viseme", FORMANTS_HZ)
def test_vowels_are_known_by_their_formants(viseme: Viseme) -> None:
    assert heard(vowel(FORMANTS_HZ[viseme], 200)) == viseme


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "viseme"),
    [(4500, 7800, Viseme.SS), (2000, 5000, Viseme.CH), (400, 7900, Viseme.FF)],
)
def test_hisses_are_known_by_their_place(low_hz: int, high_hz: int, viseme: Viseme) -> None:
    assert heard(band(low_hz, high_hz, 200)) == viseme


def test_a_hum_closes_the_lips_or_nearly() -> None:
    assert heard(vowel((260, 1050, 2200), 200, 120)) in (Viseme.PP, Viseme.NN, Viseme.OU)
    t = np.arange(RATE_HZ // 2) / RATE_HZ
    hum = np.sin(2 * np.pi * 140 * t) + 0.3 * np.sin(2 * np.pi * 280 * t)
    assert poses(pcm(hum))[6].jaw < 0.25


def test_open_vowels_open_the_mouth_and_round_ones_round_it() -> None:
    aa, ou = (poses(pcm(vowel(FORMANTS_HZ[v], 400)))[6] for v in (Viseme.AA, Viseme.OU))
    ih = poses(pcm(vowel(FORMANTS_HZ[Viseme.IH], 400)))[6]
    assert aa.jaw > 0.4 > ou.jaw
    assert ou.pucker > 0.5 > aa.pucker
    assert ih.width > 0.05 > ou.width


def test_silence_is_rest() -> None:
    assert set(poses(silence(800))) == {REST}


def test_room_noise_is_rest() -> None:
    assert set(poses(pcm(noise(800), level=0.004))) == {REST}


def test_the_mouth_closes_within_100_ms_of_silence() -> None:
    loud = pcm(vowel(FORMANTS_HZ[Viseme.AA], 400))
    after = poses(loud + silence(400))
    assert after[9].jaw > 0.4
    assert after[12:] == [REST] * (len(after) - 12)


def test_a_louder_voice_opens_the_mouth_more() -> None:
    """Against its own loudest, not against full scale."""
    loud = pcm(vowel(FORMANTS_HZ[Viseme.AA], 400), 0.5)
    soft = pcm(vowel(FORMANTS_HZ[Viseme.AA], 400), 0.03)
    shown = poses(loud + soft)
    assert 0.1 < shown[18].jaw < 0.8 * shown[8].jaw
    assert poses(soft)[8].jaw > shown[18].jaw


def test_hints_decide_and_come_on_time() -> None:
    sound = pcm(vowel(FORMANTS_HZ[Viseme.AA], 1200))
    hints = (VisemeHint(0, Viseme.OU), VisemeHint(400, Viseme.E), VisemeHint(800, Viseme.FF))
    shown = poses(sound, hints)
    assert close(shown[9], SHAPES[Viseme.OU]) < 0.01
    assert close(shown[10], shown[9]) > 0.2  # 400..440 ms: the first to hear it
    assert close(shown[12], SHAPES[Viseme.E]) < 0.01
    assert close(shown[19], SHAPES[Viseme.E]) < 0.01
    assert shown[22].tuck > 0.95


def test_hints_count_from_their_own_sound() -> None:
    lips = LipSync(25)
    sound = pcm(noise(400))
    lips.feed(sound, RATE_HZ, [VisemeHint(0, Viseme.IH)])
    shown = lips.feed(sound, RATE_HZ, [VisemeHint(200, Viseme.OU)])
    assert shown[3].pucker == 0
    assert shown[8].pucker > 0.95


def test_the_stop_before_a_plosive_is_not_yet_silence() -> None:
    sound = pcm(noise(200)) + silence(400)
    shown = poses(sound, (VisemeHint(0, Viseme.AA), VisemeHint(200, Viseme.PP)))
    assert shown[6].press > 0.6
    assert shown[10:] == [REST] * 5


def test_a_forgotten_hint_gives_way_to_the_sound() -> None:
    sound = pcm(vowel(FORMANTS_HZ[Viseme.AA], 1200))
    shown = poses(sound, (VisemeHint(0, Viseme.SIL),))
    assert shown[5] == REST
    assert shown[20].jaw > 0.4


@given(
    sizes=st.lists(st.integers(1, 4001), min_size=1, max_size=8),
    rate_hz=st.sampled_from([8000, 16_000, 22_050, 44_100, 48_000]),
)
def test_poses_do_not_depend_on_how_the_sound_is_cut(sizes: list[int], rate_hz: int) -> None:
    sound = pcm(vowel(FORMANTS_HZ[Viseme.E], 150) + 0.1 * noise(150)) * 2
    lips, shown, at = LipSync(25), [], 0
    while at < len(sound):
        size = sizes[len(shown) % len(sizes)]  # odd numbers of bytes too
        shown += lips.feed(sound[at : at + size], rate_hz)
        at += size
    shown += lips.finish()
    assert shown == poses(sound, rate_hz=rate_hz)
    assert len(shown) == math.ceil(len(sound) / 2 / rate_hz * 25)


def test_the_rate_may_change() -> None:
    lips = LipSync(25)
    shown = lips.feed(silence(250), RATE_HZ)
    shown += lips.feed(silence(250, 48_000), 48_000) + lips.finish()
    assert len(shown) == 13


def test_a_long_turn_keeps_no_past() -> None:
    lips = LipSync(25)
    for _ in range(100):
        lips.feed(silence(200), RATE_HZ)
    assert len(lips._targets) < 20
    assert len(lips._tail) < RATE_HZ // 20


def test_reset_forgets() -> None:
    lips = LipSync(25)
    lips.feed(pcm(noise(210)), RATE_HZ, [VisemeHint(0, Viseme.AA)])
    lips.reset()
    assert lips.feed(silence(200), RATE_HZ) + lips.finish() == [REST] * 5
