"""Words as the search index stores them, and as searches ask for them."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.search_text import fold, indexed, searched

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
LETTERS = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.characters(min_codepoint=0x80, max_codepoint=0x6FF),
        st.sampled_from("ßİıﬁŁæ한글パﾊﾟ京都ครับ"),
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("İSTANBUL ISTANBUL istanbul", "ıstanbul istanbul İstanbul"),
        ("STRASSE", "Straße"),
        ("ﬁnal ﬂow", "final flow"),
        ("Ｔｏｋｙｏ ２０２６", "tokyo 2026"),
        ("Ærø Œuvre Łódź", "aero oeuvre lodz"),
        ("São Tomé", "SAO TOME"),
        ("Ελλάς", "ελλασ"),
        ("ёлка", "ЕЛКА"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("إسلام أحمد آمال", "اسلام احمد امال"),
        ("مدرسة", "مدرسه"),
        ("١٢٣", "123"),
        ("שָׁלוֹם", "שלום"),
        ("ﾊﾟﾝ ｶﾞｽ", "パン ガス"),
        ("Donau\u00addampf", "donaudampf"),
        ("می\u200cشود", "میشود"),
    ],
)
def test_spellings_of_the_same_letters_are_one(text: str, same: str) -> None:
    assert fold(text) == fold(same)


@pytest.mark.parametrize(
    ("text", "other"),
    [("ハン", "パン"), ("हिन्दी", "हन्द"), ("ครับ", "ครบ"), ("ferry", "fery"), ("한", "하")],
)
def test_other_letters_stay_apart(text: str, other: str) -> None:
    assert fold(text) != fold(other)


@given(LETTERS)
def test_normal_forms_of_a_text_are_one(text: str) -> None:
    assert {fold(unicodedata.normalize(form, text)) for form in FORMS} == {fold(text)}


@given(LETTERS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(LETTERS)
def test_each_character_of_the_compatible_form_is_folded_by_itself(text: str) -> None:
    assert fold(text) == "".join(map(fold, unicodedata.normalize("NFKC", text)))


def test_punctuation_separates_words() -> None:
    assert fold("rain-soaked_streets, l’été").split() == ["rain", "soaked", "streets", "l", "ete"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Heavy rain", "heavy rain"),
        ("京都市", "京都 都市 市"),
        ("京", "京"),
        ("新iPhone手機。2026年", "新 iphone 手機 機 2026 年"),
        ("서울에서", "서울 울에 에서 서"),
        ("ข่าว", "ข่ ่า าว ว"),
    ],
)
def test_unspaced_scripts_are_indexed_as_pairs(text: str, words: str) -> None:
    assert indexed(text).split() == words.split()


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("heavy rain", "heavy rain"),
        ("京都市", "京都 都市"),
        ("京", "京"),
        ("京都 市", "京都 都 市"),
        ("新iphone手機", "新 iphone 手機"),
    ],
)
def test_a_phrase_is_asked_as_adjacent_words(phrase: str, words: str) -> None:
    assert searched(phrase) == words.split()


@given(st.text("東京都市大学 iPhoneé1", min_size=1), st.data())
def test_words_of_any_part_between_spaces_are_adjacent_in_the_index(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = searched(fold(text[start:end]).strip())
    starts_word, ends_word = (
        not (at and at < len(text)) or " " in text[at - 1 : at + 1] for at in (start, end)
    )
    if not found or not starts_word or not ends_word:
        return
    stored = indexed(text).split()
    places = range(len(stored) - len(found) + 1)
    assert any(
        stored[at : at + len(found) - 1] == found[:-1]
        and stored[at + len(found) - 1].startswith(found[-1])
        for at in places
    )
