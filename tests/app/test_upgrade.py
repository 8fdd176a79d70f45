"""The upgrade against a running server: a real socket, a real peer connection, and those who mean
no good."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.rtc import RtcClient
from tests.servers import TESTCARD, WAIT_S, running_server, undisturbed, viewing
from wsstream.avatar.testcard import read_testcard
from wsstream.protocol import frames
from wsstream.protocol.frames import FrameType

AGENTS = {"ada": TESTCARD, "dry": {**TESTCARD, "mode": "ws"}}
_U32 = 2**32


@pytest.fixture(scope="module")
def server():
    with running_server(AGENTS, limits={"linger_s": 0}) as server:
        yield server


class Caller:
    """A client with a socket, and perhaps a peer."""

    def __init__(self, connection):
        self.connection = connection
        self.messages, self.frames = [], []
        self.closed = None
        self.peer = None
        self.epoch = 0
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        try:
            async for data in self.connection:
                if isinstance(data, str):
                    self.messages.append(json.loads(data))
                else:
                    self.frames.append(frames.decode(data))
                self._news.set()
        except ConnectionClosed:
            pass
        self.closed = self.connection.close_code
        self._news.set()

    async def send(self, type, /, **fields):
        await self.connection.send(json.dumps({"type": type, **fields}))

    async def until(self, condition):
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def message(self, type, **fields):
        """The latest such message, when there is one."""
        await self.until(lambda: self.of(type, **fields))
        return self.of(type, **fields)[-1]

    def of(self, type, **fields):
        return [m for m in self.messages if m["type"] == type and fields.items() <= m.items()]

    def times(self, type):
        return [frame.timestamp_ms for frame in self.frames if frame.type == type]

    async def go_up(self, **options):
        """All the way to WebRTC."""
        self.epoch += 1
        self.peer = RtcClient(**options)
        await self.send("offer", epoch=self.epoch, sdp=await self.peer.offer())
        answer = await self.message("answer", epoch=self.epoch)
        await self.peer.answer(answer["sdp"])
        await self.peer.until(lambda: self.peer.stamps["video"] and self.peer.stamps["audio"])
        await self.send("switched", epoch=self.epoch, to="webrtc", reason="")
        await self.message("media", transport="webrtc", epoch=self.epoch)
        return answer

    async def kill(self):
        """As when the network goes: no close frame."""
        linger = struct.pack("ii", 1, 0)
        transport = self.connection.transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await self._reading

    async def leave(self):
        await self.connection.close()
        await self._reading
        if self.peer is not None:
            await self.peer.close()


@asynccontextmanager
async def calling(server, path="ada"):
    url = server.ws(path)
    async with connect(url, compression=None, max_size=None, proxy=None) as connection:
        caller = Caller(connection)
        await caller.message("welcome")
        try:
            yield caller
        finally:
            await caller.leave()


def count_peers(server):
    peers = server.registry.peers
    return server.loop_call(lambda: sum(not peer.closed for peer in peers._open))


async def all_freed(server):
    deadline = time.monotonic() + WAIT_S
    while await asyncio.to_thread(lambda: count_peers(server) or server.registry.viewers):
        assert time.monotonic() < deadline, "something is left"
        await asyncio.sleep(0.02)


# Up and down.


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_a_running_session_goes_up_and_comes_back_on_the_same_socket(server, codec):
    async with calling(server) as caller:
        assert (await caller.message("welcome"))["webrtc"]["enabled"]
        answer = await caller.go_up(codec=codec)
        assert answer["codec"] == codec
        switched_ms = (await caller.message("media"))["at"]
        await caller.peer.until(lambda: caller.peer.open)
        await caller.send("say", text="Hello.", id="a1")
        await caller.peer.until(
            lambda: [m for m in caller.peer.messages if m["type"] == "transcript"]
        )
        await caller.message("transcript")
        [told] = [m for m in caller.peer.messages if m["type"] == "transcript"]
        assert told == caller.of("transcript")[0]
        caller.peer.send("ping", t=7)
        await caller.peer.until(lambda: [m for m in caller.peer.messages if m["type"] == "pong"])

        first = len(caller.frames)
        await caller.send("switched", epoch=1, to="ws", reason="stalled")
        back_ms = (await caller.message("media", transport="ws"))["at"]
        await caller.until(lambda: len(caller.times(FrameType.VIDEO)) and caller.frames[first:])
        await caller.until(
            lambda: {f.type for f in caller.frames[first:]} >= {FrameType.VIDEO, FrameType.AUDIO}
        )
        after = caller.frames[first:]
        sounds = [f.timestamp_ms for f in after if f.type == FrameType.AUDIO]
        assert sounds[0] - back_ms <= 60
        # Nothing in between went over the socket.
        between = range(switched_ms + 100, back_ms - 100)
        assert [f for f in caller.frames if f.timestamp_ms in between] == []
        await caller.send("switched", epoch=1, to="webrtc", reason="")
        await caller.until(lambda: len(caller.of("media", transport="webrtc")) == 2)
    await all_freed(server)


async def test_both_paths_show_the_same_clock(server):
    async with calling(server) as caller:
        await caller.go_up()
        origins = await caller.message("rtp", epoch=1)
        frame = await caller.peer.picture()
        shown = read_testcard(frame.to_ndarray(format="bgr24")).media_ms
        stamps = caller.peer.stamps["video"]
        assert (shown * 90 + origins["video"]) % _U32 in stamps
        sound_ms = [
            ((stamp - origins["audio"]) % _U32) / 48 for stamp in caller.peer.stamps["audio"]
        ]
        assert {ms % 20 for ms in sound_ms} == {0}
        assert abs(sound_ms[-1] - ((stamps[-1] - origins["video"]) % _U32) / 90) < 200


async def test_a_new_attempt_is_a_new_epoch(server):
    async with calling(server) as caller:
        for epoch in (1, 2, 3):
            await caller.go_up()
            await caller.peer.close()  # it breaks
            media = await caller.message("media", transport="ws", epoch=epoch)
            assert media["reason"] == "the peer connection closed"
        assert [m["epoch"] for m in caller.of("answer")] == [1, 2, 3]
    await all_freed(server)


# A lost socket.


async def test_a_killed_socket_with_a_healthy_peer_is_resumed(server):
    async with calling(server) as caller:
        await caller.go_up()
        welcome = await caller.message("welcome")
        await caller.kill()
        heard = len(caller.peer.stamps["audio"])
        await caller.peer.until(lambda: len(caller.peer.stamps["audio"]) > heard + 25)  # 0.5 s
        async with calling(server, f"ada?session={welcome['session']}") as again:
            await again.send("hello", protocol=1, webrtc=True, resume=welcome["resume"])
            await again.message("welcome", resume=welcome["resume"])
            media = await again.message("media", transport="webrtc")
            assert (media["epoch"], media["reason"]) == (1, "resumed")
            await again.until(lambda: again.of("welcome", session=welcome["session"])[1:])
            seen = len(caller.peer.stamps["video"])
            await caller.peer.until(lambda: len(caller.peer.stamps["video"]) > seen + 3)
            await again.send("switched", epoch=1, to="ws", reason="stalled")
            await again.message("media", transport="ws", epoch=1)
            await again.send("offer", epoch=1, sdp="x")  # the conversation is the same one
            assert (await again.message("error"))["code"] == "stale_epoch"
    await all_freed(server)


async def test_4409_the_old_socket_of_a_viewer_that_came_on_a_new_one(server):
    async with calling(server) as caller:
        await caller.go_up()
        welcome = await caller.message("welcome")
        async with calling(server, f"ada?session={welcome['session']}") as again:
            await again.send("hello", protocol=1, resume=welcome["resume"])
            await caller.until(lambda: caller.closed is not None)
            assert caller.closed == 4409
            assert caller.of("error")[-1]["code"] == "superseded"
            await again.message("media", transport="webrtc")
            assert again.closed is None
    await all_freed(server)


async def test_a_wrong_token_takes_over_nobody(server):
    async with calling(server) as caller:
        await caller.go_up()
        session = (await caller.message("welcome"))["session"]
        async with calling(server, f"ada?session={session}") as thief:
            await thief.send("hello", protocol=1, resume="guess")
            await thief.until(lambda: len(thief.of("welcome")) == 2)
            assert thief.of("media") == []
            await caller.send("ping", t=1)
            await caller.message("pong")


async def test_a_killed_socket_whose_peer_goes_too_is_gone_at_once(server):
    async with calling(server) as caller:
        await caller.go_up()
        await caller.kill()
        await caller.peer.close()
        await all_freed(server)


# Those who mean no good.

GARBAGE = [
    "",
    "garbage",
    "v=0\r\n",
    "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
    "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" * 200,
    "v=0\r\n" + "a=x\r\n" * 5000,
]


@pytest.mark.parametrize("sdp", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_for_an_offer_is_answered_in_words_and_the_socket_goes_on(server, sdp):
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("offer", epoch=1, sdp=sdp)
        error = viewer.message("error")
        assert (error["code"], error["fatal"]) == ("bad_offer", False)
        assert len(error["message"]) > 10
        media = viewer.message("media")
        assert (media["transport"], media["epoch"]) == ("ws", 1)
        viewer.watch(100)


def test_offers_in_a_row_cost_a_few_peers_and_nobody_else_notices(server):
    sdp = asyncio.run(make_offer())
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        for epoch in range(1, 51):
            viewer.send("offer", epoch=epoch, sdp=sdp)
        viewer.send("ping", t=1)
        viewer.message("pong")
        viewer.watch(300)
        assert len(viewer.of("answer")) <= 5
        assert len(viewer.of("error")) >= 45
        assert {m["code"] for m in viewer.of("error")} == {"bad_offer"}
        assert count_peers(server) <= 1
    asyncio.run(all_freed(server))


async def make_offer():
    client = RtcClient()
    try:
        return await client.offer()
    finally:
        await client.close()


def test_candidates_by_the_thousand_cost_this_viewer_its_place_and_nobody_else_notices(server):
    sdp = asyncio.run(make_offer())
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("offer", epoch=1, sdp=sdp)
        viewer.message("answer")
        try:
            for n in range(5000):
                text = f"candidate:{n} 1 udp 1 192.0.2.1 {n % 65535 + 1} typ host"
                viewer.send("candidate", epoch=1, candidate=text, sdpMid="0")
        except ConnectionClosed:
            pass
        assert viewer.closed()[0] == 4429
    asyncio.run(all_freed(server))


@pytest.mark.parametrize(
    "candidate",
    [
        "",
        "candidate:1 1 udp 1 192.0.2.1 5 typ host rport x",
        f"candidate:1 1 udp 1 192.0.2.1 {'5' * 1900} typ host",
        "candidate:1 1 udp 1 ff02::1 5 typ host",
        None,
    ],
    ids=["empty", "rport", "long", "multicast", "none"],
)
async def test_an_attempt_survives_strange_candidates(server, candidate):
    async with calling(server) as caller:
        caller.peer = RtcClient()
        await caller.send("offer", epoch=1, sdp=await caller.peer.offer())
        await caller.send("candidate", epoch=1, candidate=candidate, sdpMLineIndex=99)
        await caller.peer.answer((await caller.message("answer"))["sdp"])
        await caller.peer.until(lambda: caller.peer.connected)
        assert caller.of("error") == []


@pytest.mark.parametrize("epoch", [0, 7, 2**31 - 1])
def test_what_is_of_no_present_epoch_is_refused_naming_both(server, epoch):
    with viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("offer", epoch=3, sdp=asyncio.run(make_offer()))
        viewer.message("answer")
        viewer.send("candidate", epoch=epoch, candidate="candidate:x")
        viewer.send("switched", epoch=epoch, to="webrtc")
        for _ in range(2):
            error = viewer.message("error")
            assert (error["code"], error["fatal"]) == ("stale_epoch", False)
            assert error["message"] == f"expected epoch 3, got {epoch}"
        viewer.watch(60)


@pytest.mark.parametrize("epoch", [-1, 2**31, "1", 1.5, None])
def test_4400_an_epoch_that_is_none(server, epoch):
    with undisturbed(server), viewing(server.ws()) as viewer:
        viewer.message("welcome")
        viewer.send("offer", epoch=epoch, sdp="v=0")
        assert viewer.closed()[0] == 4400


def test_an_agent_that_stays_on_the_socket_says_why(server):
    with viewing(server.ws("dry")) as viewer:
        webrtc = viewer.message("welcome")["webrtc"]
        assert (webrtc["enabled"], webrtc["reason"]) == (
            False,
            "this agent stays on the WebSocket",
        )
        viewer.send("offer", epoch=1, sdp="v=0")
        assert viewer.message("error")["code"] == "no_webrtc"


def test_a_server_that_is_full_of_peers_keeps_viewers_on_their_sockets():
    sdp = asyncio.run(make_offer())
    with (
        running_server(limits={"peers": 1}) as server,
        viewing(server.ws()) as one,
        viewing(server.ws()) as two,
    ):
        for viewer in (one, two):
            viewer.message("welcome")
            viewer.send("offer", epoch=1, sdp=sdp)
            viewer.message("answer" if viewer is one else "error")
        assert "WebRTC viewers already" in two.of("error")[0]["message"]
        two.watch(100)
