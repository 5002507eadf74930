"""Related entries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.store.queries.fts import Occurrences
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages import related

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def make_summary(number: int, *, age: float = 0, **fields: object) -> EntrySummary:
    at, link = NOW - timedelta(days=age), f"https://news.example/{number}"
    summary = EntrySummary(
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
    return replace(summary, **fields)  # type: ignore[arg-type]


def test_terms_of_the_headline_weigh_more() -> None:
    entry = make_summary(1, title="Ferry to Tolvik 2009", summary="The ferry sails again")
    assert related.terms(entry) == {
        "ferry": 2.0, "tolvik": 2.0, "the": 1.0, "sails": 1.0, "again": 1.0,
    }  # fmt: skip


def test_entries_that_share_rare_terms_are_similar() -> None:
    occurrences = {
        "the": Occurrences(ids=tuple(range(1, 90)), span=90),
        "ferry": Occurrences(ids=(5, 40), span=1000),
        "tolvik": Occurrences(ids=(5, 7), span=1000),
    }
    similar = related.similarities({"the": 1.0, "ferry": 2.0, "tolvik": 2.0}, occurrences)
    assert next(iter(similar)) == 5
    assert 60 not in similar  # it has only the term that every entry has


def test_one_shared_term_is_not_enough() -> None:
    occurrences = {"ferry": Occurrences(ids=(5,), span=1000), "x": Occurrences(ids=(), span=1000)}
    assert related.similarities({"ferry": 2.0, "x": 0.1}, occurrences) == {}


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=2),
        st.tuples(st.floats(0.1, 2), st.sets(st.integers(1, 50), max_size=8), st.integers(1, 99)),
    )
)
def test_similarity_is_a_share(words: dict[str, tuple[float, set[int], int]]) -> None:
    occurrences = {
        word: Occurrences(ids=tuple(ids), span=span) for word, (_, ids, span) in words.items()
    }
    similar = related.similarities(
        {word: weight for word, (weight, _, _) in words.items()}, occurrences
    )
    assert all(related.MIN_SIMILARITY <= share <= 1.000001 for share in similar.values())


def test_of_two_similar_entries_the_closer_in_time_comes_first() -> None:
    old, new = make_summary(2, age=200), make_summary(3, age=1)
    assert related.choose(make_summary(1), {2: 0.6, 3: 0.5}, [old, new], 5) == [new, old]


def test_copies_and_hidden_entries_are_not_related() -> None:
    entry = make_summary(1)
    copies = [
        replace(make_summary(2), uri=entry.uri),
        make_summary(3, canonical_url=entry.canonical_url),
        make_summary(4, title="REPORT 1"),
        replace(make_summary(5), hidden="withdrawn"),
    ]
    other, its_copy = make_summary(6, title="Other"), make_summary(7, title="Other")
    similar = dict.fromkeys(range(2, 8), 0.5)
    assert related.choose(entry, similar, [*copies, its_copy, other], 5) == [its_copy]
