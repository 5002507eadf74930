"""What stories have to do with one another."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from aggregator.store.queries.fts import Occurrences
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages import presenters

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def make_listed(number: int, *, age: float = 0, **fields: object) -> EntrySummary:
    at, link = NOW - timedelta(days=age), f"https://news.example/{number}"
    made = EntrySummary(
        id=number,
        source_id="herald",
        uri=f"x:{number}",
        link=link,
        canonical_url=link,
        title=f"Report {number}",
        summary="",
        language="",
        image=None,
        kind="",
        sort_at=at,
        changed=at,
        hidden="",
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def test_words_of_the_headline_weigh_more() -> None:
    entry = make_listed(1, title="Ferry to Tolvik 2009", summary="The ferry sails again")
    assert presenters.telling_words(entry) == {
        "ferry": 2.0, "tolvik": 2.0, "the": 1.0, "sails": 1.0, "again": 1.0,
    }  # fmt: skip


def test_rare_words_make_stories_alike() -> None:
    found = {
        "the": Occurrences(ids=tuple(range(1, 90)), span=90),
        "ferry": Occurrences(ids=(5, 40), span=1000),
        "tolvik": Occurrences(ids=(5, 7), span=1000),
    }
    alike = presenters.likeness({"the": 1.0, "ferry": 2.0, "tolvik": 2.0}, found)
    assert next(iter(alike)) == 5
    assert 60 not in alike  # has only what every story has


def test_one_shared_word_makes_no_relation() -> None:
    found = {"ferry": Occurrences(ids=(5,), span=1000), "x": Occurrences(ids=(), span=1000)}
    assert presenters.likeness({"ferry": 2.0, "x": 0.1}, found) == {}


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=2),
        st.tuples(st.floats(0.1, 2), st.sets(st.integers(1, 50), max_size=8), st.integers(1, 99)),
    )
)
def test_likeness_is_a_share(words: dict[str, tuple[float, set[int], int]]) -> None:
    found = {word: Occurrences(ids=tuple(ids), span=span) for word, (_, ids, span) in words.items()}
    alike = presenters.likeness({word: weight for word, (weight, _, _) in words.items()}, found)
    assert all(presenters.LEAST_SHARE <= share <= 1.000001 for share in alike.values())


def test_of_two_alike_the_nearer_in_time_comes_first() -> None:
    old, new = make_listed(2, age=200), make_listed(3, age=1)
    assert presenters.related(make_listed(1), {2: 0.6, 3: 0.5}, [old, new], 5) == [new, old]


def test_copies_and_hidden_stories_are_not_related() -> None:
    story = make_listed(1)
    copies = [
        replace(make_listed(2), uri=story.uri),
        make_listed(3, canonical_url=story.canonical_url),
        make_listed(4, title="REPORT 1"),
        replace(make_listed(5), hidden="withdrawn"),
    ]
    other, its_copy = make_listed(6, title="Other"), make_listed(7, title="Other")
    alike = dict.fromkeys(range(2, 8), 0.5)
    assert presenters.related(story, alike, [*copies, its_copy, other], 5) == [its_copy]


def test_scripts_without_spaces_are_compared_by_letter() -> None:
    assert (
        presenters.difference("東京で雪が降る", "東京で大雪が降る") == "東京で<ins>大</ins>雪が降る"
    )


def test_difference_marks_the_words_that_changed() -> None:
    old = "12 people were hurt in <b>, says Ann"
    new = "14 people were hurt in <b>, says Ann, two badly"
    assert presenters.difference(old, new) == (
        "<del>12 </del><ins>14 </ins>people were hurt in &lt;b&gt;, says "
        "<del>Ann</del><ins>Ann, two badly</ins>"
    )


def test_difference_of_a_long_text_marks_each_change_by_itself() -> None:
    words = [f"{'the' if at % 3 else at}" for at in range(600)]
    changed = [word if at % 60 else "new" for at, word in enumerate(words)]
    made = presenters.difference(" ".join(words), " ".join(changed))
    assert made.count("<ins>new </ins>") == 10


@given(st.text("ab <.", max_size=60), st.text("ab <.", max_size=60), st.integers(0, 200))
def test_difference_holds_both_wordings_however_soon_it_gives_up(
    old: str, new: str, steps: int
) -> None:
    made = presenters.difference(old, new, steps)
    if old != new:
        assert _without("ins", made) == old
        assert _without("del", made) == new


def _without(tag: str, made: str) -> str:
    rest = re.sub(f"<{tag}>.*?</{tag}>", "", made, flags=re.DOTALL)
    return html.unescape(re.sub("</?(ins|del)>", "", rest))


def test_texts_made_to_cost_time_are_compared_for_a_while_only() -> None:
    old, new = "a " * 249, "b a " * 1_000
    began = process_time()
    presenters.difference(old, new)
    assert process_time() - began < 5  # without a bound it takes 15 seconds and more
