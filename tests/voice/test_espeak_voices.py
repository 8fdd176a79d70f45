from __future__ import annotations

import pytest

from wsstream.errors import VoiceError
from wsstream.voice.espeak_voices import VoiceEntry, find_variant, find_voice, languages_of

VOICES: list[VoiceEntry] = [
    {"file": "gmw/de", "name": "German", "codes": [(5, "de")]},
    {"file": "gmw/en", "name": "English (Great Britain)", "codes": [(2, "en-gb"), (2, "en")]},
    {"file": "gmw/en-US", "name": "English (America)", "codes": [(2, "en-us"), (3, "en")]},
    {"file": "iro/chr", "name": "Cherokee", "codes": [(5, "chr-US-Qaaa-x-west")]},
    {"file": "sit/cmn", "name": "Chinese (Mandarin)", "codes": [(5, "cmn"), (5, "zh")]},
    {"file": "sit/yue", "name": "Chinese (Cantonese)", "codes": [(5, "yue"), (8, "zh")]},
    {"file": "sit/yue-Latn", "name": "Cantonese, Jyutping", "codes": [(5, "yue"), (8, "zh")]},
]
VARIANTS = ["Annie", "f2", "f3", "Mr serious"]


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("de", "gmw/de"),
        ("en", "gmw/en"),
        ("EN_us", "gmw/en-US"),
        (" german ", "gmw/de"),
        ("chr-US-Qaaa-x-west", "iro/chr"),
        ("English (America)", "gmw/en-US"),
        ("zh", "sit/cmn"),
        ("yue", "sit/yue"),
        ("de-AT", "gmw/de"),
        ("zh-CN", "sit/cmn"),
        ("de-419", "gmw/de"),
    ],
)
def test_a_language_is_found(language: str, file: str) -> None:
    assert find_voice(VOICES, language) == file


@pytest.mark.parametrize(
    ("language", "alike"),
    [("germn", "'German'"), ("en-uss", "'en-us'"), ("de-x-wien", ""), ("", ""), ("klingon", "")],
)
def test_an_unknown_language_names_those_spelled_alike(language: str, alike: str) -> None:
    with pytest.raises(VoiceError) as refused:
        find_voice(VOICES, language)
    assert str(refused.value).startswith(f"espeak-ng has no language {language!r}")
    assert alike in str(refused.value)


@pytest.mark.parametrize(
    ("variant", "known"),
    [("", ""), ("f2", "f2"), ("F2", "f2"), ("annie", "Annie"), ("mr serious", "Mr serious")],
)
def test_a_variant_is_found(variant: str, known: str) -> None:
    assert find_variant(VARIANTS, variant) == known


def test_an_unknown_variant_names_those_spelled_alike() -> None:
    with pytest.raises(VoiceError, match=r"no variant 'anni'; did you mean 'Annie'\?"):
        find_variant(VARIANTS, "anni")


def test_languages_are_listed_once() -> None:
    assert languages_of(VOICES) == [
        ("de", "German"),
        ("en-gb", "English (Great Britain)"),
        ("en-us", "English (America)"),
        ("chr-US-Qaaa-x-west", "Cherokee"),
        ("cmn", "Chinese (Mandarin)"),
        ("yue", "Chinese (Cantonese)"),
    ]
