"""The 12-byte framing and the patch regions, against the golden bytes the browser reads too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.errors import BadMessage
from wsstream.protocol import frames
from wsstream.protocol.frames import FrameType, Region

VECTORS = Path(__file__).parent.parent / "vectors"
GOOD = json.loads((VECTORS / "frames.json").read_text("utf-8"))
BAD = json.loads((VECTORS / "bad_frames.json").read_text("utf-8"))
PATCHES = [vector for vector in GOOD if "regions" in vector]


def named(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=[v["name"] for v in vectors])


def regions_of(vector):
    return [
        Region(r["x"], r["y"], r["width"], r["height"], bytes.fromhex(r["jpeg_hex"]))
        for r in vector["regions"]
    ]


@named(GOOD)
def test_a_golden_frame_is_read(vector):
    frame = frames.decode(bytes.fromhex(vector["hex"]))
    expected = (vector["type"], vector["timestamp_ms"], bytes.fromhex(vector["payload_hex"]))
    assert frame == expected


@named(GOOD)
def test_a_golden_frame_is_written(vector):
    payload = bytes.fromhex(vector["payload_hex"])
    assert frames.encode(vector["type"], vector["media_ms"], payload).hex() == vector["hex"]


@named(PATCHES)
def test_golden_regions_are_read(vector):
    assert frames.decode_regions(bytes.fromhex(vector["payload_hex"])) == regions_of(vector)


@named(PATCHES)
def test_golden_regions_are_written(vector):
    assert frames.encode_regions(regions_of(vector)).hex() == vector["payload_hex"]


@named(BAD)
def test_a_bad_frame_is_refused_saying_what_was_expected(vector):
    read = {"frame": frames.decode, "regions": frames.decode_regions}[vector["reader"]]
    with pytest.raises(BadMessage) as refusal:
        read(bytes.fromhex(vector["hex"]))
    assert vector["error"] in str(refusal.value)


def test_every_frame_type_has_a_golden_frame():
    assert {vector["type"] for vector in GOOD} >= set(FrameType)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_frame_or_a_bad_message(data):
    try:
        frame = frames.decode(data)
    except BadMessage:
        return
    assert frames.encode(frame.type, frame.timestamp_ms, frame.payload) == data


@given(st.binary(max_size=64) | st.binary(max_size=40).map(lambda rest: b"\1\0\0\0" + rest))
def test_any_bytes_are_regions_or_a_bad_message(data):
    try:
        regions = frames.decode_regions(data)
    except BadMessage:
        return
    assert frames.encode_regions(regions)[4:] == data[4:]  # two bytes are reserved


U16 = st.integers(0, 0xFFFF)
SIDE = st.integers(1, 0xFFFF)


@given(st.lists(st.builds(Region, U16, U16, SIDE, SIDE, st.binary(min_size=1, max_size=8))))
def test_regions_survive_the_wire(regions):
    assert frames.decode_regions(frames.encode_regions(regions)) == regions


@given(
    st.sampled_from(list(FrameType)),
    st.integers(0, 2**40),
    st.binary(max_size=32),
)
def test_frames_survive_the_wire_with_time_modulo_2_to_32(type, media_ms, payload):
    frame = frames.decode(frames.encode(type, media_ms, payload))
    assert frame == (type, media_ms % 2**32, payload)
