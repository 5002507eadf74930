"""Related entries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.store.queries.fts import Occurrences
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages import related
from aggregator.web.pages.related import COMMON, DECAY_DAYS, Rarity

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


def occurrences(*ids: int, span: int = 1_000) -> Occurrences:
    return Occurrences(ids=ids, span=span)


FERRY = make_summary(1, title="Ferry to Tolvik sails again", summary="The ferry was in dock.")
FOUND = {
    "the": occurrences(*range(2, 902), span=900),
    "ferry": occurrences(5, 40),
    "tolvik": occurrences(5, 7),
    "sails": occurrences(40),
    "again": occurrences(*range(2, 102), span=400),
    "was": occurrences(*range(2, 402), span=500),
    "dock": occurrences(),
}


def rarity(
    found: dict[str, Occurrences] | None = None, own: frozenset[int] = frozenset()
) -> Rarity:
    return related.rarity(FOUND if found is None else found, own)


def test_words_are_looked_for_as_the_index_has_them() -> None:
    entry = make_summary(1, title="Ferry to Tólvik 2009", summary="The ferry sails: 東京都")
    assert related.terms(entry) == ["ferry", "tolvik", "the", "sails", "東京", "京都"]


@pytest.mark.parametrize("extra", [0, 1])
def test_number_of_words_looked_for(extra: int) -> None:
    texts = [
        " ".join(f"{start}word{chr(97 + n)}" for n in range(related.MAX_TERMS + extra))
        for start in ("title", "lead")
    ]
    entry = make_summary(1, title=texts[0], summary=texts[1])
    assert len(related.terms(entry)) == 2 * related.MAX_TERMS


def test_rare_words_weigh_most_and_the_commonest_nothing() -> None:
    usual = rarity().usual
    assert usual["the"] == 0.0
    assert usual["again"] < usual["ferry"] < usual["dock"]


@pytest.mark.parametrize(("count", "is_common"), [(COMMON - 1, False), (COMMON, True)])
def test_words_of_a_rare_language_are_not_rare_for_that(count: int, *, is_common: bool) -> None:
    found = {"uma": occurrences(*range(2, 2 + count), span=200), "barco": occurrences(5)}
    assert (rarity(found).usual["uma"] == 0.0) == is_common


def test_phrases_of_a_source_are_not_rare_within_it() -> None:
    found = {"newsletter": occurrences(*range(2, 12)), "ferry": occurrences(5, 40)}
    within = rarity(found, frozenset(range(1, 12)))
    assert within.of(5)["newslet"] < 0.2
    assert within.of(40)["newslet"] > 3


def test_entries_that_share_the_rarest_words_are_candidates() -> None:
    found = related.candidates(FOUND, rarity())
    assert found[:2] == [40, 5]  # no other has "sails"
    assert len(found) == related.MAX_CANDIDATES


@pytest.mark.parametrize(
    ("title", "is_related"),
    [
        ("Tolvik waits for its ferry", True),
        ("Ferries to Tolvik stay in port", False),  # other words than "ferry"
        ("Tolvik elects a mayor", False),
        ("The cat was here again", False),
    ],
)
def test_related_entries_share_rare_words(title: str, *, is_related: bool) -> None:
    other = make_summary(5, title=title)
    assert bool(related.rank(FERRY, [other], rarity())) == is_related


@pytest.mark.parametrize(("part", "is_related"), [(0.99, True), (1.01, False)])
def test_similarity_from_which_entries_are_related(part: float, *, is_related: bool) -> None:
    other = make_summary(5, title="Tolvik waits for its ferry")
    share = related.similarity(FERRY, other, rarity().usual) / related.MIN_SIMILARITY
    assert share > 1
    furthest = DECAY_DAYS * (share**3 - 1)  # in days
    other = make_summary(5, age=part * furthest, title=other.title)
    assert bool(related.rank(FERRY, [other], rarity())) == is_related


@pytest.mark.parametrize(("days", "kept"), [(0, 1.0), (DECAY_DAYS, 0.794), (3 * 365, 0.423)])
def test_distance_in_time_costs_similarity(days: int, kept: float) -> None:
    one, other = (
        related.similarity(FERRY, make_summary(5, age=age, title="Ferry Tolvik"), rarity().usual)
        for age in (0, days)
    )
    assert other / one == pytest.approx(kept, abs=0.01)


@given(
    st.lists(st.sampled_from(["ferry", "tolvik", "the", "sails", "xyz", "東京都"]), max_size=6),
    st.floats(0, 4000),
)
def test_similarity_is_a_share(title: list[str], age: float) -> None:
    other = make_summary(5, age=age, title=" ".join(title))
    assert 0 <= related.similarity(FERRY, other, rarity().usual) <= 1


def test_equal_entries_are_most_similar() -> None:
    same = replace(FERRY, id=5)
    assert related.similarity(FERRY, same, rarity().usual) == pytest.approx(1)


def test_of_two_similar_entries_the_closer_in_time_comes_first() -> None:
    old = make_summary(2, age=200, title="Ferry Tolvik")
    new = make_summary(3, age=1, title="Ferry Tolvik sailing")
    assert related.rank(FERRY, [old, new], rarity()) == [new, old]


def test_copies_and_hidden_entries_are_not_related() -> None:
    entry = make_summary(1)
    copies = [
        replace(make_summary(2), uri=entry.uri),
        make_summary(3, canonical_url=entry.canonical_url),
        make_summary(4, title="REPORT 1"),
        replace(make_summary(5), hidden="withdrawn"),
    ]
    other, its_copy = make_summary(6, title="Other"), make_summary(7, title="Other")
    assert related.choose(entry, [*copies, other, its_copy], {}, 5) == [other]


def test_each_other_story_is_shown_once_and_its_own_never() -> None:
    entry, *others = (make_summary(number) for number in range(1, 6))
    stories = {1: 1, 2: 1, 3: 3, 4: 3, 5: 5}
    assert related.choose(entry, others, stories, 5) == [others[1], others[3]]


def test_few_entries_of_one_source_are_shown() -> None:
    entry, *others = (make_summary(number) for number in range(1, 9))
    others[6] = replace(others[6], source_id="post")
    chosen = related.choose(entry, others, {}, 9)
    assert [other.id for other in chosen] == [2, 3, 4, 8]
    assert related.choose(entry, others, {}, 2) == others[:2]
