"""The page's modules over HTTP. The page itself is among the routes."""

from __future__ import annotations

import gzip

import pytest

from tests.servers import running_server
from wsstream.app.bundle import bundle
from wsstream.app.page import ENTRIES, STATIC


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_comes_with_all_that_it_imports(server, entry):
    plain = server.get(f"static/{entry}")
    assert plain.body.decode() == bundle(STATIC, entry)
    assert "content-encoding" not in plain.headers
    zipped = server.get(f"static/{entry}", Accept_Encoding="gzip, br")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert len(zipped.body) < len(plain.body) / 3


def test_what_is_zipped_is_not_taken_for_what_is_not(server):
    plain = server.get("static/wsstream.js").headers
    zipped = server.get("static/wsstream.js", Accept_Encoding="gzip").headers
    assert plain["vary"] == zipped["vary"] == "accept-encoding"
    assert plain["etag"] != zipped["etag"]
    etag = zipped["etag"]
    again = server.get("static/wsstream.js", Accept_Encoding="gzip", If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")


def test_the_same_bytes_come_from_every_server(server):
    with running_server() as other:
        asked = {"Accept_Encoding": "gzip"}
        answers = [one.get("static/wsstream.js", **asked) for one in (server, other)]
    assert answers[0].body == answers[1].body
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    assert answers[0].body[4:8] == bytes(4)  # the time of RFC 1952 section 2.3.1


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("br,gzip ; q=1.0", True),
        ("gzip;q=0", False),
        ("identity;q=1, gzip;q=0.00", False),
        ("xgzip", False),
        ("", False),
    ],
)
def test_it_is_zipped_for_those_who_take_that(server, accepted, zipped):
    headers = server.get("static/wsstream.js", Accept_Encoding=accepted).headers
    assert (headers.get("content-encoding") == "gzip") == zipped


def test_the_modules_can_be_had_one_by_one(server):
    assert server.get("static/element.js").body == (STATIC / "element.js").read_bytes()


def test_nothing_is_put_there(server):
    assert server.post("static/wsstream.js", {}).status == 405
