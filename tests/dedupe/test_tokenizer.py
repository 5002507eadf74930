"""Words of texts in any script."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe import tokenizer

TEXTS = st.text() | st.text(alphabet="aB cé12.,:-'ü的是กक ال“!?\u0301", max_size=80)


@given(TEXTS, st.integers(1, tokenizer.MAX_WORDS))
def test_the_beginning_is_that_of_all_words(text: str, count: int) -> None:
    assert (
        tuple(token.word for token in tokenizer.first_tokens(text, count))
        == tokenizer.tokenize(text).words[:count]
    )


@given(TEXTS)
def test_the_beginning_tells_which_words_tell(text: str) -> None:
    content = {token.word for token in tokenizer.first_tokens(text) if token.is_content}
    assert content == tokenizer.tokenize(text).content
