"""The shapes and units that every floor above relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.media.types import (
    BLOCK_MS,
    BLOCK_SAMPLES,
    SAMPLE_RATE_HZ,
    Rect,
    Viseme,
    is_silent,
)

RECTS = st.builds(
    Rect, st.integers(-99, 99), st.integers(-99, 99), st.integers(0, 99), st.integers(0, 99)
)


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def test_a_block_is_one_opus_packet_of_20_ms_at_48_khz():
    assert (BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ) == (20, 960, 48_000)


def test_the_union_of_two_regions():
    assert Rect(10, 20, 30, 40).union(Rect(0, 50, 20, 30)) == Rect(0, 20, 40, 60)


@given(RECTS, RECTS)
def test_a_union_covers_both_and_no_more(a, b):
    union = a.union(b)
    assert inside(a, union)
    assert inside(b, union)
    assert union == b.union(a)
    assert union.width <= max(a.x + a.width, b.x + b.width) - min(a.x, b.x)


@given(RECTS)
def test_a_union_with_itself_is_itself(a):
    assert a.union(a) == a


def test_there_are_the_fifteen_visemes_of_the_oculus_set():
    names = " ".join(viseme.value for viseme in Viseme)
    assert names.lower() == "sil pp ff th dd kk ch ss nn rr aa e ih oh ou"


@pytest.mark.parametrize(
    ("sample", "silent"), [(0, True), (32, True), (-32, True), (33, False), (-32_768, False)]
)
def test_what_is_not_heard_is_silence(sample, silent):
    pcm = np.zeros(BLOCK_SAMPLES, np.int16)
    pcm[7] = sample
    assert is_silent(pcm) is silent
