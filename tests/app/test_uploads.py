"""An audio file that is spoken while it is still being uploaded."""

from __future__ import annotations

import asyncio
import gc
import http.client
import threading

import numpy as np
import pytest

from tests.fakes import audio_file, sine
from tests.servers import WAIT_S, running_server, viewing
from wsstream.app import uploads
from wsstream.app.uploads import Upload
from wsstream.errors import MediaError, TooLarge
from wsstream.media.audiofile import PIPE_BYTES


def noise(seconds, rate_hz=16_000):
    rng = np.random.default_rng(0)
    return (rng.standard_normal(round(rate_hz * seconds)) * 5000).astype(np.int16)


async def body_of(data, step=1000):
    for start in range(0, len(data), step):
        yield data[start : start + step]
        await asyncio.sleep(0)


async def spoken(upload):
    """Take all of it, as a session would; its samples at 48 kHz."""
    try:
        return [np.frombuffer(chunk.pcm, "<i2") async for chunk in upload]
    finally:
        await upload.aclose()


async def uploaded(data, max_bytes=1 << 30):
    async with asyncio.timeout(WAIT_S):
        upload = Upload(max_bytes)
        received, parts = await asyncio.gather(
            upload.receive(body_of(data)), spoken(upload), return_exceptions=True
        )
        if isinstance(received, BaseException):
            raise received
        return received, np.concatenate(parts)


@pytest.mark.parametrize("format", ["wav", "mp3", "ogg", "flac"])
async def test_all_of_it_is_spoken_and_its_length_is_told(format):
    seconds, pcm = await uploaded(audio_file(noise(1.0), 16_000, format))
    assert seconds == pytest.approx(1.0, abs=0.08)
    assert len(pcm) == round(seconds * 48_000)


async def test_what_is_no_audio_is_refused():
    with pytest.raises(MediaError):
        await uploaded(b"This is a letter. " * 100)


async def test_nothing_is_refused():
    with pytest.raises(MediaError):
        await uploaded(b"")


async def test_what_is_too_long_is_refused_and_what_came_is_spoken():
    data = audio_file(noise(4.0), 16_000, "mp3")
    upload = Upload(len(data) // 2)
    async with asyncio.timeout(WAIT_S):
        speaking = asyncio.create_task(spoken(upload))
        with pytest.raises(TooLarge):
            await upload.receive(body_of(data))
        assert sum(map(len, await speaking)) > 48_000


async def test_an_upload_that_is_too_long_and_no_audio_either_leaves_no_error_behind():
    left = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: left.append(context))
    upload = Upload(10)
    async with asyncio.timeout(WAIT_S):
        speaking = asyncio.create_task(spoken(upload))
        with pytest.raises(TooLarge):
            await upload.receive(body_of(b"This is a letter. " * 100))
        await speaking
    del upload, speaking
    gc.collect()
    assert left == []


async def test_an_upload_that_breaks_off_lets_the_speaker_go():
    data = audio_file(noise(4.0), 16_000, "mp3")

    async def breaking():
        yield data[: len(data) // 2]
        raise ConnectionResetError("gone")

    upload = Upload(1 << 30)
    async with asyncio.timeout(WAIT_S):
        speaking = asyncio.create_task(spoken(upload))
        with pytest.raises(ConnectionResetError):
            await upload.receive(breaking())
        assert sum(map(len, await speaking)) > 48_000


async def test_an_upload_that_stalls_ends_and_what_came_is_spoken(monkeypatch):
    monkeypatch.setattr(uploads, "STALLED_S", 0.05)
    data = audio_file(noise(4.0), 16_000, "mp3")

    async def stalling():
        yield data[: len(data) // 2]
        await asyncio.Event().wait()

    upload = Upload(1 << 30)
    async with asyncio.timeout(WAIT_S):
        speaking = asyncio.create_task(spoken(upload))
        with pytest.raises(MediaError, match="nothing more"):
            await upload.receive(stalling())
        assert sum(map(len, await speaking)) > 48_000


async def test_an_upload_that_waits_for_its_turn_does_not_stall(monkeypatch):
    monkeypatch.setattr(uploads, "STALLED_S", 0.05)
    upload = Upload(1 << 30)
    async with asyncio.timeout(WAIT_S):
        data = audio_file(noise(20), 16_000, "wav")
        receiving = asyncio.create_task(upload.receive(body_of(data, 10_000)))
        await asyncio.sleep(0.15)
        await spoken(upload)
        assert await receiving == pytest.approx(20, abs=0.1)


async def test_an_mp4_with_its_index_at_the_end_is_spoken_and_no_larger_than_it_may_be():
    data = audio_file(noise(4.0), 16_000, "ipod")
    assert (await uploaded(data))[0] == pytest.approx(4.0, abs=0.1)
    with pytest.raises(TooLarge):
        await uploaded(data, len(data) - 1)


async def test_it_is_taken_in_no_faster_than_it_is_spoken():
    data = audio_file(noise(60), 16_000, "wav")  # 1.9 MB
    taken = 0

    async def counted():
        nonlocal taken
        async for part in body_of(data, 10_000):
            taken += len(part)
            yield part

    upload = Upload(1 << 30)
    async with asyncio.timeout(WAIT_S):
        receiving = asyncio.create_task(upload.receive(counted()))
        await asyncio.wait([receiving], timeout=0.05)
        assert PIPE_BYTES <= taken <= PIPE_BYTES + 2 * 10_000  # nobody speaks yet
        await spoken(upload)
        assert await receiving == pytest.approx(60, abs=0.1)
        assert taken == len(data)


async def test_an_interruption_lets_the_uploader_go():
    data = audio_file(noise(60), 16_000, "wav")
    upload = Upload(1 << 30)
    async with asyncio.timeout(WAIT_S):
        receiving = asyncio.create_task(upload.receive(body_of(data, 10_000)))
        await anext(upload)
        await upload.aclose()
        assert 0 <= await receiving < 60


async def test_an_upload_that_is_never_spoken_lets_the_uploader_go():
    upload = Upload(1 << 30)
    async with asyncio.timeout(WAIT_S):
        receiving = asyncio.create_task(
            upload.receive(body_of(audio_file(noise(1), 16_000, "wav")))
        )
        await asyncio.sleep(0)
        await upload.aclose()
        assert await receiving == 0


async def test_it_may_be_closed_twice():
    upload = Upload(100)
    await upload.aclose()
    await upload.aclose()


# Over HTTP.


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


def slowly(server, session_id, data, go_on):
    """Send the first half, wait for ``go_on``, and send the rest. Returns the answer's status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)

    def body():
        yield data[: len(data) // 2]
        assert go_on.wait(WAIT_S)
        yield data[len(data) // 2 :]

    try:
        path = f"/api/sessions/{session_id}/audio"
        connection.request("POST", path, body(), encode_chunked=True)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Sending(threading.Thread):
    """A slow upload in a thread."""

    def __init__(self, *args):
        super().__init__(name="upload")
        self.args, self.answer = args, None
        self.start()

    def run(self):
        self.answer = slowly(*self.args)


def test_it_is_spoken_before_the_upload_has_ended(server):
    with viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        go_on = threading.Event()
        sending = Sending(server, session_id, audio_file(noise(8), 16_000, "mp3"), go_on)
        viewer.message("state", value="speaking")
        assert sending.answer is None
        viewer.send("interrupt")
        go_on.set()
        sending.join(WAIT_S)
        assert sending.answer[0] == 200


def test_what_is_uploaded_is_what_is_heard(server):
    tone = audio_file(sine(440, 0.6, 16_000), 16_000, "wav")
    with viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        answer = server.post(f"api/sessions/{session_id}/audio", tone)
        assert answer.json["seconds"] == pytest.approx(0.6, abs=0.01)
        began = viewer.message("state", value="speaking")["at"]
        assert viewer.message("state", value="idle")["at"] - began == pytest.approx(600, abs=40)


def test_an_uploader_that_goes_away_midway_is_no_crash():
    data = audio_file(noise(12), 16_000, "mp3")
    with running_server() as server, viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)
        connection.putrequest("POST", f"/api/sessions/{session_id}/audio")
        connection.putheader("content-length", str(len(data)))
        connection.endheaders()
        connection.send(data[: len(data) // 2])
        viewer.message("state", value="speaking")
        connection.close()
        viewer.send("interrupt")
        viewer.message("state", value="idle")
        viewer.watch(100)
    # The server was asked whether it logged an error.


def test_when_the_session_ends_an_upload_that_waits_is_answered():
    with running_server() as server, viewing(server.ws()) as viewer:
        session_id = viewer.message("welcome")["session"]
        viewer.send("say", text="x" * 1000)
        viewer.message("state", value="speaking")
        go_on = threading.Event()
        sending = Sending(server, session_id, audio_file(noise(1), 16_000, "mp3"), go_on)
        viewer.watch(60)
        server.loop_call(lambda: server.registry.session(session_id).close())
        go_on.set()
        sending.join(0.5)
        assert not sending.is_alive()
