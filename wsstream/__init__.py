"""wsstream: a talking avatar, face and voice, streamed to any browser."""

from .app.app import create_app, wsstream_lifespan
from .avatar.base import AvatarFrame, AvatarProvider
from .errors import WsstreamError
from .media.types import Viseme, VisemeHint
from .session.registry import Registry
from .session.session import Session
from .version import __version__
from .voice.base import SpeechChunk, TextToSpeech

__all__ = [
    "AvatarFrame",
    "AvatarProvider",
    "Registry",
    "Session",
    "SpeechChunk",
    "TextToSpeech",
    "Viseme",
    "VisemeHint",
    "WsstreamError",
    "__version__",
    "create_app",
    "wsstream_lifespan",
]
