"""Differences between two versions of a text."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.pages import diff
from tests.effort import effort


def test_scripts_without_spaces_are_compared_by_letter() -> None:
    assert diff.difference("東京で雪が降る", "東京で大雪が降る") == "東京で<ins>大</ins>雪が降る"


def test_difference_marks_changed_words() -> None:
    old = "12 people were hurt in <b>, says Ann"
    new = "14 people were hurt in <b>, says Ann, two badly"
    assert diff.difference(old, new) == (
        "<del>12 </del><ins>14 </ins>people were hurt in &lt;b&gt;, says "
        "<del>Ann</del><ins>Ann, two badly</ins>"
    )


def test_each_change_of_a_long_text_is_marked() -> None:
    words = [f"{'the' if at % 3 else at}" for at in range(600)]
    changed = [word if at % 60 else "new" for at, word in enumerate(words)]
    marked = diff.difference(" ".join(words), " ".join(changed))
    assert marked.count("<ins>new </ins>") == 10


@given(st.text("ab <.", max_size=60), st.text("ab <.", max_size=60), st.integers(0, 200))
def test_difference_contains_both_versions_at_any_step_limit(
    old: str, new: str, steps: int
) -> None:
    marked = diff.difference(old, new, steps)
    if old != new:
        assert _without("ins", marked) == old
        assert _without("del", marked) == new


def _without(tag: str, marked: str) -> str:
    rest = re.sub(f"<{tag}>.*?</{tag}>", "", marked, flags=re.DOTALL)
    return html.unescape(re.sub("</?(ins|del)>", "", rest))


def test_comparing_hostile_texts_is_bounded() -> None:
    old, new = "a " * 249, "b a " * 1_000
    with effort() as spent:
        diff.difference(old, new)
    assert spent.times < 300  # more than 1,000 without the bound
