"""libespeak-ng in a process of its own: a script that speaks what it reads.

The library is global to its process, cannot be entered twice, and has memory errors which plain
text reaches ("s's's's..." in English overruns its stack). What it breaks here is this process,
and the server starts another. It imports the standard library only, and starts in milliseconds.

``espeak_library.py LIBRARY DATA`` talks over its standard input and output, JSON lines:

    out  {"sample_rate_hz", "voices": [{"file", "name", "codes": [[priority, code]]}], "variants"}
    in   {"text", "voice", "rate_wpm", "pitch", "volume"}
    out  {"bytes", "phonemes": [[sample, name]]} and that many bytes of 16-bit mono PCM
    in   "+" to go on, anything else to stop here; and so on, until
    out  {"end": true}, or {"error"}
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from ctypes import POINTER, Structure, Union, byref, c_char_p, c_int, c_short, c_ubyte, c_void_p
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

BUFFER_MS = 80

# From espeak-ng/speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x0001, 0x0002, 0x8000
_CHARS_UTF8, _END_PAUSE = 0x0001, 0x1000
_POSITION_CHARACTER = 1
_EVENT_TERMINATED, _EVENT_PHONEME = 0, 7
_PARAMETERS = {"rate_wpm": 1, "volume": 2, "pitch": 3}

Phonemes = list[tuple[int, str]]
"""The first sample and the IPA name of each; an empty name is a pause."""


class _EventId(Union):
    _fields_ = (("number", c_int), ("name", c_void_p), ("string", ctypes.c_char * 8))


class _Event(Structure):
    _fields_ = (
        ("type", c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_position", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _EventId),
    )


class _Voice(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("languages", c_void_p),
        ("identifier", c_char_p),
        ("gender", c_ubyte),
        ("age", c_ubyte),
        ("variant", c_ubyte),
        ("xx1", c_ubyte),
        ("score", c_int),
        ("spare", c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(_Event))


class Espeak:
    """The library, opened."""

    def __init__(self, library: str, data: str) -> None:
        """Raises:
        OSError: when ``library`` cannot be loaded, or ``data`` is not its data.
        """
        self._lib = ctypes.CDLL(library)
        self._lib.espeak_ListVoices.restype = POINTER(POINTER(_Voice))
        # The text's length is a size_t, which an untyped call would pass as an int.
        c_uint, c_size_t = ctypes.c_uint, ctypes.c_size_t
        types = c_char_p, c_size_t, c_uint, c_int, c_uint, c_uint, c_void_p, c_void_p
        self._lib.espeak_Synth.argtypes = types
        os.chdir(Path(data).parent)  # the library keeps the path in a buffer of fixed length
        self.sample_rate_hz: int = self._lib.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS,
            BUFFER_MS,
            os.fsencode(Path(data).name),
            _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT,
        )
        if self.sample_rate_hz <= 0:
            raise OSError(f"espeak-ng cannot read its data in {data}")
        self._heard: Callable[[bytes, Phonemes], bool] = lambda pcm, phonemes: False
        self._callback = _Callback(self._on_sound)  # kept: the library holds a bare pointer to it
        self._lib.espeak_SetSynthCallback(self._callback)

    def voices(self, language: bytes | None = None) -> list[dict[str, Any]]:
        """What can speak; of the pseudo language ``b"variant"``, how else it can sound."""
        code = ctypes.create_string_buffer(language) if language else None
        spec = byref(_Voice(languages=ctypes.addressof(code))) if code else None
        entries = self._lib.espeak_ListVoices(spec)
        voices = [entry.contents for entry in takewhile(bool, entries)]
        return [
            {
                "file": voice.identifier.decode(),
                "name": voice.name.decode().strip(),
                "codes": _codes(voice.languages),
            }
            for voice in voices
        ]

    def speak(self, request: dict[str, Any], heard: Callable[[bytes, Phonemes], bool]) -> None:
        """Speak, calling ``heard`` with each buffer until it answers ``False``.

        Raises:
            ValueError: when there is no such voice, or the library fails.
        """
        if self._lib.espeak_SetVoiceByName(request["voice"].encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {request['voice']!r}")
        for name, number in _PARAMETERS.items():
            self._lib.espeak_SetParameter(number, request[name], 0)
        text = request["text"].encode()
        self._heard = heard
        flags = _CHARS_UTF8 | _END_PAUSE
        failed = self._lib.espeak_Synth(
            text, len(text) + 1, 0, _POSITION_CHARACTER, 0, flags, None, None
        )
        if failed:
            raise ValueError(f"espeak-ng failed with error {failed}")

    def _on_sound(self, samples: Any, count: int, events: Any) -> int:
        """Returns 1 to stop the synthesis, 0 to go on."""
        phonemes = []
        for event in events:
            if event.type == _EVENT_TERMINATED:
                break
            name = event.id.string.decode(errors="ignore")  # cut at eight bytes, if need be
            if event.type == _EVENT_PHONEME and not name.startswith("("):  # "(en)": no sound
                phonemes.append((event.sample, name))
        pcm = ctypes.string_at(samples, 2 * count) if samples else b""
        return 0 if self._heard(pcm, phonemes) else 1


def _codes(address: int) -> list[tuple[int, str]]:
    """A list in C: a byte of priority (the lower the better) and a string, until a zero byte."""
    codes = []
    while priority := ctypes.string_at(address, 1)[0]:
        code = ctypes.string_at(address + 1)
        codes.append((priority, code.decode()))
        address += len(code) + 2
    return codes


def serve(library: str, data: str, requests: BinaryIO, replies: BinaryIO) -> None:
    """Speak requests until there are no more. The protocol is in the module's text."""

    def reply(fields: dict[str, Any], pcm: bytes = b"") -> None:
        replies.write(json.dumps(fields).encode() + b"\n" + pcm)
        replies.flush()

    def heard(pcm: bytes, phonemes: Phonemes) -> bool:
        try:
            reply({"bytes": len(pcm), "phonemes": phonemes}, pcm)
            return requests.read(1) == b"+"
        except OSError:  # the server is gone: a callback must not raise
            return False

    try:
        espeak = Espeak(library, data)
    except OSError as error:
        return reply({"error": str(error)})
    variants = [voice["file"].removeprefix("!v/") for voice in espeak.voices(b"variant")]
    greeting = {"sample_rate_hz": espeak.sample_rate_hz, "voices": espeak.voices()}
    reply({**greeting, "variants": variants})
    for line in requests:
        try:
            espeak.speak(json.loads(line), heard)
            reply({"end": True})
        except ValueError as error:
            reply({"error": str(error)})


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the server's to handle
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its crashes are expected
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the library prints must not come between the replies
    try:
        _, library, data = sys.argv
        serve(library, data, sys.stdin.buffer, replies)
    except BrokenPipeError:
        pass  # the server is gone


if __name__ == "__main__":
    main()
