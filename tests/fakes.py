"""Stand-ins for what the server meets: time, threads, sockets, engines, viewers."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import selectors
import wave
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import Executor, Future
from typing import Any, ClassVar

import av
import numpy as np

from wsstream.avatar.base import AvatarFrame, AvatarProvider
from wsstream.errors import AvatarError, VoiceError
from wsstream.media.types import (
    BLOCK_SAMPLES,
    SAMPLE_RATE_HZ,
    AudioPacket,
    Pcm,
    Picture,
    Pixels,
    VisemeHint,
)
from wsstream.protocol import frames
from wsstream.protocol.frames import Frame, FrameType
from wsstream.protocol.messages import ServerMessage, VideoCodec
from wsstream.transport.base import EncodedPicture, LinkState, PictureFeed
from wsstream.voice.base import SpeechChunk, TextToSpeech

# Time and threads.


class _Jumping(selectors.DefaultSelector):
    """Where an event loop would sleep, its time jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if (events := super().select(0)) or (timeout is not None and timeout <= 0):
            return events
        if timeout is None:
            raise RuntimeError("everything waits, and nothing is due: the test would hang")
        self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time stands still while there is anything to do, and jumps to the next timer when there
    is not: tests take no time, and go the same way each time. It does not wait for other threads,
    so executors have to be of the kinds below."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def suspend(self, seconds: float) -> None:
        """Time passes while nothing runs, as for a process that is stopped."""
        self._jumping.now += seconds


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on a ``VirtualLoop``."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def now() -> float:
    """The running loop's time, in seconds."""
    return asyncio.get_running_loop().time()


def suspend(seconds: float) -> None:
    """See ``VirtualLoop.suspend``."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.suspend(seconds)


async def settled() -> None:
    """Let everybody go on until they wait for time to pass."""
    for _ in range(50):
        await asyncio.sleep(0)


class InlineExecutor(Executor):
    """Runs what it is given at once, in the caller's thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.calls = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class SlowExecutor(Executor):
    """One worker that takes ``seconds`` of the loop's time for each call. May be changed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._free_at = 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time()) + self.seconds
        future: Future[Any] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except Exception as error:
                    future.set_exception(error)

        loop.call_at(self._free_at, work)
        return future


# Sound and pictures.


def packet(media_ms: int, *, speaking: bool = False) -> AudioPacket:
    """20 ms of sound."""
    return AudioPacket(media_ms, np.zeros(BLOCK_SAMPLES, np.int16), speaking)


def picture(seq: int, media_ms: int) -> Picture:
    """A small grey picture."""
    return Picture(seq, media_ms, np.full((8, 8, 3), 127, np.uint8))


def sine(hz: float, seconds: float, rate_hz: int = SAMPLE_RATE_HZ, level: float = 0.5) -> Pcm:
    """A tone, int16 mono."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * 32767 * np.sin(2 * np.pi * hz * t)).astype(np.int16)


CODECS = {"mp3": "libmp3lame", "ogg": "libopus", "flac": "flac", "adts": "aac"}
CODECS |= dict.fromkeys(("mp4", "ipod", "mov"), "aac")


def audio_file(
    pcm: Pcm, rate_hz: int, format: str, *, layout: str = "mono", **options: str
) -> bytes:
    """The bytes of an audio file; ``pcm`` has its channels interleaved. ``options`` are FFmpeg's
    for the container; an MP4 has its index at its end, unless they say otherwise."""
    out = io.BytesIO()
    if format == "wav":
        with wave.open(out, "wb") as file:
            file.setnchannels(2 if layout == "stereo" else 1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(pcm.tobytes())
        return out.getvalue()
    with av.open(out, "w", format=format, options=options) as container:
        codec_hz = SAMPLE_RATE_HZ if format == "ogg" else rate_hz
        stream = container.add_stream(CODECS[format], rate=codec_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


# The link to a viewer.


class FakeSocket:
    """Takes down what is sent; while ``blocked`` it takes nothing."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.error: Exception | None = None
        self._open = asyncio.Event()
        self._open.set()

    def block(self) -> None:
        self._open.clear()

    def unblock(self) -> None:
        self._open.set()

    async def send_text(self, data: str) -> None:
        await self._send(data)

    async def send_bytes(self, data: bytes) -> None:
        await self._send(data)

    async def _send(self, data: str | bytes) -> None:
        await self._open.wait()
        if self.error is not None:
            raise self.error
        self.sent.append(data)

    @property
    def frames(self) -> list[Frame]:
        return [frames.decode(data) for data in self.sent if isinstance(data, bytes)]

    @property
    def pictures(self) -> list[int]:
        """The timestamps of the pictures sent."""
        return [f.timestamp_ms for f in self.frames if f.type == FrameType.VIDEO]

    @property
    def sounds(self) -> list[int]:
        """The timestamps of the sound sent."""
        return [f.timestamp_ms for f in self.frames if f.type == FrameType.AUDIO]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(data) for data in self.sent if isinstance(data, str)]


class FakeFeed(PictureFeed):
    """Makes a picture ``seconds`` after there is credit and one to make; notes what it is told.

    ``made`` has the times of the pictures that were made, ``told`` the calls in between.
    """

    def __init__(self, codec: VideoCodec = "jpeg") -> None:
        super().__init__()
        self.codec: VideoCodec = codec
        self.made: list[int] = []
        self.told: list[Any] = []
        self.links: list[LinkState] = []
        self.level = self.steps_to = 0
        self.seconds = 0.0
        self.payload = b"a picture"
        self._picture: Picture | None = None
        self._ready: EncodedPicture | None = None
        self._busy = False

    def offer(self, picture: Picture) -> None:
        self.replaced += self._picture is not None
        self._picture = picture
        self._make()

    def want(self) -> None:
        if self._ready is None:
            self.wanted = True
            self._make()

    @property
    def levels_left(self) -> int:
        return 4 - self.level

    def take(self) -> EncodedPicture | None:
        ready, self._ready = self._ready, None
        return ready

    def pause(self) -> None:
        self.told.append("pause")
        self._picture = self._ready = None
        self.wanted = False

    def refresh(self) -> None:
        self.told.append("refresh")

    def bound(self, scale: float) -> None:
        self.told.append(("bound", scale))

    def judge(self, link: LinkState) -> None:
        self.links.append(link)
        self.level = self.steps_to

    def stats(self) -> dict[str, Any]:
        return {"codec": self.codec}

    def close(self) -> None:
        self.told.append("close")

    def _make(self) -> None:
        if self._picture is None or not self.wanted or self._busy:
            return
        picture, self._picture = self._picture, None
        self.made.append(picture.media_ms)
        self._busy = True
        asyncio.get_running_loop().call_later(self.seconds, self._made, picture.media_ms)

    def _made(self, media_ms: int) -> None:
        self._busy = self.wanted = False
        self._ready = EncodedPicture(FrameType.VIDEO, media_ms, self.payload)
        self.on_ready()


class FakeViewer:
    """One who watches a session: takes down everything, with the loop's time."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Any]] = []

    def offer_sound(self, packet: AudioPacket) -> None:
        self.events.append((now(), packet))

    def offer_picture(self, picture: Picture) -> None:
        self.events.append((now(), picture))

    def post(self, message: ServerMessage) -> None:
        self.events.append((now(), message))

    def flush(self) -> None:
        self.events.append((now(), "flush"))

    def counters(self) -> dict[str, int]:
        return {"packets_sent": len(self.packets), "pictures_sent": len(self.pictures)}

    def stats(self) -> dict[str, Any]:
        return {"transport": "fake", **self.counters()}

    def of(self, kind: type) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def times_of(self, kind: type) -> list[float]:
        return [at for at, event in self.events if isinstance(event, kind)]

    @property
    def packets(self) -> list[AudioPacket]:
        return self.of(AudioPacket)

    @property
    def pictures(self) -> list[Picture]:
        return self.of(Picture)

    @property
    def messages(self) -> list[Any]:
        kinds = (AudioPacket, Picture, str)
        return [event for _, event in self.events if not isinstance(event, kinds)]

    def said(self) -> list[int]:
        """The media times of the packets in which somebody speaks."""
        return [p.media_ms for p in self.packets if p.speaking]


# Engines.

IDLE_SHADE = 10


def shade(pixels: Pixels) -> int:
    """What a ``FakeAvatar``'s picture shows."""
    return int(pixels[0, 0, 0])


class FakeAvatar(AvatarProvider):
    """Pictures are grey: ``IDLE_SHADE`` for the idle face, then 100, 101, ... within each turn.

    ``broken`` names the calls that fail: start, feed, draw, idle, end_turn, reset, stop.
    """

    name: ClassVar[str] = "fake"
    crossfade_ms = 0

    def __init__(self, *, fps: float = 25, late: bool = False) -> None:
        """``late``: no picture comes before the turn has ended."""
        self.fps = fps
        self.late = late
        self.broken: set[str] = set()
        self.calls = Counter[str]()
        self.epochs: list[int] = []
        self.reference_image: bytes | None = None
        self._size = (0, 0)
        self._fed_ms = 0.0
        self._made = 0
        self._owed: list[AvatarFrame] = []

    async def start(self, reference_image: bytes | None, *, width: int, height: int) -> None:
        self._call("start")
        self.reference_image = reference_image
        self._size = (height, width)

    async def stop(self) -> None:
        self._call("stop")

    def feed_audio(
        self, pcm: bytes, sample_rate: int = 16_000, visemes: Sequence[VisemeHint] = ()
    ) -> list[AvatarFrame]:
        self._call("feed")
        self._fed_ms += len(pcm) / 2 * 1000 / sample_rate
        made = []
        while self._made * 1000 / self.fps < self._fed_ms:
            made.append(self._frame(100 + self._made))
            self._made += 1
        if self.late:
            self._owed += made
            return []
        return made

    def end_turn(self) -> None:
        self._call("end_turn")
        self._fed_ms, self._made = 0.0, 0

    def flush(self) -> list[AvatarFrame]:
        self._call("flush")
        owed, self._owed = self._owed, []
        return owed

    def reset(self, epoch: int) -> None:
        self.epochs.append(epoch)
        self._fed_ms, self._made, self._owed = 0.0, 0, []
        self._call("reset")

    def get_idle_frame(self, media_ms: int = 0) -> AvatarFrame:
        self._call("idle")
        return AvatarFrame(self.pixels(IDLE_SHADE))

    def pixels(self, shade: int) -> Pixels:
        return np.full((*self._size, 3), shade, np.uint8)

    def _frame(self, shade: int) -> AvatarFrame:
        def draw(media_ms: int) -> tuple[Pixels, None]:
            self._call("draw")
            return self.pixels(shade), None

        return AvatarFrame(draw=draw)

    def _call(self, name: str) -> None:
        self.calls[name] += 1
        if name in self.broken:
            raise AvatarError(f"cannot {name}") if name == "start" else RuntimeError(name)


class FakeVoice(TextToSpeech):
    """Speaks ``ms_per_char`` for each character, in chunks of ``chunk_ms``.

    A sentence with "nonsense" in it cannot be spoken, one with "crash" crashes the engine midway,
    one with "mute" gives no sound. Each chunk takes ``seconds``.
    """

    name: ClassVar[str] = "fake"

    def __init__(
        self, *, ms_per_char: float = 20, chunk_ms: int = 100, seconds: float = 0.0
    ) -> None:
        self.ms_per_char = ms_per_char
        self.chunk_ms = chunk_ms
        self.seconds = seconds
        self.rate_hz = SAMPLE_RATE_HZ
        self.spoken: list[str] = []
        self.open = 0
        self.started = self.stopped = 0
        self.missing = ""

    async def start(self) -> None:
        self.started += 1
        if self.missing:
            raise VoiceError(self.missing)

    async def stop(self) -> None:
        self.stopped += 1

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        self.spoken.append(text)
        self.open += 1
        try:
            if "nonsense" in text:
                raise VoiceError(f"cannot speak {text!r}")
            left_ms = 0 if "mute" in text else len(text) * self.ms_per_char
            while left_ms > 0:
                await asyncio.sleep(self.seconds)
                ms = min(left_ms, self.chunk_ms)
                left_ms -= ms
                samples = np.full(round(ms * self.rate_hz / 1000), 1000, "<i2")
                yield SpeechChunk(samples.tobytes(), self.rate_hz)
                if "crash" in text:
                    raise RuntimeError("the engine crashed")
        finally:
            self.open -= 1


# A whole session.


class Performance:
    """A live session with everything in it fake, on a ``VirtualLoop``, and one who watches."""

    def __init__(
        self,
        *,
        avatar: AvatarProvider | None = None,
        voice: TextToSpeech | None = None,
        drawing: Executor | None = None,
        now: Callable[[], float] = now,
        queued_turns: int = 16,
        **agent: Any,
    ) -> None:
        from wsstream.config import Agent, Limits
        from wsstream.session.session import Session

        self.avatar = avatar or FakeAvatar(fps=agent.get("fps", 25))
        self.voice = voice
        self.viewer = FakeViewer()
        self.guests: list[Any] = []
        """Others who watch; each has a ``task``."""
        self.session = Session(
            "ada",
            Agent(**{"size": "64x64", **agent}),
            self.avatar,
            voice=voice,
            voiceless="this agent has no voice",
            limits=Limits(queued_turns=queued_turns),
            drawing=drawing or InlineExecutor(),
            encoding=InlineExecutor(),
            now=now,
        )

    async def __aenter__(self) -> Performance:
        await self.session.start()
        self.session.join(self.viewer)
        self.task = asyncio.create_task(self.session.run())
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.session.close()
        tasks = [self.task, *(guest.task for guest in self.guests)]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def until(self, media_ms: float) -> None:
        """Let the session perform until its clock shows ``media_ms``."""
        await asyncio.sleep((media_ms - self.session.clock.media_ms(now())) / 1000)
        await settled()

    def told(self, kind: type) -> list[Any]:
        return self.viewer.of(kind)

    def shades(self) -> list[tuple[int, int]]:
        """What was shown when: media time and shade."""
        return [(p.media_ms, shade(p.pixels)) for p in self.viewer.pictures]
