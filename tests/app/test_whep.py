"""WHEP: any player can watch. Against a running server, with a real player where one is needed."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest

from tests.rtc import RtcClient
from tests.servers import TESTCARD, WAIT_S, Answer, running_server, undisturbed, viewing
from wsstream.avatar.testcard import read_testcard

HALL = {**TESTCARD, "title": "Hall", "shared": True}
AGENTS = {"ada": TESTCARD, "hall": HALL, "dry": {**TESTCARD, "mode": "ws"}}
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"


@pytest.fixture(scope="module")
def server():
    with running_server(AGENTS, limits={"linger_s": 0}) as server:
        yield server


def request(server, method, path, body="", content_type=SDP, **headers):
    """Any method; headers with underscores for hyphens."""
    data = body.encode() if method in ("POST", "PATCH") else None
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type and data is not None:
        names["content-type"] = content_type
    url = server.url.rstrip("/") + path
    asked = urllib.request.Request(url, data, names, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=WAIT_S) as response:
            return Answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers)


async def ask(*args, **options):
    return await asyncio.to_thread(request, *args, **options)


def players(server):
    """How many peers are open in the server."""
    peers = server.registry.peers
    return server.loop_call(lambda: sum(not peer.closed for peer in peers._open))


async def gone(server):
    deadline = time.monotonic() + WAIT_S
    while await asyncio.to_thread(lambda: players(server) or server.registry.viewers):
        assert time.monotonic() < deadline, "the server did not notice"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def playing(server, path="/whep/ada", **options):
    """A player that is connected, and where its resource is."""
    player = RtcClient(channel=False, **options)
    try:
        answer = await ask(server, "POST", path, await player.offer())
        assert answer.status == 201, answer.body
        await player.answer(answer.body.decode())
        await player.until(lambda: player.connected)
        yield player, answer.headers["location"]
    finally:
        await player.close()


# Watching.


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_a_player_gets_picture_and_sound(server, codec):
    async with playing(server, codec=codec) as (player, location):
        first = read_testcard((await player.picture()).to_ndarray(format="bgr24"))
        later = read_testcard((await player.picture()).to_ndarray(format="bgr24"))
        assert later.media_ms > first.media_ms
        await player.until(lambda: len(player.stamps["audio"]) > 5)
        assert location.startswith("/whep/ada/")
    await gone(server)


async def test_the_answer_is_sdp_and_names_the_resource(server):
    player = RtcClient(channel=False)
    answer = await ask(server, "POST", "/whep/ada", await player.offer())
    assert answer.status == 201
    assert answer.headers["content-type"] == SDP
    assert answer.body.startswith(b"v=0")
    assert b"a=candidate:" in answer.body
    location = answer.headers["location"]
    assert len(location.rsplit("/", 1)[1]) >= 16  # nobody guesses it
    assert (await ask(server, "DELETE", location)).status == 200
    await player.close()
    await gone(server)


async def test_after_delete_there_is_nothing_more(server):
    async with playing(server) as (player, location):
        await player.until(lambda: player.stamps["video"])
        assert (await ask(server, "DELETE", location)).status == 200
        await gone(server)
        for method in ("DELETE", "PATCH"):
            answer = await ask(server, method, location, "", FRAGMENT)
            assert (answer.status, answer.code) == (404, "not_found")


async def test_a_player_that_goes_without_a_word_is_noticed(server):
    async with playing(server):
        assert await asyncio.to_thread(players, server) == 1
    await gone(server)


async def test_players_of_a_shared_agent_see_one_session(server):
    async with playing(server, "/whep/hall"), playing(server, "/whep/hall"):
        sessions = (await ask(server, "GET", "/api/sessions")).json
        [hall] = [one for one in sessions if one["agent"] == "hall"]
        assert hall["viewers"] == 2
        stats = (await ask(server, "GET", f"/api/sessions/{hall['id']}")).json
        assert [viewer["client"] for viewer in stats["viewers"]] == ["whep"] * 2
        assert len(stats["rungs"]) == 1  # encoded once


async def test_a_session_of_a_viewer_may_be_watched_too(server):
    def join():
        viewer = viewing(server.ws())
        return viewer, viewer.__enter__().message("welcome")["session"]

    viewer, session = await asyncio.to_thread(join)
    async with playing(server, f"/whep/ada?session={session}"):
        stats = (await ask(server, "GET", f"/api/sessions/{session}")).json
        assert len(stats["viewers"]) == 2
    await asyncio.to_thread(viewer.__exit__, None, None, None)
    await gone(server)


async def test_candidates_may_come_later(server):
    player = RtcClient(channel=False)
    lines = (await player.offer()).splitlines()
    bare = "\r\n".join(line for line in lines if not line.startswith("a=candidate:")) + "\r\n"
    answer = await ask(server, "POST", "/whep/ada", bare)
    await player.answer(answer.body.decode())
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    fragment = "\r\n".join(["a=ice-ufrag:x", "m=video 9 x 0", "a=mid:0", *candidates]) + "\r\n"
    patched = await ask(server, "PATCH", answer.headers["location"], fragment, FRAGMENT)
    assert (patched.status, patched.body) == (204, b"")
    await player.until(lambda: player.connected)
    await player.close()
    await gone(server)


# What is refused.


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/whep/nobody", 404, "not_found"),
        ("/whep/ada?session=nothing", 404, "not_found"),
        ("/whep/dry", 503, "unavailable"),
    ],
)
async def test_what_is_not_there_cannot_be_watched(server, path, status, code):
    answer = await ask(server, "POST", path, "v=0")
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", FRAGMENT])
def test_415_an_offer_of_another_kind(server, content_type):
    # urllib adds a form's type where there is none
    answer = request(server, "POST", "/whep/ada", "v=0", content_type)
    assert (answer.status, answer.code) == (415, "unsupported_media")
    assert SDP in answer.json["error"]["message"]


@pytest.mark.parametrize("body", ["", "garbage", "v=0\r\nm=x", '{"sdp":"v=0"}'])
def test_400_an_offer_that_cannot_be_understood(server, body):
    before = server.loop_call(lambda: server.registry.viewers)
    with undisturbed(server, "hall"):
        answer = request(server, "POST", "/whep/hall", body, "application/sdp; charset=utf-8")
        assert (answer.status, answer.code) == (400, "bad_message")
        assert len(answer.json["error"]["message"]) > 10
    assert players(server) == 0
    deadline = time.monotonic() + WAIT_S
    while server.loop_call(lambda: server.registry.viewers) > before:
        assert time.monotonic() < deadline


def test_400_an_offer_that_is_no_text(server):
    url = server.url + "whep/ada"
    asked = urllib.request.Request(url, b"v=0\xff", {"content-type": SDP}, method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(asked, timeout=WAIT_S)
    with error.value:
        assert error.value.code == 400


def test_413_an_offer_too_long(server):
    for body in ("v=0\r\n" + "a=x\r\n" * 5000, "x" * 1_000_000):
        answer = request(server, "POST", "/whep/ada", body)
        assert (answer.status, answer.code) == (413, "too_large")


async def test_405_other_methods(server):
    assert (await ask(server, "GET", "/whep/ada")).status == 405
    assert (await ask(server, "POST", "/whep/ada/x", "v=0")).status == 405


async def test_a_resource_belongs_to_its_agent(server):
    async with playing(server) as (_, location):
        other = location.replace("/ada/", "/hall/")
        assert (await ask(server, "DELETE", other)).status == 404
        assert (await ask(server, "PATCH", location, "x", "text/plain")).status == 415
        assert (await ask(server, "PATCH", location, "a=candidate:x\r\n", FRAGMENT)).status == 204


async def test_candidates_by_the_thousand_are_taken_in_and_left_out(server):
    async with playing(server) as (player, location):
        lines = [f"a=candidate:1 1 udp 1 192.0.2.1 {n} typ host" for n in range(1, 600)]
        answer = await ask(server, "PATCH", location, "\r\n".join(lines), FRAGMENT)
        assert answer.status == 204
        await ask(server, "PATCH", location, f"a=candidate:1 1 udp 1 ::1 {'5' * 9000} typ host")
        before = len(player.stamps["audio"])
        await player.until(lambda: len(player.stamps["audio"]) > before + 5)


def test_a_server_without_webrtc_offers_none():
    with running_server(ice={"enabled": False}) as server:
        answer = request(server, "POST", "/whep/ada", "v=0")
        assert (answer.status, answer.code) == (503, "unavailable")


async def test_the_limits_hold_for_players_too():
    with running_server(limits={"peers": 1}) as server:
        async with playing(server):
            player = RtcClient(channel=False)
            answer = await ask(server, "POST", "/whep/ada", await player.offer())
            assert (answer.status, answer.code) == (503, "unavailable")
            await player.close()
        await gone(server)
    with running_server(limits={"viewers_per_address": 1}) as server:
        async with playing(server):
            answer = await ask(server, "POST", "/whep/ada", "v=0")
            assert (answer.status, answer.code) == (429, "too_many")


# Who may.


def test_401_without_the_token():
    with running_server(server={"token": "s3cret"}) as server:
        for headers in ({}, {"authorization": "Bearer guess"}):
            answer = request(server, "POST", "/whep/ada", "v=0", **headers)
            assert (answer.status, answer.code) == (401, "unauthorized")
        answer = request(server, "POST", "/whep/ada", "x", authorization="Bearer s3cret")
        assert answer.status == 400
        assert request(server, "DELETE", "/whep/ada/x").status == 401
        assert request(server, "OPTIONS", "/whep/ada").status == 204  # browsers show none there


def test_403_a_page_of_another_origin(server):
    answer = request(server, "POST", "/whep/ada", "v=0", origin="https://evil.example")
    assert (answer.status, answer.code) == (403, "forbidden_origin")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/whep/ada", "/whep/ada/some-id"])
def test_a_browser_may_ask_beforehand_and_is_told_which_pages_may(path):
    origin = "https://a.example"
    with running_server(server={"allowed_origins": [origin]}) as server:
        answer = request(server, "OPTIONS", path, origin=origin)
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == origin
        assert "PATCH" in answer.headers["access-control-allow-methods"]
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert answer.headers["vary"] == "origin"
        refused = request(server, "POST", path[:9], "x", origin=origin)
        assert refused.status == 400
        assert refused.headers["access-control-allow-origin"] == origin  # else it cannot read why
        assert refused.headers["access-control-expose-headers"] == "location"
        other = request(server, "OPTIONS", path, origin="https://b.example")
        assert "access-control-allow-origin" not in other.headers


async def test_a_server_that_stops_frees_its_players_at_once():
    with running_server() as server:
        player = RtcClient(channel=False)
        answer = await ask(server, "POST", "/whep/ada", await player.offer())
        await player.answer(answer.body.decode())
        await player.until(lambda: player.connected)
        peers = server.registry.peers
        began = time.monotonic()
    assert time.monotonic() - began < 1.0
    assert all(peer.closed for peer in peers._open)
    await player.close()
