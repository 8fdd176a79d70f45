"""The configuration: who wins, what is refused, and in which words."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.config import (
    Agent,
    Config,
    Ice,
    Limits,
    Server,
    load_config,
    make_config,
    parse_value,
)
from wsstream.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "wsstream.toml"
        path.write_text(text, "utf-8")
        return path

    return write


# Who wins.


def test_nothing_configured_is_one_agent_for_this_machine_only():
    config = load_config()
    assert config == Config() == make_config({})
    assert list(config.agents) == ["ada"]
    assert config.server.host == "127.0.0.1"


def test_a_file_is_read(write):
    path = write('[server]\nport = 9000\n[agents.bob]\ntitle = "Bob"\nsize = "1280x720"\n')
    config = load_config(path)
    assert config.server.port == 9000
    assert list(config.agents) == ["bob"]
    assert (config.agents["bob"].width, config.agents["bob"].height) == (1280, 720)


@pytest.mark.parametrize(
    ("environment", "overrides", "port"),
    [
        ({}, [], 1),
        ({"WSSTREAM_SERVER__PORT": "2"}, [], 2),
        ({}, [("server.port", 3)], 3),
        ({"WSSTREAM_SERVER__PORT": "2"}, [("server.port", 3)], 3),
        ({"WSSTREAM_SERVER__PORT": "2"}, [("server.port", 3), ("server.port", 4)], 4),
    ],
)
def test_the_environment_wins_over_the_file_and_flags_over_both(
    write, environment, overrides, port
):
    assert load_config(write("[server]\nport = 1\n"), environment, overrides).server.port == port


def test_the_environment_reaches_agents_and_their_engines():
    config = load_config(
        environment={
            "WSSTREAM_AGENTS__ADA__SIZE": "640x360",
            "WSSTREAM_AGENTS__ADA__AVATAR__PROVIDER": "testcard",
            "WSSTREAM_AGENTS__BOB__SHARED": "true",
            "WSSTREAM_SERVER__ALLOWED_ORIGINS": '["https://a.example"]',
        }
    )
    assert config.agents["ada"].size == "640x360"
    assert config.agents["ada"].avatar == {"provider": "testcard"}
    assert config.agents["ada"].title == "Ada"
    assert config.agents["bob"].shared
    assert config.server.allowed_origins == ("https://a.example",)


def test_other_variables_are_left_alone():
    environment = {"WSSTREAM_CONFIG": "x.toml", "PATH": "/bin", "OTHER__PORT": "1"}
    assert load_config(environment=environment) == Config()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("WSSTREAM_TOKEN", "WSSTREAM_TOKEN; did you mean 'WSSTREAM_SERVER__TOKEN'?"),
        ("WSSTREAM_PORT", "did you mean 'WSSTREAM_SERVER__PORT'?"),
        ("WSSTREAM_SERVER_PORT", "did you mean 'WSSTREAM_SERVER__PORT'?"),
        ("WSSTREAM_SIZE", "did you mean 'WSSTREAM_AGENTS__ADA__SIZE'?"),
        ("WSSTREAM_CONFG", "did you mean 'WSSTREAM_CONFIG'?"),
        ("WSSTREAM_LIMIT_SESSIONS", "did you mean 'WSSTREAM_LIMITS__SESSIONS'?"),
        ("WSSTREAM_", "WSSTREAM_; levels are joined by two underscores"),
        ("WSSTREAM_ZZZZ", "two underscores: WSSTREAM_SERVER__PORT"),
    ],
)
def test_a_variable_without_its_level_names_the_nearest(name, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        load_config(environment={name: "9000"})


def test_what_kubernetes_tells_of_a_service_of_this_name_is_left_alone():
    environment = {
        "WSSTREAM_SERVICE_HOST": "10.0.0.1",
        "WSSTREAM_SERVICE_PORT": "8000",
        "WSSTREAM_SERVICE_PORT_HTTP": "8000",
        "WSSTREAM_PORT": "tcp://10.0.0.1:8000",
        "WSSTREAM_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "WSSTREAM_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert load_config(environment=environment) == Config()


def test_a_star_means_every_agent(write):
    path = write('[agents.a]\n[agents.b]\nsize = "64x64"\n')
    config = load_config(path, overrides=[("agents.*.size", "128x128")])
    assert {agent.size for agent in config.agents.values()} == {"128x128"}


def test_a_star_means_the_default_agent_where_none_is_named():
    config = load_config(overrides=[("agents.*.avatar.provider", "testcard")])
    assert config.agents["ada"].avatar == {"provider": "testcard"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9000", 9000),
        ("1.5", 1.5),
        ("true", True),
        ('["a", "b"]', ["a", "b"]),
        ('"9000"', "9000"),
        ("hello", "hello"),
        ("512x512", "512x512"),
        ("", ""),
        ("C:\\faces\\ada.png", "C:\\faces\\ada.png"),
        ("https://a.example", "https://a.example"),
    ],
)
def test_a_value_is_what_toml_reads_else_text(text, value):
    assert parse_value(text) == value


@pytest.mark.parametrize("text", ["#", "1\n2", "= 1", "\udc80", "'"])
def test_no_text_is_too_odd_for_a_value(text):
    assert parse_value(text) == text


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 5000], ids=["digits", "brackets"])
def test_no_text_is_too_long_for_a_value(text):
    assert parse_value(text) == text


# What is refused: each with its place, and in words.


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"sever": {}}, "unknown key 'sever'; did you mean 'server'?"),
        ({"server": {"prot": 1}}, "unknown key 'server.prot'; did you mean 'port'?"),
        ({"limits": {"session": 1}}, "unknown key 'limits.session'; did you mean 'sessions'?"),
        ({"agents": {"a": {"sizes": 1}}}, "unknown key 'agents.a.sizes'; did you mean 'size'?"),
        ({"zzz": 1}, "unknown key 'zzz'; known are agents, ice, limits, server"),
    ],
)
def test_an_unknown_key_names_the_nearest(data, words):
    with pytest.raises(ConfigError) as error:
        make_config(data)
    assert str(error.value) == words


SECRET = {"turn": ["turn:t.example"], "turn_secret": "north"}


@pytest.mark.parametrize(
    "ice",
    [
        {},
        {"enabled": False},
        {"stun": ["stun:s.example:3478", "stuns:s.example"]},
        SECRET,
        {**SECRET, "turn": ["turns:t.example:443?transport=tcp"], "relay": True},
        {**SECRET, "policy": "relay"},
        {"turn": ["turn:t.example"], "turn_username": "u", "turn_password": "p"},
    ],
)
def test_webrtc_may_be_helped_through_the_network(ice):
    assert make_config({"ice": ice}).ice == Ice(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in ice.items()}
    )


@pytest.mark.parametrize(
    ("ice", "words"),
    [
        ({"stun": ["s.example"]}, "ice.stun is 's.example': it has to start with 'stun:'"),
        ({"stun": ["turn:s.example"]}, "start with 'stun:'"),
        ({"turn": ["stun:s.example"]}, "start with 'turn:'"),
        ({"turn": ["turn:t.example"]}, "ice.turn needs ice.turn_secret"),
        ({"turn": ["turn:t.example"], "turn_username": "u"}, "ice.turn needs ice.turn_secret"),
        ({"relay": True}, "need a server in ice.turn"),
        ({"policy": "relay"}, "need a server in ice.turn"),
        ({"turns": []}, "unknown key 'ice.turns'; did you mean 'turn'?"),
    ],
)
def test_what_no_browser_could_use_is_refused(ice, words):
    with pytest.raises(ConfigError) as error:
        make_config({"ice": ice})
    assert words in str(error.value)


def test_servers_may_come_from_the_environment():
    environment = {
        "WSSTREAM_ICE__TURN": '["turn:t.example"]',
        "WSSTREAM_ICE__TURN_SECRET": "north",
    }
    assert load_config(environment=environment).ice.turn == ("turn:t.example",)


BAD = [
    ("ice", []),
    ("ice.stun", "stun:s.example"),
    ("ice.policy", "none"),
    ("ice.turn_ttl_s", 0),
    ("ice.enabled", 1),
    ("agents.ada.video_kbps", -1),
    ("agents.ada.video_kbps", 50_001),
    ("agents.ada.mode", "auto!"),
    ("server", 1),
    ("server.host", 1),
    ("server.port", -1),
    ("server.port", 65536),
    ("server.port", "8000"),
    ("server.port", 80.5),
    ("server.port", True),
    ("server.token", 1),
    ("server.allowed_origins", "*"),
    ("server.hello_timeout_s", 0),
    ("server.hello_timeout_s", "5"),
    ("limits", []),
    *((f"limits.{name}", 0) for name in Limits.__struct_fields__ if name != "linger_s"),
    ("limits.linger_s", -1),
    ("limits.sessions", 1.5),
    ("agents", []),
    ("agents.ada", 1),
    ("agents.ada.size", "512"),
    ("agents.ada.size", "512 x 512"),
    ("agents.ada.size", "0512x512"),
    ("agents.ada.size", "99999x512"),
    ("agents.ada.size", "62x512"),
    ("agents.ada.size", "512x1922"),
    ("agents.ada.size", "513x512"),
    ("agents.ada.size", "512x511"),
    ("agents.ada.size", 512),
    ("agents.ada.fps", 0),
    ("agents.ada.fps", 61),
    ("agents.ada.shared", "yes"),
    ("agents.ada.mode", "carrier pigeon"),
    ("agents.ada.jpeg_quality", 9),
    ("agents.ada.jpeg_quality", 101),
    ("agents.ada.audio_kbps", 5),
    ("agents.ada.audio_kbps", 257),
    ("agents.ada.greeting", 1),
    ("agents.ada.avatar", "testcard"),
    ("agents.ada.voice", []),
]


@pytest.mark.parametrize(("key", "value"), BAD, ids=[f"{k}={v}" for k, v in BAD])
def test_a_bad_value_is_refused_at_its_place(key, value):
    with pytest.raises(ConfigError) as error:
        load_config(overrides=[(key, value)])
    assert str(error.value).startswith((key, key.replace(".ada", ".NAME")))
    assert "$" not in str(error.value).removesuffix("$'")


def test_a_bad_value_names_the_agent_it_belongs_to():
    with pytest.raises(ConfigError, match=r"agents\.bob\.fps"):
        make_config({"agents": {"ada": {}, "bob": {"fps": 0}}})


@pytest.mark.parametrize("data", [{1: 2}, {"agents": {1: {"x": 2}}}])
def test_a_key_that_is_no_text_is_refused(data):
    with pytest.raises(ConfigError):
        make_config(data)


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a/b", "ä", "x" * 65, "..", "a\n"])
def test_an_agent_needs_a_name_that_fits_an_address(name):
    with pytest.raises(ConfigError, match="agent name"):
        make_config({"agents": {name: {}}})


@pytest.mark.parametrize("name", ["a", "Ada", "ada-2", "v1.5", "7of9", "x" * 64])
def test_an_agent_may_have_such_a_name(name):
    assert list(make_config({"agents": {name: {}}}).agents) == [name]


def test_there_has_to_be_an_agent():
    with pytest.raises(ConfigError, match="at least one agent"):
        make_config({"agents": {}})


@pytest.mark.parametrize(
    "key",
    ["server.hello_timeout_s", "limits.linger_s", "limits.messages_per_s", "agents.ada.fps"],
)
def test_a_number_is_one(key):
    with pytest.raises(ConfigError):
        load_config(overrides=[(key, math.nan)])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        load_config(tmp_path / "absent.toml")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError):
        load_config(tmp_path)


def test_a_broken_file_names_the_line(write):
    with pytest.raises(ConfigError, match=r"wsstream\.toml: .*line 2"):
        load_config(write("[server]\nport =\n"))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"x\.toml"):
        load_config(tmp_path / "x.toml")


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 5000], ids=["digits", "brackets"])
def test_a_file_that_toml_cannot_take_in_is_refused(write, text):
    with pytest.raises(ConfigError):
        load_config(write(f"a = {text}"))


def test_a_key_below_a_value_is_refused():
    with pytest.raises(ConfigError, match=r"server\.port is not a table"):
        load_config(overrides=[("server.port", 1), ("server.port.x", 2)])


def test_a_star_below_a_value_is_refused():
    with pytest.raises(ConfigError, match="agents is not a table"):
        load_config(overrides=[("agents", 1), ("agents.*.size", "64x64")])


KEYS = st.sampled_from(
    ["ada", "x", ""]
    + [f for kind in (Config, Server, Limits, Agent) for f in kind.__struct_fields__]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["64x64", "9999x9999", "ws", "auto"])
    | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def config_or_words(load):
    try:
        return load().agents
    except ConfigError as error:
        return str(error)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_data_is_a_configuration_or_an_error_in_words(data):
    assert config_or_words(lambda: make_config(data))


@given(st.dictionaries(st.text(min_size=1).map("WSSTREAM_".__add__), st.text(), max_size=3))
def test_any_environment_is_a_configuration_or_an_error_in_words(environment):
    assert config_or_words(lambda: load_config(environment=environment))


@given(st.text(max_size=30), VALUES)
def test_any_override_is_a_configuration_or_an_error_in_words(key, value):
    assert config_or_words(lambda: load_config(overrides=[(key, value)]))
