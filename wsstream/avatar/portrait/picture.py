"""Reading the file a user gives as a picture."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from ...errors import AvatarError
from ...media.types import Pixels
from .arrays import pixels

MIN_SIDE_PX = 64
MAX_PIXELS = 50_000_000
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode(data: bytes) -> Pixels:
    """A PNG, JPEG or WebP file's picture, upright: ``(height, width, 3)`` uint8 BGR.

    Raises:
        AvatarError: when it is none of these, damaged, too small or too large.
    """
    width, height = claimed_size(data)
    # Before anything is allocated for it: a small file may claim to be a very large picture.
    if width * height > MAX_PIXELS:
        raise AvatarError(
            f"the reference picture is too large: {width}x{height}, at most "
            f"{MAX_PIXELS // 1_000_000} megapixels can be used"
        )
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise _unreadable()
    height, width = picture.shape[:2]
    if min(width, height) < MIN_SIDE_PX:
        raise AvatarError(
            f"the reference picture is too small: {width}x{height}, at least "
            f"{MIN_SIDE_PX} pixels each way are needed"
        )
    return pixels(picture)


def claimed_size(data: bytes) -> tuple[int, int]:
    """Width and height by the file's own header.

    Raises:
        AvatarError: when it is no PNG, JPEG or WebP.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
    except (struct.error, IndexError):
        pass
    raise _unreadable()


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """From the frame header, past the segments before it (ITU-T T.81, B.2.2)."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # stands alone
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    raise IndexError


def _webp_size(data: bytes) -> tuple[int, int]:
    """From the first chunk: extended, lossless or lossy (RFC 9649, section 2)."""
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = data[24:27], data[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _unreadable() -> AvatarError:
    return AvatarError("the reference picture cannot be read: a PNG, JPEG or WebP is needed")
