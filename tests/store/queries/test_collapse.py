"""Collapsed views: the entries of each story; none is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.models.entry import Enclosure
from aggregator.models.query import Query, Sort, Stories
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, stories
from aggregator.store.entries.stories import Member
from aggregator.store.queries import collapse, select
from aggregator.store.queries.select import Cursor
from aggregator.store.sources import sync
from tests.store.queries.test_select import NOW, SOURCES, add, make_entry

SOUND = Enclosure(url="https://a.example/s.mp3", type="audio/mpeg")


@dataclass(frozen=True)
class InventedEntry:
    """An invented entry; `story` is shared with other sources' entries."""

    source: str
    story: int
    minute: int
    word: str
    audio: bool
    language: str
    hidden: bool


invented = st.builds(
    InventedEntry,
    source=st.sampled_from(["a", "b", "c"]),
    story=st.integers(0, 3),
    minute=st.integers(0, 6),
    word=st.sampled_from(["rain", "sun"]),
    audio=st.booleans(),
    language=st.sampled_from(["en", "en-gb", "de"]),
    hidden=st.booleans(),
)
queries = st.builds(
    Query,
    section=st.sampled_from([(), ("world",), ("europe",), ("europe", "world")]),
    source=st.sampled_from([(), ("a",), ("a", "b")]),
    category=st.sampled_from([(), ("news",)]),
    lang=st.sampled_from([(), ("en",)]),
    q=st.sampled_from(["", "rain", "report -sun", "***"]),
    exclude=st.sampled_from(["", "sun"]),
    has=st.sampled_from([(), ("audio",)]),
    sort=st.sampled_from(Sort),
    since=st.sampled_from([None, NOW + timedelta(minutes=3)]),
)


@contextmanager
def world(reports: list[InventedEntry]) -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "test.db"))
        with store.transaction() as db:
            sync.apply(db, SOURCES, now=NOW, first_polls={})
        first: dict[int, int] = {}
        members: list[Member] = []
        for number, one in enumerate(reports):
            entry = make_entry(
                number,
                title=f"Report {one.word}",
                text=one.word,
                language=one.language,
                categories=("News",) if one.audio else (),
                enclosures=(SOUND,) if one.audio else (),
            )
            at = NOW + timedelta(minutes=one.minute)
            entry_id = add(store, one.source, entry, at)
            story = first.setdefault(one.story, entry_id)
            members.append(Member(story=story, entry_id=entry_id, source_id=one.source, at=at))
            if one.hidden:
                with store.transaction() as db:
                    entries.hide(db, [entry_id], "rule", withdrawn=None)
        with store.transaction() as db:
            stories.add_members(db, members)
        yield store
        store.close()


@settings(max_examples=60)
@given(st.lists(invented, max_size=12), queries, st.integers(1, 3))
def test_leads_with_their_collapsed_entries_are_the_whole_view(
    reports: list[InventedEntry], query: Query, size: int
) -> None:
    with world(reports) as store, store.reading() as db:
        expanded = select.select_ids(db, replace(query, stories=Stories.EXPAND), limit=99)
        leads = select.select_ids(db, query, limit=99)
        shown = collapse.get_stories(db, query, leads)
        gathered = []
        for lead in leads:
            story = shown.get(lead)
            behind = [one.entry_id for one in story.entries] if story else [lead]
            assert behind[0] == lead
            gathered += behind
        assert sorted(gathered) == sorted(expanded)
        assert pages(store, query, size) == leads


def pages(store: Store, query: Query, size: int) -> list[int]:
    """Return the view's entries, read page by page."""
    found, before = list[int](), None
    with store.reading() as db:
        while page := select.select(db, query, limit=size, before=before):
            found += [one.id for one in page]
            last = page[-1]
            at = last.changed if query.sort is Sort.UPDATED else last.sort_at
            before = Cursor(sort_at=at, id=last.id)
    return found


@settings(max_examples=30)
@given(st.lists(invented, min_size=1, max_size=10), queries)
def test_a_later_report_neither_moves_nor_renames_a_story(
    reports: list[InventedEntry], query: Query
) -> None:
    query = replace(query, since=None)
    with world(reports[:-1]) as store, store.reading() as db:
        before = select.select_ids(db, query, limit=99)
    with world(reports) as store, store.reading() as db:
        after = select.select_ids(db, query, limit=99)
    assert [entry_id for entry_id in after if entry_id != len(reports)] == before


def report(source: str, minute: int) -> InventedEntry:
    return InventedEntry(source, 0, minute, "rain", audio=False, language="en", hidden=False)


def test_story_keeps_its_id_when_its_first_report_is_too_old_for_the_view() -> None:
    with world([report("a", 0), report("b", 5), report("c", 6)]) as store, store.reading() as db:
        query = Query(since=NOW + timedelta(minutes=4))
        [lead] = select.select_ids(db, query, limit=9)
        story = collapse.get_stories(db, query, [lead])[lead]
    assert lead == 2
    assert (story.known, [one.entry_id for one in story.entries]) == (1, [2, 3])


def test_places_of_entries_are_their_stories_and_themselves() -> None:
    alone = replace(report("c", 3), story=1)
    with world([report("a", 0), report("b", 5), alone]) as store, store.reading() as db:
        assert collapse.places(db, Query(), [2, 3]) == {1, 3}
        assert collapse.places(db, Query(stories=Stories.EXPAND), [2, 3]) == {2, 3}
        assert collapse.places(db, Query(section=("europe",)), [1]) == {1}


def test_a_story_is_looked_up_by_indexes_alone(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "test.db"))
    with store.reading() as db:
        member = select.member_in_view(db, Query(section=("world",)))
        plan = db.execute(
            "explain query plan select 1 from story_members s join story_members m on"
            " m.story_id = s.story_id and m.entry_id < s.entry_id where s.entry_id = 1"
            f" and {member.sql}",
            member.values,
        )
        steps = [row[3] for row in plan]
    assert [step for step in steps if step.startswith("SCAN")] == []
    store.close()
