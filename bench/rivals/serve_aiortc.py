"""Plain aiortc, as its own server example does it: aiohttp, POST /offer, one source through a
MediaRelay, raw frames that each peer connection encodes for itself. Told ``1`` besides, it gives
each peer a source of its own, somewhere else in the clip: a face for each caller."""

import asyncio
import json
from fractions import Fraction

import av
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.contrib.media import MediaRelay
from play import RATE_HZ, Clip, options

AHEAD = 37
told = options()
clip = Clip(told.folder, told.fps)
peers = set()
relay = MediaRelay()


class Pictures(VideoStreamTrack):
    """In YUV already, as a MediaPlayer gives them: that is done once for each source."""

    def __init__(self, ahead=0):
        super().__init__()
        self.number, self.ahead = clip.now, ahead

    async def recv(self):
        self.number = max(self.number + 1, clip.now)
        await clip.until(self.number)
        picture = clip.picture(self.number + self.ahead)
        made = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame = await asyncio.to_thread(made.reformat, format="yuv420p")
        frame.pts, frame.time_base = self.number * 90_000 // told.fps, Fraction(1, 90_000)
        return frame


class Sound(MediaStreamTrack):
    kind = "audio"
    number = -1

    async def recv(self):
        due = int(clip.now * 50 / told.fps)
        self.number = max(self.number + 1, due - 5)
        await clip.until(self.number * told.fps / 50)
        frame = av.AudioFrame.from_ndarray(clip.block(self.number)[None], layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts, frame.time_base = self.number * 960, Fraction(1, RATE_HZ)
        return frame


sources = {}


async def offer(request):
    given = await request.json()
    # No STUN server: none can be reached from everywhere, and here none is needed.
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peers.add(peer)

    @peer.on("connectionstatechange")
    async def changed():
        if peer.connectionState in ("failed", "closed"):
            await peer.close()
            peers.discard(peer)

    if told.extra:
        peer.addTrack(Sound())
        peer.addTrack(Pictures(ahead=AHEAD * len(peers)))
    else:
        if not sources:
            sources.update(video=Pictures(), audio=Sound())
        # Unbuffered: who is late gets the newest, instead of an ever longer queue.
        peer.addTrack(relay.subscribe(sources["audio"]))
        peer.addTrack(relay.subscribe(sources["video"], buffered=False))
    await peer.setRemoteDescription(RTCSessionDescription(**given))
    await peer.setLocalDescription(await peer.createAnswer())
    made = peer.localDescription
    return web.Response(
        content_type="application/json", text=json.dumps({"sdp": made.sdp, "type": made.type})
    )


app = web.Application()
app.router.add_post("/offer", offer)
web.run_app(app, host=told.host, port=told.port, print=None)
