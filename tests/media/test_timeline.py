"""What is said when. The heart of lip-sync, driven as a session drives it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsstream.media.pacer import Pacer
from wsstream.media.timeline import (
    FADE_SAMPLES,
    HOLD_MS,
    PICTURE_WAIT_MS,
    PREROLL_MS,
    Timeline,
)
from wsstream.media.types import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm

FPS = [15, 20, 25, 30]
PER_MS = SAMPLE_RATE_HZ // 1000


def sound(ms: float, start_ms: float = 0) -> Pcm:
    """Sound in which each sample tells its place, modulo 30000."""
    first = round(start_ms * PER_MS)
    return (np.arange(first, first + round(ms * PER_MS)) % 30_000 + 1).astype(np.int16)


def frames(ms: float, fps: float = 25, name: str = "f"):
    """The pictures of so much sound."""
    return [(n * 1000 / fps, f"{name}{n}") for n in range(round(ms * fps / 1000))]


@dataclass
class Player:
    """Asks for sound and pictures as ``session/session.py`` does: a picture is asked for one
    period before it is shown."""

    timeline: Timeline[str, str]
    fps: float = 25
    heard: list[tuple[int, Pcm | None]] = field(default_factory=list)
    shown: list[tuple[int, str | None]] = field(default_factory=list)
    started: list[tuple[int, str]] = field(default_factory=list)
    ended: list[tuple[int, str]] = field(default_factory=list)
    cues: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sounds, self.pictures = Pacer(1000 / BLOCK_MS), Pacer(self.fps)
        self.shown.append((0, None))

    def until(self, media_ms: int) -> Player:
        """Let the clock reach ``media_ms``; what is due then is not yet asked for."""
        while (now := min(self.sounds.due_ms, self.pictures.due_ms)) < media_ms:
            if self.sounds.due_ms == now:
                self._hear(now)
            else:
                shown_ms = self.pictures.next_due_ms
                self.shown.append((shown_ms, self.timeline.frame_at(shown_ms)))
                self.pictures.advance()
        return self

    def _hear(self, now: int) -> None:
        released = self.timeline.release_sound(now)
        self.heard.append((now, released.pcm))
        if released.started is not None:
            self.started.append((now, released.started))
        self.ended += [(now, turn) for turn in released.ended]
        self.cues += [(now, cue) for cue in released.cues]
        self.sounds.advance()

    def finish(self) -> Player:
        """Let the clock run until all is said, and a second more."""
        limit_ms = self.sounds.due_ms + 60_000
        while self.timeline.speaking:
            self.until(self.sounds.due_ms + BLOCK_MS)
            assert self.sounds.due_ms < limit_ms, "it never ends"
        return self.until(self.sounds.due_ms + 1000)

    def spoken(self) -> Pcm:
        parts = [pcm for _, pcm in self.heard if pcm is not None]
        return np.concatenate(parts) if parts else np.empty(0, np.int16)

    def spoken_from(self) -> int | None:
        return next((at for at, pcm in self.heard if pcm is not None), None)

    def picture_at(self, media_ms: int) -> str | None:
        return [name for at, name in self.shown if at <= media_ms][-1]


def make(fps: float = 25) -> tuple[Timeline[str, str], Player]:
    timeline: Timeline[str, str] = Timeline(lead_ms=round(1000 / fps))
    return timeline, Player(timeline, fps)


def say(timeline, ms, *, turn="t1", fps=25, name="f"):
    """A whole turn, all made at once."""
    timeline.begin(timeline.epoch, turn)
    timeline.push_cue(timeline.epoch, f"{turn} begins")
    timeline.push_sound(timeline.epoch, sound(ms))
    timeline.push_frames(timeline.epoch, frames(ms, fps, name))
    timeline.end(timeline.epoch)


# A turn from beginning to end.


def test_nothing_is_said_of_its_own():
    timeline, player = make()
    player.until(1000)
    assert all(pcm is None for _, pcm in player.heard)
    assert {name for _, name in player.shown} == {None}
    assert not timeline.speaking


@pytest.mark.parametrize("fps", FPS)
def test_a_turn_is_heard_whole_and_ends(fps):
    timeline, player = make(fps)
    say(timeline, 500, fps=fps)
    player.until(1000)
    assert np.array_equal(player.spoken(), sound(500))
    [(started_ms, _)], [(ended_ms, _)] = player.started, player.ended
    assert ended_ms - started_ms == 500
    assert not timeline.speaking


@pytest.mark.parametrize("fps", FPS)
def test_each_picture_is_shown_with_its_own_sound(fps):
    timeline, player = make(fps)
    say(timeline, 1000, fps=fps)
    player.until(1500)
    start_ms = player.spoken_from()
    for at, name in player.shown:
        offset_ms = at - start_ms
        if not 0 <= offset_ms < 1000:
            assert name is None
            continue
        place_ms = int(name[1:]) * 1000 / fps
        assert 0 <= offset_ms - place_ms < 1000 / fps + 1
    assert timeline.skipped_frames == 0


@pytest.mark.parametrize("fps", FPS)
def test_every_picture_is_shown_once_when_rates_agree(fps):
    timeline, player = make(fps)
    say(timeline, 1000, fps=fps)
    player.until(1500)
    seen = [name for _, name in player.shown if name is not None]
    # Places of pictures and of blocks need not fall together: at either end one may be missing.
    assert seen == sorted(set(seen), key=lambda name: int(name[1:]))
    assert fps - 1 <= len(seen) <= fps + 1


@pytest.mark.parametrize(
    ("engine_fps", "shown_fps", "skipped"), [(50, 25, 24), (30, 15, 14), (25, 25, 0), (15, 30, 0)]
)
def test_an_engine_of_another_rate_has_its_pictures_dropped_or_held(engine_fps, shown_fps, skipped):
    timeline, player = make(shown_fps)
    say(timeline, 1000, fps=engine_fps)
    player.until(1500)
    numbers = [int(name[1:]) for _, name in player.shown if name is not None]
    assert numbers == sorted(numbers)
    assert timeline.skipped_frames == pytest.approx(skipped, abs=1)


@pytest.mark.parametrize(("fps", "lead_ms"), [(15, 80), (20, 60), (25, 40), (30, 40)])
def test_a_turn_starts_one_lead_after_it_is_ready_so_that_its_first_picture_is_asked_for_in_time(
    fps, lead_ms
):
    timeline, player = make(fps)
    player.until(200)
    say(timeline, 500, fps=fps)
    player.until(1000)
    assert player.spoken_from() == 200 + lead_ms
    first_shown_ms = next(at for at, name in player.shown if name is not None)
    assert first_shown_ms - player.spoken_from() < 1000 / fps


def test_the_last_block_is_filled_with_silence():
    timeline, player = make()
    say(timeline, 45)
    player.until(500)
    spoken = player.spoken()
    assert len(spoken) == 3 * BLOCK_SAMPLES
    assert np.array_equal(spoken[: 45 * PER_MS], sound(45))
    assert not spoken[45 * PER_MS :].any()


def test_a_turn_shorter_than_a_block_is_heard():
    timeline, player = make()
    say(timeline, 5)
    player.until(500)
    assert np.array_equal(player.spoken()[: 5 * PER_MS], sound(5))
    assert player.ended


def test_a_turn_without_sound_ends_at_once_and_never_started():
    timeline, player = make()
    timeline.begin(0, "empty")
    timeline.push_frames(0, frames(100))
    timeline.end(0)
    player.until(100)
    assert player.ended == [(0, "empty")]
    assert player.started == []
    assert {name for _, name in player.shown} == {None}


def test_sound_may_come_in_any_lengths():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(400))
    rng, pushed_ms = np.random.default_rng(0), 0.0
    while pushed_ms < 400:
        ms = int(rng.integers(0, 35))
        timeline.push_sound(0, sound(ms, pushed_ms))
        pushed_ms += ms
    timeline.end(0)
    player.until(1000)
    assert np.array_equal(player.spoken()[: round(pushed_ms * PER_MS)], sound(pushed_ms))


def test_what_was_pushed_may_be_written_to_afterwards():
    timeline, player = make()
    pcm = sound(50)
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(80))
    timeline.push_sound(0, pcm)
    pcm[:] = 0
    timeline.end(0)
    player.until(500)
    assert np.array_equal(player.spoken()[: 50 * PER_MS], sound(50))


# When a turn starts.


@pytest.mark.parametrize("ms", [20, PREROLL_MS - 1])
def test_a_turn_waits_until_enough_of_it_is_there(ms):
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(400))
    timeline.push_sound(0, sound(ms))
    player.until(500)
    assert player.spoken_from() is None
    timeline.push_sound(0, sound(PREROLL_MS - ms, ms))
    player.until(1000)
    assert player.spoken_from() == 500 + 40


def test_a_turn_that_is_shorter_starts_when_it_is_complete():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(40))
    timeline.push_sound(0, sound(20))
    player.until(300)
    timeline.end(0)
    player.until(500)
    assert player.spoken_from() == 300 + 40


@pytest.mark.parametrize("late_ms", [0, 20, 100, PICTURE_WAIT_MS - 10])
def test_sound_waits_for_its_first_picture(late_ms):
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(500))
    player.until(late_ms)
    timeline.push_frames(0, frames(500))
    player.until(1000)
    ready_ms = -(-late_ms // BLOCK_MS) * BLOCK_MS
    assert player.spoken_from() == ready_ms + 40
    first_ms, first = next((at, name) for at, name in player.shown if name is not None)
    assert first == "f0"
    assert 0 <= first_ms - player.spoken_from() < 40


def test_sound_waits_for_its_first_picture_no_longer_than_250_ms():
    timeline, player = make()
    player.until(100)
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(500))
    player.until(2000)
    waited_ms = player.spoken_from() - 100
    assert PICTURE_WAIT_MS <= waited_ms < PICTURE_WAIT_MS + BLOCK_MS + 40
    assert np.array_equal(player.spoken(), sound(500))
    assert {name for _, name in player.shown} == {None}


def test_the_wait_begins_with_the_first_sound_not_with_the_turn():
    timeline, player = make()
    timeline.begin(0, "t1")
    player.until(1000)
    timeline.push_sound(0, sound(500))
    timeline.push_frames(0, [])
    player.until(1200)
    assert player.spoken_from() is None


def test_pictures_that_come_after_the_wait_are_shown_where_they_belong():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(1000))
    player.until(600)
    timeline.push_frames(0, frames(1000))
    timeline.end(0)
    player.until(1500)
    start_ms = player.spoken_from()
    for at, name in player.shown:
        if name is not None:
            assert 0 <= at - start_ms - int(name[1:]) * 40 < 40
    assert timeline.skipped_frames > 0  # those whose time had passed


@given(st.integers(0, 8))
def test_the_picture_of_a_moment_is_the_last_whose_place_has_come(n):
    timeline: Timeline[str, str] = Timeline(lead_ms=0)
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(400))
    timeline.push_frames(0, [(0, "a"), (50, "b"), (60, "c"), (200, "d")])
    timeline.release_sound(0)
    expected = "a" if n * 20 < 50 else "b" if n * 20 < 60 else "c" if n * 20 < 200 else "d"
    assert timeline.frame_at(n * 20) == expected


# Cues.


def test_a_cue_is_told_with_the_block_in_which_its_sound_is_heard():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(200))
    places = {"first": 0, "second": 70, "third": 140, "fourth": 159}
    pushed_ms = 0
    for cue, place_ms in places.items():
        timeline.push_sound(0, sound(place_ms - pushed_ms, pushed_ms))
        pushed_ms = place_ms
        timeline.push_cue(0, cue)
    timeline.push_sound(0, sound(200 - pushed_ms, pushed_ms))
    timeline.end(0)
    player.until(500)
    start_ms = player.spoken_from()
    told = {cue: at - start_ms for at, cue in player.cues}
    assert told == {"first": 0, "second": 60, "third": 140, "fourth": 140}
    assert [cue for _, cue in player.cues] == list(places)


def test_a_cue_at_the_very_end_is_told():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(100))
    timeline.push_sound(0, sound(100))
    timeline.push_cue(0, "a sentence without sound")
    timeline.end(0)
    player.until(500)
    assert [cue for _, cue in player.cues] == ["a sentence without sound"]


# Running dry.


def test_sound_that_is_late_is_said_later_and_nothing_is_lost():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(200))
    timeline.push_frames(0, frames(200))
    player.until(400)  # heard from 40 to 240, dry from then on
    assert timeline.underruns == 1
    timeline.push_sound(0, sound(200, 200))
    timeline.push_frames(0, [(200 + at, f"g{n}") for n, (at, _) in enumerate(frames(200))])
    timeline.end(0)
    player.until(800)
    assert np.array_equal(player.spoken(), sound(400))
    gap = [at for at, pcm in player.heard if pcm is None and 40 <= at < 600]
    assert gap == list(range(240, 400, 20))
    assert [at for at, _ in player.ended] == [600]


def test_pictures_move_with_the_late_sound():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(200))
    timeline.push_frames(0, frames(400))
    player.until(400)
    timeline.push_sound(0, sound(200, 200))
    timeline.end(0)
    player.until(800)
    # Heard again from 400 on: what belongs to 200 ms of the turn.
    for at, name in player.shown:
        if 440 <= at < 600:
            assert int(name[1:]) * 40 == pytest.approx(at - 200, abs=40)


def test_each_time_it_runs_dry_is_counted_once():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_frames(0, frames(1000))
    for n in range(3):
        timeline.push_sound(0, sound(100, n * 100))
        player.until((n + 1) * 300)
    timeline.end(0)
    player.until(1200)
    assert timeline.underruns == 3
    assert np.array_equal(player.spoken(), sound(300))


def test_a_turn_that_is_complete_does_not_run_dry():
    timeline, player = make()
    say(timeline, 300)
    player.until(1000)
    assert timeline.underruns == 0


def test_when_a_turn_runs_dry_its_last_picture_stands_a_while_then_the_idle_face_is_back():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(200))
    timeline.push_frames(0, frames(200))
    player.until(1000)  # dry from 240 on
    assert player.picture_at(240) == "f4"
    assert player.picture_at(240 + HOLD_MS - 20) == "f4"
    held_until_ms = next(at for at, name in player.shown if at > 240 and name is None)
    assert 240 + HOLD_MS <= held_until_ms <= 240 + HOLD_MS + 80


def test_after_the_hold_the_turns_pictures_come_back_with_its_sound():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(200))
    timeline.push_frames(0, frames(200))
    player.until(1000)
    timeline.push_sound(0, sound(400, 200))
    timeline.push_frames(0, [(200 + at, f"g{n}") for n, (at, _) in enumerate(frames(400))])
    timeline.end(0)
    player.until(2000)
    back_ms = next(at for at, name in player.shown if name is not None and name[0] == "g")
    assert 1000 <= back_ms <= 1080
    assert player.picture_at(1800) is None


# Several turns.


def test_turns_follow_one_another_in_order_and_whole():
    timeline, player = make()
    say(timeline, 300, turn="a", name="a")
    say(timeline, 200, turn="b", name="b")
    player.until(1000)
    assert [turn for _, turn in player.started] == ["a", "b"]
    assert [turn for _, turn in player.ended] == ["a", "b"]
    assert [cue for _, cue in player.cues] == ["a begins", "b begins"]
    assert np.array_equal(player.spoken(), np.concatenate([sound(300), sound(200)]))
    names = [name[0] for _, name in player.shown if name is not None]
    assert "".join(sorted(names)) == "".join(names)


def test_between_turns_that_are_ready_there_is_one_lead_of_silence_and_the_idle_face():
    timeline, player = make()
    say(timeline, 300, turn="a")
    say(timeline, 300, turn="b")
    player.until(1000)
    assert player.ended[0][0] == player.started[0][0] + 300
    assert player.started[1][0] == player.ended[0][0] + 40


def test_a_turn_with_nothing_in_it_does_not_hold_up_the_next():
    timeline, player = make()
    timeline.begin(0, "empty")
    timeline.end(0)
    say(timeline, 100, turn="b")
    player.until(500)
    assert [turn for _, turn in player.ended] == ["empty", "b"]
    assert player.spoken_from() == 40


def test_how_much_waits_is_known():
    timeline, player = make()
    say(timeline, 300, turn="a")
    say(timeline, 200, turn="b")
    assert timeline.ahead_ms == 500
    player.until(140)
    assert timeline.ahead_ms == 400
    assert timeline.heard_from_ms == 40


# Interruption, at every stage of a turn.


def fade_of(block: Pcm) -> Pcm:
    faded = np.zeros(BLOCK_SAMPLES, np.int16)
    faded[:FADE_SAMPLES] = block[:FADE_SAMPLES] * np.linspace(1, 0, FADE_SAMPLES)
    return faded


def test_an_interrupted_word_fades_within_ten_ms_and_then_nothing_is_said():
    timeline, player = make()
    say(timeline, 1000)
    player.until(240)
    spoken = len(player.spoken())
    assert timeline.interrupt() == 1
    player.until(1000)
    tail = player.spoken()[spoken:]
    assert np.array_equal(tail, fade_of(sound(20, 200)))
    assert FADE_SAMPLES * 1000 <= 10 * SAMPLE_RATE_HZ
    assert player.heard[12][1] is not None  # at once, not some time later
    assert not timeline.speaking
    assert player.ended == []


def test_after_an_interruption_the_next_picture_is_the_idle_face():
    timeline, player = make()
    say(timeline, 1000)
    player.until(240)
    timeline.interrupt()
    player.until(1000)
    assert all(name is None for at, name in player.shown if at > 240 + 40)


def test_interrupting_what_waits_for_its_picture_makes_no_sound():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(500))
    player.until(100)
    timeline.interrupt()
    player.until(1000)
    assert player.spoken_from() is None


def test_interrupting_what_has_not_been_heard_yet_makes_no_sound():
    timeline, player = make()
    say(timeline, 500)
    player.until(20)  # it starts at 40
    timeline.interrupt()
    player.until(1000)
    assert player.spoken_from() is None


def test_interrupting_what_ran_dry_makes_no_sound():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.push_sound(0, sound(100))
    timeline.push_frames(0, frames(100))
    player.until(200)
    spoken = len(player.spoken())
    timeline.interrupt()
    player.until(1000)
    assert len(player.spoken()) == spoken


def test_interrupting_after_the_end_makes_no_sound():
    timeline, player = make()
    say(timeline, 100)
    player.until(400)
    timeline.interrupt()
    player.until(600)
    assert len(player.spoken()) == 100 * PER_MS


def test_interrupting_in_silence_only_changes_the_epoch():
    timeline, player = make()
    assert [timeline.interrupt(), timeline.interrupt()] == [1, 2]
    player.until(200)
    assert player.spoken_from() is None


def test_an_interruption_forgets_the_turns_that_wait():
    timeline, player = make()
    say(timeline, 200, turn="a")
    say(timeline, 200, turn="b")
    player.until(100)
    timeline.interrupt()
    assert (timeline.ahead_ms, timeline.heard_from_ms) == (0, None)
    player.until(1000)
    assert [turn for _, turn in player.started] == ["a"]


def test_what_is_made_for_an_old_epoch_is_refused():
    timeline, player = make()
    timeline.begin(0, "t1")
    timeline.interrupt()
    assert not timeline.begin(0, "late")
    assert not timeline.push_sound(0, sound(100))
    assert not timeline.push_frames(0, frames(100))
    assert not timeline.push_cue(0, "late")
    assert not timeline.end(0)
    player.until(500)
    assert player.spoken_from() is None


def test_what_is_made_for_this_epoch_is_taken():
    timeline, _ = make()
    assert timeline.begin(0, "t1")
    assert timeline.push_sound(0, sound(100))
    assert timeline.push_frames(0, frames(100))
    assert timeline.push_cue(0, "now")
    assert timeline.end(0)


def test_a_turn_after_an_interruption_is_heard_whole_behind_the_fade():
    timeline, player = make()
    say(timeline, 500, turn="a")
    player.until(140)
    timeline.interrupt()
    before = len(player.spoken())
    say(timeline, 200, turn="b", name="g")
    player.until(1000)
    after = player.spoken()[before:]
    assert np.array_equal(after[:BLOCK_SAMPLES], fade_of(sound(20, 100)))
    assert np.array_equal(after[BLOCK_SAMPLES:], sound(200))
    assert player.ended[-1][1] == "b"


# Invariants, whatever comes when.


ACTIONS = st.one_of(
    st.tuples(st.just("begin"), st.just(0)),
    st.tuples(st.just("sound"), st.integers(0, 150)),
    st.tuples(st.just("frames"), st.integers(0, 6)),
    st.tuples(st.just("cue"), st.just(0)),
    st.tuples(st.just("end"), st.just(0)),
    st.tuples(st.just("interrupt"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 400)),
)


@settings(max_examples=200)
@given(st.lists(ACTIONS, max_size=40), st.sampled_from(FPS))
def test_whatever_comes_when_sound_and_pictures_are_released_once_in_order(actions, fps):
    timeline, player = make(fps)
    pushed: list[int] = []  # samples, each one more than the last, of this epoch
    begun: list[str] = []
    cues: list[str] = []  # those with sound behind them
    silent: list[str] = []
    open_turn, count, shown_before, now = False, 0, 0, 0
    for action, amount in actions:
        epoch = timeline.epoch
        if action == "begin" and not open_turn:
            begun.append(f"{epoch}.{len(begun)}")
            open_turn = timeline.begin(epoch, begun[-1])
        elif action == "sound" and open_turn:
            pcm = np.arange(count + 1, count + 1 + amount, dtype=np.int16)
            count += amount
            if amount:
                cues, silent = cues + silent, []
            pushed += pcm.tolist()
            timeline.push_sound(epoch, np.repeat(pcm, 7))
        elif action == "frames" and open_turn:
            made = [(n * 40.0, f"{epoch}:{count}:{n}") for n in range(amount)]
            timeline.push_frames(epoch, made)
        elif action == "cue" and open_turn:
            silent.append(f"{epoch}:{len(cues) + len(silent)}")
            timeline.push_cue(epoch, silent[-1])
        elif action == "end" and open_turn:
            open_turn = not timeline.end(epoch)
            silent = []
        elif action == "wait":
            now += amount
            player.until(now)
        elif action == "interrupt":
            heard = player.spoken()
            whole = heard[heard > 0]
            assert_in_order(whole, pushed)
            timeline.interrupt()
            assert not timeline.push_sound(epoch, sound(20))
            spoken_before = len(player.heard)
            shown_before = len(player.shown)
            now += 60
            player.until(now)
            tail = [pcm for _, pcm in player.heard[spoken_before:] if pcm is not None]
            assert len(tail) <= 1
            assert all(not pcm[FADE_SAMPLES:].any() for pcm in tail)
            assert all(name is None for _, name in player.shown[shown_before + 1 :])
            player.heard.clear()
            player.started.clear()
            player.ended.clear()
            player.cues.clear()
            player.shown = player.shown[-1:]
            pushed, begun, cues, silent, open_turn, count = [], [], [], [], False, 0
    if open_turn:
        timeline.end(timeline.epoch)
    player.finish()
    spoken = player.spoken()
    assert np.array_equal(np.unique(spoken[spoken > 0]), np.unique(np.array(pushed, np.int16)))
    assert np.count_nonzero(spoken) == 7 * len(pushed)
    assert_in_order(spoken[spoken > 0], pushed)
    assert [turn for _, turn in player.ended] == begun
    assert [cue for _, cue in player.cues if cue in cues] == cues
    assert not timeline.speaking


def assert_in_order(heard: Pcm, pushed: list[int]) -> None:
    """What was heard is the beginning of what was pushed."""
    assert np.array_equal(heard, np.repeat(np.array(pushed, np.int16), 7)[: len(heard)])


@settings(max_examples=100)
@given(st.data(), st.sampled_from(FPS))
def test_pictures_never_go_backwards_within_a_turn(data, fps):
    timeline, player = make(fps)
    timeline.begin(0, "t1")
    pushed_ms, made, now = 0, 0, 0
    while pushed_ms < 800:
        ms = data.draw(st.integers(10, 150))
        timeline.push_sound(0, sound(ms, pushed_ms))
        pushed_ms += ms
        until = data.draw(st.integers(0, pushed_ms * fps // 1000))
        timeline.push_frames(0, [(n * 1000 / fps, str(n)) for n in range(made, until)])
        made = max(made, until)
        now += data.draw(st.integers(0, 250))
        player.until(now)
    timeline.end(0)
    player.finish()
    numbers = [int(name) for _, name in player.shown if name is not None]
    assert numbers == sorted(numbers)
    assert player.shown[-1][1] is None
