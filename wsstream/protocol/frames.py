"""Binary messages: a 12-byte header, then the payload. See protocol.md section 3.

type u32 | timestamp_ms u32 | length u32 | payload[length]        little-endian
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from ..clock import to_u32
from ..errors import BadMessage

HEADER = struct.Struct("<III")
_PATCH_HEADER = struct.Struct("<HH")
_REGION_HEADER = struct.Struct("<HHHHI")


class FrameType(IntEnum):
    """What the payload is. A receiver skips types it does not know."""

    VIDEO = 0x01
    AUDIO = 0x02
    VIDEO_PATCH = 0x03
    VIDEO_H264_KEY = 0x04
    VIDEO_H264 = 0x05
    AUDIO_PCM = 0x06


class Frame(NamedTuple):
    """One binary message. ``type`` is a plain int, since unknown ones exist."""

    type: int
    timestamp_ms: int
    payload: bytes


class Region(NamedTuple):
    """One changed region of a ``VIDEO_PATCH``: where it goes, and its JPEG."""

    x: int
    y: int
    width: int
    height: int
    jpeg: bytes


def encode(type: FrameType, media_ms: int, payload: bytes) -> bytes:
    """One message for the wire; ``media_ms`` is taken modulo 2^32."""
    return HEADER.pack(type, to_u32(media_ms), len(payload)) + payload


def decode(data: bytes) -> Frame:
    """Read one message. Nothing is ever allocated from its ``length``.

    Raises:
        BadMessage: when it is shorter than its header, or ``length`` is not the payload's.
    """
    if len(data) < HEADER.size:
        raise BadMessage(f"expected a header of {HEADER.size} bytes, got {len(data)} bytes")
    type, timestamp_ms, length = HEADER.unpack_from(data)
    if length != len(data) - HEADER.size:
        raise BadMessage(f"length says {length} bytes, the payload has {len(data) - HEADER.size}")
    return Frame(type, timestamp_ms, data[HEADER.size :])


def encode_regions(regions: Sequence[Region]) -> bytes:
    """The payload of a ``VIDEO_PATCH``."""
    parts = [_PATCH_HEADER.pack(len(regions), 0)]
    for r in regions:
        parts += (_REGION_HEADER.pack(r.x, r.y, r.width, r.height, len(r.jpeg)), r.jpeg)
    return b"".join(parts)


def decode_regions(payload: bytes) -> list[Region]:
    """Read the payload of a ``VIDEO_PATCH``.

    Raises:
        BadMessage: when it is cut short, has bytes left over, or a region is empty.
    """
    if len(payload) < _PATCH_HEADER.size:
        raise BadMessage(f"expected a patch header of 4 bytes, got {len(payload)} bytes")
    count, _reserved = _PATCH_HEADER.unpack_from(payload)
    offset, regions = _PATCH_HEADER.size, []
    for _ in range(count):
        if len(payload) - offset < _REGION_HEADER.size:
            raise BadMessage("the patch ends inside a region's header")
        x, y, width, height, size = _REGION_HEADER.unpack_from(payload, offset)
        offset += _REGION_HEADER.size
        if not (width and height and size):
            raise BadMessage("a region of a patch is empty")
        if len(payload) - offset < size:
            raise BadMessage(f"a region says {size} bytes, {len(payload) - offset} are left")
        regions.append(Region(x, y, width, height, payload[offset : offset + size]))
        offset += size
    if offset != len(payload):
        raise BadMessage(f"{len(payload) - offset} bytes follow the last region")
    return regions
