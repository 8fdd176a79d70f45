"""What the logs of a switch are judged to say."""

from __future__ import annotations

from bench.harness.switches import flash_skews_ms, judge


def logs(beeps, flashes, pictures=250):
    """A test card at 25 fps, seen on the WebSocket; ``beeps``: (start, length) in ms."""
    lit = {round(ms / 40) for ms in flashes}
    card = [{"atMs": n * 40.0, "frame": n, "on": "ws", "flash": n in lit} for n in range(pictures)]
    sound = [{"kind": "loud", "startMs": at, "lastsMs": lasts} for at, lasts in beeps]
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
    seen = judge(logs(beeps, []))
    assert (seen.lost, seen.doubled) == (2, 2)
