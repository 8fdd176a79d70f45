"""Buffers do as their names say, and count what they drop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import packet
from wsstream.media.buffers import DropOldestAudio, LatestSlot


def test_a_slot_gives_the_newest_once():
    slot = LatestSlot()
    slot.put("a")
    slot.put("b")
    assert slot.take() == "b"
    assert slot.take() is None


def test_a_slot_counts_what_was_replaced_before_it_was_taken():
    slot = LatestSlot()
    slot.put("a")
    assert slot.replaced == 0
    slot.put("b")
    slot.take()
    slot.put("c")
    assert slot.replaced == 1


def test_a_slot_is_true_while_it_holds_something():
    slot = LatestSlot()
    assert not slot
    slot.put("a")
    assert slot
    slot.take()
    assert not slot


def test_packets_come_out_in_order():
    packets = DropOldestAudio(400)
    for n in range(3):
        packets.put(packet(n * 20))
    assert [packets.take().media_ms for _ in range(3)] == [0, 20, 40]
    assert packets.take() is None


def test_of_too_much_sound_the_oldest_is_dropped_and_counted():
    packets = DropOldestAudio(100)
    for n in range(7):
        packets.put(packet(n * 20))
    assert (len(packets), packets.dropped) == (5, 2)
    assert packets.take().media_ms == 40


@pytest.mark.parametrize("max_ms", [0, 1, 19, 20, 39])
def test_there_is_always_room_for_one_packet(max_ms):
    packets = DropOldestAudio(max_ms)
    packets.put(packet(0))
    packets.put(packet(20))
    assert (len(packets), packets.take().media_ms) == (1, 20)


def test_what_an_interruption_clears_is_not_counted_as_dropped():
    packets = DropOldestAudio(400)
    packets.put(packet(0))
    packets.clear()
    assert not packets
    assert packets.dropped == 0


@given(st.lists(st.sampled_from(["put", "take"]), max_size=60))
def test_every_packet_is_taken_or_dropped_or_still_there(actions):
    packets, put, taken = DropOldestAudio(100), 0, []
    for action in actions:
        if action == "put":
            packets.put(packet(put * 20))
            put += 1
        elif packets:
            taken.append(packets.take().media_ms)
    assert put == len(taken) + packets.dropped + len(packets)
    assert taken == sorted(taken)
