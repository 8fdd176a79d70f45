"""FastRTC: a generator as the handler of a stream that is only received.

Such a stream has one kind of media, so there is no sound.
"""

import uvicorn
from fastapi import FastAPI
from fastrtc import Stream, VideoStreamHandler
from fastrtc.stream import Body
from play import Clip, options

told = options()
clip = Clip(told.folder, told.fps)


def pictures():
    while True:
        yield clip.picture(clip.now)


stream = Stream(
    VideoStreamHandler(pictures, fps=told.fps),
    modality="video",
    mode="receive",
    concurrency_limit=100,
    server_rtc_configuration={"iceServers": []},
    verbose=False,
)
app = FastAPI()


@app.post("/webrtc/offer")
async def offer(body: Body):
    """Its own, and the start that a page would ask for in a second request."""
    answer = await stream.offer(body)
    stream.set_input(body.webrtc_id, None)
    return answer


uvicorn.run(app, host=told.host, port=told.port, log_level="warning")
