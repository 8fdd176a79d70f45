"""A WebSocket that is sent JPEG pictures and PCM, as first written: each viewer's loop encodes and
sends, and nobody asks whether anything has arrived."""

import asyncio

import cv2
import uvicorn
from play import Clip, options
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

told = options()
clip = Clip(told.folder, told.fps)
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 75]


def encode(number):
    return cv2.imencode(".jpg", clip.picture(number), QUALITY)[1].tobytes()


async def pictures(socket):
    number = clip.now
    while True:
        await socket.send_bytes(await run_in_threadpool(encode, number))
        number = max(number + 1, clip.now)
        await clip.until(number)


async def sound(socket):
    number = int(clip.now * 50 / told.fps)
    while True:
        await socket.send_bytes(clip.block(number).tobytes())
        number += 1
        await clip.until(number * told.fps / 50)


async def stream(socket):
    await socket.accept()
    try:
        await asyncio.gather(pictures(socket), sound(socket))
    except (WebSocketDisconnect, RuntimeError):
        pass


app = Starlette(routes=[WebSocketRoute("/ws", stream)])
uvicorn.run(app, host=told.host, port=told.port, log_level="warning", ws_per_message_deflate=False)
