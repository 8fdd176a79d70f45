from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bench.errors import Unavailable
from bench.harness.film import film_pictures, write_film
from bench.rivals.clip import PICTURES, SOUND
from bench.rivals.provider import Recorded


def write_video(path: Path, *, tone: bool) -> None:
    """Two seconds at 10 fps, 64x64, a second of either grey, with a tone at 44.1 kHz or without."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=44_100, layout="mono") if tone else None
        for n in range(20):
            pixels = np.full((64, 64, 3), 60 if n < 10 else 180, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = n, Fraction(1, 10)
            container.mux(video.encode(frame))
        if audio is not None:
            wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * 44_100) / 44_100)
            sound = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
            sound.sample_rate, sound.pts = 44_100, 0
            container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
        container.mux(video.encode(None))


def test_pictures_and_sound_keep_their_time(tmp_path):
    write_video(tmp_path / "film.mp4", tone=True)
    assert write_film(tmp_path, tmp_path / "film.mp4", 128, 64, 20, 5) == pytest.approx(40, abs=2)
    pictures = np.load(tmp_path / PICTURES)
    assert pictures.shape[1:] == (64, 128, 3)
    middles = pictures[:, 32, 64, 0].astype(int)
    assert abs(middles[:18] - 60).max() < 6
    assert abs(middles[22:] - 180).max() < 6
    assert pictures[:, :, :30].max() < 6  # bars
    sound = np.load(tmp_path / SOUND)
    assert len(sound) == len(pictures) * 48_000 // 20
    spectrum = np.abs(np.fft.rfft(sound[4800:52_800].astype(float)))
    assert np.argmax(spectrum) == 440


def test_it_is_cut_where_it_is_long_enough(tmp_path):
    write_video(tmp_path / "film.mp4", tone=False)
    assert write_film(tmp_path, tmp_path / "film.mp4", 64, 64, 20, 0.5) == 10
    assert not np.load(tmp_path / SOUND).any()


def test_the_pictures_are_a_session_s(tmp_path):
    write_video(tmp_path / "film.mp4", tone=False)
    write_film(tmp_path, tmp_path / "film.mp4", 64, 64, 20, 1)
    found = film_pictures(tmp_path, 20)
    assert [(one.seq, one.media_ms) for one in found[:3]] == [(0, 0), (1, 50), (2, 100)]
    assert found[0].dirty is None


async def test_a_session_plays_it(tmp_path):
    write_video(tmp_path / "film.mp4", tone=True)
    write_film(tmp_path, tmp_path / "film.mp4", 64, 64, 20, 2)
    avatar = Recorded(folder=str(tmp_path), fps=20)
    await avatar.start(None, width=64, height=64)
    early, late = avatar.get_idle_frame(100), avatar.get_idle_frame(1500)
    assert early.pixels is not None
    assert late.pixels is not None
    assert int(late.pixels.mean()) - int(early.pixels.mean()) > 100
    assert avatar.get_idle_audio(500).any()


@pytest.mark.parametrize("data", [b"", b"not a video"])
def test_what_is_no_video_says_so(tmp_path, data):
    (tmp_path / "film.mp4").write_bytes(data)
    with pytest.raises(Unavailable, match="film"):
        write_film(tmp_path, tmp_path / "film.mp4", 64, 64, 20, 1)
    with pytest.raises(Unavailable, match="nowhere"):
        write_film(tmp_path, tmp_path / "nowhere.mp4", 64, 64, 20, 1)
