"""What stories have to do with one another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import StoredEntry
from aggregator.store.search import Occurrences
from aggregator.web import stories
from tests.web.stock import make_entry

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def make_stored(number: int, *, age: float = 0, **fields: object) -> StoredEntry:
    at = NOW - timedelta(days=age)
    return StoredEntry(
        id=number,
        source_id="herald",
        uri=f"x:{number}",
        first_seen=at,
        changed=at,
        sort_at=at,
        entry=replace(make_entry(number), **fields),  # type: ignore[arg-type]
    )


def test_words_of_the_headline_weigh_more() -> None:
    entry = replace(make_entry(1), title="Ferry to Tolvik 2009", summary="The ferry sails again")
    assert stories.telling_words(entry) == {
        "ferry": 2.0, "tolvik": 2.0, "the": 1.0, "sails": 1.0, "again": 1.0,
    }  # fmt: skip


def test_rare_words_make_stories_alike() -> None:
    found = {
        "the": Occurrences(ids=tuple(range(1, 90)), span=90),
        "ferry": Occurrences(ids=(5, 40), span=1000),
        "tolvik": Occurrences(ids=(5, 7), span=1000),
    }
    alike = stories.likeness({"the": 1.0, "ferry": 2.0, "tolvik": 2.0}, found)
    assert next(iter(alike)) == 5
    assert 60 not in alike  # has only what every story has


def test_one_shared_word_makes_no_relation() -> None:
    found = {"ferry": Occurrences(ids=(5,), span=1000), "x": Occurrences(ids=(), span=1000)}
    assert stories.likeness({"ferry": 2.0, "x": 0.1}, found) == {}


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=2),
        st.tuples(st.floats(0.1, 2), st.sets(st.integers(1, 50), max_size=8), st.integers(1, 99)),
    )
)
def test_likeness_is_a_share(words: dict[str, tuple[float, set[int], int]]) -> None:
    found = {word: Occurrences(ids=tuple(ids), span=span) for word, (_, ids, span) in words.items()}
    alike = stories.likeness({word: weight for word, (weight, _, _) in words.items()}, found)
    assert all(stories.LEAST_SHARE <= share <= 1.000001 for share in alike.values())


def test_of_two_alike_the_nearer_in_time_comes_first() -> None:
    old, new = make_stored(2, age=200), make_stored(3, age=1)
    assert stories.related(make_stored(1), {2: 0.6, 3: 0.5}, [old, new], 5) == [new, old]


def test_copies_and_hidden_stories_are_not_related() -> None:
    story = make_stored(1)
    copies = [
        replace(make_stored(2), uri=story.uri),
        make_stored(3, canonical_url=story.entry.canonical_url),
        make_stored(4, title="REPORT 1"),
        replace(make_stored(5), hidden="withdrawn"),
    ]
    other, its_copy = make_stored(6, title="Other"), make_stored(7, title="Other")
    alike = dict.fromkeys(range(2, 8), 0.5)
    assert stories.related(story, alike, [*copies, its_copy, other], 5) == [its_copy]
