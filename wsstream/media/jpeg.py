"""Pictures to JPEG and back, by libjpeg-turbo (which releases the GIL)."""

from __future__ import annotations

from typing import cast

import simplejpeg

from ..errors import MediaError
from .types import Pixels


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """A complete baseline JPEG, 4:2:0, of ``(height, width, 3)`` BGR pixels."""
    return cast(
        bytes,
        simplejpeg.encode_jpeg(
            pixels, quality=quality, colorspace="BGR", colorsubsampling="420", fastdct=True
        ),
    )


def decode_jpeg(data: bytes) -> Pixels:
    """``(height, width, 3)`` BGR pixels.

    Raises:
        MediaError: when it is no JPEG.
    """
    try:
        return cast(Pixels, simplejpeg.decode_jpeg(data, colorspace="BGR"))
    except ValueError as error:
        raise MediaError(f"no JPEG: {error}") from None
