from __future__ import annotations

import pytest

from wsstream.media.types import Viseme
from wsstream.voice.phonemes import PAUSE, visemes_of

AA, E, IH, OH, OU = Viseme.AA, Viseme.E, Viseme.IH, Viseme.OH, Viseme.OU
PP, FF, TH, DD, KK = Viseme.PP, Viseme.FF, Viseme.TH, Viseme.DD, Viseme.KK
CH, SS, NN, RR = Viseme.CH, Viseme.SS, Viseme.NN, Viseme.RR

# What espeak-ng 1.52 names when it says the word, phoneme by phoneme.
SPOKEN: dict[str, dict[str, tuple[Viseme, ...]]] = {
    "en-us choice": {"tʃ": (CH,), "ˈɔɪ": (OH, IH), "s": (SS,)},
    "en-us water": {"w": (OU,), "ˈɔː": (OH,), "ɾ": (DD,), "ɚ": (RR,)},
    "en-us think": {"θ": (TH,), "ˈɪ": (IH,), "ŋ": (KK,), "k": (KK,)},
    "en-us air": {"ˈɛɹ": (E, RR)},
    "en-us go": {"ɡ": (KK,), "ˈoʊ": (OH, OU)},
    "de Pferd": {"pf": (PP, FF), "ˈeː": (E,), "ɾ": (DD,), "t": (DD,)},
    "de Zwölf": {"ts": (SS,), "v": (FF,), "ˈœ": (OH,), "l": (NN,), "f": (FF,)},
    "de ich": {"ɪ": (IH,), "ç": (KK,)},
    "fr bon vin": {"b": (PP,), "ɔ̃": (OH,), "v": (FF,), "ɛ̃": (E,)},
    "fr huit": {"ɥ": (OU,), "i": (IH,), "t": (DD,)},
    "es hoy": {"ˈoɪ": (OH, IH)},
    "es agua": {"ˈa": (AA,), "ɣ": (KK,), "w": (OU,), "a": (AA,)},
    "it gnocchi": {"ɲ": (NN,), "ˈɔ": (OH,), "k": (KK,), "ɪ": (IH,)},
    "it pizza": {"ts": (SS,), "dz": (SS,), "ss": (SS,)},
    "pt pão": {"p": (PP,), "ˈɐ̃ʊ": (AA, OU)},
    "pl cześć": {"tʃ": (CH,), "ˈɛ": (E,), "ɕ": (CH,), "tɕ": (CH,)},
    "pl dźwięk": {"dʑ": (CH,), "v": (FF,), "ɛ": (E,), "ɲ": (NN,)},
    "ru съешь": {"s": (SS,), "j": (IH,), "ˈe": (E,), "ʃ": (CH,)},
    "ru юла": {"ju": (IH, OU), "tʃʲ": (CH,), "ɭ": (NN,)},
    "hi घर": {"ɡʰ": (KK,), "ˈʌ": (AA,), "ɾ": (DD,)},
    "hi ढोल": {"ɖʰ": (DD,), "ˈoː": (OH,), "bʰ": (PP,)},
    "cmn 好": {"χ": (KK,), "ˈɑu": (AA, OU)},
    "cmn 世": {"s.": (CH,), "ˈi.": (IH,), "ts.h": (CH,), "tsh": (SS,), "tɕh": (CH,)},
    "cmn 要": {"ˈiɑu": (IH, AA, OU), "ˈonɡ": (OH, NN, KK), "th": (DD,)},
    "lv tie bar": {"t͡s": (SS,), "ʈ͡ʂ": (CH,)},
}


@pytest.mark.parametrize("word", SPOKEN)
def test_each_phoneme_has_the_shapes_one_sees(word: str) -> None:
    assert {name: visemes_of(name) for name in SPOKEN[word]} == SPOKEN[word]


def test_marks_do_not_change_the_shape() -> None:
    for marked in ("ˈɑː", "ˌɑ", "ɑ̃", "ɑˤ", "ɑ˥", "ɑ55", "ɑ^"):
        assert visemes_of(marked) == (AA,), marked


def test_an_empty_name_is_a_pause() -> None:
    assert visemes_of("") == PAUSE == (Viseme.SIL,)


@pytest.mark.parametrize("throat", ["h", "ɦ", "ʔ", "ʲ", "ː"])
def test_what_the_throat_makes_has_no_shape_of_its_own(throat: str) -> None:
    assert visemes_of(throat) == ()


def test_the_glottal_stop_of_a_vowel_does_not_hide_it() -> None:
    assert visemes_of("ˈʔo") == (OH,)


@pytest.mark.parametrize(
    ("unknown", "shape"), [("ƥ", PP), ("ɼ", RR), ("ᶑ", DD), ("ʠ", KK), ("M", PP), ("ᴜ", OU)]
)
def test_an_unknown_symbol_looks_like_the_letter_it_is_drawn_from(
    unknown: str, shape: Viseme
) -> None:
    assert visemes_of(unknown) == (shape,)


def test_what_is_no_letter_has_no_shape() -> None:
    assert visemes_of("↓") == visemes_of("漢") == ()
