"""wsstream: a talking avatar, face and voice, streamed to any browser."""

from .app.app import create_app, wsstream_lifespan
from .avatar.base import AvatarFrame, AvatarProvider
from .errors import AvatarError, MediaError, VoiceError, WsstreamError
from .media.types import Viseme, VisemeHint
from .session.registry import Registry
from .session.session import Session
from .version import __version__
from .voice.base import SpeechChunk, TextToSpeech

__all__ = [
    "AvatarError",
    "AvatarFrame",
    "AvatarProvider",
    "MediaError",
    "Registry",
    "Session",
    "SpeechChunk",
    "TextToSpeech",
    "Viseme",
    "VisemeHint",
    "VoiceError",
    "WsstreamError",
    "__version__",
    "create_app",
    "wsstream_lifespan",
]
