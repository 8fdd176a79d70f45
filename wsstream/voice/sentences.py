"""Text cut into sentences, so that speech can start before all of it is made.

Rather too few cuts than too many: a voice pauses by itself at a full stop inside what it is given,
but cannot mend a name torn in two.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 200
"""About twelve seconds of speech. A longer sentence is cut where it breathes."""

_WIDE = "。！？｡।॥።။។༎"
"""Marks that end a sentence whether or not a space follows."""

_END = re.compile(
    rf"""
      \n
    | (?P<marks>[.!?…‼⁇⁈⁉؟۔։{_WIDE}]+)
      # What closes stays with what it closes. In German “ and « close, and a French » has a space
      # before it: those may be openers, unless nothing follows them.
      (?P<closers>["'”’»›)\]}}）］｝」』】》〉〗*_]*(?:(?:[“«]|[ \u00a0\u202f]»)(?=\s|$))?)
    """,
    re.VERBOSE,
)

_ABBREVIATED = """
mr mrs ms dr prof st jr sr vs etc approx dept est fig figs vol gen col capt lt rev hon inc ltd co
corp mt ave blvd jan feb mar apr jun jul aug sep sept oct nov dec
dipl ing hr hrsg bzw usw ca nr str tel zzgl inkl evtl ggf vgl abs okt dez
mme mlle mgr av sra srta dra ud uds pág núm sig dott avv pag art np itd itp ul tzn zob
др проф ул им гг стр см руб тыс डॉ
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
"""In any language: a full stop behind one of these ends a word, hardly ever a sentence."""
_DOTTED = re.compile(r"(?:\w\.)+\w")
"""e.g, z.B, U.S and their like, without the last full stop."""

_BREATHS = (
    re.compile(r"[;:,،؛–—-](?=\s)|[—、，；：]"),  # a comma in 1,000 has no space behind it
    re.compile(r"\s"),
)


def split_sentences(text: str, max_chars: int = MAX_CHARS) -> list[str]:
    """The sentences of ``text`` in order, none empty, none longer than ``max_chars`` characters.

    Every character that is not white space is in the result once, in its place. Decimals, web
    addresses, initials and common abbreviations are not torn; quotation marks and brackets stay
    with the sentence they close; a new line always ends one.

    Raises:
        ValueError: when ``max_chars`` is less than 1.
    """
    if max_chars < 1:
        raise ValueError(f"max_chars must be 1 or more, not {max_chars}")
    return [piece for sentence in _sentences(text) for piece in _cut(sentence, max_chars)]


def _sentences(text: str) -> list[str]:
    sentences = []
    start = checked = 0
    has_letters = False
    for match in _END.finditer(text):
        has_letters = has_letters or any(map(str.isalpha, text[checked : match.start()]))
        checked = match.end()
        if match[0] == "\n" or (has_letters and _ends_sentence(text, start, match)):
            sentences.append(text[start : match.end()].strip())
            start, has_letters = match.end(), False
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether these marks end the sentence that began at ``start``."""
    marks, closers = match["marks"], match["closers"]
    if not set(marks).isdisjoint(_WIDE):
        return True
    if match.end() == len(text):
        return True
    if not text[match.end()].isspace():
        return False  # 3.14, example.com
    after = text[match.end() : match.end() + 8].lstrip()[:1]
    if after.islower() and (closers or not set(marks).isdisjoint(".…")):
        return False  # "Why?" she asked. Well… perhaps.
    return marks != "." or bool(closers) or not _abbreviates(text[start : match.start()])


def _abbreviates(before: str) -> bool:
    """Whether a full stop behind this text ends a word only."""
    words = before[-24:].split()
    word = words[-1].lstrip("\"'“„«‹([{*_") if words else ""
    initial = len(word) == 1 and word.lower() != word.upper() and word != "I"
    ordinal = len(word) <= 2 and word.isdecimal()
    return initial or ordinal or word.lower() in _ABBREVIATIONS or bool(_DOTTED.fullmatch(word))


def _cut(sentence: str, max_chars: int) -> list[str]:
    """A sentence in pieces of at most ``max_chars``: at its commas, else its spaces, else
    anywhere."""
    pieces = []
    while len(sentence) > max_chars:
        end = _breath(sentence, max_chars)
        pieces.append(sentence[:end].rstrip())
        sentence = sentence[end:].lstrip()
    return [*pieces, sentence]


def _breath(sentence: str, max_chars: int) -> int:
    """Where to cut: the last place of the best kind, but not so early that crumbs remain."""
    for kind in _BREATHS:
        ends = [match.end() for match in kind.finditer(sentence, 0, max_chars + 1)]
        ends = [end for end in ends if max_chars // 4 < end <= max_chars]
        if ends:
            return ends[-1]
    end = max_chars
    while end > 1 and _clings(sentence[end]):
        end -= 1
    return end if not _clings(sentence[end]) else max_chars


def _clings(character: str) -> bool:
    """Whether it is part of the character before it: an accent, a vowel sign, a joiner."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")
