"""The bench sees what is wrong: each fault is planted, and its size is what the bench reports."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bench.harness import load
from bench.harness.relay import Relay, shaped_relay
from bench.harness.server import serving
from bench.harness.shaping import Shape
from bench.loopback import card
from bench.rivals.clip import PICTURES, read_stamp, stamp
from bench.rivals.viewers import is_whole, viewers
from wsstream.media.jpeg import encode_jpeg
from wsstream.media.video import VideoEncoder

PERIOD_S = 0.05
COUNT = 40


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Numbered pictures, whose JPEGs are of the size of pictures."""
    noise = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    pictures = np.repeat([noise.repeat(2, 0).repeat(2, 1)], COUNT, axis=0)
    for number, picture in enumerate(pictures):
        stamp(picture, number)
    np.save(tmp_path / PICTURES, pictures)
    return tmp_path


@contextmanager
def sender(clip: Path, send: Callable[[ServerConnection, int, bytes], None]) -> Iterator[int]:
    """Calls ``send`` with each picture in its turn; the port."""
    jpegs = [encode_jpeg(picture, 90) for picture in np.load(clip / PICTURES)]

    def play(socket: ServerConnection) -> None:
        try:
            for number in itertools.count():
                send(socket, number % COUNT, jpegs[number % COUNT])
                time.sleep(PERIOD_S)
        except ConnectionClosed:
            pass

    with serve(play, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


def test_doubled_picture(clip: Path) -> None:
    doubled = threading.Event()

    def send(socket: ServerConnection, number: int, jpeg: bytes) -> None:
        socket.send(jpeg)
        if doubled.is_set():
            socket.send(jpeg)
            doubled.clear()

    with (
        sender(clip, send) as port,
        viewers("websocket", f"http://127.0.0.1:{port}/", clip) as viewer,
    ):
        viewer.ask("add", count=1)
        viewer.ask("compare", on=True)
        time.sleep(0.7)
        assert viewer.ask("received")["doubled"] == 0
        doubled.set()
        time.sleep(0.5)
        assert viewer.ask("received")["doubled"] == 1
        assert viewer.ask("compare", on=False) > 30


def test_delay() -> None:
    with (
        serving(card("256x144", 20, mode="ws")) as server,
        shaped_relay(int(server.url.rstrip("/").rpartition(":")[2])) as relay,
        load.viewers(relay.url, 1) as viewer,
    ):
        time.sleep(1)
        direct_ms = viewer.ask("lag")
        relay.change(down=Shape(delay_ms=200))
        time.sleep(0.5)
        viewer.ask("lag")
        time.sleep(1)
        assert viewer.ask("lag") - direct_ms == pytest.approx(200, abs=25)


def test_traffic(clip: Path) -> None:
    added_kbps, more = 100, threading.Event()

    def send(socket: ServerConnection, number: int, jpeg: bytes) -> None:
        socket.send(jpeg)
        if more.is_set():
            socket.send(bytes(round(added_kbps * 125 * PERIOD_S)))

    with (
        sender(clip, send) as port,
        shaped_relay(port) as relay,
        viewers("websocket", relay.url, clip) as viewer,
    ):
        viewer.ask("add", count=1)
        time.sleep(0.5)
        # Per picture: a busy machine sends fewer of them.
        before = _bytes_per_picture(relay, viewer.ask)
        more.set()
        time.sleep(0.2)
        after = _bytes_per_picture(relay, viewer.ask)
    assert (after - before) * 8 / PERIOD_S / 1000 == pytest.approx(added_kbps, rel=0.15)


def _bytes_per_picture(relay: Relay, ask: Callable[..., dict[str, int]]) -> float:
    def totals() -> np.ndarray:
        """Just when a picture has come, so that none is counted by one of the two alone."""
        came = ask("received")["video"]
        while True:
            last, came = came, ask("received")["video"]
            sent_bytes = relay.counts().down_bytes
            if came == last + 1 and ask("received")["video"] == came:
                return np.array([sent_bytes, came])
            time.sleep(PERIOD_S / 10)

    before = totals()
    time.sleep(1.5)
    more_bytes, pictures = totals() - before
    return float(more_bytes / pictures)


def test_stamp_outlives_the_encoder(clip: Path) -> None:
    pictures = np.load(clip / PICTURES)
    assert [read_stamp(picture[..., 0]) for picture in pictures] == list(range(COUNT))
    assert read_stamp(np.full((180, 320), 90, np.uint8)) is None


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_whole_pictures(clip: Path, codec: str) -> None:
    encoder = VideoEncoder(codec, 320, 180, 20, 500_000)
    made = [encoder.encode(picture, n * 50) for n, picture in enumerate(np.load(clip / PICTURES))]
    found = [(is_whole(codec, one.data), one.key) for one in made if one]
    assert all(whole == key for whole, key in found)
    assert found[0][0]
    assert not found[1][0]
