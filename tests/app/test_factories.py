"""From the names in the configuration to engines."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fakes import FakeAvatar, FakeVoice
from wsstream.app.factories import AVATARS, VOICES, make_engines, make_peers
from wsstream.avatar.testcard import TestcardAvatar
from wsstream.config import Agent, make_config
from wsstream.errors import AvatarError, ConfigError, VoiceError


def agent(avatar=None, voice=None, **options):
    return Agent(avatar=avatar or {}, voice=voice or {}, **options)


def make_avatar(avatar, *, known=None, **options):
    return make_engines(known).avatar(agent(avatar=avatar, **options))


def make_voice(voice, *, known=None):
    return make_engines(voices=known).voice(agent(voice=voice))


def test_an_engine_of_this_package_by_its_name():
    provider, picture = make_avatar({"provider": "testcard"})
    assert isinstance(provider, TestcardAvatar)
    assert picture is None


@pytest.mark.parametrize("name", AVATARS)
def test_every_avatar_of_this_package_can_be_made(name):
    assert make_avatar({"provider": name})[0].name == name


@pytest.mark.parametrize("name", VOICES)
def test_every_voice_of_this_package_can_be_made(name):
    assert make_voice({"engine": name}).name == name


def test_with_nothing_said_it_is_the_portrait_that_speaks_by_espeak():
    engines = make_engines()
    assert engines.avatar(agent())[0].name == "portrait"
    assert engines.voice(agent()).name == "espeak"


def test_an_engine_of_somebody_elses_by_its_path():
    provider, _ = make_avatar({"provider": "tests.fakes:FakeAvatar"})
    assert isinstance(provider, FakeAvatar)
    assert isinstance(make_voice({"engine": "tests.fakes:FakeVoice"}), FakeVoice)


def test_an_engine_given_in_python_by_its_name_wins():
    provider, _ = make_avatar({"provider": "testcard"}, known={"testcard": FakeAvatar})
    assert isinstance(provider, FakeAvatar)


def test_a_function_will_do_as_well_as_a_class():
    made = FakeAvatar()
    provider, _ = make_avatar({"provider": "mine"}, known={"mine": lambda: made})
    assert provider is made


def test_the_engine_gets_its_own_options():
    provider, _ = make_avatar({"provider": "testcard", "tone_hz": 440.0, "beep": False})
    assert (provider._tone_hz, provider._beep) == (440.0, False)
    assert make_voice({"engine": "fake", "chunk_ms": 7}, known={"fake": FakeVoice}).chunk_ms == 7


@pytest.mark.parametrize(("options", "fps"), [({}, 30), ({"fps": 12.5}, 12.5)])
def test_the_engine_gets_the_agents_rate_unless_it_has_its_own(options, fps):
    provider, _ = make_avatar({"provider": "testcard", **options}, fps=30)
    assert provider.fps == fps


def test_an_engine_that_takes_no_rate_gets_none():
    class Plain(FakeAvatar):
        def __init__(self):
            super().__init__()

    assert isinstance(make_avatar({"provider": "plain"}, known={"plain": Plain})[0], Plain)


def test_an_engine_that_takes_any_option_gets_all():
    def make(**options):
        made.update(options)
        return FakeAvatar()

    made = {}
    make_avatar({"provider": "any", "colour": "red"}, known={"any": make})
    assert made == {"colour": "red"}


def test_the_options_in_the_configuration_stay_as_they_are():
    options = {"provider": "testcard", "beep": False}
    configured = agent(avatar=options)
    make_engines().avatar(configured)
    make_engines().avatar(configured)
    assert options == {"provider": "testcard", "beep": False}


def test_the_picture_is_read(tmp_path):
    (tmp_path / "ada.png").write_bytes(b"a portrait")
    _, picture = make_avatar({"provider": "testcard", "picture": str(tmp_path / "ada.png")})
    assert picture == b"a portrait"


def test_a_picture_in_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "ada.png").write_bytes(b"a portrait")
    assert make_avatar({"provider": "testcard", "picture": "~/ada.png"})[1] == b"a portrait"


def test_a_picture_that_is_missing_is_named(tmp_path):
    with pytest.raises(AvatarError, match=r"absent\.png'?: No such file"):
        make_avatar({"provider": "testcard", "picture": str(tmp_path / "absent.png")})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("testcart", "unknown avatar provider 'testcart'; did you mean 'testcard'"),
        ("zzz", "known are portrait, testcard"),
        (5, "unknown avatar provider 5"),
        (["testcard"], "unknown avatar provider"),
        ("no.such.module:Class", "cannot be loaded: No module named"),
        ("tests.fakes:NoSuchClass", "cannot be loaded: .*NoSuchClass"),
        ("tests.fakes:IDLE_SHADE", "is not a class"),
        (":", "cannot be loaded"),
        (":x", "cannot be loaded"),
        (".fakes:FakeAvatar", "cannot be loaded"),
    ],
)
def test_an_engine_that_cannot_be_had_is_named(name, words):
    with pytest.raises(ConfigError, match=words):
        make_avatar({"provider": name})


def test_a_voice_that_cannot_be_had_is_named():
    with pytest.raises(ConfigError, match="unknown voice engine 'espeek'; did you mean 'espeak'"):
        make_voice({"engine": "espeek"})


def test_an_option_that_does_not_exist_names_the_nearest():
    with pytest.raises(ConfigError, match="has no option 'tone_herz'; did you mean 'tone_hz'"):
        make_avatar({"provider": "testcard", "tone_herz": 440})


@pytest.mark.parametrize("error", [TypeError("x is no number"), ValueError("x is too large")])
def test_an_option_the_engine_does_not_take_is_told_in_its_words(error):
    def picky():
        raise error

    with pytest.raises(ConfigError, match=str(error)):
        make_avatar({"provider": "picky"}, known={"picky": picky})


def test_no_voice_is_wanted():
    assert make_voice({"engine": "none"}) is None


def test_a_voice_whose_package_is_missing_is_a_voice_that_is_missing():
    def missing():
        raise ImportError("No module named 'speech'")

    with pytest.raises(VoiceError, match="cannot be loaded: No module named 'speech'"):
        make_voice({"engine": "missing"}, known={"missing": missing})


def test_what_a_voice_says_against_its_options_is_passed_on():
    def picky():
        raise VoiceError("no such language: xx")

    with pytest.raises(VoiceError, match="no such language"):
        make_voice({"engine": "picky"}, known={"picky": picky})


def test_a_builtin_is_no_engine():
    with pytest.raises(ConfigError):
        make_avatar({"provider": "builtins:dict"})


def test_what_is_no_engine_is_refused():
    with pytest.raises(ConfigError):
        make_avatar({"provider": "os:getcwd"})


# Peers.


def test_peers_are_made_as_configured():
    ice = {"turn": ["turn:t.example"], "turn_secret": "north", "policy": "relay"}
    peers = make_peers(make_config({"ice": ice, "limits": {"peers": 3}}))
    assert peers.policy == "relay"
    assert peers.ice_servers("ada")[0].urls == ["turn:t.example"]


def test_where_webrtc_is_off_there_are_none():
    assert make_peers(make_config({"ice": {"enabled": False}})) is None


def test_help_does_not_wait_for_webrtc():
    code = "import sys, wsstream.app.cli; sys.exit('aiortc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
