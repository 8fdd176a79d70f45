"""A session's sound, encoded once for all who take the same form; changes are not heard."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from wsstream.media.opus import OpusDecoder, OpusEncoder, OpusForm
from wsstream.media.types import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioPacket
from wsstream.session.sound_rungs import JOIN_MS, STEP_MS, SoundRungs

DELAY = 312
"""Samples from an encoder's input to its decoder's output: 6.5 ms."""
SILENCE = np.zeros(BLOCK_SAMPLES, np.int16)


@pytest.fixture
def encoded(monkeypatch):
    """How many blocks were encoded."""
    calls = []
    encode = OpusEncoder.encode

    def counted(self, pcm):
        calls.append(self)
        return encode(self, pcm)

    monkeypatch.setattr(OpusEncoder, "encode", counted)
    return calls


def tone(blocks, hz=440.0, level=0.5):
    t = np.arange(blocks * BLOCK_SAMPLES) / SAMPLE_RATE_HZ
    pcm = (level * 32767 * np.sin(2 * np.pi * hz * t)).astype(np.int16)
    return [AudioPacket(n * 20, block) for n, block in enumerate(pcm.reshape(blocks, -1))]


def silence(blocks, after=()):
    first = len(after)
    return [*after, *(AudioPacket((first + n) * 20, SILENCE) for n in range(blocks))]


def play(taker, packets, **steps):
    """The forms that are taken, block by block. ``at_10=[f, x]`` calls ``f(x)`` before block 10."""
    forms = []
    for n, packet in enumerate(packets):
        if step := steps.get(f"at_{n}"):
            step[0](step[1])
        forms.append(taker.form)
        taker.take(packet)
    return forms


# Once, and only while it is taken.


def test_who_begins_with_what_was_said_before_changes_nothing_for_the_others(encoded):
    rungs = SoundRungs(32_000)
    packets = tone(JOIN_MS // 20 + 50)
    old, new = rungs.subscribe(), rungs.subscribe()
    for packet in packets[:-20]:
        old.take(packet)
    for packet in packets[-24:-20]:
        new.take(packet)
    [encoder] = set(encoded[: len(packets) - 20])
    encoded.clear()
    for packet in packets[-20:]:
        old.take(packet)
        assert encoded[-1] is encoder
        new.take(packet)


def test_a_form_is_encoded_once_however_many_take_it(encoded):
    rungs = SoundRungs(32_000)
    takers = [rungs.subscribe() for _ in range(5)]
    for packet in tone(20):
        first, *others = [taker.take(packet) for taker in takers]
        assert all(other is first for other in others)
    assert len(encoded) == 20


def test_what_nobody_takes_is_not_encoded(encoded):
    rungs = SoundRungs(32_000)
    one, other = rungs.subscribe(), rungs.subscribe()
    other.follow(0)
    assert encoded == []
    packets = tone(100)
    for packet in packets[:50]:
        one.take(packet)
        other.take(packet)
    encoded.clear()
    for packet in packets[50:]:
        one.take(packet)
    assert len(encoded) == 50
    assert len(set(encoded)) == 1


def test_the_best_rung_is_the_agents_and_the_others_are_worse():
    assert SoundRungs(32_000).bitrates == (32_000, 24_000, 16_000)
    assert SoundRungs(48_000).bitrates == (48_000, 32_000, 24_000, 16_000)
    assert SoundRungs(20_000).bitrates == (20_000, 16_000)
    assert SoundRungs(12_000).bitrates == (12_000,)
    assert SoundRungs(40_000).subscribe().form == OpusForm(40_000)


@pytest.mark.parametrize(
    ("levels_left", "kbps"), [(5, 32), (4, 32), (3, 32), (2, 32), (1, 24), (0, 16)]
)
def test_only_the_last_levels_of_the_pictures_are_the_sounds_too(levels_left, kbps):
    taker = SoundRungs(32_000).subscribe()
    taker.follow(levels_left)
    assert play(taker, silence(3))[-1] == OpusForm(kbps * 1000)


def test_who_takes_nothing_for_a_while_begins_anew():
    rungs = SoundRungs(32_000)
    taker, packets = rungs.subscribe(), tone(40)
    for packet in packets[:10]:
        taker.take(packet)
    decoder = OpusDecoder()
    heard = [decoder.decode(taker.take(packet)) for packet in packets[30:]]
    fresh = OpusEncoder(32_000), OpusDecoder()
    for block, packet in zip(heard, packets[30:], strict=True):
        assert np.array_equal(block, fresh[1].decode(fresh[0].encode(packet.pcm)))


# How they change.


def test_within_sound_it_goes_one_step_at_a_time():
    taker = SoundRungs(48_000).subscribe()
    forms = play(taker, tone(60), at_10=[taker.follow, 0])
    rates = [form.bitrate // 1000 for form in forms]
    assert list(dict.fromkeys(rates)) == [48, 32, 24, 16]
    changes = [n for n, (a, b) in enumerate(pairwise(rates)) if a != b]
    assert [b - a for a, b in pairwise(changes)] == [STEP_MS // 20] * 2


def test_protection_is_a_step_of_its_own():
    taker = SoundRungs(32_000).subscribe()
    packets = tone(60)
    play(taker, packets[:10])
    taker.protect(True)
    taker.follow(1)
    forms = list(dict.fromkeys(play(taker, packets[10:])))
    assert forms[1:] == [OpusForm(32_000, True), OpusForm(24_000, True)]


def test_protection_has_the_bits_it_needs_or_is_none():
    taker = SoundRungs(32_000).subscribe()
    taker.protect(True)
    taker.follow(0)
    assert play(taker, silence(3))[-1] == OpusForm(24_000, True)
    poor = SoundRungs(20_000).subscribe()
    poor.protect(True)
    assert play(poor, silence(3))[-1] == OpusForm(20_000)


def test_in_silence_it_goes_all_the_way_at_once():
    taker = SoundRungs(48_000).subscribe()
    forms = play(taker, silence(3), at_1=[taker.follow, 0])
    assert [form.bitrate for form in forms] == [48_000, 48_000, 16_000]


def test_in_silence_those_who_take_the_same_form_come_together(encoded):
    rungs = SoundRungs(32_000)
    takers = [rungs.subscribe() for _ in range(3)]
    packets = silence(20, after=tone(60))
    for n, packet in enumerate(packets):
        if n in (10, 20):
            takers[n // 10].follow(1)
        if n == 59:
            encoded.clear()
        for taker in takers:
            taker.take(packet)
        if n == 59:  # each with an encoder of its own, since within sound
            assert len(encoded) == 3
        if n == 61:
            encoded.clear()
    assert len(encoded) == 2 * (len(packets) - 62)
    assert [taker.form.bitrate for taker in takers] == [32_000, 24_000, 24_000]


CHANGES = {
    "down": (lambda taker: taker.follow(0), lambda taker: None),
    "up": (lambda taker: taker.follow(4), lambda taker: taker.follow(0)),
    "fec on": (lambda taker: taker.protect(True), lambda taker: None),
    "fec off": (lambda taker: taker.protect(False), lambda taker: taker.protect(True)),
}


@pytest.mark.parametrize("crowd", [False, True], ids=["alone", "in company"])
@pytest.mark.parametrize("hz", [440.0, 1000.0])
@pytest.mark.parametrize("change", CHANGES)
def test_a_tone_goes_through_every_change_without_a_click_or_a_dip(change, hz, crowd):
    """Bounds: 3 dB of level in any 5 ms, and steps 1.5 times those of the tone itself. A change to
    an encoder that begins there dips by 4 to 28 dB and steps 11 times; to one that runs already
    and has another mode, by 5 to 17 dB."""
    act, before = CHANGES[change]
    for at in range(60, 64):
        rungs = SoundRungs(48_000)
        taker, decoder = rungs.subscribe(), OpusDecoder()
        before(taker)
        others = [rungs.subscribe() for _ in range(2)] if crowd else []
        for n, other in enumerate(others):
            other.follow(0 if n else 4)
            other.protect(change == "fec on")
        packets, heard = silence(2) + tone(140, hz)[2:], []
        for n, packet in enumerate(packets):
            if n == at:
                act(taker)
            heard.append(decoder.decode(taker.take(packet)))
            for other in others:
                other.take(packet)
        said = np.concatenate([packet.pcm for packet in packets]).astype(float)
        got = np.concatenate(heard).astype(float)[DELAY:]
        window = slice((at - 1) * BLOCK_SAMPLES, (at + 50) * BLOCK_SAMPLES)
        said, got = said[window], got[window]
        level_db = 10 * np.log10(_power(got) / _power(said))
        assert level_db.min() > -3, f"{level_db.min():.1f} dB at {at}"
        assert level_db.max() < 3, f"{level_db.max():.1f} dB at {at}"
        assert np.abs(np.diff(got)).max() < 1.5 * np.abs(np.diff(said)).max()


def _power(pcm):
    """In each 5 ms."""
    whole = len(pcm) // 240 * 240
    return np.square(pcm[:whole].reshape(-1, 240)).mean(axis=1)


# Takers that change together, and those that come in between.


def test_those_who_step_together_stay_together(encoded):
    rungs = SoundRungs(32_000)
    takers = [rungs.subscribe() for _ in range(20)]
    packets = tone(60)
    for n, packet in enumerate(packets):
        if n == 20:
            for taker in takers:
                taker.follow(0)
        for taker in takers:
            taker.take(packet)
    assert {taker.form.bitrate for taker in takers} == {16_000}
    assert len(encoded) == 60


def test_who_comes_in_the_block_in_which_another_steps_gets_a_packet_too():
    rungs = SoundRungs(32_000)
    one, other = rungs.subscribe(), rungs.subscribe()
    one.follow(0)
    other.follow(0)
    packets = tone(80)
    for packet in packets:
        was = one.form
        one.take(packet)
        if one.form != was:  # it has just made the rung that the other wants
            assert other.take(packet) != b""
            other = rungs.subscribe()
            other.follow(1)


def test_without_any_silence_they_come_together_after_a_while(encoded):
    rungs = SoundRungs(32_000)
    early, late = rungs.subscribe(), rungs.subscribe()
    late.follow(0)
    packets = tone(JOIN_MS // 20 + 60)
    for n, packet in enumerate(packets):
        if n == 5:
            early.follow(0)
        if n == 8:
            late.follow(0)
        early.take(packet)
        if n >= 3:
            late.take(packet)
        if n == len(packets) - 2:
            encoded.clear()
    assert early.form == late.form
    assert len(encoded) == 1
