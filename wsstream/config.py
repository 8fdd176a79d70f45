"""The configuration: a TOML file, then the environment, then flags; later ones win.

    [server]          where to listen, who may come in
    [limits]          how much of everything
    [ice]             WebRTC's way through the network
    [agents.NAME]     a persona: its avatar, voice, picture size and rate

An unknown key is an error that names the nearest known one. In the environment, levels are joined
by two underscores: ``WSSTREAM_SERVER__PORT=9000``, ``WSSTREAM_AGENTS__ADA__SIZE=1280x720``.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from .errors import ConfigError

PositiveInt = Annotated[int, Meta(ge=1)]
PositiveFloat = Annotated[float, Meta(gt=0)]

ENVIRONMENT_PREFIX = "WSSTREAM_"
ENVIRONMENT_FILE = "WSSTREAM_CONFIG"
_KUBERNETES = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)=|PORT=\w+://|PORT_\d+_(TCP|UDP|SCTP)")
"""What its pods are told of a service that is called wsstream."""
AGENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Server(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[server]``"""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    token: str = ""
    """When set, every viewer and every API call has to give it."""
    allowed_origins: tuple[str, ...] = ()
    """Pages of other origins that may connect, such as ``https://example.com``; ``*`` for all."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that it answers to, such as ``example.com`` or ``*.example.com``; ``*`` for all. None:
    all, but ``wsstream serve`` on a loopback address answers to ``localhost`` only."""
    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose ``X-Forwarded-For`` is believed."""
    hello_timeout_s: PositiveFloat = 5.0
    """How long a viewer may take to send its token."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[limits]``"""

    sessions: PositiveInt = 100
    viewers: PositiveInt = 1000
    viewers_per_session: PositiveInt = 500
    viewers_per_address: PositiveInt = 50
    peers: PositiveInt = 200
    """WebRTC peer connections; the viewers beyond stay on their WebSocket."""
    message_bytes: PositiveInt = 65_536
    messages_per_s: PositiveFloat = 100.0
    """Sustained; two seconds' worth may come at once. Acks are messages too: one per drawn
    picture."""
    text_chars: PositiveInt = 4000
    """Of one ``say``."""
    queued_turns: PositiveInt = 16
    """How many ``say`` may wait for their turn in one session."""
    upload_bytes: PositiveInt = 64 * 1024 * 1024
    linger_s: Annotated[float, Meta(ge=0)] = 15.0
    """How long a session outlives its last viewer."""


class Ice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[ice]``: how WebRTC finds its way. Without any server it works wherever UDP reaches this
    machine."""

    enabled: bool = True
    """Off: media stay on the WebSocket."""
    stun: tuple[str, ...] = ()
    """Such as ``stun:stun.example.com:3478``: for a server behind a one-to-one NAT."""
    turn: tuple[str, ...] = ()
    """Such as ``turns:turn.example.com:443?transport=tcp``: for viewers without UDP."""
    turn_secret: str = ""
    """Shared with the TURN server (coturn's ``static-auth-secret``): each session gets a password
    of its own, which expires."""
    turn_username: str = ""
    turn_password: str = ""
    """Instead of a secret: one password for all."""
    turn_ttl_s: PositiveInt = 3600
    """How long a password made from the secret lasts."""
    relay: bool = False
    """Whether the server, too, sends through the first TURN server, when it has no UDP itself."""
    policy: Literal["all", "relay"] = "all"
    """``relay`` has browsers use nothing but the TURN server."""

    def __post_init__(self) -> None:
        for name, schemes in (("stun", ("stun:", "stuns:")), ("turn", ("turn:", "turns:"))):
            for url in getattr(self, name):
                if not url.startswith(schemes):
                    raise ValueError(f"ice.{name} is {url!r}: it has to start with {schemes[0]!r}")
        if self.turn and not (self.turn_secret or (self.turn_username and self.turn_password)):
            raise ValueError(
                "ice.turn needs ice.turn_secret, or ice.turn_username and ice.turn_password: "
                "browsers take no TURN server without"
            )
        if not self.turn and (self.relay or self.policy == "relay"):
            raise ValueError("ice.relay and ice.policy = 'relay' need a server in ice.turn")


class Agent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[agents.NAME]``"""

    title: str = ""
    size: Annotated[str, Meta(pattern=r"^[1-9]\d{1,3}x[1-9]\d{1,3}$")] = "512x512"
    fps: Annotated[float, Meta(ge=1, le=60)] = 25
    shared: bool = False
    """One session for every viewer, instead of one each."""
    mode: Literal["auto", "ws", "webrtc"] = "auto"
    jpeg_quality: Annotated[int, Meta(ge=10, le=100)] = 75
    video_kbps: Annotated[int, Meta(ge=0, le=50_000)] = 0
    """Of the best H.264 and VP8; 0: what the size and rate of the picture ask for."""
    audio_kbps: Annotated[int, Meta(ge=6, le=256)] = 32
    greeting: str = ""
    """Said when a session starts."""
    avatar: dict[str, Any] = {}
    """``provider`` (a name, or ``package.module:Class``), ``picture`` (a file), and the provider's
    own options."""
    voice: dict[str, Any] = {}
    """``engine`` (a name, ``package.module:Class``, or ``none``) and the engine's own options."""

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return int(self.size.split("x")[1])


MIN_SIDE, MAX_SIDE = 64, 1920


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything. ``Config()`` alone has the agent ``ada`` and serves this machine only."""

    server: Server = Server()
    limits: Limits = Limits()
    ice: Ice = Ice()
    agents: dict[str, Agent] = msgspec.field(default_factory=lambda: {"ada": Agent(title="Ada")})

    def __post_init__(self) -> None:
        if not self.agents:
            raise ValueError("there has to be at least one agent")
        for name, agent in self.agents.items():
            if not AGENT_NAME.fullmatch(name):
                raise ValueError(
                    f"agent name {name!r}: letters, digits, '.', '_' and '-', at most 64"
                )
            for side in (agent.width, agent.height):
                if not MIN_SIDE <= side <= MAX_SIDE or side % 2:
                    raise ValueError(
                        f"agents.{name}.size is {agent.size}: each side has to be even and "
                        f"between {MIN_SIDE} and {MAX_SIDE}"
                    )


def make_config(data: Mapping[str, Any]) -> Config:
    """Turn plain data into a configuration.

    Raises:
        ConfigError: naming the key, what was expected, and for an unknown key the nearest known.
    """
    _check_keys(data, Config, ())
    try:
        return msgspec.convert(data, Config)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(_in_toml_words(str(error), data)) from None


def load_config(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Iterable[tuple[str, Any]] = (),
) -> Config:
    """Read the file, then the environment, then ``overrides`` (dotted keys, such as
    ``("server.port", 9000)``; ``agents.*.size`` means every agent).

    Raises:
        ConfigError: when a file, a key or a value cannot be used.
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:  # tomllib lets more than its own through
            raise ConfigError(f"{path}: {error}") from None
    if "agents" not in data:
        data["agents"] = {"ada": {"title": "Ada"}}
    for key, text in sorted((environment or {}).items()):
        if not key.startswith(ENVIRONMENT_PREFIX) or key == ENVIRONMENT_FILE:
            continue
        if "__" in key:
            dotted = key.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            _set(data, dotted, parse_value(text))
        elif not _KUBERNETES.match(f"{key.removeprefix(ENVIRONMENT_PREFIX)}={text}"):
            raise ConfigError(f"unknown variable {key}{_nearest_variable(key)}")
    for dotted, value in overrides:
        _set(data, dotted, value)
    return make_config(data)


def parse_value(text: str) -> Any:
    """A value as TOML would read it (``9000``, ``true``, ``["a"]``), else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'port'?"`` where a known name is near, else the list of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names)}"


def _nearest_variable(key: str) -> str:
    """``"; did you mean 'WSSTREAM_SERVER__PORT'?"``, by its last word or by how it is written."""
    known = [ENVIRONMENT_FILE]
    for section, kind in (
        ("SERVER", Server),
        ("AGENTS__ADA", Agent),
        ("LIMITS", Limits),
        ("ICE", Ice),
    ):
        known += [
            f"{ENVIRONMENT_PREFIX}{section}__{name.upper()}" for name in kind.__struct_fields__
        ]
    word = key.removeprefix(ENVIRONMENT_PREFIX)
    close = [name for name in known if word and name.endswith(f"__{word}")]
    close = close or difflib.get_close_matches(key, known, n=1, cutoff=0.8)
    if close:
        return f"; did you mean {close[0]!r}?"
    return "; levels are joined by two underscores: WSSTREAM_SERVER__PORT"


def _set(data: dict[str, Any], dotted: str, value: Any) -> None:
    """Put ``value`` at ``dotted``, making tables on the way."""
    *path, last = dotted.split(".")
    tables = [data]
    for i, name in enumerate(path):
        if name == "*":
            tables = [child for table in tables for child in table.values()]
        else:
            tables = [table.setdefault(name, {}) for table in tables]
        if not all(isinstance(table, dict) for table in tables):
            raise ConfigError(f"{'.'.join(path[: i + 1])} is not a table")
    for table in tables:
        table[last] = value


def _check_keys(data: Mapping[str, Any], kind: type[Struct], path: tuple[str, ...]) -> None:
    sections: dict[str, type[Struct]] = {"server": Server, "limits": Limits, "ice": Ice}
    for key, value in data.items():
        here = (*path, str(key))
        if key not in kind.__struct_fields__:
            raise ConfigError(
                f"unknown key {'.'.join(here)!r}{nearest(str(key), kind.__struct_fields__)}"
            )
        if kind is not Config or not isinstance(value, Mapping):
            continue
        if key in sections:
            _check_keys(value, sections[key], here)
        elif key == "agents":
            for name, agent in value.items():
                if isinstance(agent, Mapping):
                    _check_keys(agent, Agent, (*here, str(name)))


def _in_toml_words(message: str, data: Mapping[str, Any]) -> str:
    """msgspec names a place ``$.agents[...].fps``; a user of the file knows it as
    ``agents.ada.fps``."""
    match = re.fullmatch(r"(.*) - at `(?:key in )?\$\.?(.*)`", message)
    if match is None:
        return message
    what, place = match[1][0].lower() + match[1][1:], match[2]
    if "[...]" in place:
        name = _first_bad_agent(data.get("agents"))
        place = place.replace("[...]", f".{name}" if name else "")
        if name and place.endswith(".size"):
            size = data["agents"][name]["size"]
            what = f"expected WIDTHxHEIGHT, such as 512x512, got {size!r}"
    return f"{place}: {what}" if place else what


def _first_bad_agent(agents: Any) -> str | None:
    """Which of them cannot be read; msgspec does not say."""
    if isinstance(agents, Mapping):
        for name, agent in agents.items():
            try:
                msgspec.convert(agent, Agent)
            except msgspec.ValidationError:
                return str(name)
    return None
