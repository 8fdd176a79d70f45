"""What waits to be sent: little, in order, and never back in time."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import settled, virtual
from wsstream.transport.webrtc.tracks import MediaTrack, as_picture, as_sound


def make(max_items=3):
    return MediaTrack("video", max_items, None)


@virtual
async def test_what_is_put_is_taken_in_order():
    track = make()
    for ms in (20, 40, 60):
        assert track.put(ms, f"at {ms}")
    assert [await track.take() for _ in range(3)] == [(20, "at 20"), (40, "at 40"), (60, "at 60")]


@virtual
async def test_who_takes_waits_for_the_next():
    track = make()
    taking = asyncio.create_task(track.take())
    await settled()
    assert not taking.done()
    track.put(20, "x")
    assert await taking == (20, "x")


@virtual
async def test_where_there_is_no_room_the_oldest_goes():
    track = make(2)
    for ms in (20, 40, 60):
        assert track.full == (ms == 60)
        track.put(ms, ms)
    assert track.dropped == 1
    assert (await track.take())[0] == 40


@virtual
async def test_what_would_go_back_is_dropped_and_said_so():
    track = make()
    assert track.put(40, "a")
    assert not track.put(40, "b")
    assert not track.put(20, "c")
    await track.take()
    assert not track.put(40, "d")  # though nothing waits
    assert track.put(60, "e")
    assert track.dropped == 3


@virtual
async def test_what_waits_can_be_forgotten():
    track = make()
    track.put(20, "a")
    track.put(40, "b")
    assert track.clear() == 2
    assert track.clear() == 0
    track.put(60, "c")
    assert await track.take() == (60, "c")
    assert track.dropped == 0


@virtual
async def test_one_is_out_when_the_next_is_asked_for():
    track, sent = make(), []
    track.on_sent = sent.append
    track.put(20, "a")
    track.put(40, "b")
    await track.take()
    assert sent == []
    await track.take()
    assert sent == [20]


@virtual
async def test_a_track_that_ends_lets_go_of_who_waits():
    track = make()
    taking = asyncio.create_task(track.take())
    await settled()
    track.stop()
    with pytest.raises(MediaStreamError):
        await taking
    track.put(20, "a")
    with pytest.raises(MediaStreamError):
        await track.take()


@given(st.lists(st.integers(0, 30) | st.none(), max_size=40), st.integers(1, 4))
@virtual
async def test_whatever_is_put_times_taken_strictly_increase(steps, room):
    track, taken = make(room), []
    for ms in steps:
        if ms is not None:
            track.put(ms, ms)
        elif track._items:
            taken.append((await track.take())[0])
        assert len(track._items) <= room
    assert taken == sorted(set(taken))


@virtual
async def test_frames_for_aiortc_have_their_time():
    track = MediaTrack("audio", 3, as_sound)
    track.put(40, np.arange(960, dtype=np.int16))
    frame = await track.recv()
    assert (frame.pts, frame.time_base, frame.samples) == (1920, Fraction(1, 48_000), 960)
    assert frame.sample_rate == 48_000
    assert frame.to_ndarray()[0].tolist() == list(range(960))
    picture = as_picture(40, np.full((4, 6, 3), 9, np.uint8))
    assert (picture.pts * picture.time_base, picture.width, picture.height) == (
        Fraction(40, 1000),
        6,
        4,
    )
