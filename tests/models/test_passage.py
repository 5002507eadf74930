"""Passages of a search, with their matches marked."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models import passage
from aggregator.models.passage import LENGTH, MARK_CLOSE, MARK_OPEN
from aggregator.models.search_terms import split

FILLING = "and nothing else was reported from the town that day "


def marked(text: str, search: str) -> str:
    terms = passage.pattern(split(search).terms)
    assert terms is not None
    found = passage.marked(text, terms)
    return found.replace(MARK_OPEN, "[").replace(MARK_CLOSE, "]")


@pytest.mark.parametrize(
    ("text", "search", "shown"),
    [
        ("Heavy rain in Rome.", "rain", "Heavy [rain] in Rome."),
        ("Rain, trains, rain", "rain", "[Rain], trains, [rain]"),
        ("Heavy, rain and heavy snow", '"heavy rain"', "[Heavy, rain] and heavy snow"),
        ("Trains and rain", "rain* -snow", "Trains and [rain]"),
        ("Rains end", "rain*", "[Rain]s end"),
        ("Die Straße nach Łódź", "STRASSE lodz", "Die [Straße] nach [Łódź]"),
        ("Un ﬁlm à l’été", "film ete", "Un [ﬁlm] à l’[été]"),
        ("在東京都市大学", "京都 大学", "在東[京都]市[大学]"),
        ("新iPhone手機", "iphone", "新[iPhone]手機"),
        ("서울에서 열린", "서울", "[서울]에서 열린"),
        ("قال محـــمد إن", "محمد", "قال [محـــمد] إن"),
    ],
)
def test_matches_are_marked(text: str, search: str, shown: str) -> None:
    assert marked(text, search) == shown


def test_accents_as_characters_of_their_own_are_marked_with_their_letter() -> None:
    text = unicodedata.normalize("NFD", "Le résumé du café")
    assert marked(text, "resume") == text.replace(text[3:11], f"[{text[3:11]}]")


def test_no_match_gives_no_passage() -> None:
    assert marked("trains", "rain") == ""
    assert passage.pattern(split("-rain").terms) is None


def test_a_passage_is_cut_out_of_a_long_text() -> None:
    shown = marked(f"{FILLING * 20}Heavy rain fell. {FILLING * 20}", "rain")
    assert "Heavy [rain] fell." in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= LENGTH + 4


def test_the_passage_with_most_terms_is_shown() -> None:
    shown = marked(
        f"A ferry left. {FILLING * 20}Rain held up the ferry. {FILLING * 20}", "ferry rain"
    )
    assert "[Rain] held up the [ferry]." in shown


@given(
    st.text("aé ß ﬁ京パﾊﾟ한e\u0301\u1112\u1161", max_size=40),
    st.text("aéß京パ", min_size=1, max_size=3),
)
def test_a_passage_is_the_text_without_its_marks(text: str, word: str) -> None:
    shown = marked(text, f'"{word}"*')
    plain = shown.replace("[", "").replace("]", "")
    assert not shown or text.startswith(plain)
