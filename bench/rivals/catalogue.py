"""Who is measured, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Way: TypeAlias = Literal["whep", "aiortc", "fastrtc", "pipecat", "facetime", "websocket", "mjpeg"]
"""How a viewer gets in: see `viewers`."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One server program and the packages it needs, pinned."""

    name: str
    program: str
    packages: tuple[str, ...]
    way: Way
    path: str
    """Where its viewers go."""
    note: str = ""

    @property
    def webrtc(self) -> bool:
        return self.way in ("aiortc", "fastrtc", "pipecat")


_PLAIN = ("numpy==2.4.6", "opencv-python-headless==4.14.0.94", "starlette==1.10.0")
_UVICORN = "uvicorn[standard]==0.54.0"

AIORTC = Rival(
    "aiortc",
    "serve_aiortc.py",
    ("aiortc==1.16.0", "aiohttp==3.14.3", "numpy==2.4.6"),
    "aiortc",
    "offer",
)
FASTRTC = Rival(
    "FastRTC",
    "serve_fastrtc.py",
    ("fastrtc==0.0.34",),
    "fastrtc",
    "webrtc/offer",
    "pictures only: what it lets a viewer only receive has one kind of media",
)
PIPECAT = Rival(
    "Pipecat",
    "serve_pipecat.py",
    ("pipecat-ai[webrtc]==1.14.0", "fastapi==0.165.0", _UVICORN),
    "pipecat",
    "api/offer",
)
MJPEG = Rival(
    "multipart MJPEG",
    "serve_mjpeg.py",
    (_UVICORN, *_PLAIN),
    "mjpeg",
    "video",
    "pictures only: it has no sound",
)
WEBSOCKET = Rival(
    "naive WebSocket",
    "serve_websocket.py",
    (_UVICORN, *_PLAIN),
    "websocket",
    "ws",
)
UVICORN = Rival("bare uvicorn", "serve_uvicorn.py", (_UVICORN, *_PLAIN), "websocket", "ws")
RIVALS = (AIORTC, FASTRTC, PIPECAT, MJPEG, WEBSOCKET, UVICORN)
