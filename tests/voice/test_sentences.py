from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.voice.sentences import MAX_CHARS, split_sentences

CASES = {
    "plain": ["Hello there.", "How are you?", "I'm fine!"],
    "several marks": ["What?!", "No!!!", "Oh..."],
    "title and money": ["Dr. Smith paid $3.50 to Mr. Jones.", "Then he left."],
    "initials": ["J. R. R. Tolkien wrote it.", "Who read it?"],
    "I is a word": ["So do I.", "Then we go."],
    "dotted": ["Fruit, e.g. Apples, for the U.S. Army at 5 p.m. today.", "Right."],
    "address": ["See https://example.com/a.b?c=1.", "It works."],
    "version": ["See example.com for v1.2.3 now.", "It works."],
    "numbers": ["3.14 is pi, and 1.000,50 is a price.", "Good."],
    "ellipsis": ["Well… perhaps not... or so.", "Fine."],
    "asked": ["“Why?” she asked.", "“Because.”"],
    "brackets": ["He left (quickly.)", "And so on."],
    "markdown": ["**Hello.**", "_Next._", "Done."],
    "emoji": ["Great!", "😀 Next."],
    "list": ["1. First", "2. Second"],
    "german": ["Er sagte: „Hallo.“", "Am 3. Oktober ging er z. B. nach Hause.", "»Ja.«"],
    "french": ["Bonjour M. Dupont !", "« Oui. »", "Et Mme. Dupont ?"],
    "spanish": ["¿Qué tal?", "¡Muy bien!", "La Sra. Pérez."],
    "russian": ["Привет.", "Это и т. д. и т. п., да.", "Как дела?"],
    "hindi": ["नमस्ते।", "आप कैसे हैं?", "ठीक॥"],
    "arabic": ["مرحبا.", "كيف حالك؟", "بخير۔"],
}


@pytest.mark.parametrize("case", CASES)
def test_sentences_of_many_kinds(case: str) -> None:
    expected = CASES[case]
    between = "\n" if case == "list" else " "
    assert split_sentences(between.join(expected)) == expected


def test_chinese_and_japanese_need_no_space() -> None:
    text = "你好。今天天气很好！“走吧。”他说。はい。"
    assert split_sentences(text) == ["你好。", "今天天气很好！", "“走吧。”", "他说。", "はい。"]


def test_a_new_line_ends_a_sentence_and_blank_lines_are_nothing() -> None:
    assert split_sentences("\n one \r\n\n two\n") == ["one", "two"]


@pytest.mark.parametrize("nothing", ["", " ", "\n\n", "\t \u3000"])
def test_nothing_gives_nothing(nothing: str) -> None:
    assert split_sentences(nothing) == []


def test_marks_alone_wait_for_a_word() -> None:
    assert split_sentences("... and then? Yes.") == ["... and then?", "Yes."]


def test_a_long_sentence_is_cut_at_its_last_comma() -> None:
    text = "First we walk a little, then we rest for a while, and in the end we all go home"
    assert split_sentences(text, 60) == [
        "First we walk a little, then we rest for a while,",
        "and in the end we all go home",
    ]


def test_a_comma_in_a_number_is_no_place_to_cut() -> None:
    assert split_sentences("it costs about 1,000,000 or more", 20) == [
        "it costs about",
        "1,000,000 or more",
    ]


def test_without_commas_it_is_cut_at_spaces_and_without_spaces_anywhere() -> None:
    assert split_sentences("one two three four", 9) == ["one two", "three", "four"]
    assert split_sentences("abcdefgh", 3) == ["abc", "def", "gh"]


def test_an_accent_stays_on_its_letter() -> None:
    assert split_sentences("abe\u0301cd", 3) == ["ab", "e\u0301c", "d"]


def test_speech_starts_soon() -> None:
    assert len(split_sentences("word " * 1000)[0]) <= MAX_CHARS


@pytest.mark.parametrize("max_chars", [0, -1])
def test_a_length_below_one_is_refused(max_chars: int) -> None:
    with pytest.raises(ValueError, match="max_chars must be 1 or more"):
        split_sentences("text", max_chars)


TEXTS = st.text(st.sampled_from("ab I1.,;!?…。“”«»\"'()*—- \n\u0301।é3你😀")) | st.text()


def solid(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(1, 40))
def test_nothing_is_lost_moved_or_too_long(text: str, max_chars: int) -> None:
    pieces = split_sentences(text, max_chars)
    assert solid("".join(pieces)) == solid(text)
    assert all(0 < len(piece) <= max_chars for piece in pieces)
    assert all(piece == piece.strip() for piece in pieces)


@pytest.mark.parametrize("unit", [".", "1. ", "ab. ", '."', "x", "\u0301", ", "])
def test_hostile_text_takes_no_longer_than_its_length_asks(unit: str) -> None:
    began = time.perf_counter()
    split_sentences(unit * 50_000)
    assert time.perf_counter() - began < 2  # about 0.1 s; minutes, were it quadratic
