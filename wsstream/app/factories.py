"""From the names in the configuration to avatar and voice engines."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from ..avatar.base import AvatarProvider
from ..config import Agent, Config, nearest
from ..errors import AvatarError, ConfigError, VoiceError
from ..session.registry import Engines
from ..transport.base import Peers
from ..voice.base import TextToSpeech

T = TypeVar("T")

Factory = Callable[..., T]

AVATARS = {
    "portrait": "wsstream.avatar.portrait:PortraitAvatar",
    "testcard": "wsstream.avatar.testcard:TestcardAvatar",
}
VOICES = {"espeak": "wsstream.voice.espeak:EspeakVoice"}
DEFAULT_AVATAR, DEFAULT_VOICE, NO_VOICE = "portrait", "espeak", "none"


def make_engines(
    avatars: Mapping[str, Factory[AvatarProvider]] | None = None,
    voices: Mapping[str, Factory[TextToSpeech]] | None = None,
) -> Engines:
    """The engines of this package, and those given here by name; these win."""
    known_avatars: dict[str, Any] = {**AVATARS, **(avatars or {})}
    known_voices: dict[str, Any] = {**VOICES, **(voices or {})}

    def avatar(agent: Agent) -> tuple[AvatarProvider, bytes | None]:
        options = dict(agent.avatar)
        name = options.pop("provider", DEFAULT_AVATAR)
        picture = options.pop("picture", None)
        factory = _find(name, known_avatars, "avatar provider")
        what = f"avatar provider {name!r}"
        if "fps" in _parameters(factory, what):
            options.setdefault("fps", agent.fps)
        return _make(factory, options, what, AvatarProvider), _read(picture)

    def voice(agent: Agent) -> TextToSpeech | None:
        options = dict(agent.voice)
        name = options.pop("engine", DEFAULT_VOICE)
        if name == NO_VOICE:
            return None
        try:
            factory: Factory[TextToSpeech] = _find(name, known_voices, "voice engine")
            return _make(factory, options, f"voice engine {name!r}", TextToSpeech)
        except ImportError as error:
            raise VoiceError(f"voice engine {name!r} cannot be loaded: {error}") from None

    return Engines(avatar, voice)


def make_peers(config: Config) -> Peers | None:
    """What makes WebRTC peers; ``None`` where the configuration wants none."""
    if not config.ice.enabled:
        return None
    from ..transport.webrtc.peers import (
        AiortcPeers,
    )  # takes half a second, which `--help` need not wait

    return AiortcPeers(config.ice, config.limits.peers)


def _find(name: Any, known: Mapping[str, Any], what: str) -> Factory[Any]:
    """The class of that name; ``package.module:Class`` names one of somebody else's.

    Raises:
        ConfigError: when there is none.
    """
    found = known.get(name) if isinstance(name, str) else None
    if callable(found):
        return cast(Factory[Any], found)
    path = found or name
    if not isinstance(path, str) or ":" not in path:
        raise ConfigError(f"unknown {what} {name!r}{nearest(str(name), known)}")
    module, _, attribute = path.partition(":")
    try:
        factory: Factory[Any] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ConfigError(f"{what} {name!r} cannot be loaded: {error}") from None
    if not callable(factory):
        raise ConfigError(f"{what} {name!r} is not a class")
    return factory


def _parameters(factory: Factory[Any], what: str) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(factory).parameters
    except (ValueError, TypeError):
        raise ConfigError(f"{what} is not a class of the right kind") from None


def _make(factory: Factory[T], options: dict[str, Any], what: str, kind: type[Any]) -> T:
    parameters = _parameters(factory, what)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for option in options:
        if option not in parameters and not takes_any:
            raise ConfigError(f"{what} has no option {option!r}{nearest(option, parameters)}")
    try:
        made = factory(**options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{what}: {error}") from None
    if not isinstance(made, kind):
        raise ConfigError(f"{what} is a {type(made).__name__}, expected a {kind.__name__}")
    return made


def _read(picture: Any) -> bytes | None:
    if picture is None:
        return None
    try:
        return Path(str(picture)).expanduser().read_bytes()
    except OSError as error:
        raise AvatarError(f"picture {str(picture)!r}: {error.strerror or error}") from None
