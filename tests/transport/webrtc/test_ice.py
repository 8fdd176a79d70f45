"""ICE as text: what of an offer is kept, what a candidate has to be, passwords for TURN."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.errors import BadMessage, Refused, TooLarge
from wsstream.transport.webrtc.ice import (
    CANDIDATES_MAX,
    OFFER_MAX_BYTES,
    clean_offer,
    is_usable_candidate,
    turn_credentials,
)

USABLE = "candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host"
OFFER = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1 2",
    "a=fingerprint:sha-256 00:11",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "a=mid:0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=mid:1",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=mid:2",
]


def offer(*more):
    return "\r\n".join([*OFFER, *more]) + "\r\n"


def test_a_browsers_offer_passes_as_it_is():
    text = offer("a=" + USABLE)
    assert clean_offer(text) == text


def test_lines_may_end_as_they_like():
    assert clean_offer(offer().replace("\r\n", "\n")) == offer()


@pytest.mark.parametrize(
    "line",
    [
        "a=end-of-candidates",
        "a=candidate:1 1 tcp 2122 192.0.2.1 9 typ host tcptype active",
        "a=candidate:1 1 udp 2122 6ba1-77.local 5000 typ host",
        "a=candidate:nonsense",
    ],
)
def test_what_aiortc_trips_over_is_left_out(line):
    assert clean_offer(offer(line)) == offer()


def test_of_very_many_candidates_the_first_are_kept():
    text = clean_offer(offer(*["a=" + USABLE] * 100))
    assert text.count("a=candidate:") == CANDIDATES_MAX


@pytest.mark.parametrize("text", ["", "\r\n", "v=1\r\nm=audio 9 x 0", "hello", "v=0\r\n", "m=v=0"])
def test_what_is_no_session_description_is_refused(text):
    with pytest.raises(BadMessage, match="expected a session description"):
        clean_offer(text)


def test_an_offer_without_a_certificate_is_refused():
    with pytest.raises(BadMessage, match="fingerprint"):
        clean_offer(offer().replace("a=fingerprint", "a=finger"))


def test_a_long_offer_is_refused_before_it_is_looked_at():
    with pytest.raises(TooLarge, match="24000"):
        clean_offer("x" * (OFFER_MAX_BYTES + 1))
    with pytest.raises(TooLarge):
        clean_offer(offer("a=" + "世" * 9000))


@pytest.mark.parametrize("kind", ["video", "audio", "application"])
def test_two_sections_of_a_kind_are_refused(kind):
    # Each would be a receiver with a thread.
    with pytest.raises(BadMessage, match="one section of each kind"):
        clean_offer(offer(f"m={kind} 9 UDP/TLS/RTP/SAVPF 96", "a=mid:3"))


@pytest.mark.parametrize(
    ("line", "instead"),
    [("a=mid:1", "a=mid:0"), ("a=mid:1", "a=x"), ("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 7 0")],
    ids=["twice", "none", "unknown"],
)
def test_a_bundle_of_what_is_not_there_is_refused(line, instead):
    with pytest.raises(BadMessage, match=r"mid|BUNDLE"):
        clean_offer(offer().replace(line, instead))


@given(st.text(max_size=300) | st.lists(st.sampled_from([*OFFER, "a=" + USABLE, ""]), max_size=30))
def test_whatever_comes_it_is_cleaned_or_refused(given_):
    try:
        text = clean_offer(given_ if isinstance(given_, str) else "\n".join(given_))
    except Refused:
        return
    assert text.startswith("v=0")
    assert clean_offer(text) == text


def test_half_a_character_is_no_reason_to_break():
    clean_offer(offer("a=x:\ud800"))


@pytest.mark.parametrize(
    "text",
    [
        USABLE,
        USABLE.removeprefix("candidate:"),
        "candidate:1 1 UDP 1 2001:db8::1 65535 typ srflx raddr 0.0.0.0 rport 0",
        "candidate:1 1 udp 1 127.0.0.1 1 typ relay",
        "candidate:1 1 udp 1 192.0.2.1 5000 typ host rport abc",  # which nobody needs
    ],
)
def test_udp_to_a_numeric_address_is_usable(text):
    assert is_usable_candidate(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.1 5000 typ",
        "candidate:1 1 tcp 1 192.0.2.1 5000 typ host",
        "candidate:1 1 udp 1 example.com 5000 typ host",
        "candidate:1 1 udp 1 224.0.0.1 5000 typ host",
        "candidate:1 1 udp 1 0.0.0.0 5000 typ host",
        "candidate:1 1 udp 1 :: 5000 typ host",
        "candidate:1 1 udp 1 fe80::1%eth0 5000 typ host",
        "candidate:1 1 udp 1 192.0.2.1 0 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 1 192.0.2.1 -1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 ５０００ typ host",
        "candidate:1 1 udp 1 192.0.2.1 5000 typ stranger",
        "candidate:1 1 udp 1 192.0.2.1 5000 kind host",
        "candidate:1 x udp 1 192.0.2.1 5000 typ host",
        pytest.param(f"candidate:1 1 udp 1 192.0.2.1 {'5' * 5000} typ host", id="a long port"),
        pytest.param(f"candidate:1 1 udp {'5' * 5000} 192.0.2.1 5 typ host", id="a long priority"),
    ],
)
def test_nothing_else_is(text):
    assert not is_usable_candidate(text)


def test_turn_passwords_are_those_that_coturn_makes():
    name, password = turn_credentials("north", "ada", 1_700_000_000.9)
    assert name == "1700000000:ada"
    mac = hmac.new(b"north", name.encode(), hashlib.sha1).digest()
    assert base64.b64decode(password) == mac
    assert turn_credentials("south", "ada", 1_700_000_000)[1] != password
    assert turn_credentials("north", "bob", 1_700_000_000)[1] != password
