"""Pictures of the portrait, speaking and idle, to try encoders on."""

from __future__ import annotations

from dataclasses import dataclass

from wsstream.avatar.base import NOTHING, AvatarFrame
from wsstream.avatar.portrait import PortraitAvatar
from wsstream.media.types import Picture
from wsstream.voice.espeak import EspeakVoice

TEXT = "The quick brown fox jumps over the lazy dog, and then it sits down for a while. " * 4


@dataclass(frozen=True, slots=True)
class Pictures:
    """Released pictures, as a session has them."""

    speaking: list[Picture]
    idle: list[Picture]


async def pictures(width: int, height: int, fps: float, seconds: float) -> Pictures:
    """So many seconds of each."""
    voice, avatar = EspeakVoice(), PortraitAvatar(fps=fps)
    await voice.start()
    await avatar.start(None, width=width, height=height)
    count = round(seconds * fps)
    frames: list[AvatarFrame] = []
    async for chunk in voice.synthesize(TEXT):
        frames += avatar.feed_audio(chunk.pcm, chunk.sample_rate, chunk.visemes)
        if len(frames) >= count:
            break
    speaking = [_picture(n, fps, frame, True) for n, frame in enumerate(frames[:count])]
    avatar.reset(1)
    idle = []
    for n in range(len(speaking), len(speaking) + count):
        frame = avatar.get_idle_frame(round(n * 1000 / fps))
        if frame is not None:
            idle.append(_picture(n, fps, frame, False))
    await voice.stop()
    await avatar.stop()
    return Pictures(speaking, [picture for picture in idle if picture.dirty != NOTHING])


def _picture(n: int, fps: float, frame: AvatarFrame, speaking: bool) -> Picture:
    media_ms = round(n * 1000 / fps)
    pixels, dirty = frame.render(media_ms)
    return Picture(n, media_ms, pixels.copy(), speaking, dirty)
