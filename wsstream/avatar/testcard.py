"""A picture that can be measured: every frame carries its number and its time, and once a second a
white flash comes exactly with a beep.

The left part is a grid of 8 x 8 cells, black or white, read row by row:

    frame number u24 | media_ms u32 | CRC-8 of those seven bytes, XOR 0x55

A cell is 1/18 of the height, which leaves 8 pixels at a height of 144, so that it survives JPEG at
quality 30, H.264, and being scaled down. The right part flashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import cv2
import numpy as np

from ..errors import AvatarError
from ..media.types import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Pcm, Pixels, Rect, VisemeHint
from .base import AvatarFrame, AvatarProvider

CELLS = 8
CELL_OF_HEIGHT = 18
BEEP_HZ, BEEP_MS, BEEP_EVERY_MS = 1000, 40, 1000
BEEP_LEVEL = 0.5
TONE_PARTIALS, TONE_LEVELS = (1.0, 1.22, 1.81), (0.08, 0.05, 0.03)
"""A pure tone is like itself again each period; this one is not for 120 ms either way, so that it
tells how far two sources of it are apart."""
ROUNDING_MS = 1e-6
CRC_MASK = 0x55
"""So that a black picture is no card."""


class Reading(NamedTuple):
    """What a test card says."""

    frame: int
    media_ms: int
    flash: bool


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial 0x07, as in SMBus."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def read_testcard(pixels: Pixels) -> Reading | None:
    """Read a test card from ``(height, width, 3)`` pixels of any size and aspect it was scaled to
    evenly; ``None`` when it cannot be read."""
    height, width = pixels.shape[:2]
    grey = pixels.mean(axis=2)
    cell = height / CELL_OF_HEIGHT
    middles = ((np.arange(CELLS) + 1.5) * cell).astype(int)
    if middles[-1] >= width or cell < 4:
        return None
    reach = int(cell / 4)
    bits = [
        grey[y - reach : y + reach, x - reach : x + reach].mean() > 127
        for y in middles
        for x in middles
    ]
    data = np.packbits(bits).tobytes()
    if crc8(data[:7]) ^ CRC_MASK != data[7]:
        return None
    flash = grey[height // 4 : height // 2, width * 3 // 4 :].mean() > 170
    return Reading(int.from_bytes(data[:3], "big"), int.from_bytes(data[3:7], "big"), bool(flash))


def draw_grid(pixels: Pixels, frame: int, media_ms: int) -> None:
    """Draw the cells that say so, in the top left corner."""
    data = (frame % (1 << 24)).to_bytes(3, "big") + (media_ms % (1 << 32)).to_bytes(4, "big")
    bits = np.unpackbits(np.frombuffer(data + bytes([crc8(data) ^ CRC_MASK]), np.uint8))
    cell = len(pixels) / CELL_OF_HEIGHT
    side = int((CELLS + 1.5) * cell)
    pixels[:side, :side] = 0
    for i, bit in enumerate(bits):
        if bit:
            row, column = divmod(i, CELLS)
            top, left = int((row + 1) * cell), int((column + 1) * cell)
            pixels[top : int((row + 2) * cell), left : int((column + 2) * cell)] = 255


class TestcardAvatar(AvatarProvider):
    """See the module. ``tone_hz`` puts a quiet tone between the beeps, in which a gap is heard
    and from which two sources' distance can be told."""

    __test__ = False  # not a test class, whatever pytest thinks of its name
    name: ClassVar[str] = "testcard"
    crossfade_ms = 0

    def __init__(self, *, fps: float = 25, tone_hz: float = 0.0, beep: bool = True) -> None:
        self.fps = fps
        self._tone_hz = tone_hz
        self._beep = beep
        self._fed_ms = 0.0
        self._made = 0

    async def start(self, reference_image: bytes | None, *, width: int, height: int) -> None:
        """``reference_image`` is not used.

        Raises:
            AvatarError: when the picture is too narrow for the grid.
        """
        self._cell = height / CELL_OF_HEIGHT
        if width < height * 2 / 3:
            raise AvatarError(f"the test card has to be wider than {height * 2 // 3}, not {width}")
        self._width, self._height = width, height
        ramp = np.linspace(40, 150, width, dtype=np.float32)
        self._ground = np.repeat(
            np.broadcast_to(ramp, (height, width))[..., None], 3, axis=2
        ).astype(np.uint8)

    def feed_audio(
        self, pcm: bytes, sample_rate: int = 16_000, visemes: Sequence[VisemeHint] = ()
    ) -> list[AvatarFrame]:
        self._fed_ms += len(pcm) / 2 * 1000 / sample_rate
        frames = []
        while (offset_ms := self._made * 1000 / self.fps) < self._fed_ms - ROUNDING_MS:
            frames.append(AvatarFrame(draw=self._draw, offset_ms=offset_ms))
            self._made += 1
        return frames

    def end_turn(self) -> None:
        self._fed_ms, self._made = 0.0, 0

    def reset(self, epoch: int) -> None:
        self.end_turn()

    def get_idle_frame(self, media_ms: int = 0) -> AvatarFrame:
        return AvatarFrame(draw=self._draw)

    def get_idle_audio(self, media_ms: int) -> Pcm:
        t = (media_ms * SAMPLE_RATE_HZ // 1000 + np.arange(BLOCK_SAMPLES)) / SAMPLE_RATE_HZ
        sound = np.zeros(BLOCK_SAMPLES)
        if self._beep and media_ms % BEEP_EVERY_MS < BEEP_MS:
            sound = BEEP_LEVEL * np.sin(2 * np.pi * BEEP_HZ * t)
        elif self._tone_hz:
            hz = [round(self._tone_hz * ratio) for ratio in TONE_PARTIALS]
            sound = np.asarray(TONE_LEVELS) @ np.sin(2 * np.pi * np.outer(hz, t))
        return (sound * 32767).astype(np.int16)

    def _draw(self, media_ms: int) -> tuple[Pixels, Rect | None]:
        pixels = self._ground.copy()
        width, height, cell = self._width, self._height, self._cell
        frame = round(media_ms * self.fps / 1000)
        if _second(frame, self.fps) != _second(frame - 1, self.fps):
            pixels[:, width * 2 // 3 :] = 255
        x = int((media_ms / 4000) % 1 * width)  # something that moves, for the encoder to work on
        cv2.circle(pixels, (x, height * 4 // 5), height // 12, (90, 160, 250), -1, cv2.LINE_AA)
        draw_grid(pixels, frame, media_ms)
        text = f"{frame}  {media_ms / 1000:.2f} s"
        place = (int(cell), int(height * 0.63))
        cv2.putText(pixels, text, place, cv2.FONT_HERSHEY_SIMPLEX, height / 600, (255,) * 3, 2)
        return pixels, None


def _second(frame: int, fps: float) -> int:
    """The whole second that a frame lies in."""
    return int((frame + ROUNDING_MS) // fps)
