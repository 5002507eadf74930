"""The fast ways of reading text find what the patterns find that say what is meant."""

import re

from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean import counters, text
from aggregator.clean.html.sanitise import sanitise
from tests.clean.test_html import MARKUP

ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
SPACES = " \t\n\r\x0b\x1c\x85\xa0\u2028\u202f\u3000"
CHARACTERS = st.one_of(
    st.sampled_from(f"{SPACES}aé中😀\x00\x07\x7f\x80\x9f\xad\u200b\ud800\ufffd\ufffe\uffff"),
    st.characters(),
)
TEXTS = st.text(CHARACTERS)
PARTS = [
    *[
        "7",
        "12",
        "1,234",
        "٣",
        "７",
        "5k",
        " ",
        "\u202f",
        "(",
        ": ",
        "：",
        "[",
        ") ",
        ". ",
        "| ",
        ", ",
    ],
    *["comments", "Replies", "likes", "total comments", "points", "ago", " ago", "hours", "words"],
    *["评论", "条评论", "コメント", "❤", "👍\ufe0f", "é", "ſhares", "Kommentare", "تعليق", "x5"],
]
COUNTED = st.lists(st.sampled_from(PARTS)).map("".join)


@given(TEXTS)
def test_characters_that_are_removed(value: str) -> None:
    assert text.legal(value) == ILLEGAL.sub("", value)


@given(TEXTS)
def test_white_space_is_folded(value: str) -> None:
    shown = value.replace("<", "").replace("&", "")
    assert text.plain(shown) == " ".join(ILLEGAL.sub("", shown).split())


@given(MARKUP)
def test_sanitised_text_hides_nothing(value: str) -> None:
    content = sanitise(value, base="https://example.org/")
    assert text.plain_of(content) == text.plain(content)


@given(COUNTED)
def test_a_counter_begins_after_a_digit(words: str) -> None:
    parts = re.split(r"\d", words)[1:]
    if counters._COUNTED.search(words):
        assert any(map(counters._AFTER.match, parts))
    if counters._AGO.search(words):
        assert any(map(counters._AFTER_AGO.match, parts))


@given(COUNTED)
def test_a_text_is_cut_at_each_digit(words: str) -> None:
    is_usual = not words.encode().translate(None, counters._USUAL)
    assert counters._between_digits(words, is_usual=is_usual) == re.split(r"\d", words)
