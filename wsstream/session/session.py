"""One live performance of an agent: a media clock, an avatar, a voice, and who watches."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from typing import Any, Protocol, cast

import numpy as np

from ..avatar.base import AvatarProvider
from ..clock import MediaClock, tick_before, to_u32
from ..config import Agent, Limits
from ..errors import MediaError, Unavailable
from ..media.pacer import Pacer
from ..media.resample import check_rate
from ..media.timeline import Released, Timeline
from ..media.types import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioPacket, Pcm, Picture
from ..protocol.messages import Error, Flush, ServerMessage, State, StateValue, Transcript
from ..voice.base import SpeechChunk, TextToSpeech
from .jpeg_rungs import JpegRungs
from .rungs import VideoRungs
from .sound_rungs import SoundRungs
from .speech import Sentence, Source, Speech, SpeechTimeline
from .stage import Drawn, Stage, drawn_by

SLIP_MS = 250
"""When the process itself was held up for longer, the clock stands still instead of rushing."""
PLAY_CHUNK_MS = 100
RECENT_PACKETS = 4
"""80 ms: a jitter buffer that begins with them need not fill itself by playing slower, which takes
seconds and is heard."""
SILENCE: Pcm = np.zeros(BLOCK_SAMPLES, np.int16)


class Audience(Protocol):
    """One who watches, as the session sees them. Nothing here waits."""

    def offer_sound(self, packet: AudioPacket) -> None: ...

    def offer_picture(self, picture: Picture) -> None: ...

    def post(self, message: ServerMessage) -> None: ...

    def flush(self) -> None: ...

    def counters(self) -> dict[str, int]: ...

    def stats(self) -> dict[str, Any]: ...


class Session:
    """``start`` it, ``run`` it, ``close`` it. ``now`` gives monotonic seconds."""

    def __init__(
        self,
        agent_name: str,
        agent: Agent,
        provider: AvatarProvider,
        *,
        voice: TextToSpeech | None,
        voiceless: str,
        limits: Limits,
        drawing: Executor,
        encoding: Executor,
        now: Callable[[], float],
    ) -> None:
        self.id = secrets.token_urlsafe(9)
        self.agent_name = agent_name
        self.agent = agent
        self.engine = type(provider)
        self.was_joined = False
        self.now = now
        self.clock = MediaClock(now())
        self.jpegs = JpegRungs(agent.width, agent.height, agent.jpeg_quality, encoding)
        self.video = VideoRungs(
            agent.width,
            agent.height,
            agent.fps,
            now,
            pool=encoding,
            bitrate=agent.video_kbps * 1000,
        )
        self.sound = SoundRungs(agent.audio_kbps * 1000)
        self.recent_sound: deque[AudioPacket] = deque(maxlen=RECENT_PACKETS)
        self.viewers: set[Audience] = set()
        self.state: StateValue = "idle"
        self.closed = asyncio.Event()
        self._stage = Stage(provider, width=agent.width, height=agent.height, drawing=drawing)
        self._timeline: SpeechTimeline = Timeline(lead_ms=round(1000 / agent.fps))
        self._speech = Speech(
            self._timeline,
            self._stage,
            voice=voice,
            voiceless=voiceless,
            queued_turns=limits.queued_turns,
            on_error=self._report,
        )
        self.picture: Picture | None = None
        """The newest one released; while nobody watches and nothing is said, none are."""
        self._undrawn_ms: int | None = None
        self._watched = asyncio.Event()
        self._released_ms = 0
        self._flushed_ms = -1
        self._counts = Counter[str]()
        self._departed = Counter[str]()

    # What its owner does.

    async def start(self, reference_image: bytes | None = None) -> None:
        """Get the avatar ready and its first picture made; from then on the clock runs.

        Raises:
            AvatarError: when the avatar cannot start.
        """
        await self._stage.start(reference_image)
        self.clock = MediaClock(tick_before(self.now(), BLOCK_MS))
        try:
            self._publish(0, await self._stage.draw(None, 0), speaking=False)
        except BaseException:
            await self._stage.stop()
            raise

    async def run(self) -> None:
        """Perform until closed or cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                loops = [
                    tasks.create_task(self._release_sound()),
                    tasks.create_task(self._release_pictures()),
                    tasks.create_task(self._speech.run()),
                ]
                await self.closed.wait()
                for loop in loops:
                    loop.cancel()
        finally:
            self.closed.set()
            self.video.close()
            await self._stage.stop()

    def close(self) -> None:
        """End it; ``run`` returns."""
        self.closed.set()

    # What its users do.

    def say(self, text: str, turn_id: str | None = None) -> str:
        """Speak, after what is being said. Returns the turn's id.

        Raises:
            VoiceError: when the agent has no voice, saying why.
            TooMany: when too much waits already.
            Unavailable: when the session has ended.
        """
        self._require_open()
        return self._speech.say(text, turn_id)

    def play(
        self,
        sound: Pcm | bytes | bytearray | memoryview | Source,
        rate_hz: int = SAMPLE_RATE_HZ,
        turn_id: str | None = None,
    ) -> str:
        """Speak with ready-made sound: int16 mono at ``rate_hz`` (an array of shape ``(samples,)``,
        or little-endian bytes; it is copied), or chunks as they come. Returns the turn's id.

        Raises:
            MediaError: when it is no such sound.
            TooMany: when too much waits already.
            Unavailable: when the session has ended.
        """
        self._require_open()
        if not hasattr(sound, "__aiter__"):
            check_rate(rate_hz)
            sound = _chunks(_samples(sound), rate_hz)
        return self._speech.play(cast(Source, sound), turn_id)

    def interrupt(self) -> int:
        """Stop speaking at once. Returns the new epoch."""
        heard_from_ms = self._timeline.heard_from_ms
        at = self._released_ms if heard_from_ms is None else heard_from_ms
        epoch = self._speech.interrupt()
        self.recent_sound.clear()
        for viewer in self.viewers:
            viewer.flush()
        self._counts["interruptions"] += 1
        if self._flushed_ms != self._released_ms:  # nothing was sent since: once will do
            self._flushed_ms = self._released_ms
            until = self._released_ms + 2 * BLOCK_MS  # after the fade of what was interrupted
            self.post(Flush(epoch=epoch, at=to_u32(at), until=to_u32(until)))
        self._set_state("idle")
        return epoch

    def join(self, viewer: Audience) -> None:
        """A viewer comes: the newest picture at once, then everything."""
        self.was_joined = True
        self.viewers.add(viewer)
        self._watched.set()
        if self.picture is not None and self._undrawn_ms is None:  # else it is out of date
            viewer.offer_picture(self.picture)

    def leave(self, viewer: Audience) -> None:
        """A viewer goes. One that left already may leave again."""
        if viewer in self.viewers:
            self.viewers.discard(viewer)
            self._departed.update(viewer.counters())

    def post(self, message: ServerMessage) -> None:
        """A message for everyone."""
        for viewer in tuple(self.viewers):
            viewer.post(message)

    @property
    def state_message(self) -> State:
        """What it does just now."""
        return State(value=self.state, at=to_u32(self._released_ms))

    @property
    def media_ms(self) -> int:
        """The media clock, in whole milliseconds."""
        return max(0, int(self.clock.media_ms(self.now())))

    def counters(self) -> Counter[str]:
        """What happened so far, viewers included, by the names ``/metrics`` has."""
        counts = self._counts + self._departed
        for viewer in self.viewers:
            counts.update(viewer.counters())
        counts.update(
            underruns=self._timeline.underruns,
            avatar_failures=self._stage.failures,
            **self.jpegs.counters(),
            **self.video.counters(),
        )
        return counts

    def stats(self) -> dict[str, Any]:
        """Counters and gauges, for people."""
        return {
            "id": self.id,
            "agent": self.agent_name,
            "state": self.state,
            "media_ms": self.media_ms,
            "epoch": self._timeline.epoch,
            "ahead_ms": self._timeline.ahead_ms,
            "slipped_ms": round(self.clock.slipped_ms),
            "rungs": self.video.stats(),
            "counters": dict(sorted(self.counters().items())),
            "viewers": [viewer.stats() for viewer in self.viewers],
        }

    # The two loops, on one clock.

    async def _release_sound(self) -> None:
        pacer = Pacer(1000 / BLOCK_MS)
        while True:
            media_ms = pacer.due_ms
            if (late_ms := await self._until(media_ms)) > SLIP_MS:
                self.clock.slip(late_ms // BLOCK_MS * BLOCK_MS)
            released = self._timeline.release_sound(media_ms)
            pcm = released.pcm
            speaking = pcm is not None
            if pcm is None:
                pcm = self._stage.idle_sound(media_ms)
            if pcm is None:
                pcm = SILENCE
            packet = AudioPacket(media_ms, pcm, speaking)
            self._released_ms = media_ms
            self._counts["packets_released"] += 1
            self.recent_sound.append(packet)
            for viewer in tuple(self.viewers):
                viewer.offer_sound(packet)
            self._tell(released, media_ms)
            self._speech.heard()
            pacer.advance()

    async def _release_pictures(self) -> None:
        """Each picture is drawn one period before it is due, so that drawing adds no latency."""
        pacer = Pacer(self.agent.fps)
        pacer.advance()  # start() has shown the first
        while True:
            media_ms = pacer.due_ms
            if not (self.viewers or self._timeline.speaking or self._speech.pending):
                await self._wait_for_viewer(media_ms)
                if not self.viewers:
                    self._undrawn_ms = media_ms
                    pacer.advance()
                    continue
            if self._undrawn_ms is not None:  # somebody came: the picture of now, at once
                drawn = await self._stage.draw(None, self._undrawn_ms)
                self._publish(self._undrawn_ms, drawn, speaking=False)
            epoch = self._timeline.epoch
            frame = self._timeline.frame_at(media_ms)
            drawing = self._stage.begin_drawing(frame, media_ms)
            await self._until(media_ms)
            drawn = await drawn_by(drawing)
            if self._late_ms(media_ms) > SLIP_MS:
                await asyncio.sleep(0)  # if it was a suspension, the sound's loop moves the clock
            if epoch == self._timeline.epoch:
                self._publish(media_ms, drawn, frame is not None)
            else:  # interrupted meanwhile: the idle face, at once
                pixels, _ = await self._stage.draw(None, media_ms)
                self._publish(media_ms, (pixels, None), speaking=False)
            pacer.advance()
            while pacer.next_due_ms <= self.clock.media_ms(self.now()):
                pacer.advance()  # the engine is slower than the clock: fewer pictures, not later
                self._counts["pictures_skipped"] += 1

    async def _wait_for_viewer(self, media_ms: int) -> None:
        """Until somebody comes, at most until a media time."""
        self._watched.clear()
        try:
            async with asyncio.timeout(max(0.0, self.clock.due_s(media_ms) - self.now())):
                await self._watched.wait()
        except TimeoutError:
            pass

    async def _until(self, media_ms: int) -> float:
        """Wait for a media time. Returns how late it is then, in ms."""
        early_s = self.clock.due_s(media_ms) - self.now()
        await asyncio.sleep(max(0.0, early_s))
        return self._late_ms(media_ms)

    def _late_ms(self, media_ms: int) -> float:
        return self.clock.media_ms(self.now()) - media_ms

    def _publish(self, media_ms: int, drawn: Drawn, speaking: bool) -> None:
        pixels, dirty = drawn
        self._undrawn_ms = None
        seq = self.picture.seq + 1 if self.picture else 0
        self.picture = Picture(seq, media_ms, pixels, speaking, dirty)
        self._counts["pictures_released"] += 1
        self.video.offer(self.picture)
        for viewer in tuple(self.viewers):
            viewer.offer_picture(self.picture)

    # What is told.

    def _tell(self, released: Released[Sentence], media_ms: int) -> None:
        at = to_u32(media_ms)
        if released.started is not None:
            self._set_state("speaking", at)
        for cue in released.cues:
            self.post(Transcript(role="agent", text=cue.text, final=True, at=at, id=cue.id))
        if self.state == "speaking" and not (self._timeline.speaking or self._speech.pending):
            self._set_state("idle", at)

    def _set_state(self, value: StateValue, at: int | None = None) -> None:
        if value != self.state:
            self.state = value
            self.post(State(value=value, at=to_u32(self._released_ms) if at is None else at))

    def _require_open(self) -> None:
        if self.closed.is_set():
            raise Unavailable("the session has ended")

    def _report(self, message: str) -> None:
        self.post(Error(code="speech_failed", message=message, fatal=False))


def _samples(sound: object) -> Pcm:
    if isinstance(sound, memoryview) and sound.format not in ("B", "b", "c", "h", "<h"):
        raise MediaError(f"expected int16 samples, got a memoryview of {sound.format!r}")
    if isinstance(sound, bytes | bytearray | memoryview):
        data = bytes(sound)
        if len(data) % 2:
            raise MediaError(f"expected samples of two bytes each, got {len(data)} bytes")
        return np.frombuffer(data, "<i2").astype(np.int16, copy=False)
    if not isinstance(sound, np.ndarray):
        kind = type(sound).__name__
        raise MediaError(f"expected int16 samples, or chunks as they come, got {kind}")
    if sound.dtype != np.int16 or sound.ndim != 1:
        raise MediaError(
            f"expected int16 of shape (samples,), got {sound.dtype} of shape {sound.shape}"
        )
    return sound.copy()


async def _chunks(pcm: Pcm, rate_hz: int) -> AsyncGenerator[SpeechChunk, None]:
    step = max(1, rate_hz * PLAY_CHUNK_MS // 1000)
    for start in range(0, len(pcm), step):
        yield SpeechChunk(pcm[start : start + step].tobytes(), rate_hz)
