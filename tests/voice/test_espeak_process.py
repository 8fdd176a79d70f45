from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsstream.errors import VoiceError
from wsstream.voice import espeak_process
from wsstream.voice.espeak_library import Phonemes
from wsstream.voice.espeak_process import (
    EspeakDied,
    EspeakProcess,
    EspeakThread,
    acquire,
    release,
)

REQUEST = {"voice": "gmw/en-US+f2", "rate_wpm": 165, "pitch": 50, "volume": 100}
GREETING = '{"sample_rate_hz": 22050, "voices": [], "variants": []}'


@pytest.fixture
def process() -> Iterator[EspeakProcess]:
    process = EspeakProcess()
    yield process
    process.close()
    process.close()


@pytest.fixture
def thread() -> Iterator[EspeakThread]:
    thread = EspeakThread()
    yield thread
    with suppress(RuntimeError):  # closed already
        thread.close().result(10)


def install_script(monkeypatch: pytest.MonkeyPatch, folder: Path, lines: str) -> None:
    """Let this run in the place of the library's process."""
    script = folder / "script.py"
    script.write_text(lines)
    monkeypatch.setattr(espeak_process, "_SCRIPT", script)


class Heard:
    """What is said in answer to a request, as far as ``buffers_max``."""

    def __init__(
        self, process: EspeakProcess, text: str, *, buffers_max: int = 10_000, **changes: Any
    ) -> None:
        self.pcm = b""
        self.buffers = 0
        self.phonemes: Phonemes = []
        self._buffers_max = buffers_max
        process.speak({**REQUEST, "text": text, **changes}, self._take)

    def _take(self, pcm: bytes, phonemes: Phonemes) -> bool:
        self.pcm += pcm
        self.buffers += 1
        self.phonemes += phonemes
        return self.buffers < self._buffers_max


def spoken(process: EspeakProcess, text: str, **changes: Any) -> bytes:
    return Heard(process, text, **changes).pcm


def loudness(pcm: bytes) -> float:
    return float(np.frombuffer(pcm, "<i2").std())


def test_it_greets_with_what_it_can(process: EspeakProcess) -> None:
    assert process.sample_rate_hz == 22050
    assert len(process.voices) > 100
    assert {"file": "gmw/de", "name": "German", "codes": [[5, "de"]]} in process.voices
    assert {"f2", "m3", "Annie"} <= set(process.variants)


def test_it_names_the_phonemes_with_their_samples(process: EspeakProcess) -> None:
    named = Heard(process, "papa").phonemes
    assert [name.strip("ˈˌː") for _, name in named[:4]] == ["p", "ɑ", "p", "ə"]
    samples = [sample for sample, _ in named]
    assert samples == sorted(samples)


def test_it_stops_at_the_first_no_and_speaks_on(process: EspeakProcess) -> None:
    assert Heard(process, "9" * 200).buffers > 100
    assert Heard(process, "9" * 200, buffers_max=1).buffers == 1
    assert spoken(process, "Hello.")


def test_every_request_has_its_own_parameters(process: EspeakProcess) -> None:
    other = {"voice": "gmw/de", "rate_wpm": 300, "pitch": 0, "volume": 20}
    before = spoken(process, "Hello.")
    between = spoken(process, "Hello.", **other)
    after = spoken(process, "Hello.")
    # No two times are quite the same: the timbre has random breath and flutter.
    assert len(before) == pytest.approx(len(after), rel=0.01)
    assert len(before) > 1.3 * len(between)
    assert loudness(before) == pytest.approx(loudness(after), rel=0.1)
    assert loudness(before) > 3 * loudness(between)


def test_a_voice_that_does_not_exist_is_refused(process: EspeakProcess) -> None:
    with pytest.raises(VoiceError, match="espeak-ng has no voice 'nonsense'"):
        spoken(process, "Hello.", voice="nonsense")
    assert spoken(process, "Hello.")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(VoiceError, match=r"pip install 'wsstream\[voice\]'"):
        EspeakProcess()


@pytest.mark.parametrize("path", ["get_library_path", "get_data_path"])
def test_a_broken_installation_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    monkeypatch.setattr(f"espeakng_loader.{path}", lambda: str(tmp_path / "missing"))
    with pytest.raises(VoiceError, match="missing"):
        EspeakProcess()


def test_no_python_to_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(VoiceError, match=r"cannot be started: .*nowhere"):
        EspeakProcess()


@pytest.mark.parametrize(
    "script",
    [
        "",
        f"print('{GREETING[:20]}', end='')",
        f"print('{GREETING}', flush=True); input()",
        f"print('{GREETING}', flush=True); input(); print('{{\"bytes\": 9, \"phonemes\": []}}')",
    ],
    ids=["before the greeting", "within it", "asked to speak", "while speaking"],
)
def test_a_crash_is_an_error_and_the_next_work_has_a_new_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, thread: EspeakThread, script: str
) -> None:
    with monkeypatch.context() as patch:
        install_script(patch, tmp_path, script)
        with pytest.raises(EspeakDied, match=r"espeak-ng crashed \(status 0\)"):
            thread.run(lambda process: spoken(process, "Hello.")).result(10)
    assert thread.run(lambda process: spoken(process, "Hello.")).result(10)


def test_a_process_that_died_between_two_sentences_is_replaced(thread: EspeakThread) -> None:
    def die(process: EspeakProcess) -> None:
        process.kill()
        process._process.wait()

    thread.run(die).result(10)
    assert thread.run(lambda process: spoken(process, "Hello.")).result(10)


@pytest.mark.parametrize("end", [EspeakThread.kill, EspeakThread.close])
def test_what_hangs_can_be_ended(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    thread: EspeakThread,
    end: Callable[[EspeakThread], object],
) -> None:
    install_script(monkeypatch, tmp_path, f"print('{GREETING}', flush=True); input(); input()")
    begun: Future[None] = Future()

    def hang(process: EspeakProcess) -> bytes:
        begun.set_result(None)
        return spoken(process, "Hello.")

    hung = thread.run(hang)
    begun.result(10)
    end(thread)
    with pytest.raises(EspeakDied):
        hung.result(10)


def test_the_shared_thread_lives_from_the_first_user_to_the_last() -> None:
    first = acquire()
    assert acquire() is first
    process: Any = first.run(lambda process: process).result(10)
    assert release() is None
    assert process.alive
    closed = release()
    assert closed is not None
    closed.result(10)
    assert not process.alive
    assert acquire() is not first
    last = release()
    assert last is not None
    last.result(10)
