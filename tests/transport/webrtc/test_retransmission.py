"""What is sent again, and what not."""

from __future__ import annotations

import pytest

from wsstream.transport.webrtc.retransmission import (
    FIRST_ROUND_TRIP_S,
    REMEMBERED,
    TOO_OLD_S,
    Retransmission,
)


@pytest.fixture
def sent():
    """A second and a half of pictures, the one before the last half second a key picture."""
    made = Retransmission()
    for ms in range(0, 1501, 50):
        made.sent(ms, key=ms == 1000)
    return made


def test_what_is_lost_is_sent_again_once_in_a_round_trip(sent):
    sent.round_trip_s = 0.3
    times = [0.0, 0.1, 0.29, 0.31, 0.5, 0.62]
    assert [sent.is_wanted(7, 0.1, now) for now in times] == [True, False, False, True, False, True]
    assert sent.is_wanted(8, 0.1, 0.1)


def test_however_short_the_way_is_it_is_not_sent_again_at_once(sent):
    sent.round_trip_s = 0.0
    assert [sent.is_wanted(7, 0.1, 0.0) for _ in range(1000)].count(True) == 1


def test_before_a_round_trip_is_known_one_is_guessed(sent):
    assert sent.is_wanted(7, 0.1, 0.0)
    assert not sent.is_wanted(7, 0.1, FIRST_ROUND_TRIP_S * 0.9)
    assert sent.is_wanted(7, 0.1, FIRST_ROUND_TRIP_S * 1.1)


def test_what_a_key_picture_has_replaced_is_not_sent_again(sent):
    assert sent.is_wanted(7, 0.5, 0.0)  # of the key picture itself
    assert not sent.is_wanted(8, 0.55, 0.0)
    assert not sent.is_too_old(TOO_OLD_S + 0.1)


def test_what_is_too_old_is_made_good_by_a_key_picture():
    sent = Retransmission()
    for ms in range(0, 3001, 50):
        sent.sent(ms, key=ms == 0)
    assert not sent.is_too_old(TOO_OLD_S)
    assert sent.is_wanted(7, TOO_OLD_S, 0.0)
    assert sent.is_too_old(TOO_OLD_S + 0.1)
    assert not sent.is_wanted(8, TOO_OLD_S + 0.1, 0.0)


def test_it_does_not_remember_for_ever(sent):
    for number in range(10 * REMEMBERED):
        assert sent.is_wanted(number, 0.1, 0.0)
    assert len(sent._sent_again) == REMEMBERED
    assert not sent.is_wanted(number, 0.1, 0.01)
