"""Pipecat's SmallWebRTC transport: for each peer a pipeline, which is given frames to put out."""

import asyncio
import sys

import cv2
import uvicorn
from fastapi import BackgroundTasks, FastAPI
from loguru import logger
from pipecat.frames.frames import OutputAudioRawFrame, OutputImageRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.request_handler import (
    SmallWebRTCRequest,
    SmallWebRTCRequestHandler,
)
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.workers.runner import WorkerRunner
from play import RATE_HZ, Clip, options

logger.remove()
logger.add(sys.stderr, level="WARNING")
told = options()
clip = Clip(told.folder, told.fps)
HEIGHT, WIDTH = clip.pictures.shape[1:3]
AUDIO_MS = 40
"""It puts sound out in such pieces."""
# Of the order that it takes, made once.
pictures = [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).tobytes() for picture in clip.pictures]
handler = SmallWebRTCRequestHandler()
app = FastAPI()


async def feed_pictures(worker):
    number = clip.now
    while True:
        image = pictures[number % len(pictures)]
        await worker.queue_frame(OutputImageRawFrame(image, (WIDTH, HEIGHT), "RGB"))
        number = max(number + 1, clip.now)
        await clip.until(number)


async def feed_sound(worker):
    number = int(clip.now * 1000 / AUDIO_MS / told.fps)
    while True:
        sound = clip.block(number, AUDIO_MS).tobytes()
        await worker.queue_frame(OutputAudioRawFrame(sound, RATE_HZ, 1))
        number += 1
        await clip.until(number * told.fps * AUDIO_MS / 1000)


async def perform(connection: SmallWebRTCConnection):
    transport = SmallWebRTCTransport(
        connection,
        TransportParams(
            audio_out_enabled=True,
            audio_out_sample_rate=RATE_HZ,
            video_out_enabled=True,
            video_out_is_live=True,
            video_out_width=WIDTH,
            video_out_height=HEIGHT,
            video_out_framerate=told.fps,
        ),
    )
    worker = PipelineWorker(
        Pipeline([transport.output()]), idle_timeout_secs=None, enable_rtvi=False
    )
    feeding = []

    @transport.event_handler("on_client_connected")
    async def connected(transport, client):
        feeding.extend(asyncio.create_task(feed(worker)) for feed in (feed_pictures, feed_sound))

    @transport.event_handler("on_client_disconnected")
    async def disconnected(transport, client):
        for task in feeding:
            task.cancel()
        await worker.cancel()

    await WorkerRunner(handle_sigint=False).run(worker)


@app.post("/api/offer")
async def offer(request: SmallWebRTCRequest, later: BackgroundTasks):
    async def start(connection):
        later.add_task(perform, connection)

    return await handler.handle_web_request(request, start)


uvicorn.run(app, host=told.host, port=told.port, log_level="warning")
