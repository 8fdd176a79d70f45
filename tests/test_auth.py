"""Who may come in: origins and tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.auth import (
    answers_to,
    bearer,
    check_origin,
    check_token,
    default_hosts,
    network_of,
)
from wsstream.errors import ForbiddenOrigin, Unauthorized


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "example.com", ()),  # no browser
        (None, None, ()),
        ("http://example.com", "example.com", ()),
        ("http://example.com", "EXAMPLE.com", ()),
        ("http://example.com:80", "example.com", ()),
        ("http://example.com:8000", "example.com:8000", ()),
        ("https://example.com", "example.com", ()),  # a proxy ended TLS
        ("https://example.com:443", "example.com", ()),
        ("http://[::1]:8000", "[::1]:8000", ()),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", ()),
        ("https://a.example", "b.example", ("https://a.example",)),
        ("https://a.example", "b.example", ("https://a.example/",)),
        ("https://a.example", "b.example", ("https://c.example", "https://a.example")),
        ("https://a.example", "b.example", ("*",)),
        ("null", "b.example", ("*",)),
        ("https://a.example", None, ("*",)),
    ],
)
def test_our_own_pages_and_those_allowed_come_in(origin, host, allowed):
    check_origin(origin, host, allowed)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://evil.example", "example.com", ()),
        ("https://evil.example", "example.com", ("https://a.example",)),
        ("http://example.com:8001", "example.com:8000", ()),
        ("http://example.com", "example.com:8000", ()),
        ("https://example.com", "example.com:80", ()),
        ("https://example.com.evil.example", "example.com", ()),
        ("https://evil.example/example.com", "example.com", ()),
        ("http://a.example", "b.example", ("https://a.example",)),  # another scheme
        ("https://a.example:444", "b.example", ("https://a.example",)),
        ("https://sub.a.example", "b.example", ("https://a.example",)),
        ("null", "example.com", ()),  # a sandboxed frame, a file
        ("", "example.com", ()),
        ("", "", ()),
        ("http://", "", ()),
        ("http://", ":80", ()),
        ("http://example.com", None, ()),
        ("http://example.com", "", ()),
        ("http://example.com:99999", "example.com:99999", ()),
        ("http://[::1", "[::1", ()),
        ("http://example.com", "[", ()),
    ],
)
def test_other_pages_stay_out(origin, host, allowed):
    with pytest.raises(ForbiddenOrigin, match="is not allowed here"):
        check_origin(origin, host, allowed)


def test_a_long_origin_is_cut_in_the_answer():
    with pytest.raises(ForbiddenOrigin) as refusal:
        check_origin("http://" + "a" * 10_000, "example.com", ())
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_network_is_one_address(address, network):
    assert network_of(address) == network


@given(st.none() | st.text(), st.none() | st.text(), st.lists(st.text(), max_size=2))
def test_any_origin_is_let_in_or_refused(origin, host, allowed):
    try:
        check_origin(origin, host, allowed)
    except ForbiddenOrigin:
        pass


def test_no_token_is_asked_for_when_none_is_set():
    for given_token in (None, "", "anything"):
        check_token("", given_token)


@pytest.mark.parametrize("token", ["s3cret", "pässwörd", "世界", "a b"])
def test_the_right_token_comes_in(token):
    check_token(token, token)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "a token is required"),
        ("", "a token is required"),
        ("wrong", "the token is wrong"),
        ("s3cret ", "the token is wrong"),
        ("s3cre", "the token is wrong"),
        ("世界", "the token is wrong"),
    ],
)
def test_a_missing_or_wrong_token_stays_out(token, words):
    with pytest.raises(Unauthorized, match=words):
        check_token("s3cret", token)


def test_a_refusal_does_not_tell_the_token():
    with pytest.raises(Unauthorized) as refusal:
        check_token("s3cret", "guess")
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer s3cret", "s3cret"),
        ("bearer s3cret", "s3cret"),
        ("BEARER   s3cret ", "s3cret"),
        ("Bearer a=b+c/d", "a=b+c/d"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic czNjcmV0", None),
        ("s3cret", None),
        ("", None),
        (None, None),
    ],
)
def test_the_token_of_a_bearer_header(header, token):
    assert bearer(header) == token


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("evil.example", ()),
        (None, ()),
        (None, ("a.example",)),  # no browser
        ("evil.example", ("*",)),
        ("a.example", ("a.example",)),
        ("A.Example:8000", ("b.example", "a.example")),
        ("a.example.", ("a.example",)),
        ("b.a.example", ("*.a.example",)),
        ("127.0.0.1:8000", ("a.example",)),  # no name that could be made to point here
        ("192.168.1.5", ("a.example",)),
        ("[::1]:8000", ("a.example",)),
        ("[fe80::1%eth0]:8000", ("a.example",)),
    ],
)
def test_a_server_answers_to_its_names_and_to_addresses(host, allowed):
    assert answers_to(host, allowed)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("evil.example", ("a.example",)),
        ("a.example.evil.example", ("a.example",)),
        ("b.a.example", ("a.example",)),
        ("a.example", ("*.a.example",)),
        ("eviltest", ("*.test",)),
        ("", ("a.example",)),
        ("[", ("a.example",)),
        ("a.example:99999", ("b.example",)),
        ("127.0.0.1.evil.example", ("a.example",)),
        ("evil.example/127.0.0.1", ("a.example",)),
    ],
)
def test_a_server_answers_to_no_other_name(host, allowed):
    assert not answers_to(host, allowed)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_bound_to_this_machine_it_answers_to_this_machines_names(host):
    allowed = default_hosts(host)
    assert answers_to("localhost:8000", allowed)
    assert answers_to("ada.localhost", allowed)
    assert answers_to("127.0.0.1:8000", allowed)
    assert not answers_to("evil.example", allowed)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "a.example"])
def test_bound_to_the_network_it_answers_to_any_name(host):
    assert answers_to("a.example", default_hosts(host))


@given(st.text(max_size=20))
def test_any_host_is_judged(host):
    assert isinstance(answers_to(host, ("a.example",)), bool)
    assert isinstance(default_hosts(host), tuple)
