"""Terms of a search text, and their bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import QueryError
from aggregator.models import query, search_terms
from aggregator.models.search_terms import MAX_PREFIXES, MAX_TERMS, MIN_PREFIX, Term, split


def test_each_kind_of_term() -> None:
    terms = split('rain "heavy rain" sno* -ferry -"late train*"').terms
    assert terms == (
        Term("rain"),
        Term("heavy rain"),
        Term("sno", is_prefix=True),
        Term("ferry", is_excluded=True),
        Term("late train", is_prefix=True, is_excluded=True),
    )


@pytest.mark.parametrize(
    "text",
    [
        '"heavy rain"', "„heavy rain“", "«heavy rain»", "»heavy rain«", "“heavy rain”",
        "”heavy rain”", "「heavy rain」", "『heavy rain』", "《heavy rain》", "＂heavy rain＂",
        "‹heavy rain›", "“heavy rain",
    ],
)  # fmt: skip
def test_a_phrase_stands_between_quotation_marks_of_any_language(text: str) -> None:
    assert split(f"ferry {text}").terms == (Term("ferry"), Term("heavy rain"))


def test_full_width_marks_are_understood() -> None:
    assert split("ｒａｉｎ＊　－ｓｎｏｗ").terms == (
        Term("rain", is_prefix=True),
        Term("snow", is_excluded=True),
    )


def test_spellings_of_one_word_are_one_term() -> None:
    assert split("Straße STRASSE strasse").terms == (Term("strasse"),)


@pytest.mark.parametrize(
    ("text", "words", "is_prefix"),
    [
        ("rain", ("rain",), False),
        ("rain*", ("rain",), True),
        ("京都市", ("京都", "都市"), False),
        ("京都*", ("京都",), False),
        ("京", ("京",), True),
        ("2026年", ("2026", "年"), True),
        ("手機iPhone", ("手機", "機", "iphone"), False),
    ],
)
def test_words_of_the_index_that_a_term_matches(
    text: str, words: tuple[str, ...], *, is_prefix: bool
) -> None:
    [term] = split(text).terms
    assert (term.indexed, term.is_index_prefix) == (words, is_prefix)


def test_repeated_terms_count_once() -> None:
    assert split('"of the" ' * 200).terms == (Term("of the"),)


def test_parts_without_letters_are_reported() -> None:
    assert split("rain !!! -").ignored == ("!!!", "-")


@given(st.text())
def test_any_text_can_be_split(text: str) -> None:
    assert all(term.words for term in split(text).terms)


def test_number_of_terms() -> None:
    search_terms.check("q", " ".join(f"w{number}" for number in range(MAX_TERMS)))
    with pytest.raises(QueryError, match=f"q has {MAX_TERMS + 1} different terms"):
        search_terms.check("q", " ".join(f"w{number}" for number in range(MAX_TERMS + 1)))


def test_a_run_without_spaces_counts_as_its_pairs() -> None:
    search_terms.check("q", "京" * (MAX_TERMS + 1))
    with pytest.raises(QueryError, match=f"q has {MAX_TERMS + 1} different terms"):
        search_terms.check("q", "京" * (MAX_TERMS + 2))


def test_single_characters_count_as_prefixes() -> None:
    search_terms.check("q", "雨 雪 風"[: 2 * MAX_PREFIXES - 1])
    with pytest.raises(QueryError, match=f"q has {MAX_PREFIXES + 1} prefixes"):
        search_terms.check("q", "雨 雪 風 雷")


def test_number_of_prefixes() -> None:
    search_terms.check("not", " ".join(f"word{number}*" for number in range(MAX_PREFIXES)))
    with pytest.raises(QueryError, match=f"not has {MAX_PREFIXES + 1} prefixes"):
        search_terms.check("not", " ".join(f"word{number}*" for number in range(MAX_PREFIXES + 1)))


@pytest.mark.parametrize("text", ["a" * MIN_PREFIX + "*", "東*", "한*", '"a rai*"'])
def test_prefixes_long_enough(text: str) -> None:
    search_terms.check("q", text)


@pytest.mark.parametrize("text", ["a" * (MIN_PREFIX - 1) + "*", "-a*", '"rain a*"', "é*"])
def test_prefixes_too_short(text: str) -> None:
    with pytest.raises(QueryError, match="at least 2 letters"):
        search_terms.check("q", text)


@pytest.mark.parametrize("key", ["q", "not"])
def test_a_query_keeps_the_bounds(key: str) -> None:
    with pytest.raises(QueryError, match=f'{key}="a\\*" is too short'):
        query.parse(f"{key}=a*")
