"""A peer connection, with a real one at the other end."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import threading
import time
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import numpy as np
import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

from tests.fake_peers import FakeSource
from tests.fakes import packet
from tests.rtc import RtcClient
from wsstream.errors import BadMessage, TooLarge
from wsstream.media.types import AudioPacket, Picture
from wsstream.media.video import EncodedVideo, VideoEncoder
from wsstream.protocol.messages import State
from wsstream.transport.webrtc import ice
from wsstream.transport.webrtc.peer import PICTURES, RtcPeer

SIZE = 64
_U32 = 2**32


class Owner:
    """Takes down what the peer goes through."""

    def __init__(self):
        self.connected = self.closed = 0
        self.messages = []
        self.origins = []

    def on_peer_connected(self, peer):
        self.connected += 1

    def on_peer_closed(self, peer):
        self.closed += 1

    def on_peer_message(self, peer, text):
        self.messages.append(text)

    def on_peer_origins(self, peer, audio, video):
        self.origins.append((audio, video))


class Rig:
    """A peer, who owns it, what it takes its pictures from, and the other end."""

    def __init__(self, encoded=True, **options):
        self.owner, self.source = Owner(), FakeSource()
        self.peer = RtcPeer(1, self.owner, self.source, now=time.monotonic, encoded=encoded)
        self.client = RtcClient(**options)
        self._encoder = None
        self.media_ms = 100_000

    async def connect(self):
        answer = await self.peer.answer(await self.client.offer())
        await self.client.answer(answer)
        await self.client.until(lambda: self.client.connected and self.peer.connected)
        return answer

    def encode(self, key=False):
        """The next picture."""
        if self._encoder is None:
            self._encoder = VideoEncoder(self.peer.codec, SIZE, SIZE, 25, 200_000)
        self.media_ms += 40
        pixels = np.full((SIZE, SIZE, 3), self.media_ms // 40 % 256, np.uint8)
        return self._encoder.encode(pixels, self.media_ms, key=key)

    def offer_sound(self, media_ms):
        pcm = np.zeros(960, np.int16)
        self.peer.offer_sound(AudioPacket(media_ms, pcm))

    async def play(self, pictures, *, key=True):
        """So many, each with its 40 ms of sound, in real time."""
        for n in range(pictures):
            self.source.deliver(self.encode(key=key and n == 0))
            self.offer_sound(self.media_ms)
            await asyncio.sleep(0.01)
            self.offer_sound(self.media_ms + 20)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def rigged(*, connect=True, **options):
    rig = Rig(**options)
    try:
        if connect:
            await rig.connect()
        yield rig
    finally:
        await rig.peer.close()
        await rig.client.close()


# What is agreed.


@pytest.mark.parametrize(("offered", "codec"), [(None, "h264"), ("h264", "h264"), ("vp8", "vp8")])
async def test_h264_is_preferred_and_vp8_will_do_and_both_can_be_decoded(offered, codec):
    async with rigged(codec=offered, channel=False) as rig:
        assert (rig.peer.codec, rig.peer.has_sound) == (codec, True)
        assert [one.codec for one in rig.source.takers] == [codec]
        await rig.play(4)
        frame = await rig.client.picture()
        assert (frame.width, frame.height) == (SIZE, SIZE)
        assert rig.peer.stats()["codec"] == codec
        assert rig.owner.connected == 1


@pytest.mark.parametrize("kinds", ["video audio", "audio video"])
@pytest.mark.parametrize("channel", [True, False])
async def test_it_connects_in_whatever_order_the_offer_has_its_sections(kinds, channel):
    async with rigged(kinds=kinds, channel=channel) as rig:
        await rig.client.until(lambda: rig.client.open == channel)
        assert (rig.peer.codec, rig.peer.has_sound) == ("h264", True)


async def test_the_answer_has_our_candidates_and_the_profile_that_every_browser_takes():
    async with rigged(connect=False) as rig:
        answer = await rig.peer.answer(await rig.client.offer())
        assert "a=candidate:" in answer
        assert "42e01f" in answer
        assert answer.count("a=sendonly") == 2
        assert not rig.peer.connected


@pytest.mark.parametrize(
    ("kinds", "codec", "sound"), [("audio", None, True), ("video", "h264", False)]
)
async def test_what_was_not_asked_for_is_not_promised(kinds, codec, sound):
    async with rigged(kinds=kinds) as rig:
        assert (rig.peer.codec, rig.peer.has_sound) == (codec, sound)
        assert len(rig.source.takers) == (codec is not None)


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_who_wants_to_send_is_promised_nothing(kind):
    async with rigged(connect=False) as rig:
        sdp = await rig.client.offer()
        head, *sections = sdp.split("m=")
        sections = [
            s.replace("a=recvonly", "a=sendonly") if s.startswith(kind) else s for s in sections
        ]
        await rig.peer.answer("m=".join([head, *sections]))
        assert rig.peer.codec == (None if kind == "video" else "h264")
        assert rig.peer.has_sound == (kind != "audio")


# What is sent.


async def test_origins_say_where_the_media_clock_begins_in_rtp_time():
    async with rigged(channel=False) as rig:
        await rig.play(4)
        assert len(rig.owner.origins) == 1
        audio, video = rig.owner.origins[0]
        await rig.play(2, key=False)
        expected = (rig.media_ms * 90 + video) % _U32
        await rig.client.until(lambda: expected in rig.client.stamps["video"])
        last = ((rig.media_ms + 20) * 48 + audio) % _U32
        await rig.client.until(lambda: last in rig.client.stamps["audio"])
        stamps = rig.client.stamps["audio"]
        assert {(b - a) % _U32 for a, b in pairwise(stamps)} == {960}
        assert rig.client.stamps["video"] == [
            (ms * 90 + video) % _U32 for ms in range(100_040, rig.media_ms + 1, 40)
        ]


async def test_no_picture_goes_out_before_a_key_picture():
    async with rigged(channel=False) as rig:
        first = rig.encode(key=True)
        for _ in range(3):  # the source has others to serve, and is in the middle
            rig.source.deliver(rig.encode())
        assert rig.peer.counters()["rtc_pictures"] == 0
        assert rig.peer.counters()["rtc_dropped"] == 3
        rig.source.deliver(EncodedVideo(rig.media_ms + 40, first.data, True))
        assert rig.peer.counters()["rtc_pictures"] == 1


async def test_pictures_that_do_not_fit_are_dropped_up_to_a_new_key_picture():
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        rig.source.deliver(rig.encode(key=True))
        for _ in range(PICTURES + 2):  # at once: nothing is sent meanwhile
            rig.source.deliver(rig.encode())
        assert taker.keys == 1
        assert not rig.peer._video._items  # what depends on a lost one is no use
        rig.source.deliver(rig.encode())
        assert not rig.peer._video._items
        rig.source.deliver(rig.encode(key=True))
        assert rig.peer.counters()["rtc_pictures"] == 1 + PICTURES - 1 + 1


async def test_a_picture_from_the_past_ends_in_a_request_for_a_key_picture():
    # As when another encoder takes over that is a little behind.
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        rig.source.deliver(rig.encode(key=True))
        late = rig.encode(key=True)
        rig.source.deliver(EncodedVideo(late.media_ms - 40, late.data, True))
        rig.source.deliver(rig.encode())  # depends on the one that was dropped
        assert rig.peer.counters()["rtc_pictures"] == 1
        assert taker.keys == 1


async def test_a_lost_picture_brings_a_key_picture():
    async with rigged(channel=False) as rig:
        await rig.play(2)
        await rig.client.until(lambda: rig.client.stamps["video"])
        [taker] = rig.source.takers
        await rig.client.request_key()
        await rig.client.until(lambda: taker.keys)
        assert rig.peer.counters()["key_requests"] == 1


async def test_arrivals_reach_the_source_while_it_is_taken_from():
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        rig.peer.on_arrivals([(40, 1.5)])
        assert taker.arrivals == [(40, 1.5)]
        rig.peer.show(False, 1.0)
        rig.peer.on_arrivals([(80, 2.5)])
        assert taker.arrivals == [(40, 1.5)]


async def test_shown_again_it_begins_with_what_the_link_carried():
    async with rigged(channel=False) as rig:
        rig.source.takers[0].move(3)
        rig.peer.show(False, 1.0)
        assert rig.source.takers == []
        rig.peer.show(True, 0.5)
        [taker] = rig.source.takers
        assert (taker.level, taker.bounds) == (3, [0.5])


async def test_nothing_is_sent_again_while_a_queue_runs_empty():
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        rig.peer._again.sent(0, key=True)
        rig.peer._again.sent(5000, key=False)
        keys = taker.keys
        for needs_key, wanted, asked in [(True, False, 0), (False, True, 1)]:
            taker.needs_key = needs_key
            assert rig.peer._is_wanted_again(7, 0.1) is wanted
            assert not rig.peer._is_wanted_again(8, 1.1)
            assert taker.keys == keys + asked
        assert rig.peer.counters()["rtc_resent"] == 1


async def test_what_the_receiver_reports_reaches_the_source():
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        before = rig.peer.heard_at
        await rig.play(3)
        await asyncio.sleep(0)
        await rig.client.until(lambda: taker.losses)  # a report comes each half second or so
        assert set(taker.losses) == {0.0}
        assert rig.peer.heard_at > before
        await rig.client.until(lambda: taker.estimates or taker.losses)


@pytest.mark.parametrize("wanted", [True, False])
async def test_sound_is_protected_while_packets_are_lost_if_the_offer_has_it(wanted):
    async with rigged(connect=False) as rig:
        offer = await rig.client.offer()
        opus = re.search(r"a=rtpmap:(\d+) opus/48000/2\r\n", offer)
        fec = f"a=fmtp:{opus[1]} useinbandfec=1\r\n" if wanted else ""
        await rig.peer.answer(offer.replace(opus[0], opus[0] + fec))
        [sender] = [one for one in rig.peer._connection.getSenders() if one.kind == "audio"]
        rig.peer.connected = True
        rig.offer_sound(0)
        assert rig.peer.stats()["sound"] == {"kbps": 32, "fec": False}
        lost = RtcpReceiverInfo(sender._ssrc, 26, 5, 0, 0, 0, 0)
        await sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=[lost]))
        rig.offer_sound(20)
        assert rig.peer.stats()["sound"] == {"kbps": 32, "fec": wanted}


async def test_sound_follows_the_pictures_down():
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        taker.level = 4
        await rig.play(3)
        await rig.client.until(lambda: taker.losses)
        for n in range(2, 4):
            rig.offer_sound(rig.media_ms + n * 20)
        assert rig.peer.stats()["sound"] == {"kbps": 16, "fec": False}


async def test_steps_and_bytes_that_mean_nothing_are_counted():
    async with rigged(channel=False) as rig:
        [taker] = rig.source.takers
        before = rig.peer.counters()

        def step_down(pictures):
            taker.level += 1

        taker.on_arrivals = step_down
        for _ in range(2):
            rig.peer.on_arrivals([(0, 0.0)])
        taker.deliver(EncodedVideo(40, bytes(100), True, 60))
        counts = rig.peer.counters()
        told = {name: counts[name] - before[name] for name in ("level_steps", "rtc_filler_bytes")}
        assert told == {"level_steps": 2, "rtc_filler_bytes": 60}


async def test_a_flush_forgets_the_sound_that_waits():
    async with rigged(channel=False) as rig:
        for n in range(4):
            rig.offer_sound(n * 20)
        rig.peer.flush()
        rig.offer_sound(100)
        await rig.client.until(lambda: rig.client.stamps["audio"])
        await asyncio.sleep(0.02)
        assert len(rig.client.stamps["audio"]) == 1


async def test_before_it_is_connected_nothing_is_kept():
    async with rigged(connect=False) as rig:
        await rig.peer.answer(await rig.client.offer())
        rig.peer.offer_sound(packet(0))
        assert rig.source.takers == []
        assert rig.peer.counters()["rtc_packets"] == 0


@pytest.mark.parametrize("encoded", [True, False])
async def test_the_last_sound_from_before_fills_the_jitter_buffer_at_once(encoded):
    async with rigged(connect=False, encoded=encoded, channel=False) as rig:
        rig.source.recent_sound = [packet(ms) for ms in (20, 40, 60)]
        await rig.connect()
        await rig.client.until(lambda: len(rig.client.stamps["audio"]) == 3)
        rig.peer.offer_sound(packet(80))
        await rig.client.until(lambda: len(rig.client.stamps["audio"]) == 4)
        assert {(b - a) % _U32 for a, b in pairwise(rig.client.stamps["audio"])} == {960}
        assert rig.peer.counters()["rtc_packets"] == 4


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_where_aiortc_has_to_encode_pictures_and_sound_come_all_the_same(codec):
    async with rigged(encoded=False, codec=codec, channel=False) as rig:
        assert rig.source.takers == []
        for n in range(8):
            pixels = np.full((SIZE, SIZE, 3), 90, np.uint8)
            rig.peer.offer_picture(Picture(n, n * 40, pixels))
            rig.offer_sound(n * 40)
            rig.offer_sound(n * 40 + 20)
            await asyncio.sleep(0.03)
        frame = await rig.client.picture()
        assert abs(int(frame.to_ndarray(format="bgr24").mean()) - 90) < 6
        await rig.client.until(lambda: rig.client.stamps["audio"])
        assert rig.peer.heard_at is None  # nobody knows
        assert rig.owner.origins == []


# The data channel.


async def test_messages_go_both_ways_on_the_data_channel():
    async with rigged() as rig:
        await rig.client.until(lambda: rig.client.open)
        rig.client.send("ping", t=1)
        await rig.client.until(lambda: rig.owner.messages)
        assert rig.owner.messages == ['{"type": "ping", "t": 1}']
        assert rig.peer.post(State(value="idle", at=40))
        await rig.client.until(lambda: rig.client.messages)
        assert rig.client.messages == [{"type": "state", "value": "idle", "at": 40}]


async def test_bytes_and_other_channels_are_not_listened_to():
    async with rigged(channel=False) as rig:
        other = rig.client.connection.createDataChannel
        assert not rig.peer.post(State(value="idle", at=0))  # there is none
        assert other is not None
    async with rigged() as rig:
        await rig.client.until(lambda: rig.client.open)
        rig.client.channel.send(b"\0\1")
        stranger = rig.client.connection.createDataChannel("stranger")
        stranger.on("open", lambda: stranger.send("hello"))
        await rig.client.until(lambda: stranger.readyState == "open")
        rig.client.send("ping", t=1)
        await rig.client.until(lambda: rig.owner.messages)
        assert rig.owner.messages == ['{"type": "ping", "t": 1}']


async def test_a_channel_that_nobody_reads_takes_no_more():
    async with rigged() as rig:
        await rig.client.until(lambda: rig.client.open)
        big = State(value="idle", at=0)
        assert rig.peer.post(big)
        rig.peer._channel.transport._data_channel_add_buffered_amount = None
        rig.peer._channel._addBufferedAmount(300_000)
        assert not rig.peer.post(big)
        rig.peer._channel._addBufferedAmount(-300_000)


# Candidates.


async def test_trickled_candidates_connect_it():
    async with rigged(connect=False) as rig:
        sdp = await rig.client.offer()
        lines = sdp.splitlines()
        candidates = [line[2:] for line in lines if line.startswith("a=candidate:")]
        bare = "\r\n".join(line for line in lines if not line.startswith("a=candidate:")) + "\r\n"
        await rig.client.answer(await rig.peer.answer(bare))
        for text in candidates:
            assert await rig.peer.add_candidate(text, "0", 0)
        await rig.client.until(lambda: rig.client.connected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host",
        f"candidate:1 1 udp 1 192.0.2.1 {'5' * 5000} typ host",
    ],
    ids=["empty", "tcp", "long"],
)
async def test_candidates_that_are_of_no_use_are_not_taken(text):
    async with rigged(connect=False) as rig:
        await rig.peer.answer(await rig.client.offer())
        assert not await rig.peer.add_candidate(text, "0", 0)


async def test_nonsense_behind_a_candidate_does_no_harm():
    async with rigged(connect=False) as rig:
        await rig.peer.answer(await rig.client.offer())
        text = "candidate:1 1 udp 1 192.0.2.1 5000 typ host raddr x rport abc"
        assert await rig.peer.add_candidate(text, "0", 0)
        assert await rig.peer.add_candidate(text, "no such section", 2**31)
        assert await rig.peer.add_candidate(text, None, None)


async def test_of_thousands_of_candidates_only_the_first_are_taken():
    async with rigged(connect=False) as rig:
        await rig.peer.answer(await rig.client.offer())
        taken = [
            await rig.peer.add_candidate(f"candidate:1 1 udp 1 192.0.2.1 {n} typ host", "0", 0)
            for n in range(1, 2001)
        ]
        assert 0 < sum(taken) <= ice.CANDIDATES_MAX


# What cannot be.


@pytest.mark.parametrize(
    "change",
    [
        lambda sdp: "garbage",
        lambda sdp: sdp.replace("a=fingerprint", "a=finger"),
        lambda sdp: sdp.replace("a=ice-ufrag", "a=x"),
        lambda sdp: sdp.replace("a=rtcp-mux\r\n", ""),
        lambda sdp: sdp.replace("rtpmap:", "rtpmap:x"),
        lambda sdp: sdp.replace("a=group:BUNDLE 0", "a=group:BUNDLE x 0"),
        lambda sdp: sdp.replace("/90000", "/1"),
        lambda sdp: sdp[: len(sdp) // 2],
    ],
    ids=["garbage", "fingerprint", "ice", "mux", "rtpmap", "bundle", "rates", "half"],
)
async def test_an_offer_that_cannot_be_answered_is_refused_and_leaves_nothing(change, caplog):
    async with rigged(connect=False) as rig:
        sdp = await rig.client.offer()
        before = asyncio.all_tasks()
        with suppress(BadMessage):  # aiortc can do without some of it
            await rig.peer.answer(change(sdp))
        await rig.peer.close()
        gc.collect()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() - before == set()
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_an_offer_too_long_is_refused():
    async with rigged(connect=False) as rig:
        with pytest.raises(TooLarge):
            await rig.peer.answer("v=0\r\n" + "m=" * 20_000)


# Ends.


async def test_closing_frees_every_task_thread_and_subscription():
    gc.collect()
    before, threads = asyncio.all_tasks(), threading.active_count()
    async with rigged() as rig:
        await rig.play(3)
        taker = rig.source.takers[0]
        await rig.peer.close()
        await rig.peer.close()
        assert rig.peer.closed
        assert not rig.peer.connected
        assert taker.closed
        assert rig.source.takers == []
        rig.offer_sound(200_000)
        assert not rig.peer.post(State(value="idle", at=0))
        assert not await rig.peer.add_candidate(
            "candidate:1 1 udp 1 192.0.2.1 5000 typ host", "0", 0
        )
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() - before == set()
    assert threading.active_count() <= threads + 1  # aiortc's decoder takes a moment to go


async def test_a_close_that_is_cancelled_is_gone_through_all_the_same():
    async with rigged() as rig:
        closing = asyncio.create_task(rig.peer.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        async with asyncio.timeout(5):
            await rig.peer.close()
        assert rig.peer.stats()["connection"] == "closed"


async def test_when_the_other_end_goes_its_owner_is_told():
    async with rigged() as rig:
        taker = rig.source.takers[0]
        await rig.client.close()
        await rig.client.until(lambda: rig.owner.closed)
        assert taker.closed
        assert not rig.peer.connected


async def test_stats_are_for_people():
    async with rigged() as rig:
        stats = rig.peer.stats()
        assert (stats["transport"], stats["epoch"], stats["codec"]) == ("webrtc", 1, "h264")
        assert (stats["connection"], stats["kbps"], stats["level"]) == ("connected", 1000, 0)
