"""HTTP multipart MJPEG, the plain Starlette way: a generator for each viewer, which encodes."""

import cv2
import uvicorn
from play import Clip, options
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.routing import Route

told = options()
clip = Clip(told.folder, told.fps)
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 75]


def encode(number):
    return cv2.imencode(".jpg", clip.picture(number), QUALITY)[1].tobytes()


async def pictures():
    number = clip.now
    while True:
        jpeg = await run_in_threadpool(encode, number)
        yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        yield jpeg + b"\r\n"
        number = max(number + 1, clip.now)
        await clip.until(number)


async def video(request):
    return StreamingResponse(pictures(), media_type="multipart/x-mixed-replace; boundary=frame")


app = Starlette(routes=[Route("/video", video)])
uvicorn.run(app, host=told.host, port=told.port, log_level="warning")
