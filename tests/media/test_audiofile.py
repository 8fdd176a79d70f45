"""Any audio file to 48 kHz mono, while it is still being received."""

from __future__ import annotations

import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from tests.fakes import audio_file, sine
from wsstream.errors import MediaError
from wsstream.media.audiofile import BoundedPipe, decode_audio
from wsstream.media.types import SAMPLE_RATE_HZ

WAIT_S = 10
"""Nothing here takes so long: it is over when a thread hangs."""
FORMATS = ["wav", "mp3", "ogg", "flac", "adts"]


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def make_pipe(threads):
    """Pipes that are closed before their threads are waited for, however the test ends."""
    pipes = []

    def make(on_room=lambda: None, **options):
        pipes.append(BoundedPipe(on_room, **options))
        return pipes[-1]

    yield make
    for pipe in pipes:
        pipe.close()


@pytest.fixture
def pipe(make_pipe):
    return make_pipe()


def fed(data: bytes, step: int | None = None) -> BoundedPipe:
    pipe = BoundedPipe(lambda: None)
    for start in range(0, len(data), step or max(1, len(data))):
        pipe.feed(data[start : start + step] if step else data)
    pipe.end()
    return pipe


def decoded(pipe: BoundedPipe | str) -> np.ndarray:
    parts = list(decode_audio(pipe))
    return np.concatenate(parts) if parts else np.empty(0, np.int16)


# The pipe.


def test_what_is_fed_is_read_in_order(pipe):
    pipe.feed(b"abc")
    pipe.feed(b"def")
    pipe.end()
    assert [pipe.read(2), pipe.read(10), pipe.read(1), pipe.read(1)] == [b"ab", b"cdef", b"", b""]


def test_reading_all_gives_what_is_there(pipe):
    pipe.feed(b"abc")
    assert pipe.read() == b"abc"


def test_a_reader_waits_for_the_first_byte(pipe, threads):
    read = threads.submit(pipe.read, 10)
    assert not read.done()
    pipe.feed(b"a")
    assert read.result(WAIT_S) == b"a"


def test_what_is_looked_at_is_read_all_the_same(make_pipe, threads):
    pipe = make_pipe(max_bytes=4)
    look = threads.submit(pipe.peek, 3)
    pipe.feed(b"ab")
    assert not look.done()
    pipe.feed(b"cd")
    assert look.result(WAIT_S) == b"abc"
    assert pipe.peek(9) == b"abcd"  # no more finds room
    assert pipe.read(9) == b"abcd"
    look = threads.submit(pipe.peek, 3)
    pipe.end()
    assert look.result(WAIT_S) == b""


def test_a_waiting_reader_is_told_of_the_end(pipe, threads):
    read = threads.submit(pipe.read, 10)
    pipe.end()
    assert read.result(WAIT_S) == b""


def test_a_waiting_reader_is_let_go_when_it_is_closed(pipe, threads):
    read = threads.submit(pipe.read, 10)
    pipe.close()
    assert read.result(WAIT_S) == b""


def test_a_pipe_is_full_at_its_bound_until_it_is_read_below_it():
    rooms = []
    pipe = BoundedPipe(lambda: rooms.append(pipe.full), max_bytes=4)
    pipe.feed(b"abc")
    assert not pipe.full
    pipe.feed(b"def")
    assert pipe.full
    pipe.read(2)
    assert pipe.full
    assert rooms == []
    pipe.read(1)
    assert not pipe.full
    assert rooms == [False]
    pipe.read(1)
    assert rooms == [False]


def test_closing_lets_a_waiting_writer_go():
    rooms = []
    pipe = BoundedPipe(lambda: rooms.append(True), max_bytes=1)
    pipe.feed(b"abc")
    pipe.close()
    assert rooms == [True]
    assert not pipe.full
    pipe.feed(b"lost")
    assert pipe.read() == b""


def test_a_pipe_may_be_closed_and_ended_twice(pipe):
    for _ in range(2):
        pipe.end()
        pipe.close()


def test_bytes_cross_threads_unharmed(threads):
    data = np.random.default_rng(0).bytes(100_000)
    room = threading.Event()
    pipe = BoundedPipe(room.set, max_bytes=1000)

    def write():
        for start in range(0, len(data), 777):
            while pipe.full:
                room.clear()
                if pipe.full:
                    assert room.wait(WAIT_S)
            pipe.feed(data[start : start + 777])
        pipe.end()

    writing = threads.submit(write)
    read = b"".join(iter(lambda: pipe.read(900), b""))
    writing.result(WAIT_S)
    assert read == data


# Decoding.


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_becomes_48_khz_mono(format):
    pcm = decoded(fed(audio_file(sine(440, 1.0, 44_100), 44_100, format)))
    assert pcm.dtype == np.int16
    assert len(pcm) == pytest.approx(SAMPLE_RATE_HZ, abs=SAMPLE_RATE_HZ * 0.08)  # encoders pad
    middle = pcm[SAMPLE_RATE_HZ // 4 : SAMPLE_RATE_HZ * 3 // 4]
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 2 == 440


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 48_000])
def test_a_file_may_have_any_rate(rate_hz):
    pcm = decoded(fed(audio_file(sine(440, 1.0, rate_hz), rate_hz, "wav")))
    assert len(pcm) == pytest.approx(SAMPLE_RATE_HZ, abs=50)


def test_two_channels_become_one():
    left = sine(440, 0.5, 48_000)
    stereo = np.stack([left, np.zeros_like(left)], axis=1).reshape(-1)
    pcm = decoded(fed(audio_file(stereo, 48_000, "wav", layout="stereo")))
    assert len(pcm) == 24_000
    assert np.abs(pcm).max() > 5000


def test_plain_pcm_is_not_changed():
    pcm = sine(440, 0.5, SAMPLE_RATE_HZ)
    assert np.array_equal(decoded(fed(audio_file(pcm, SAMPLE_RATE_HZ, "wav"))), pcm)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("step", [1, 333])
def test_dribs_and_drabs_make_no_difference(format, step, pipe, threads):
    data = audio_file(sine(440, 0.3, 44_100), 44_100, format)
    decoding = threads.submit(decoded, pipe)
    for start in range(0, len(data), step):
        pipe.feed(data[start : start + step])
    pipe.end()
    assert np.array_equal(decoding.result(WAIT_S), decoded(fed(data)))


def noise(seconds, rate_hz=44_100):
    rng = np.random.default_rng(0)
    return (rng.standard_normal(round(rate_hz * seconds)) * 5000).astype(np.int16)


@pytest.mark.parametrize("format", FORMATS)
def test_the_first_sound_comes_before_the_file_has_ended(format, make_pipe, threads):
    data = audio_file(noise(20), 44_100, format)
    pipe = make_pipe(max_bytes=len(data))
    sound = decode_audio(pipe)
    pipe.feed(data[: len(data) // 3])
    first = threads.submit(next, sound).result(WAIT_S)  # the rest has not come
    assert len(first) > 0
    pipe.feed(data[len(data) // 3 :])
    pipe.end()
    rest = threads.submit(list, sound).result(WAIT_S)
    assert len(first) + sum(map(len, rest)) == pytest.approx(SAMPLE_RATE_HZ * 20, rel=0.01)


@pytest.mark.parametrize("format", FORMATS)
def test_two_seconds_are_enough_to_begin_with(format, pipe, threads):
    data = audio_file(noise(8), 44_100, format)
    sound = decode_audio(pipe)
    first = threads.submit(next, sound)
    pipe.feed(data[: len(data) // 4])
    assert len(first.result(0.2)) > 0


INDEX_FIRST = [{"moov_size": "4096"}, {"movflags": "frag_keyframe+empty_moov"}]


@pytest.mark.parametrize("options", INDEX_FIRST, ids=["index", "fragments"])
def test_an_mp4_with_its_index_first_is_decoded_while_it_comes(options, pipe, threads):
    options = options | ({"frag_duration": "500000"} if "movflags" in options else {})
    data = audio_file(noise(6), 44_100, "mp4", **options)
    sound = decode_audio(pipe)
    pipe.feed(data[: len(data) // 2])
    first = threads.submit(next, sound).result(WAIT_S)  # the rest has not come
    pipe.feed(data[len(data) // 2 :])
    pipe.end()
    rest = threads.submit(list, sound).result(WAIT_S)
    assert len(first) + sum(map(len, rest)) == pytest.approx(SAMPLE_RATE_HZ * 6, rel=0.02)


@pytest.mark.parametrize("format", ["mp4", "ipod", "mov"])
def test_an_mp4_with_its_index_at_the_end_is_decoded_once_all_of_it_is_there(
    format, make_pipe, threads
):
    data = audio_file(noise(6), 44_100, format)
    pipe = make_pipe(max_bytes=10_000)
    decoding = threads.submit(decoded, pipe)
    for start in range(0, len(data), 1000):
        while pipe.full:
            time.sleep(0.001)
        pipe.feed(data[start : start + 1000])
    assert not decoding.done()
    pipe.end()
    assert len(decoding.result(WAIT_S)) == pytest.approx(SAMPLE_RATE_HZ * 6, rel=0.02)


@pytest.mark.parametrize("cut", [4, 20, 40, 5000])
def test_an_mp4_without_its_index_is_refused(cut):
    with pytest.raises(MediaError):
        decoded(fed(audio_file(noise(2), 44_100, "mp4")[:cut]))


def test_a_reader_that_closes_while_the_index_is_awaited_ends_it(pipe, threads):
    decoding = threads.submit(decoded, pipe)
    pipe.feed(audio_file(noise(2), 44_100, "mp4")[:5000])
    pipe.close()
    with pytest.raises(MediaError):
        decoding.result(WAIT_S)


def test_boxes_that_lie_about_their_size_are_refused():
    for size in (0, 1, 7, 8, 1 << 31, 0xFFFFFFFF):
        data = size.to_bytes(4, "big") + b"free" + bytes(1000)
        with pytest.raises(MediaError):
            decoded(fed(data))


def test_a_reader_that_closes_early_ends_the_decoding(pipe, threads):
    sound = decode_audio(pipe)
    pipe.feed(audio_file(noise(5), 44_100, "mp3")[:30_000])
    threads.submit(next, sound).result(WAIT_S)
    rest = threads.submit(list, sound)  # waits for more, which does not come
    pipe.close()
    assert sum(map(len, rest.result(WAIT_S))) < SAMPLE_RATE_HZ * 5


def test_a_reader_that_closes_before_anything_came_is_no_audio(pipe, threads):
    decoding = threads.submit(decoded, pipe)
    pipe.close()
    with pytest.raises(MediaError):
        decoding.result(WAIT_S)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_short_gives_what_it_has(format):
    data = audio_file(noise(6), 44_100, format)
    pcm = decoded(fed(data[: len(data) // 2]))
    assert SAMPLE_RATE_HZ * 1.9 < len(pcm) < SAMPLE_RATE_HZ * 3.2  # an Ogg page is a second


@pytest.mark.parametrize("format", FORMATS)
def test_damage_in_the_middle_costs_no_more_than_the_middle(format):
    data = bytearray(audio_file(noise(6), 44_100, format))
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    assert len(decoded(fed(bytes(data)))) > SAMPLE_RATE_HZ * 4.5


def png() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"This is no audio file, it is a letter. " * 100,
        np.random.default_rng(1).bytes(50_000),
        b"RIFF\xff\xff\xff\xffWAVE",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0data\0\0\0\0",
        b"OggS" + b"\0" * 200,
        b"fLaC" + b"\xff" * 200,
        b"ID3" + b"\xff" * 200,
        png(),
    ],
    ids=["empty", "x", "text", "noise", "riff", "0 Hz", "ogg", "flac", "id3", "picture"],
)
def test_what_has_no_sound_in_it_is_refused(data):
    with pytest.raises(MediaError):
        decoded(fed(data))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MediaError, match="No such file"):
        decoded(str(tmp_path / "absent.wav"))


def test_a_file_by_its_name(tmp_path):
    path = tmp_path / "hello.flac"
    path.write_bytes(audio_file(sine(440, 0.5, 48_000), 48_000, "flac"))
    assert len(decoded(str(path))) == 24_000


# What is uploaded is data: it may not make the server fetch, read or open anything.


def playlists(target: str) -> dict[str, bytes]:
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
    return {
        "hls": f"{head}#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n".encode(),
        "concat": f"ffconcat version 1.0\nfile '{target}'\n".encode(),
        "dash": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" '
            'mediaPresentationDuration="PT10S"><Period><AdaptationSet mimeType="audio/mp4">'
            f'<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL>'
            "</Representation></AdaptationSet></Period></MPD>"
        ).encode(),
    }


@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_an_upload_cannot_make_the_server_connect_anywhere(kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        port = listener.getsockname()[1]
        with pytest.raises(MediaError):
            decoded(fed(playlists(f"http://127.0.0.1:{port}/a.mp3")[kind]))
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_an_upload_cannot_make_the_server_read_its_own_files(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "private.mp3"
    path.write_bytes(audio_file(sine(440, 0.5, 48_000), 48_000, "mp3"))
    for target in (path.name, str(path), f"file:{path}", f"file://{path}"):
        with pytest.raises(MediaError):
            decoded(fed(playlists(target)[kind]))


def test_an_upload_cannot_make_the_server_listen():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1] & ~1
    sdp = f"v=0\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n".encode()
    outcome = []

    def decode():
        try:
            decoded(fed(sdp))
        except MediaError as error:
            outcome.append(error)

    # A thread that is not waited for at exit: where this fails it hangs for ever.
    thread = threading.Thread(target=decode, daemon=True)
    thread.start()
    thread.join(0.5)
    assert outcome
