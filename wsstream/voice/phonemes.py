"""From the phonemes a voice names to the shapes a mouth takes.

A table over the base symbols of the International Phonetic Alphabet: stress, length, tone,
nasalisation and the other marks are stripped first, for a mouth does not show them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ..media.types import Viseme

_SYMBOLS = {
    Viseme.PP: "p b m ɓ ʙ β ʘ",
    Viseme.FF: "f v ɱ ʋ ⱱ ɸ Φ",
    Viseme.TH: "θ ð",
    Viseme.DD: "t d ʈ ɖ ɗ ɾ ǀ ǃ ǂ ǁ",
    Viseme.KK: "k g ɡ c ɟ q ɢ ɠ ʄ ʛ ŋ N ɴ x ɣ χ X ʁ ʀ ħ ʕ ɰ",
    Viseme.CH: "ʃ ʒ ʂ ʐ ɕ ʑ S Z ʧ ʤ ʨ ʥ ɧ",
    Viseme.SS: "s z ʦ ʣ",
    Viseme.NN: "n ɳ ɲ l ɭ ʎ ɫ ɬ ɮ ʟ",
    Viseme.RR: "r ɹ ɻ ɽ ɺ ɚ ɝ",
    Viseme.AA: "a ɑ ɐ æ ʌ ɶ",
    Viseme.E: "e ɛ ε ə ɜ ɘ ɞ ɤ",
    Viseme.IH: "i ɪ ɨ ᵻ ɯ ı j ʝ",
    Viseme.OH: "o ɔ ɒ ɵ ø œ",
    Viseme.OU: "u ʊ ʉ y ʏ w ʍ ɥ",
}
_VISEME_OF = {symbol: viseme for viseme, row in _SYMBOLS.items() for symbol in row.split()}

_NO_SHAPE = frozenset("hɦʔ?")
"""Made in the throat, with the mouth already where the next sound wants it."""

_WRITTEN_WITH_A_DOT = {"s.": "ʂ", "z.": "ʐ"}
"""eSpeak's own spelling of retroflex sibilants, which sound and look other than plain ones."""

_HISSES = frozenset({Viseme.SS, Viseme.CH})

PAUSE = (Viseme.SIL,)


@lru_cache(maxsize=1024)
def visemes_of(phoneme: str) -> tuple[Viseme, ...]:
    """The shapes of one phoneme, in order: two for a diphthong ("aɪ": aa, ih), one for most.

    The empty name is a pause, ``PAUSE``. An empty tuple means that the phoneme has no shape of its
    own and the mouth takes the next one's. A symbol that the table lacks is taken for the Latin
    letter it is drawn from.
    """
    if not phoneme:
        return PAUSE
    for spelling, symbol in _WRITTEN_WITH_A_DOT.items():
        phoneme = phoneme.replace(spelling, symbol)
    shapes: list[Viseme] = []
    for symbol in _base_symbols(phoneme):
        shape = _VISEME_OF.get(symbol) or _by_drawing(symbol)
        if shape in _HISSES and shapes[-1:] == [Viseme.DD]:
            shapes.pop()  # an affricate closes behind the teeth: one sees the hiss only
        if shape is not None and shapes[-1:] != [shape]:
            shapes.append(shape)
    return tuple(shapes)


def _base_symbols(phoneme: str) -> list[str]:
    """Its letters. Marks fall out by their Unicode category: combining (M), modifier (Lm)."""
    letters = ("Ll", "Lu", "Lo")
    return [c for c in unicodedata.normalize("NFD", phoneme) if unicodedata.category(c) in letters]


def _by_drawing(symbol: str) -> Viseme | None:
    """From a name such as LATIN SMALL LETTER TURNED R WITH LONG LEG: the shape of an r."""
    letter = re.search(r"\b[A-Z]\b", unicodedata.name(symbol, ""))
    if symbol in _NO_SHAPE or letter is None:
        return None
    return _VISEME_OF.get(letter[0].lower())
