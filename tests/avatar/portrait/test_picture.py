from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from wsstream.avatar.portrait.picture import claimed_size, decode
from wsstream.errors import AvatarError

FORMATS = [
    (".png", []),
    (".jpg", []),
    (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    (".webp", [cv2.IMWRITE_WEBP_QUALITY, 80]),
    (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),  # lossless
]


@pytest.mark.parametrize(("suffix", "options"), FORMATS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_formats(suffix: str, options: list[int], channels: int) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (80, 100, channels), dtype=np.uint8)
    if suffix == ".jpg":  # which has no transparency
        picture = picture[..., :3]
    data = cv2.imencode(suffix, picture, options)[1].tobytes()
    assert claimed_size(data) == (100, 80)
    assert decode(data).shape == (80, 100, 3)


def test_a_photograph_lying_on_its_side_is_set_upright() -> None:
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[:, :60] = 255
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    # Exif orientation 6: to be turned by 90 degrees clockwise.
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"MM\x00\x2a" + struct.pack(">I", 8) + struct.pack(">H", 1) + entry + bytes(4)
    exif = b"Exif\x00\x00" + tiff
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    upright = decode(data)
    assert upright.shape == (120, 80, 3)
    assert upright[:50].mean() > 200 > 50 > upright[70:].mean()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"GIF89a" + bytes(100),
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"\xff\xd8" + b"\xff" * 50,
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    ],
)
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(AvatarError, match="cannot be read"):
        decode(data)


@pytest.mark.parametrize(("suffix", "options"), FORMATS)
def test_a_file_cut_short_or_damaged(suffix: str, options: list[int]) -> None:
    """It may still show something, but nothing worse than an ``AvatarError`` may come of it."""
    picture = np.random.default_rng(1).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    data = cv2.imencode(suffix, picture, options)[1].tobytes()
    rng = np.random.default_rng(2)
    for cut in range(0, 200, 7):
        broken = bytearray(data[: len(data) - cut * len(data) // 200])
        for at in rng.integers(0, len(broken), 3):
            broken[at] ^= 0x55
        try:
            assert decode(bytes(broken)).shape[2] == 3
        except AvatarError:
            pass


def test_too_small() -> None:
    tiny = cv2.imencode(".png", np.zeros((40, 200, 3), np.uint8))[1].tobytes()
    with pytest.raises(AvatarError, match="too small: 200x40"):
        decode(tiny)


def test_a_small_file_that_claims_to_be_huge() -> None:
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head
    data += struct.pack(">I", zlib.crc32(head)) + bytes(100)
    with pytest.raises(AvatarError, match="too large: 60000x60000"):
        decode(data)
