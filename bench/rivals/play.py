"""For the servers beside this file, which import it as ``play``: the clip, played on the clock."""

import argparse
import asyncio
import os
import socket
import threading
import time

import numpy as np

RATE_HZ = 48_000


class Clip:
    """The pictures and the sound of a folder, in a loop."""

    def __init__(self, folder, fps):
        self.fps = fps
        self.pictures = np.load(os.path.join(folder, "pictures.npy"), mmap_mode="r")
        self.sound = np.load(os.path.join(folder, "sound.npy"))
        self.started_s = time.monotonic()

    @property
    def now(self):
        """The number of the picture that is due; it counts on, whatever the clip's length."""
        return int((time.monotonic() - self.started_s) * self.fps)

    def picture(self, number):
        """``(height, width, 3)`` uint8 BGR."""
        return self.pictures[number % len(self.pictures)]

    def block(self, number, ms=20):
        """``(samples,)`` int16, 48 kHz."""
        size = RATE_HZ * ms // 1000
        at = number * size % len(self.sound)
        return np.resize(self.sound[at : at + size], size)

    async def until(self, number):
        """Wait until that picture is due."""
        await asyncio.sleep(max(0, self.started_s + number / self.fps - time.monotonic()))


def options():
    """What every one of the servers is told."""
    parser = argparse.ArgumentParser()
    for name, kind in (("folder", str), ("host", str), ("port", int), ("fps", int)):
        parser.add_argument(name, type=kind)
    parser.add_argument("extra", nargs="*", type=int)
    found = parser.parse_args()
    threading.Thread(target=_tell, args=(found.host, found.port), daemon=True).start()
    return found


def _tell(host, port):
    """Say so, once it listens."""
    while True:
        try:
            socket.create_connection((host, port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    print("\nready", flush=True)
