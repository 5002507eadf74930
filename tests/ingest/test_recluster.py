"""Stories rebuilt from stored entries, and corrections of stories."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.ingest import recluster, story_corrections
from aggregator.models.config import StoryCorrections
from aggregator.models.query import Query
from aggregator.store.database.connection import Store
from aggregator.store.entries import stories
from aggregator.store.queries import collapse
from tests.builders import Ingester, make_document, make_entry
from tests.dedupe import events

EVENTS = list(islice(events.events(), 40))
"""Of the labelled events, enough to have stories."""

Members = dict[int, tuple[int, str, float]]


class Killed(BaseException):
    """Ends a rebuild as a kill does: nothing is caught."""


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def bring(ingester: Ingester, source_id: str, name: str, title: str, lead: str) -> int:
    entry = replace(
        make_entry(f"{source_id}-{name}", title=title), summary=lead, fingerprint=name.encode()
    )
    done = ingester.poll(make_document(entry, body_hash=f"{source_id}{name}".encode()), source_id)
    assert done is not None
    [entry_id] = done.new
    return entry_id


def bring_events(ingester: Ingester, count: int) -> None:
    """Store the reports of labelled events, of one source each."""
    for number, (_, reports) in enumerate(EVENTS[:count]):
        for (_, told), source_id in zip(reports, ("a", "b0", "b1"), strict=False):
            bring(ingester, source_id, str(number), told.story.title, told.story.lead)


def stored(ingester: Ingester) -> Members:
    with ingester.store.reading() as db:
        rows = db.execute("select entry_id, story_id, reason, similarity from story_members")
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


def rebuild(ingester: Ingester, on_step: object = lambda _: None) -> int:
    return recluster.rebuild(ingester.store, ingester.config, ingester.now, on_step)  # type: ignore[arg-type]


def test_rebuilt_stories_are_those_that_came_about(ingester: Ingester) -> None:
    bring_events(ingester, 40)
    before = stored(ingester)
    assert len(before) >= 40
    assert rebuild(ingester) == 0
    assert stored(ingester) == before


def test_stories_are_found_in_a_database_that_has_none(ingester: Ingester) -> None:
    bring_events(ingester, 40)
    before = stored(ingester)
    with ingester.store.transaction() as db:
        db.execute("delete from story_members")
        db.execute("delete from story_keys")
    assert rebuild(ingester) == len(before)
    assert stored(ingester) == before


@pytest.mark.parametrize("kills", [(1,), (2,), (0, 3), (1, 1, 1)])
def test_killed_rebuild_goes_on_and_gives_the_same(
    ingester: Ingester, kills: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recluster, "STEP", 5)
    bring_events(ingester, 12)
    before = stored(ingester)
    with ingester.store.transaction() as db:
        db.execute("delete from story_members")
    for steps in kills:
        left = iter(range(steps))

        def step(_: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed

        with pytest.raises(Killed):
            rebuild(ingester, step)
        assert stored(ingester) == {}
    rebuild(ingester)
    assert stored(ingester) == before


def test_rebuild_begins_again_with_other_rules(
    ingester: Ingester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recluster, "STEP", 5)
    bring_events(ingester, 10)
    left = list[int]()

    def kill(count: int) -> None:
        left.append(count)
        if len(left) == 3:
            raise Killed

    with pytest.raises(Killed):
        rebuild(ingester, kill)
    assert left[0] > left[1] > left[2]
    again = list[int]()
    monkeypatch.setattr(recluster, "RULES", "others")
    rebuild(ingester, again.append)
    assert again[0] == left[0]


def test_entries_that_come_during_a_rebuild_are_in_it(
    ingester: Ingester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recluster, "STEP", 5)
    bring_events(ingester, 6)
    first, second = EVENTS[20][1][:2]
    came = list[int]()

    def step(_: int) -> None:
        if len(came) == 1:
            came.append(bring(ingester, "b0", "late", second[1].story.title, second[1].story.lead))
        if not came:
            came.append(bring(ingester, "a", "late", first[1].story.title, first[1].story.lead))

    rebuild(ingester, step)
    with ingester.store.reading() as db:
        shown = stories.of_entries(db, came)
    assert len(came) == 2
    assert shown == stories_live(ingester, came)


def stories_live(ingester: Ingester, entry_ids: list[int]) -> dict[int, int]:
    found = stored(ingester)
    return {entry_id: found[entry_id][0] for entry_id in entry_ids if entry_id in found}


def test_story_keeps_its_id_where_entries_are_in_common(ingester: Ingester) -> None:
    """Two of three reports were a story; the rebuild adds the earliest."""
    title = "Ferry with 212 on board runs aground off Skerrow"
    lead = "All passengers were taken off the ferry Lady Maud by lifeboats, the coast guard said."
    first, second, third = (
        bring(ingester, source, "one", title, lead) for source in ("a", "b0", "b1")
    )
    with ingester.store.transaction() as db:
        db.execute("delete from story_members where entry_id = ?", (first,))
        db.execute("update story_members set story_id = ?", (second,))
    assert rebuild(ingester) == 2
    found = stored(ingester)
    assert {entry_id: row[0] for entry_id, row in found.items()} == dict.fromkeys(
        (first, second, third), second
    )
    assert found[second][1] == ""
    assert found[first][1] == found[third][1] == "same title"
    assert rebuild(ingester) == 0


def test_corrections_hold_after_a_rebuild(ingester: Ingester) -> None:
    title = "Ferry with 212 on board runs aground off Skerrow"
    lead = "All passengers were taken off the ferry Lady Maud by lifeboats, the coast guard said."
    first, second, third = (
        bring(ingester, source, "one", title, lead) for source in ("a", "b0", "b1")
    )
    far = bring(ingester, "b2", "two", "Council opens a swimming hall", "")
    corrections = StoryCorrections(
        apart=((str(first), str(second)), ("999", str(first))),
        together=(("https://a.example/b2-two", str(third)),),
    )
    with ingester.store.transaction() as db:
        assert story_corrections.apply(db, corrections) == 2
        assert story_corrections.apply(db, corrections) == 0
        story_of = stories.of_entries(db, [first, second, third, far])
    assert story_of == {first: first, third: first, far: first}
    config = replace(ingester.config, stories=corrections)
    recluster.rebuild(ingester.store, config, ingester.now)
    with ingester.store.reading() as db:
        assert stories.of_entries(db, [first, second, third, far]) == story_of


def test_pair_of_one_story_that_is_parted_ends_it(ingester: Ingester) -> None:
    title = "Ferry with 212 on board runs aground off Skerrow"
    first, second = (bring(ingester, source, "one", title, "") for source in ("a", "b0"))
    pair = StoryCorrections(apart=((str(second), str(first)),))
    with ingester.store.transaction() as db:
        assert stories.of_entries(db, [first, second]) == {first: first, second: first}
        assert story_corrections.apply(db, pair) == 1
        assert stories.of_entries(db, [first, second]) == {}


def test_entries_of_one_source_are_not_joined(ingester: Ingester) -> None:
    first = bring(ingester, "a", "one", "Ferry runs aground", "")
    second = bring(ingester, "a", "two", "Council opens a hall", "")
    with ingester.store.transaction() as db:
        pair = StoryCorrections(together=((str(first), str(second)),))
        assert story_corrections.apply(db, pair) == 0
        assert stories.of_entries(db, [first, second]) == {}


def test_first_of_a_story_brings_its_story_along(ingester: Ingester) -> None:
    one = [bring(ingester, s, "one", "Ferry with 212 aboard runs aground", "") for s in ("a", "b0")]
    two = [bring(ingester, s, "two", "Council opens its swimming hall", "") for s in ("b1", "b2")]
    with ingester.store.transaction() as db:
        pair = StoryCorrections(together=((str(two[0]), str(one[1])),))
        assert story_corrections.apply(db, pair) == 1
        assert stories.of_entries(db, [*one, *two]) == dict.fromkeys([*one, *two], one[0])


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(9)))
def test_members_that_come_change_neither_id_nor_place_of_a_story(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    """Whatever the order of reports: what a story is once, it stays."""
    store = Store(str(tmp_path_factory.mktemp("stories") / "test.db"))
    try:
        ingester = Ingester(store)
        told = [
            (number, report.story)
            for number, (_, reports) in enumerate(EVENTS[:3])
            for _, report in reports[:3]
        ]
        known = dict[int, int]()
        shown = dict[int, int]()
        for at, place in enumerate(order):
            number, report = told[place]
            source_id = ("a", "b0", "b1")[place % 3]
            entry_id = bring(ingester, source_id, f"{number}.{at}", report.title, report.lead)
            with store.reading() as db:
                now = {e: story for e, (story, _, _) in stored(ingester).items()}
                found = collapse.get_stories(db, Query(), list(now))
            for each, story in known.items():
                assert now[each] == story
            for each, feed_entry in shown.items():
                assert found[each].known == feed_entry
            known = now
            shown = {each: story.known for each, story in found.items()}
            assert entry_id not in known or known[entry_id] <= entry_id
            assert all(first in known and known[first] == first for first in known.values())
    finally:
        store.close()
