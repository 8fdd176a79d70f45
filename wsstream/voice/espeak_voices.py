"""Which of espeak-ng's voices a language and a timbre mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypedDict

from ..errors import VoiceError

_REGIONAL = re.compile(r"([a-z]{2,3})-(?:[a-z]{2}|\d{3})")


class VoiceEntry(TypedDict):
    """A voice as espeak-ng lists it."""

    file: str
    name: str
    codes: list[tuple[int, str]]
    """Pairs of priority, the lower the better, and language code; its own code is the first."""


def languages_of(voices: Iterable[VoiceEntry]) -> list[tuple[str, str]]:
    """The code and the English name of each language."""
    names: dict[str, str] = {}
    for voice in voices:
        names.setdefault(voice["codes"][0][1], voice["name"])
    return list(names.items())


def find_voice(voices: Sequence[VoiceEntry], language: str) -> str:
    """The file of the voice for a language code or name, in any case, with "-" or "_". Where there
    is none for a region ("de-AT"), the language's.

    Raises:
        VoiceError: when there is none, naming those that are spelled alike.
    """
    wanted = language.strip().lower().replace("_", "-")
    regional = _REGIONAL.fullmatch(wanted)
    for code in (wanted, regional[1] if regional else wanted):
        ranked = [
            (priority, rank, voice["file"])
            for rank, voice in enumerate(voices)
            for priority, known in voice["codes"]
            if known.lower() == code
        ]
        if ranked:
            return min(ranked)[2]
    for voice in voices:
        if voice["name"].lower() == language.strip().lower():
            return voice["file"]
    known = [name for pair in languages_of(voices) for name in pair]
    raise VoiceError(_unknown("language", language, known))


def find_variant(variants: Sequence[str], variant: str) -> str:
    """The variant by its name in any case; "" is none.

    Raises:
        VoiceError: when there is none, naming those that are spelled alike.
    """
    for known in ("", *variants):
        if known.lower() == variant.strip().lower():
            return known
    raise VoiceError(_unknown("variant", variant, variants))


def _unknown(what: str, wanted: str, known: Iterable[str]) -> str:
    spelled = {name.lower(): name for name in known}
    alike = [spelled[match] for match in get_close_matches(wanted.lower(), spelled, 5, 0.5)]
    hint = f"; did you mean {' or '.join(map(repr, alike))}?" if alike else ""
    return f"espeak-ng has no {what} {wanted!r}{hint}"
