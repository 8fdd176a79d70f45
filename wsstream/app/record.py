"""``wsstream record``: watch as a viewer does, and keep it as an MP4 that any player plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ..clock import u32_newer
from ..errors import MediaError
from ..media.jpeg import decode_jpeg
from ..media.opus import OpusDecoder
from ..media.types import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm, Pixels
from ..protocol.frames import Frame, FrameType
from ..protocol.messages import Say
from .client import open_client

MILLISECONDS = Fraction(1, 1000)
AFTER_SPEECH_MS = 500
SPEECH_TIMEOUT_MS = 10_000
"""How long to wait for speech that was asked for to begin."""
_U32 = 1 << 32


class Recorder:
    """Writes pictures and sound by their timestamps. Time begins with the first that has both."""

    def __init__(self, path: Path, fps: float) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._period_ms = 1000 / fps
        self._video: av.VideoStream | None = None
        self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        self._audio.bit_rate = 96_000
        self._decoder = OpusDecoder()
        self._fps = Fraction(fps).limit_denominator(1001)
        self._picture: Pixels | None = None
        self._origin_ms: int | None = None
        self._sound_ms = 0
        self._last_picture_ms = -1
        self._closed = False
        self.undecodable = 0

    @property
    def recorded_ms(self) -> int:
        """How much sound was written."""
        return self._sound_ms

    def add(self, frame: Frame) -> None:
        """One binary message. Other types than VIDEO and AUDIO are skipped, and so is what cannot
        be decoded."""
        try:
            self._add(frame)
        except MediaError:
            self.undecodable += 1

    def _add(self, frame: Frame) -> None:
        if frame.type == FrameType.VIDEO:
            self._picture = decode_jpeg(frame.payload)
            if self._origin_ms is not None:
                self._write_picture(self._since_origin(frame.timestamp_ms))
        elif frame.type == FrameType.AUDIO and self._picture is not None:
            pcm = self._decoder.decode(frame.payload)
            if self._origin_ms is None:
                self._origin_ms = frame.timestamp_ms
                self._write_picture(0)
            missing_ms = self._since_origin(frame.timestamp_ms) - self._sound_ms
            while missing_ms >= BLOCK_MS:  # what the server had to drop stays silent
                self._write_sound(np.zeros(BLOCK_SAMPLES, np.int16))
                missing_ms -= BLOCK_MS
            self._write_sound(pcm)

    def close(self) -> None:
        """Make both tracks equally long and finish the file. May be called twice."""
        if self._closed:
            return
        self._closed = True
        end_ms = self._sound_ms - round(self._period_ms)
        if self._picture is not None and self._last_picture_ms < end_ms:
            self._write_picture(end_ms)
        for stream in (self._video, self._audio):
            if stream is not None:
                self._container.mux(stream.encode(None))
        self._container.close()

    def _since_origin(self, timestamp_ms: int) -> int:
        assert self._origin_ms is not None
        forward = not u32_newer(self._origin_ms, timestamp_ms)
        return (timestamp_ms - self._origin_ms) % _U32 if forward else -1

    def _write_picture(self, at_ms: int) -> None:
        if self._picture is None or at_ms <= self._last_picture_ms:
            return
        if self._video is None:
            height, width = self._picture.shape[:2]
            self._video = self._container.add_stream("libx264", rate=self._fps)
            self._video.width, self._video.height = width, height
            self._video.pix_fmt = "yuv420p"
            # Without B pictures, whose reordering would cost the last gap its length.
            self._video.options = {"preset": "veryfast", "crf": "20", "bf": "0"}
            self._video.codec_context.time_base = MILLISECONDS
        frame = av.VideoFrame.from_ndarray(self._picture, format="bgr24")
        frame.pts, frame.time_base = at_ms, MILLISECONDS
        self._last_picture_ms = at_ms
        self._container.mux(self._video.encode(frame))

    def _write_sound(self, pcm: Pcm) -> None:
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._sound_ms * SAMPLE_RATE_HZ // 1000
        frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
        self._sound_ms += BLOCK_MS
        self._container.mux(self._audio.encode(frame))


class _End:
    """When a recording is long enough."""

    def __init__(self, seconds: float | None, say: str) -> None:
        self._seconds = seconds
        self._awaits_speech = bool(say)
        self._spoken_ms: int | None = None

    def on_state(self, value: str, recorded_ms: int) -> None:
        """The agent begins or ends to speak."""
        if value == "speaking":
            self._awaits_speech, self._spoken_ms = False, None
        elif not self._awaits_speech:
            self._spoken_ms = recorded_ms

    def reached(self, recorded_ms: int) -> bool:
        """Whether it is.

        Raises:
            MediaError: when the speech that was asked for did not begin.
        """
        if self._seconds is not None:
            return recorded_ms >= self._seconds * 1000
        if self._awaits_speech and recorded_ms > SPEECH_TIMEOUT_MS:
            raise MediaError("the agent did not begin to speak")
        return self._spoken_ms is not None and recorded_ms >= self._spoken_ms + AFTER_SPEECH_MS


async def record(
    url: str,
    path: Path,
    *,
    seconds: float | None = None,
    say: str = "",
    token: str = "",
    progress: Callable[[float], None] = lambda seconds: None,
) -> float:
    """Watch ``url`` (a WebSocket) and write ``path``. Stops after ``seconds``; else, when there is
    something to ``say``, after that. Returns the seconds recorded; ``progress`` is told of them.

    Raises:
        WsstreamError: when the server cannot be reached or refuses.
        MediaError: when the stream ends before there is a picture and sound, or the file cannot be
            written.
    """
    recorder: Recorder | None = None
    end = _End(seconds, say)
    try:
        async with open_client(url, token=token) as client:
            async for item in client:
                if isinstance(item, Frame):
                    if recorder is not None:
                        await asyncio.to_thread(recorder.add, item)
                        progress(recorder.recorded_ms / 1000)
                        if end.reached(recorder.recorded_ms):
                            break
                elif item["type"] == "welcome" and recorder is None:
                    recorder = Recorder(path, item["video"]["fps"])
                    if say:
                        await client.send(Say(text=say))
                elif item["type"] == "state" and recorder is not None:
                    end.on_state(item["value"], recorder.recorded_ms)
                elif item["type"] == "error" and say:
                    raise MediaError(item["message"])
            if recorder is not None:
                recorder.close()
    except (OSError, av.FFmpegError) as error:
        raise MediaError(f"{path}: {error.strerror or error}") from None
    finally:
        if recorder is not None:
            with suppress(OSError, av.FFmpegError):  # of what went wrong, the first is told
                recorder.close()
    if recorder is None or not recorder.recorded_ms:
        raise MediaError("the stream ended before there was a picture and sound")
    return recorder.recorded_ms / 1000
