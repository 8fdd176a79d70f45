"""The cutter, on sound made here: 1000 Hz sample rate, so that a sample is a millisecond."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wsstream.media.types import Viseme
from wsstream.voice.base import SpeechChunk
from wsstream.voice.espeak_chunks import CHUNK_MS, LEAD_MAX_MS, TAIL_MAX_MS, SpeechCutter

RATE_HZ = 1000
SIL, PP, AA, IH, SS, KK = (
    Viseme.SIL, Viseme.PP, Viseme.AA, Viseme.IH, Viseme.SS, Viseme.KK,
)  # fmt: skip


def sound(*parts: tuple[int, int]) -> bytes:
    """PCM of parts of so many milliseconds at such an amplitude."""
    return b"".join(np.full(ms, amplitude, "<i2").tobytes() for ms, amplitude in parts)


def cut(pcm: bytes, phonemes: list[tuple[int, str]], buffers: int = 1) -> list[SpeechChunk]:
    """What the cutter makes of it, given in so many buffers of equal length."""
    cutter = SpeechCutter(RATE_HZ)
    chunks = []
    samples = len(pcm) // 2
    edges = [samples * n // buffers for n in range(buffers + 1)]
    for begin, end in pairwise(edges):  # one that begins with the next buffer may come with this
        inside = [(at, name) for at, name in phonemes if begin < at <= end or at == begin == 0]
        chunks += cutter.feed(pcm[2 * begin : 2 * end], inside)
    return chunks + cutter.finish()


def hints(chunks: list[SpeechChunk]) -> list[tuple[int, Viseme]]:
    """All hints, in milliseconds from the start of the sentence."""
    found = []
    start = 0
    for chunk in chunks:
        found += [(start + round(hint.offset_ms), hint.viseme) for hint in chunk.visemes]
        start += len(chunk.pcm) // 2
    return found


def joined(chunks: list[SpeechChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def test_chunks_are_of_one_length_and_lose_nothing() -> None:
    pcm = sound((10, 0), (290, 9000), (100, 0))
    chunks = cut(pcm, [(10, "a"), (200, "s"), (300, "")])
    assert joined(chunks) == pcm
    assert [len(chunk.pcm) // 2 for chunk in chunks] == [CHUNK_MS] * 5
    assert hints(chunks) == [(0, SIL), (10, AA), (200, SS), (300, SIL)]


def test_a_hint_on_the_boundary_belongs_to_the_chunk_it_opens() -> None:
    chunks = cut(sound((400, 9000)), [(0, "a"), (CHUNK_MS, "s"), (399, "a")])
    assert [[(h.offset_ms, h.viseme) for h in chunk.visemes] for chunk in chunks] == [
        [(0, AA)], [(0, SS)], [], [], [(79, AA)],
    ]  # fmt: skip


def test_a_diphthong_shares_its_time() -> None:
    assert hints(cut(sound((200, 9000)), [(0, "aɪ"), (100, "s")])) == [(0, AA), (50, IH), (100, SS)]


def test_a_throat_sound_shows_the_shape_behind_it() -> None:
    assert hints(cut(sound((200, 9000)), [(0, "s"), (50, "h"), (90, "a")])) == [(0, SS), (50, AA)]


def test_lips_close_where_the_silence_before_the_burst_begins() -> None:
    pcm = sound((100, 9000), (40, 100), (100, 9000))
    assert hints(cut(pcm, [(0, "a"), (140, "p"), (180, "a")])) == [(0, AA), (100, PP), (180, AA)]


def test_a_hiss_does_not_begin_in_silence() -> None:
    pcm = sound((100, 9000), (40, 100), (100, 9000))
    assert hints(cut(pcm, [(0, "a"), (140, "s")])) == [(0, AA), (140, SS)]


def test_a_closure_reaches_back_into_a_pause_but_not_far() -> None:
    pcm = sound((100, 9000), (300, 0), (100, 9000))
    shapes = hints(cut(pcm, [(0, "a"), (100, ""), (400, "p"), (450, "a")]))
    assert shapes == [(0, AA), (100, SIL), (320, PP), (450, AA)]


def test_the_mouth_does_not_rest_in_a_short_pause() -> None:
    pcm = sound((100, 9000), (50, 0), (100, 9000))
    assert hints(cut(pcm, [(0, "a"), (100, ""), (150, "s")])) == [(0, AA), (150, SS)]


def test_the_last_pause_counts_however_short() -> None:
    assert hints(cut(sound((100, 9000), (7, 0)), [(0, "a"), (100, "")])) == [(0, AA), (100, SIL)]


def test_one_shape_twice_is_one_hint() -> None:
    shapes = hints(cut(sound((300, 9000)), [(0, "a"), (100, "ɑ"), (200, "k")]))
    assert shapes == [(0, AA), (200, KK)]


def test_long_silence_before_and_behind_is_cut() -> None:
    pcm = sound((500, 0), (200, 9000), (900, 0))
    chunks = cut(pcm, [(0, ""), (60, ""), (500, "a"), (700, ""), (1000, "")])
    assert joined(chunks) == sound((LEAD_MAX_MS, 0), (200, 9000), (TAIL_MAX_MS, 0))
    assert hints(chunks) == [(0, SIL), (60, AA), (260, SIL)]


def test_silence_inside_is_kept() -> None:
    pcm = sound((100, 9000), (800, 0), (100, 9000))
    assert joined(cut(pcm, [(0, "a"), (100, ""), (900, "a")])) == pcm


def test_pauses_alone_are_nothing() -> None:
    assert cut(sound((300, 0)), [(0, ""), (200, "")]) == []
    assert cut(b"", []) == []


NAMES = st.sampled_from(["", "a", "aɪ", "p", "h", "s", "tʃ", "ˈiɑu", "ʔ"])
PHONEMES = st.lists(st.tuples(st.integers(0, 999), NAMES), max_size=30).map(sorted)


@given(PHONEMES, st.lists(st.sampled_from([0, 50, 300, 9000]), min_size=10, max_size=10))
def test_how_the_sound_arrives_makes_no_difference(
    phonemes: list[tuple[int, str]], amplitudes: list[int]
) -> None:
    pcm = sound(*((100, amplitude) for amplitude in amplitudes))
    whole = cut(pcm, phonemes)
    assert cut(pcm, phonemes, buffers=7) == whole
    assert cut(pcm, phonemes, buffers=1000) == whole
    for chunk in whole:
        offsets = [hint.offset_ms for hint in chunk.visemes]
        assert offsets == sorted(set(offsets))
        assert all(0 <= offset < len(chunk.pcm) / 2 for offset in offsets)
    shapes = [shape for _, shape in hints(whole)]
    assert all(a != b for a, b in pairwise(shapes))
