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
