"""Words of texts in any script."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe import words

TEXTS = st.text() | st.text(alphabet="aB cé12.,:-'ü的是กक ال“!?\u0301", max_size=80)


@given(TEXTS, st.integers(1, words.LONGEST))
def test_the_beginning_is_that_of_all_words(text: str, count: int) -> None:
    beginning, read = words.beginning(text, count), words.read(text)
    assert tuple(word for word, _ in beginning) == read.all[:count]
    assert {word for word, tells in beginning if tells} <= read.telling


@given(TEXTS)
def test_the_beginning_tells_which_words_tell(text: str) -> None:
    assert {word for word, tells in words.beginning(text) if tells} == words.read(text).telling
