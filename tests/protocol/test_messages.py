"""The JSON messages, against the golden texts the browser reads too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.errors import BadMessage
from wsstream.protocol import messages
from wsstream.protocol.messages import (
    Ack,
    Bye,
    Hello,
    Say,
    Transcript,
    dump,
    parse_client,
    parse_server,
)

VECTORS = Path(__file__).parent.parent / "vectors"
GOLDEN = json.loads((VECTORS / "messages.json").read_text("utf-8"))
PARSE = {"client": parse_client, "server": parse_server}


def named(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=[v["name"] for v in vectors])


def types_of(union):
    return {kind.__struct_config__.tag for kind in union.__args__}


@named(GOLDEN["good"])
def test_a_golden_message_is_read_and_written_byte_for_byte(vector):
    message = PARSE[vector["from"]](vector["text"])
    assert message is not None
    assert dump(message) == vector["text"]


@pytest.mark.parametrize(
    ("side", "union"),
    [("client", messages.ClientMessage), ("server", messages.ServerMessage)],
)
def test_every_message_of_each_side_has_a_golden_text(side, union):
    golden = {json.loads(v["text"])["type"] for v in GOLDEN["good"] if v["from"] == side}
    assert golden == types_of(union)


@pytest.mark.parametrize("parse", [parse_client, parse_server])
@named(GOLDEN["unknown"])
def test_an_unknown_type_is_skipped(vector, parse):
    assert parse(vector["text"]) is None


@named(GOLDEN["bad"])
def test_a_bad_message_is_refused(vector):
    with pytest.raises(BadMessage, match=r"expected a JSON message: ."):
        PARSE[vector["from"]](vector["text"])


@named([v for v in GOLDEN["bad"] if v["malformed"]])
def test_what_is_no_message_is_refused_from_either_side(vector):
    for parse in PARSE.values():
        with pytest.raises(BadMessage):
            parse(vector["text"])


def test_the_other_sides_messages_are_skipped():
    assert parse_client('{"type":"welcome"}') is None
    assert parse_server('{"type":"hello"}') is None


def test_unknown_fields_are_skipped():
    assert parse_client('{"type":"say","text":"a","volume":11}') == Say(text="a")


def test_absent_fields_have_defaults():
    assert parse_client('{"type":"hello","protocol":1}') == Hello(
        protocol=1, video=("jpeg",), audio=("opus",), webrtc=False, mode="auto", token=None
    )
    assert parse_client('{"type":"ack"}') == Ack(video=None, audio=None, buffered_ms=None)
    assert parse_client('{"type":"bye"}') == Bye(code=1000, reason="")


def test_a_bad_message_names_the_field():
    with pytest.raises(BadMessage, match=r"\$\.protocol"):
        parse_client('{"type":"hello","protocol":"1"}')


def test_json_too_deep_is_refused():
    with pytest.raises(BadMessage):
        parse_client('{"type":"ping","t":' + "[" * 5000 + "]" * 5000 + "}")


def test_half_a_character_becomes_a_question_mark():
    said = Transcript(role="agent", text="Hi \ud83d.", final=True, at=20, id="a\ud83d")
    whole = Transcript(role="agent", text="Hi ?.", final=True, at=20, id="a?")
    assert parse_server(dump(said)) == whole


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (r'{"type":"say","text":"hi \ud83d"}', "hi ?"),
        (r'{"type":"say","text":"\udc00\ud83d\ude00\\ud83d"}', "?\U0001f600\\ud83d"),
    ],
)
def test_half_a_character_of_a_client_is_a_question_mark_too(text, whole):
    assert parse_client(text) == Say(text=whole)


@pytest.mark.parametrize(
    "rest", [r'"text":"\ud83d","n":NaN', r'"text":"\ud83d', r'"text":["\ud83d"]']
)
def test_what_is_wrong_besides_is_bad(rest):
    with pytest.raises(BadMessage):
        parse_client('{"type":"say",' + rest + "}")


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"ping","t":1e999}',
        '{"type":"ping","t":NaN}',
        '{"type":"hello","protocol":' + "9" * 5000 + "}",
        '{"type":"say","text":"\ud800"}',
        '{"type":"say","text":"\\u0000"',
    ],
    ids=["infinity", "nan", "huge", "surrogate", "cut short"],
)
def test_values_that_json_cannot_have_are_refused(text):
    with pytest.raises(BadMessage):
        parse_client(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    sorted({f for kind in messages.ClientMessage.__args__ for f in kind.__struct_fields__})
)
OBJECTS = st.builds(
    lambda type, fields: {"type": type, **fields},
    st.sampled_from(sorted(types_of(messages.ClientMessage) | types_of(messages.ServerMessage))),
    st.dictionaries(FIELDS, JSON, max_size=4),
)


@given(st.text(max_size=40) | (JSON | OBJECTS).map(json.dumps))
def test_any_text_is_a_message_or_skipped_or_a_bad_message(text):
    for parse in PARSE.values():
        try:
            message = parse(text)
        except BadMessage:
            continue
        assert message is None or parse(dump(message)) == message
