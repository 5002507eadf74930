"""Words of texts in any script."""

import tracemalloc
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe import tokenizer

TEXTS = st.text() | st.text(alphabet="aB cé12.,:-'ü的是กक ال“!?\u0301", max_size=80)


@given(TEXTS, st.integers(1, tokenizer.MAX_WORDS))
def test_first_tokens_are_the_first_words(text: str, count: int) -> None:
    assert (
        tuple(token.word for token in tokenizer.first_tokens(text, count))
        == tokenizer.tokenize(text).words[:count]
    )


@given(TEXTS)
def test_first_tokens_mark_the_same_content_words(text: str) -> None:
    content = {token.word for token in tokenizer.first_tokens(text) if token.is_content}
    assert content == tokenizer.tokenize(text).content


@given(TEXTS, st.integers(1, 40))
def test_words_are_the_same_in_parts_of_any_length(text: str, length: int) -> None:
    whole = tokenizer.first_tokens(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer, "PART", length)
        assert tokenizer.first_tokens(text) == whole


def chinese(random: Random) -> str:
    return "".join(chr(random.randrange(0x4E00, 0x9000)) for _ in range(300))


def dotted(random: Random) -> str:
    return ".".join(chr(random.randrange(0x61, 0x7B)) for _ in range(300))


def endless(random: Random) -> str:
    return chr(random.randrange(0x4E00, 0x9000)) + "x" * 20_000


@pytest.mark.parametrize("write", [chinese, dotted, endless])
def test_texts_without_spaces_take_little_memory(write: Callable[[Random], str]) -> None:
    """Of 600 leads; 17,000 Chinese ones once left 474 MB in the caches of words."""
    random = Random(1)
    tracemalloc.start()
    try:
        for _ in range(600):
            lead = write(random)
            tokenizer.first_tokens(lead)
            tokenizer.tokenize(lead)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 16_000_000


@pytest.mark.parametrize("letter", ["x", "東", "!"])
def test_text_is_read_up_to_a_length(letter: str) -> None:
    start = "Alders beat Birches "
    text = start + letter * 10**7
    cut = text[: tokenizer.MAX_LENGTH]
    assert tokenizer.tokenize(text) == tokenizer.tokenize(cut)
    assert tokenizer.first_tokens(text) == tokenizer.first_tokens(cut)


@given(st.text(alphabet="abc東京第3.!", min_size=1, max_size=40))
def test_long_chunks_have_the_same_words_as_short_ones(chunk: str) -> None:
    """Those that are cached, and those that are not."""
    padding = "w" * tokenizer.CACHED_LENGTH
    ours = tokenizer.tokenize(f"{chunk} !{padding}").words
    theirs = tokenizer.tokenize(f"{chunk}!{padding}").words
    assert ours == theirs
