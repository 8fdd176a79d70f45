"""A viewer in Python."""

from __future__ import annotations

import asyncio

import pytest

from tests.servers import running_server
from wsstream.app.client import open_client, socket_url
from wsstream.errors import Unauthorized, WsstreamError
from wsstream.protocol.frames import Frame, FrameType
from wsstream.protocol.messages import Say


@pytest.mark.parametrize(
    ("url", "agent", "session", "expected"),
    [
        ("http://host/", None, None, "ws://host/ws/facetime/ada"),
        ("http://host", None, None, "ws://host/ws/facetime/ada"),
        ("https://host/", None, None, "wss://host/ws/facetime/ada"),
        ("http://host:8000/", "bob", None, "ws://host:8000/ws/facetime/bob"),
        ("host:8000", None, None, "ws://host:8000/ws/facetime/ada"),
        ("127.0.0.1:8000", None, None, "ws://127.0.0.1:8000/ws/facetime/ada"),
        ("[::1]:8000", None, None, "ws://[::1]:8000/ws/facetime/ada"),
        ("http://host/avatar/", "bob", None, "ws://host/avatar/ws/facetime/bob"),
        ("ws://host/ws/facetime/bob", None, None, "ws://host/ws/facetime/bob"),
        ("wss://host/a/ws/facetime/bob?x=1", "ada", None, "wss://host/a/ws/facetime/bob?x=1"),
        ("http://host/", None, "s-1", "ws://host/ws/facetime/ada?session=s-1"),
        ("ws://host/ws/facetime/bob", None, "s-1", "ws://host/ws/facetime/bob?session=s-1"),
        ("http://host/#token=x", None, None, "ws://host/ws/facetime/ada"),
    ],
)
def test_the_socket_of_a_page(url, agent, session, expected):
    assert socket_url(url, agent, session) == expected


def test_the_page_may_name_its_agent_and_session():
    url = "http://host/?agent=bob&session=s-1"
    assert socket_url(url) == "ws://host/ws/facetime/bob?session=s-1"


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


async def take(url, count, **options):
    items = []
    async with asyncio.timeout(5), open_client(url, **options) as client:
        async for item in client:
            items.append(item)
            if len(items) == count:
                return items
    return items


async def test_frames_and_messages_come_as_they_were_sent(server):
    items = await take(server.ws(), 30)
    messages = [item for item in items if isinstance(item, dict)]
    assert [message["type"] for message in messages] == ["welcome", "state"] * 2  # and after hello
    assert {item.type for item in items if isinstance(item, Frame)} == {
        FrameType.VIDEO,
        FrameType.AUDIO,
    }


async def test_it_acks_what_it_gets_so_that_pictures_keep_coming(server):
    items = await take(server.ws(), 60)
    pictures = [i for i in items if isinstance(i, Frame) and i.type == FrameType.VIDEO]
    assert len(pictures) > 10  # without acks all come too, but then the window is not active
    session_id = next(item["session"] for item in items if isinstance(item, dict))
    stats = server.get(f"api/sessions/{session_id}").json
    assert stats["counters"]["pictures_sent"] >= len(pictures)


async def test_it_sends_what_it_is_told(server):
    async with asyncio.timeout(5), open_client(server.ws()) as client:
        await client.send(Say(text="Hello."))
        async for item in client:
            if isinstance(item, dict) and item["type"] == "transcript":
                assert item["text"] == "Hello."
                break


async def test_a_refusal_is_raised_in_its_words(server):
    with pytest.raises(WsstreamError, match="no agent 'nobody'"):
        await take(server.ws("nobody"), 10)


async def test_a_token_is_given_and_a_wrong_one_is_unauthorized():
    with running_server(server={"token": "s3cret"}) as server:
        assert (await take(server.ws(), 1, token="s3cret"))[0]["type"] == "welcome"
        with pytest.raises(Unauthorized, match="wrong"):
            await take(server.ws(), 1, token="guess")
        with pytest.raises(Unauthorized, match="required"):
            await take(server.ws(), 1)


async def test_where_nobody_answers_it_says_so():
    with pytest.raises(WsstreamError, match=r"no connection to ws://127\.0\.0\.1:9/"):
        await take("ws://127.0.0.1:9/ws/facetime/ada", 1)


@pytest.mark.parametrize("path", ["healthz", "nothing", "http"])
async def test_what_is_no_websocket_says_so(server, path):
    url = f"ws://127.0.0.1:{server.port}/{path}" if path != "http" else "http://127.0.0.1:9/"
    with pytest.raises(WsstreamError):
        await take(url, 1)
