"""A stream as an MP4 that any player plays."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.fakes import sine
from tests.servers import TESTCARD, running_server
from wsstream.app.record import Recorder, record
from wsstream.avatar.testcard import TestcardAvatar, read_testcard
from wsstream.errors import MediaError, WsstreamError
from wsstream.media.jpeg import encode_jpeg
from wsstream.media.opus import OpusEncoder
from wsstream.media.pacer import Pacer
from wsstream.protocol.frames import Frame, FrameType

U32 = 2**32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recording.mp4"


async def stream(ms, *, fps=25, start_ms=0, without=()):
    """The frames of a test card and a tone, in order; ``without`` those that are lost."""
    card = TestcardAvatar(fps=fps)
    await card.start(None, width=256, height=144)
    encoder, pacer = OpusEncoder(64_000), Pacer(fps)
    tone = sine(440, ms / 1000 + 0.02).astype(np.int16)
    made = []
    while pacer.due_ms < ms:
        pixels, _ = card._draw(start_ms + pacer.due_ms)
        made.append((pacer.due_ms, 1, encode_jpeg(pixels, 75)))
        pacer.advance()
    blocks = range(0, ms, 20)
    made += [(at, 2, encoder.encode(tone[at * 48 : at * 48 + 960])) for at in blocks]
    return [
        Frame(type, (start_ms + at) % U32, payload)
        for at, type, payload in sorted(made)
        if (type, at) not in without
    ]


def recorded(path, items, fps=25):
    recorder = Recorder(path, fps)
    for frame in items:
        recorder.add(frame)
    recorder.close()
    return play(path)


def play(path):
    """What a player sees and hears: pictures with their times, the sound, both lengths in ms."""
    with av.open(str(path)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        lengths = [float(s.duration * s.time_base) * 1000 for s in (video, audio)]
        shown = [(f.time * 1000, f.to_ndarray(format="bgr24")) for f in file.decode(video)]
        file.seek(0)
        sound = [f.to_ndarray().reshape(-1) for f in file.decode(audio)]
    return shown, np.concatenate(sound), lengths


@pytest.mark.parametrize("fps", [15, 20, 25, 30])
async def test_pictures_and_sound_are_as_long_as_each_other(path, fps):
    shown, sound, (video_ms, audio_ms) = recorded(path, await stream(2000, fps=fps), fps)
    assert len(shown) == 2 * fps
    assert audio_ms == pytest.approx(2000, abs=25)
    assert video_ms == pytest.approx(audio_ms, abs=40)
    assert len(sound) / 48 == pytest.approx(2000, abs=50)


async def test_pictures_are_where_they_belong(path):
    shown, _, _ = recorded(path, await stream(1000))
    for at_ms, pixels in shown:
        assert read_testcard(pixels).media_ms == pytest.approx(at_ms, abs=1)


async def test_the_sound_is_there(path):
    _, sound, _ = recorded(path, await stream(1000))
    spectrum = np.abs(np.fft.rfft(sound[9600:-9600]))
    assert np.argmax(spectrum) * 48_000 / (len(sound) - 19_200) == pytest.approx(440, abs=5)


async def test_time_begins_where_both_are_there(path):
    items = [f for f in await stream(1000) if f.type == 1 or f.timestamp_ms >= 300]
    shown, _, (video_ms, audio_ms) = recorded(path, items)
    assert audio_ms == pytest.approx(700, abs=25)
    assert video_ms == pytest.approx(700, abs=40)
    assert shown[0][0] == 0
    assert read_testcard(shown[0][1]).media_ms == 280  # the newest then


async def test_sound_that_was_dropped_stays_silent_and_nothing_moves(path):
    lost = {(2, at) for at in range(400, 600, 20)}
    _, sound, (video_ms, audio_ms) = recorded(path, await stream(1000, without=lost))
    assert audio_ms == pytest.approx(1000, abs=25)
    assert video_ms == pytest.approx(audio_ms, abs=40)
    loud = np.abs(sound[: 48 * 980].reshape(-1, 480)).max(axis=1)
    assert loud[46:58].max() < 0.02 * loud.max()
    assert loud[10:38].min() > 0.5 * loud.max()


async def test_pictures_that_were_dropped_leave_the_last_one_standing(path):
    lost = {(1, at) for at in range(400, 1000, 40)}
    shown, _, (video_ms, audio_ms) = recorded(path, await stream(1000, without=lost))
    assert audio_ms == pytest.approx(1000, abs=25)
    assert video_ms == pytest.approx(audio_ms, abs=40)
    assert read_testcard(shown[-1][1]).media_ms == 360


async def test_time_goes_on_across_the_wrap(path):
    items = await stream(1000, start_ms=U32 - 500)
    shown, _, (video_ms, audio_ms) = recorded(path, items)
    assert audio_ms == pytest.approx(1000, abs=25)
    assert video_ms == pytest.approx(audio_ms, abs=40)
    assert len(shown) == 25
    assert [at for at, _ in shown] == sorted(at for at, _ in shown)


async def test_other_types_are_skipped(path):
    items = await stream(500)
    strange = [Frame(0x77, 0, b"x"), Frame(FrameType.VIDEO_PATCH, 0, b"x"), *items]
    assert len(recorded(path, strange)[0]) == 13


async def test_a_recorder_that_got_nothing_may_be_closed(path):
    recorder = Recorder(path, 25)
    recorder.close()
    assert recorder.recorded_ms == 0


# From a server.


@pytest.fixture(scope="module")
def server():
    with running_server({"ada": TESTCARD, "mute": {**TESTCARD, "voice": {"engine": "none"}}}) as s:
        yield s


async def test_so_many_seconds_of_a_stream(server, path):
    told = []
    seconds = await record(server.ws(), path, seconds=0.6, progress=told.append)
    assert seconds == pytest.approx(0.6, abs=0.03)
    assert told == sorted(told)
    assert told[-1] == seconds
    shown, _, (video_ms, audio_ms) = play(path)
    assert audio_ms == pytest.approx(600, abs=50)
    assert video_ms == pytest.approx(audio_ms, abs=40)
    cards = [read_testcard(pixels) for _, pixels in shown]
    assert all(cards)
    assert [c.media_ms for c in cards] == sorted(c.media_ms for c in cards)


async def test_until_what_it_was_to_say_is_said(server, path):
    seconds = await record(server.ws(), path, say="x" * 20)  # 0.4 s, and half a second after it
    assert 0.9 < seconds < 1.4
    _, sound, _ = play(path)
    assert np.abs(sound).max() > 0.01


async def test_an_agent_that_cannot_say_it_is_told(server, path):
    with pytest.raises(MediaError, match="no voice"):
        await record(server.ws("mute"), path, say="Hello.")


async def test_what_the_server_refuses_is_told(server, path):
    with pytest.raises(WsstreamError, match="no agent"):
        await record(server.ws("nobody"), path, seconds=1)
    assert not path.exists()


async def test_a_file_that_cannot_be_written_is_told(server, tmp_path):
    with pytest.raises(WsstreamError):
        await record(server.ws(), tmp_path / "absent" / "x.mp4", seconds=0.2)
