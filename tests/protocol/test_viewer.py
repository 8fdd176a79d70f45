"""The server's side of one viewer's conversation: effects, and what it is refused for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.config import Limits
from wsstream.errors import BadMessage, Refused, TooLarge, TooMany, Unauthorized
from wsstream.protocol import frames
from wsstream.protocol.flow import AckWindow
from wsstream.protocol.frames import FrameType
from wsstream.protocol.messages import Candidate, Error, Offer, Switched
from wsstream.protocol.viewer import (
    Acked,
    Greet,
    Leave,
    Offered,
    Renew,
    Reply,
    Seen,
    Silence,
    Speak,
    TimeAsked,
    Upgrading,
    ViewerProtocol,
)

VECTORS = Path(__file__).parent.parent / "vectors"
GOLDEN = json.loads((VECTORS / "messages.json").read_text("utf-8"))


def make(now=0.0, **options):
    return ViewerProtocol(now, window=AckWindow(40), **options)


def tell(protocol, type, /, now=0.0, **fields):
    return protocol.receive(json.dumps({"type": type, **fields}), now)


def refusal(code):
    """An error that is told and not fatal, whatever its words."""

    class Matches:
        def __eq__(self, effect):
            match effect:
                case Reply(Error(code=found, fatal=False)):
                    return found == code
            return False

        def __repr__(self):
            return f"Reply(Error(code={code!r}))"

    return Matches()


# Coming in.


def test_without_a_token_media_may_go_out_at_once():
    protocol = make()
    assert protocol.welcome
    assert protocol.deadline is None
    protocol.check_deadline(now=1e9)


def test_with_a_token_media_wait_for_it():
    protocol = make(token="s3cret")
    assert not protocol.welcome
    [greet] = tell(protocol, "hello", protocol=1, token="s3cret")
    assert isinstance(greet, Greet)
    assert protocol.welcome
    assert protocol.deadline is None


@pytest.mark.parametrize("token", ["wrong", "", "s3cret ", "S3CRET", None])
def test_a_wrong_token_is_refused(token):
    with pytest.raises(Unauthorized):
        tell(make(token="s3cret"), "hello", protocol=1, token=token)


def test_a_token_that_nobody_asked_for_does_no_harm():
    [greet] = tell(make(), "hello", protocol=1, token="anything")
    assert isinstance(greet, Greet)


@pytest.mark.parametrize(
    "vector",
    [v for v in GOLDEN["good"] if v["from"] == "client" and '"hello"' not in v["text"]],
    ids=lambda v: v["name"],
)
def test_nothing_but_hello_is_taken_before_the_token(vector):
    with pytest.raises(Unauthorized, match="expected hello with a token first"):
        make(token="s3cret").receive(vector["text"], 0.0)


def test_a_frame_before_the_token_is_refused():
    with pytest.raises(Unauthorized, match="got a frame"):
        make(token="s3cret").receive(frames.encode(FrameType.AUDIO, 0, b"x"), 0.0)


def test_the_token_has_to_come_in_time():
    protocol = make(now=100.0, token="s3cret", hello_timeout_s=5.0)
    assert protocol.deadline == 105.0
    protocol.check_deadline(now=104.999)
    with pytest.raises(Unauthorized):
        protocol.check_deadline(now=105.0)


def test_after_the_token_there_is_no_deadline():
    protocol = make(token="s3cret")
    tell(protocol, "hello", protocol=1, token="s3cret")
    protocol.check_deadline(now=1e9)


@pytest.mark.parametrize("version", [0, 2, -1, 2**40])
def test_an_unknown_protocol_version_is_refused_naming_ours(version):
    with pytest.raises(BadMessage, match=f"expected protocol 1, got {version}"):
        tell(make(), "hello", protocol=version)


def test_the_wrong_version_is_said_even_before_the_token_is_asked_for():
    with pytest.raises(BadMessage, match="expected protocol 1"):
        tell(make(token="s3cret"), "hello", protocol=2)


# Agreeing on codecs.

ALL = Offered(video=("h264", "patch", "jpeg"), audio=("opus", "pcm"))
JPEG = Offered(video=("jpeg",))


@pytest.mark.parametrize(
    ("offered", "wanted", "video", "audio"),
    [
        (None, {}, "jpeg", "opus"),
        (None, {"video": ["jpeg", "patch", "h264"]}, "h264", "opus"),
        (JPEG, {"video": ["jpeg", "patch", "h264"]}, "jpeg", "opus"),
        (None, {"video": [], "audio": []}, "jpeg", "opus"),
        (None, {"video": ["av2"], "audio": ["lc3"]}, "jpeg", "opus"),
        (None, {"audio": ["pcm"]}, "jpeg", "pcm"),
        (None, {"audio": ["pcm", "opus"]}, "jpeg", "opus"),
        (ALL, {"video": ["jpeg", "patch", "h264"]}, "h264", "opus"),
        (ALL, {"video": ["jpeg", "patch"]}, "patch", "opus"),
        (ALL, {"video": ["patch"]}, "patch", "opus"),
        (ALL, {}, "jpeg", "opus"),
    ],
)
def test_the_best_that_both_sides_know_is_chosen(offered, wanted, video, audio):
    [greet] = tell(make(offered=offered), "hello", protocol=1, **wanted)
    assert (greet.video, greet.audio) == (video, audio)


def test_hello_may_come_again():
    protocol = make(token="s3cret")
    tell(protocol, "hello", protocol=1, token="s3cret")
    [greet] = tell(protocol, "hello", protocol=1, audio=["pcm"])
    assert greet.audio == "pcm"


# What each message asks for.


@pytest.mark.parametrize(
    ("type", "fields", "effect"),
    [
        ("say", {"text": "Hello."}, Speak("Hello.", None)),
        ("say", {"text": "Hello.", "id": "a1"}, Speak("Hello.", "a1")),
        ("say", {"text": ""}, refusal("bad_message")),
        ("say", {"text": " \n\t"}, refusal("bad_message")),
        ("say", {"text": "x" * 20}, Speak("x" * 20, None)),
        ("say", {"text": "x" * 21}, refusal("too_large")),
        ("interrupt", {}, Silence()),
        ("ack", {}, Acked()),
        ("ack", {"audio": 40}, Acked()),
        ("view", {"width": 640, "height": 360}, Seen(640, 360, True)),
        ("view", {"width": 0, "height": 0, "visible": False}, Seen(0, 0, False)),
        ("refresh", {}, Renew()),
        ("ping", {"t": 12.5}, TimeAsked(12.5)),
        ("bye", {}, Leave()),
        ("offer", {"epoch": 1, "sdp": "v=0"}, Upgrading(Offer(epoch=1, sdp="v=0"))),
        (
            "candidate",
            {"epoch": 1, "candidate": None},
            Upgrading(Candidate(epoch=1, candidate=None)),
        ),
        (
            "switched",
            {"epoch": 1, "to": "webrtc"},
            Upgrading(Switched(epoch=1, to="webrtc")),
        ),
    ],
)
def test_each_message_has_its_effect(type, fields, effect):
    assert tell(make(text_chars=20), type, **fields) == [effect]


def test_an_ack_of_a_picture_opens_the_window():
    protocol = make()
    protocol.window.sent(40, 0.0)
    assert tell(protocol, "ack", now=0.1, video=40, buffered_ms=60) == [Acked()]
    assert (protocol.window.unacked, protocol.window.hold_ms) == (0, 60)


def test_an_ack_of_sound_alone_leaves_the_window_alone():
    protocol = make()
    tell(protocol, "ack", audio=40)
    assert not protocol.window.active


def test_unknown_messages_and_frames_are_skipped_and_counted():
    protocol = make()
    assert tell(protocol, "hologram") == []
    assert protocol.receive(frames.encode(0x77, 0, b"x"), 0.0) == []
    assert protocol.received == {"text": 0, "microphone": 0, "skipped": 2}


def test_messages_and_microphone_are_counted():
    protocol = make()
    tell(protocol, "ping", t=1)
    for type in (FrameType.AUDIO, FrameType.AUDIO_PCM):
        assert protocol.receive(frames.encode(type, 0, b"x"), 0.0) == []
    assert protocol.received == {"text": 1, "microphone": 2, "skipped": 0}


# What a viewer is refused for.


@pytest.mark.parametrize(
    "type",
    [t for t in FrameType if t not in (FrameType.AUDIO, FrameType.AUDIO_PCM)],
)
def test_a_client_may_not_send_pictures(type):
    with pytest.raises(BadMessage, match=f"0x{type:02x}"):
        make().receive(frames.encode(type, 0, b"x"), 0.0)


@pytest.mark.parametrize(
    "data", [b"", b"\1" * 11, b"\2" * 20, "", "{", "[]", '{"type":1}', '{"type":"say"}']
)
def test_what_cannot_be_read_is_a_bad_message(data):
    with pytest.raises(BadMessage):
        make().receive(data, 0.0)


def test_a_message_over_the_limit_is_too_large():
    protocol = make(message_bytes=100)
    assert protocol.receive('{"type":"x"}'.ljust(100), 0.0) == []
    assert protocol.receive(frames.encode(0x77, 0, b"x" * 88), 0.0) == []
    for data in ('{"type":"x"}'.ljust(101), frames.encode(0x77, 0, b"x" * 89)):
        with pytest.raises(TooLarge):
            protocol.receive(data, 0.0)


def test_the_limit_counts_bytes_not_characters():
    with pytest.raises(TooLarge):
        make(message_bytes=100).receive('{"type":"x","y":"' + "世" * 50 + '"}', 0.0)


def test_too_many_messages_are_refused_and_a_pause_makes_room():
    protocol = make(messages_per_s=10)
    for _ in range(20):
        tell(protocol, "ping", t=1, now=1.0)
    with pytest.raises(TooMany):
        tell(protocol, "ping", t=1, now=1.0)
    tell(protocol, "ping", t=1, now=1.2)


def test_a_client_that_acks_every_picture_of_the_fastest_agent_is_not_too_quick():
    protocol = make(messages_per_s=Limits().messages_per_s)
    for n in range(60 * 300):  # five minutes
        tell(protocol, "ack", now=n / 60, video=n)
        if n % 120 == 0:
            tell(protocol, "ping", now=n / 60, t=1)


def test_messages_that_are_skipped_count_against_the_rate():
    protocol = make(messages_per_s=1)
    tell(protocol, "hologram")
    protocol.receive(frames.encode(0x77, 0, b""), 0.0)
    with pytest.raises(TooMany):
        tell(protocol, "hologram")


CLIENT_TYPES = [json.loads(v["text"])["type"] for v in GOLDEN["good"] if v["from"] == "client"]
TEXTS = st.text(max_size=60) | st.builds(
    lambda type, fields: json.dumps({"type": type, **fields}),
    st.sampled_from([*CLIENT_TYPES, "hologram"]),
    st.dictionaries(
        st.sampled_from(["protocol", "video", "text", "t", "token", "epoch", "sdp", "to", "id"]),
        st.none() | st.integers(-2, 2**33) | st.text(max_size=8) | st.floats(),
    ),
)
BINARIES = st.binary(max_size=40) | st.builds(
    frames.encode, st.integers(0, 9), st.integers(0, 2**32), st.binary(max_size=8)
)


@given(st.lists(TEXTS | BINARIES, max_size=8), st.sampled_from(["", "s3cret"]))
def test_whatever_a_client_sends_it_gets_effects_or_a_refusal(received, token):
    protocol = make(token=token)
    for n, data in enumerate(received):
        try:
            effects = protocol.receive(data, float(n))
        except Refused:
            return
        assert protocol.welcome or effects == []
