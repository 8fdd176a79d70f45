"""What the logs of a switch are judged to say."""

from __future__ import annotations

from bisect import bisect

import pytest

from bench.harness.switches import flash_skews_ms, judge


def logs(beeps, flashes, pictures=225, silences=(), switched=()):
    """A test card at 25 fps, seen on the WebSocket, until it is ``switched``; ``beeps`` and
    ``silences``: (start, length) in ms."""
    lit = {round(ms / 40) for ms in flashes}
    ways = ["ws", "webrtc"]
    card = [
        {"atMs": n * 40.0, "frame": n, "on": ways[bisect(switched, n * 40) % 2], "flash": n in lit}
        for n in range(pictures)
    ]
    sound = [
        {"kind": kind, "startMs": at, "lastsMs": lasts}
        for kind, spans in (("loud", beeps), ("quiet", silences))
        for at, lasts in spans
    ]
    return {"up": [], "down": [], "card": card, "sound": sound}


def test_each_beep_but_those_at_the_ends_goes_with_the_flash_that_is_near():
    beeps = [1000.0, 2000.0, 3000.0, 4000.0, 5000.0]
    flashes = [990.0, 1970.0, 2000.5, 4020.0, 5000.0]
    assert flash_skews_ms(flashes, beeps) == [0.5, 20]
    assert flash_skews_ms([1500.0, 2500.0], beeps) == []  # as near to one beep as to another
    assert flash_skews_ms([], beeps) == []
    assert flash_skews_ms(flashes, beeps[:2]) == []


def test_a_flash_and_its_beep_are_so_far_apart():
    seen = judge(logs([(1000 * n + 10, 40) for n in range(1, 9)], range(1000, 9000, 1000)))
    assert seen.skews_ms == [-10] * 6
    assert (seen.beeps, seen.lost, seen.doubled, seen.unseen) == (8, 0, 0, 0)


def test_a_flash_that_was_not_drawn_is_counted_and_no_other_one_takes_its_place():
    flashes = [ms for ms in range(1000, 9000, 1000) if ms != 4000]
    seen = judge(logs([(1000 * n, 40) for n in range(1, 9)], flashes))
    assert (seen.unseen, max(map(abs, seen.skews_ms))) == (1, 0)


def test_without_any_flash_all_are_counted_as_not_drawn():
    seen = judge(logs([(1000 * n, 40) for n in range(1, 9)], []))
    assert (seen.unseen, seen.skews_ms) == (6, [])


def test_beeps_that_are_missing_short_long_or_there_twice_are_told():
    beeps = [(1000, 40), (3000, 40), (4000, 15), (5000, 70), (6000, 40), (6100, 40)]
    seen = judge(logs(beeps, [], pictures=170))
    assert (seen.lost, seen.doubled) == (2, 2)


def test_a_beep_that_comes_again_while_the_first_is_heard_is_there_twice():
    beeps = [(1000, 40), (2000, 40), (2060, 40), (3000, 40)]
    seen = judge(logs(beeps, [], pictures=90))
    assert (seen.beeps, seen.lost, seen.doubled) == (3, 0, 1)
    beeps = [(1000, 40), (2000, 40), (2100, 40), (3000, 40)]  # and after a silence
    seen = judge(logs(beeps, [], pictures=90, silences=[(2040, 55)]))
    assert (seen.lost, seen.doubled) == (0, 1)


@pytest.mark.parametrize(
    ("pieces", "silence", "without"),
    [
        ([(2000, 12), (2032, 8)], (2012, 20), (0, 0)),
        ([(2000, 12)], (2012, 40), (1, 0)),
        ([(2032, 8)], (2000, 32), (1, 0)),
        ([(2000, 20), (2045, 20)], (2020, 25), (0, 1)),  # what follows waits
        ([(2000, 20), (2090, 20)], (2020, 70), (0, 1)),
    ],
)
def test_what_a_silence_takes_of_a_beep_is_a_silence(pieces, silence, without):
    beeps = [(1000, 40), *pieces, (3000, 40)]
    seen = judge(logs(beeps, [], pictures=90, silences=[silence]))
    assert (seen.beeps, seen.lost, seen.doubled) == (3, 0, 0)
    assert seen.silences_ms == [silence[1]]
    seen = judge(logs(beeps, [], pictures=90))
    assert (seen.lost, seen.doubled) == without


def test_where_nothing_was_seen_there_is_a_verdict():
    seen = judge({"up": [], "down": [], "card": [], "sound": []})
    assert (seen.beeps, seen.lost, seen.doubled, seen.gaps_ms) == (0, 0, 0, [])


def test_sound_that_ends_or_begins_late_lacks_beeps():
    assert judge(logs([(1000, 40), (2000, 40)], [], pictures=125)).lost == 2
    assert judge(logs([(3000, 40), (4000, 40)], [], pictures=125)).lost == 2


def test_the_longest_silence_is_told_around_each_switch():
    silences = [(1500, 3), (1800, 9), (5000, 5)]
    seen = judge(logs([], [], silences=silences, switched=[2000, 4000]))
    assert seen.silences_ms == [9, 5]
    assert seen.gaps_ms == [40, 40]


def test_what_happens_at_each_switch_one_way_is_usual():
    """A median tells, though the ways back are sound."""
    switched = list(range(1000, 7000, 500))
    silences = [(at, 100) for at in switched[::2]]
    seen = judge(logs([], [], silences=silences, switched=switched))
    assert seen.silences_ms == [100] * len(switched)
    spanning = judge(logs([], [], silences=[(900, 1700)], switched=switched))
    assert spanning.silences_ms[:5] == [1700] * 5
