"""Bare uvicorn: it sends every viewer the same bytes again and again, as messages of a given size
(``extra``: bytes of a picture, and of a packet of sound or 0), and does nothing else."""

import asyncio

import uvicorn
from play import Clip, options

told = options()
clip = Clip(told.folder, told.fps)
SIZE, SOUND_SIZE = told.extra


async def repeat(send, message, per_s):
    event = {"type": "websocket.send", "bytes": message}
    number = int(clip.now * per_s / told.fps)
    while True:
        await send(event)
        number += 1
        await clip.until(number * told.fps / per_s)


async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    jobs = [asyncio.create_task(repeat(send, bytes(SIZE), told.fps))]
    if SOUND_SIZE:
        jobs.append(asyncio.create_task(repeat(send, bytes(SOUND_SIZE), 50)))
    while (await receive())["type"] != "websocket.disconnect":
        pass
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)


uvicorn.run(
    app,
    host=told.host,
    port=told.port,
    log_level="warning",
    lifespan="off",
    ws_per_message_deflate=False,
)
