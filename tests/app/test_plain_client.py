"""A client written from protocol.md alone: the one that stands there."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np

from bench.harness.server import serving
from wsstream.media.jpeg import decode_jpeg
from wsstream.media.opus import OpusDecoder
from wsstream.media.resample import Resampler
from wsstream.voice.espeak import EspeakVoice

PROTOCOL = Path(__file__).parents[2] / "protocol.md"
TEXT = "She sells sea shells by the sea shore."

DRIVER = """
import sys, time
from base64 import b64encode
deadline = time.monotonic() + 60  # only where it is never said
said, until = set(), float("inf")
def put(kind, *what):
    print(json.dumps([kind, *what]), flush=True)
    if kind == "opus" and what[0] > until or time.monotonic() > deadline:
        sys.exit()
def tell(message):
    global until
    if message["type"] == "state":
        if message["value"] == "idle" and "speaking" in said:
            until = message["at"] + 2000
        said.add(message["value"])
    put("message", message)
watch(sys.argv[1],
      lambda at, jpeg: put("jpeg", at, b64encode(jpeg).decode()),
      lambda at, opus: put("opus", at, b64encode(opus).decode()),
      tell)
"""


def plain_client() -> str:
    """The source of the client in protocol.md."""
    (source,) = re.findall(r"```python\n(.*?)```", PROTOCOL.read_text(), re.DOTALL)
    return source


def test_it_needs_only_websockets_and_is_short() -> None:
    source = plain_client()
    assert len(source.strip().splitlines()) <= 30
    imported = set(re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE))
    assert imported == {"json", "struct", "websockets"}


def test_it_sees_pictures_and_hears_what_is_said() -> None:
    with serving({"agents": {"ada": {}}}) as server:
        url = server.url.replace("http", "ws") + "ws/facetime/ada"
        command = [sys.executable, "-c", plain_client() + DRIVER, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            welcome = json.loads(client.stdout.readline())
            assert welcome[1]["type"] == "welcome"
            say(server.url, welcome[1]["session"], TEXT)
            items = [json.loads(line) for line in client.stdout]
    check_stream(items)
    transcripts = [
        i[1]["text"] for i in items if i[0] == "message" and i[1]["type"] == "transcript"
    ]
    assert transcripts == [TEXT]
    assert correlation(heard(items), spoken(TEXT)) > 0.95


def say(url: str, session: str, text: str) -> None:
    request = urllib.request.Request(
        f"{url}api/sessions/{session}/say", json.dumps({"text": text}).encode()
    )
    with urllib.request.urlopen(request) as response:
        assert response.status == 202


def check_stream(items: list) -> None:
    for kind in ("jpeg", "opus"):
        times = [i[1] for i in items if i[0] == kind]
        # A face that stands still is not sent again and again.
        assert len(times) > (100 if kind == "opus" else 50)
        assert (np.diff(times) > 0).all()
    opus = [i[1] for i in items if i[0] == "opus"]
    assert set(np.diff(opus)) == {20}
    for picture in [i for i in items if i[0] == "jpeg"][::25]:
        assert decode_jpeg(unpack(picture[2])).shape == (512, 512, 3)


def unpack(text: str) -> bytes:
    return base64.b64decode(text)


def heard(items: list) -> np.ndarray:
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(unpack(i[2])) for i in items if i[0] == "opus"])


def spoken(text: str) -> np.ndarray:
    """What the voice itself makes of the text, at 48 kHz."""

    async def speak() -> np.ndarray:
        voice = EspeakVoice()
        await voice.start()
        try:
            chunks = [chunk async for chunk in voice.synthesize(text)]
        finally:
            await voice.stop()
        resampler = Resampler(chunks[0].sample_rate)
        parts = [resampler.push(np.frombuffer(chunk.pcm, np.int16)) for chunk in chunks]
        return np.concatenate([*parts, resampler.flush()])

    return asyncio.run(speak())


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """The greatest correlation of the level of `b`, in steps of 10 ms, with a stretch of `a`'s."""
    long, short = envelope(a), envelope(b)
    return max(
        float(np.corrcoef(long[i : i + len(short)], short)[0, 1])
        for i in range(len(long) - len(short))
        if long[i : i + len(short)].std() > 1
    )


def envelope(pcm: np.ndarray) -> np.ndarray:
    blocks = pcm[: len(pcm) // 480 * 480].reshape(-1, 480).astype(float)
    return np.sqrt((blocks**2).mean(axis=1))
