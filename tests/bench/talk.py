"""Two who talk across a link, each in a process in its namespace."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.harness.netns import Side, run

_ECHO = """
import socket, sys, threading
udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.create_server((sys.argv[1], 7))
udp.bind((sys.argv[1], 7))

def answer_udp():
    while True:
        data, who = udp.recvfrom(2000)
        udp.sendto(data, who)

def answer_tcp():
    while True:
        connection, _ = tcp.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()

def serve(connection):
    while data := connection.recv(2000):
        connection.sendall(data)

threading.Thread(target=answer_udp, daemon=True).start()
threading.Thread(target=answer_tcp, daemon=True).start()
print('ready', flush=True)
input()
"""

_ASK = """
import socket, sys
kind = {'udp': socket.SOCK_DGRAM, 'tcp': socket.SOCK_STREAM}[sys.argv[2]]
with socket.socket(type=kind) as s:
    s.settimeout(0.3)
    try:
        s.connect((sys.argv[1], 7))
        s.send(b'?')
        print('yes' if s.recv(100) == b'?' else 'something else')
    except OSError as error:
        print('no' if isinstance(error, TimeoutError) else error)
"""

_PROBE = """
import json, socket, sys, threading, time
address, count, every_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
sent, got = {}, []
s = socket.socket(type=socket.SOCK_DGRAM)
s.connect((address, 7))
s.settimeout(float(sys.argv[4]))

def receive():
    while len(got) < count:
        try:
            number = int(s.recv(2000).strip())
        except TimeoutError:
            if len(sent) == count:
                return
            continue
        got.append([number, 1000 * (time.monotonic() - sent[number])])

receiver = threading.Thread(target=receive)
receiver.start()
began = time.monotonic()
for n in range(count):
    sent[n] = time.monotonic()
    s.send(str(n).encode().rjust(100))
    time.sleep(max(0, began + (n + 1) * every_s - time.monotonic()))
receiver.join()
print(json.dumps(got))
"""

_TAKE = """
import socket, time
with socket.create_server(('', 9)) as listener:
    print('ready', flush=True)
    connection, _ = listener.accept()
began, count = None, 0
while data := connection.recv(1 << 20):
    began = began or time.monotonic()
    count += len(data)
print(count * 8 / 1000 / (time.monotonic() - began))
"""

_SEND = """
import socket, sys, time
with socket.create_connection((sys.argv[1], 9)) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        s.send(bytes(4096))
"""


@contextmanager
def echo(side: Side) -> Iterator[None]:
    """Says everything back at UDP and TCP port 7."""
    pipe = subprocess.PIPE
    argv = [sys.executable, "-c", _ECHO, side.address]
    with run(side, argv, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.communicate("\n")


def ask(here: Side | None, there: Side, protocol: str) -> str:
    """Whether `echo` answers within 0.3 s: ``yes``, ``no``, or an error. ``here`` may be outside
    the namespaces."""
    argv = [*(here.command if here else ()), sys.executable, "-c", _ASK, there.address, protocol]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def probe(
    here: Side, there: Side, count: int, every_s: float = 0.01, *, wait_s: float = 0.5
) -> list[tuple[int, float]]:
    """UDP packets of 100 bytes to `echo`: those that came back, as they did, each with its number
    and its round trip, ms. ``wait_s`` is how long one is waited for."""
    numbers = (str(count), str(every_s), str(wait_s))
    argv = [sys.executable, "-c", _PROBE, there.address, *numbers]
    with run(here, argv, stdout=subprocess.PIPE, text=True) as process:
        return [(number, ms) for number, ms in json.loads(process.communicate()[0])]


def tcp_kbps(here: Side, there: Side, seconds: float) -> float:
    """What TCP gets from here to there."""
    python, pipe = [sys.executable, "-c"], subprocess.PIPE
    with run(there, [*python, _TAKE], stdout=pipe, text=True) as taker:
        assert taker.stdout.readline() == "ready\n"
        with run(here, [*python, _SEND, there.address, str(seconds)]):
            return float(taker.communicate()[0])
