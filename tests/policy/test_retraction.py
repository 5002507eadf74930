"""Retractions: an entry that left the middle of its feed, and all that only looks like it."""

import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.entry import Absence
from aggregator.policy import retraction
from aggregator.policy.retraction import Place
from tests.builders import START

TEN = list(range(10, 0, -1))
"""A document of ten entries, newest first; an entry is as many days old as its id is small."""


def place(entry: int) -> Place:
    return START + timedelta(days=entry), entry


def left(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """Return the entries whose absence counts from this document on."""
    found = retraction.compare(before, after)
    places = {entry: place(entry) for entry in (*before, *after)}
    return [
        absence.entry_id
        for absence in retraction.departures(before, found, START)
        if retraction.is_between(absence, found.added, places)
    ]


def without(*entries: int) -> list[int]:
    return [entry for entry in TEN if entry not in entries]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(without(5), [5], id="one in the middle"),
        pytest.param(without(5, 8), [8, 5], id="two of ten"),
        pytest.param(without(9), [9], id="with one above it"),
        pytest.param(without(2), [2], id="with one below it"),
        pytest.param(without(5, 1), [5], id="while the last falls off"),
        pytest.param([*without(5), 0], [], id="an item that is not known"),
        pytest.param([*without(5), -1], [5], id="while an older one takes the free place"),
        pytest.param(without(5, 8, 3), [], id="three of ten"),
        pytest.param(without(10), [], id="the newest"),
        pytest.param(without(1), [], id="the oldest"),
        pytest.param(TEN[:4], [], id="cut"),
        pytest.param(TEN[-4:], [], id="the beginning cut off"),
        pytest.param([11, *without(5)], [], id="while a newer one came in"),
        pytest.param([4, *without(5, 4)], [], id="in another order"),
        pytest.param(without(5)[::-1], [], id="reversed"),
        pytest.param([20, 19, 18], [], id="a new start"),
        pytest.param([], [], id="empty"),
        pytest.param(TEN, [], id="unchanged"),
    ],
)
def test_only_an_entry_between_two_that_stay_may_be_retracted(
    after: list[int], expected: list[int]
) -> None:
    assert left(TEN, after) == expected


def test_a_feed_that_begins_with_the_oldest_is_judged_alike() -> None:
    assert left(TEN[::-1], without(5)[::-1]) == [5]
    assert left(TEN[::-1], [*without(5)[::-1], 11]) == []
    assert left(TEN[::-1], [-1, *without(5)[::-1]]) == [5]


@pytest.mark.parametrize(
    ("before", "expected"), [([5, 3, 1], [3]), ([3, 5, 1], []), ([5, 1, 3], [])]
)
def test_a_neighbour_must_be_older_and_the_other_newer(
    before: list[int], expected: list[int]
) -> None:
    assert left(before, [before[0], before[2]]) == expected


def test_an_entry_with_an_expired_neighbour_is_no_case() -> None:
    [absence] = retraction.departures(TEN, retraction.compare(TEN, without(5)), START)
    assert not retraction.is_between(absence, (), {5: place(5), 6: place(6)})


WATCHED = Absence(entry_id=5, above=6, below=4, since=START, polls=1)


@pytest.mark.parametrize(
    ("after", "new", "polls"),
    [
        pytest.param(without(5), (), [2], id="the same"),
        pytest.param([12, 11, *without(5)][:9], (11, 12), [2], id="with newer ones"),
        pytest.param([12, 11, 10, 9, 8, 7, 6, 4], (11, 12), [2], id="its neighbours still there"),
        pytest.param([12, 11, 10, 9, 8, 7, 6], (11, 12), [], id="the older one gone"),
        pytest.param(without(5, 6), (), [], id="the newer one gone"),
        pytest.param(TEN, (), [], id="it is back"),
        pytest.param([5, *without(5)], (), [], id="it is back at the top"),
        pytest.param([10, 9, 20, *without(5)[2:]], (20,), [2], id="a new entry between the others"),
        pytest.param([10, 9, 20, *without(5)[2:]], (), [], id="a known entry between the others"),
        pytest.param([6, *without(5, 6)], (), [], id="in another order"),
        pytest.param([], (), [], id="empty"),
    ],
)
def test_an_absence_lasts_while_the_others_stay(
    after: list[int], new: tuple[int, ...], polls: list[int]
) -> None:
    found = retraction.compare(without(5), after)
    still = retraction.still_absent([WATCHED], found, new)
    assert [each.polls for each in still] == polls
    assert all(each.since == START for each in still)


def test_an_entry_that_a_hub_pushed_meanwhile_is_not_absent() -> None:
    found = retraction.compare([*without(5), 5], without(5))
    assert retraction.still_absent([WATCHED], found, ()) == []


# A feed shows a part of what its site has published, by a rule that no reader knows.
histories = st.lists(
    st.tuples(
        st.integers(0, 3),  # entries that are published before the poll
        st.integers(1, 12),  # places in the document
        st.sampled_from(["newest", "quota", "cut", "sample", "reversed", "shuffled", "reset"]),
        st.randoms(use_true_random=False),
    ),
    min_size=4,
    max_size=12,
)


def document(published: Sequence[int], size: int, kind: str, random: object) -> list[int]:
    newest = list(published)[::-1]
    match kind:
        case "quota":  # as many of each of three authors
            return [e for e in newest if newest.index(e) < 99 and _rank(newest, e) < size / 3]
        case "cut":
            return newest[: max(1, size // 3)]
        case "sample":
            chosen = random.sample(newest, min(size, len(newest)))  # type: ignore[attr-defined]
            return sorted(chosen, reverse=True)
        case "reversed":
            return newest[:size][::-1]
        case "shuffled":
            shown = newest[:size]
            random.shuffle(shown)  # type: ignore[attr-defined]
            return shown
        case "reset":
            return []
        case _:
            return newest[:size]


def _rank(newest: Sequence[int], entry: int) -> int:
    return [each for each in newest if each % 3 == entry % 3].index(entry)


def retracted(documents: Sequence[Sequence[int]]) -> set[int]:
    """Return the entries that count as retracted after the documents of successive polls."""
    found, absences, seen = set(), list[Absence](), set(documents[0])
    for before, after in itertools.pairwise(documents):
        comparison = retraction.compare(before, after)
        new = set(after) - seen
        seen |= new
        absences = retraction.still_absent(absences, comparison, new)
        left_now = left(before, after)
        departures = retraction.departures(before, comparison, START)
        absences += [each for each in departures if each.entry_id in left_now]
        found |= {each.entry_id for each in absences if each.polls >= retraction.POLLS}
    return found


@given(st.integers(1, 12), histories)
def test_no_feed_that_keeps_its_rule_retracts_anything(size: int, history: list) -> None:  # type: ignore[type-arg]
    for kind in ("newest", "quota", "cut", "reversed", "shuffled", "reset"):
        published = list(range(1, 15))
        documents = []
        for more, _, _, random in history:
            published += range(len(published) + 1, len(published) + 1 + more)
            documents.append(document(published, size, kind, random))
        assert retracted(documents) == set(), kind


@given(st.lists(st.integers(0, 2), min_size=6, max_size=6), st.integers(4, 10), st.data())
def test_a_removed_entry_counts_unless_news_came_with_its_removal(
    news: list[int], size: int, data: st.DataObject
) -> None:
    published = list(range(1, 15))
    documents = [published[::-1][:size]]
    removed = data.draw(st.sampled_from(documents[0][1:-1]))
    for poll, more in enumerate(news):
        published += range(published[-1] + 1, published[-1] + 1 + (more if poll else 0))
        documents.append([entry for entry in published[::-1] if entry != removed][:size])
    assert retracted(documents) <= {removed}
    stays = sum(news[1 : retraction.POLLS]) + 1 < size - documents[0].index(removed)
    assert retracted(documents) == {removed} or not stays
