"""Views: the entries of a query, their order, and that no page misses or repeats one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.models.config import Source
from aggregator.models.entry import Author, Enclosure, Entry, Feed, Image, SafeHtml
from aggregator.models.query import Query, Sort, at
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, lists, search_index
from aggregator.store.entries.retention import Cutoffs, expire
from aggregator.store.queries import select, summaries
from aggregator.store.queries.select import Cursor
from aggregator.store.sources import sources, sync

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
SOURCES = (
    Source(id="a", url="https://a.example/", sections=("world", "europe")),
    Source(id="b", url="https://b.example/", sections=("world",)),
    Source(id="c", url="https://c.example/"),
)
SOUND = Enclosure(url="https://a.example/s.mp3", type="audio/mpeg")
FILM = Enclosure(url="https://a.example/f.mp4", type="video/mp4")
ENTRIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("a", {"title": "Rain in Rome", "categories": ("Weather",), "authors": (Author(name="Ann"),)}),
    ("a", {"title": "Sun in Rome", "language": "it", "enclosures": (SOUND,)}),
    ("b", {"title": "Rain in Oslo", "categories": ("weather", "North"), "language": "no"}),
    ("b", {"title": "Snow in Oslo", "image": Image(url="https://b.example/i.jpg")}),
    ("c", {"title": "Elections", "text": "nothing about rain", "enclosures": (FILM,)}),
    ("c", {"title": "Election night", "authors": (Author(name="ANN"),), "language": "en-gb"}),
)


def make_entry(number: int, **fields: object) -> Entry:
    link = f"https://x.example/{number}"
    made = Entry(
        guid=link,
        link=link,
        canonical_url=link,
        title="",
        summary="",
        content=SafeHtml(""),
        published=None,
        updated=None,
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # the tests name fields of Entry


def add(store: Store, source_id: str, entry: Entry, at: datetime) -> int:
    sections = next(source.sections for source in SOURCES if source.id == source_id)
    with store.transaction() as db:
        last = entries.last_id(db)
        fresh = entries.NewEntry(entry=entry, uri=entry.guid, sort_at=at)
        [entry_id] = entries.insert(db, source_id, [fresh], first_seen=at, sections=sections)
        search_index.add_new(db, last)
    return entry_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(str(tmp_path / "test.db"))
    with made.transaction() as db:
        sync.apply(db, SOURCES, now=NOW, first_polls={})
    for number, (source_id, fields) in enumerate(ENTRIES):
        add(made, source_id, make_entry(number, **fields), NOW + timedelta(minutes=number))
    yield made
    made.close()


def titles(store: Store, query: Query, limit: int = 99) -> list[str]:
    with store.reading() as db:
        return [one.entry.title for one in select.select(db, query, limit=limit)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [5, 4, 3, 2, 1, 0]),
        (Query(section=("world",)), [3, 2, 1, 0]),
        (Query(section=("europe",)), [1, 0]),
        (Query(section=("europe", "world")), [3, 2, 1, 0]),
        (Query(source=("b", "c")), [5, 4, 3, 2]),
        (Query(source=("b",), section=("europe",)), []),
        (Query(category=("WEATHER",)), [2, 0]),
        (Query(category=("weather",), source=("b",)), [2]),
        (Query(author=("ann",)), [5, 0]),
        (Query(lang=("it",)), [1]),
        (Query(has=("audio",)), [1]),
        (Query(has=("audio", "video")), [4, 1]),
        (Query(has=("image",)), [3]),
        (Query(q="rain"), [4, 2, 0]),
        (Query(q="rain -oslo"), [4, 0]),
        (Query(q="rain", exclude="oslo rome"), [4]),
        (Query(exclude="rain"), [5, 3, 1]),
        (Query(exclude="rain -election"), [3, 1]),
        (Query(q="rome", exclude="rain -election"), [1]),
        (Query(q='"in rome"'), [1, 0]),
        (Query(q="elect*"), [5, 4]),
        (Query(q="rain", section=("world",)), [2, 0]),
        (Query(q="ROME", category=("weather",)), [0]),
        (Query(q="***"), []),
        (Query(since=NOW + timedelta(minutes=4)), [5, 4]),
        (at(Query(within=timedelta(minutes=2)), NOW + timedelta(minutes=6, seconds=59)), [5, 4]),
        (Query(sort=Sort.UPDATED), [5, 4, 3, 2, 1, 0]),
    ],
)
def test_query_selects(store: Store, query: Query, expected: list[int]) -> None:
    assert titles(store, query) == [str(ENTRIES[number][1]["title"]) for number in expected]


def test_a_duration_without_a_time_to_count_from_is_a_bug(store: Store) -> None:
    with pytest.raises(ValueError, match=r"call query\.at first"):
        titles(store, Query(within=timedelta(minutes=2)))


def test_language_selects_its_variants(store: Store) -> None:
    assert titles(store, Query(lang=("en",))) == ["Election night"]


def test_hidden_entry_is_in_no_view(store: Store) -> None:
    with store.transaction() as db:
        entries.hide(db, [1], "rule", withdrawn=None)
    for query in (Query(), Query(section=("world",)), Query(source=("a",)), Query(q="rome")):
        assert "Rain in Rome" not in titles(store, query)


def test_correction_comes_first_by_update_and_stays_by_time(store: Store) -> None:
    with store.transaction() as db:
        edited = make_entry(0, title="Rain in Rome, corrected")
        entries.revise(
            db, 1, edited, now=NOW + timedelta(hours=1), changed=True, sections=("world",)
        )
    assert titles(store, Query(sort=Sort.UPDATED))[0] == "Rain in Rome, corrected"
    assert titles(store, Query())[-1] == "Rain in Rome, corrected"


queries = st.builds(
    Query,
    section=st.sampled_from([(), ("world",), ("world", "europe")]),
    source=st.sampled_from([(), ("a",), ("a", "c")]),
    category=st.sampled_from([(), ("weather",)]),
    q=st.sampled_from(["", "rain", "in"]),
    sort=st.sampled_from(Sort),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries, st.integers(1, 4))
def test_pages_together_are_the_whole_view(store: Store, query: Query, size: int) -> None:
    with store.reading() as db:
        whole = select.select(db, query, limit=99)
        found, before = list[int](), None
        while page := select.select(db, query, limit=size, before=before):
            found += [one.id for one in page]
            last = page[-1]
            at = last.changed if query.sort is Sort.UPDATED else last.sort_at
            before = Cursor(sort_at=at, id=last.id)
    assert found == [one.id for one in whole]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.text(max_size=20))
def test_no_search_is_malformed(store: Store, words: str, exclude: str) -> None:
    with store.reading() as db:
        select.select(db, Query(q=words, exclude=exclude), limit=9)


def test_and_within_an_excluded_phrase_is_a_word_of_it(store: Store) -> None:
    add(store, "c", make_entry(90, title="Rock AND roll"), NOW)
    add(store, "c", make_entry(91, title="Rock or roll"), NOW)
    found = titles(store, Query(exclude='"Rock AND roll"'))
    assert "Rock or roll" in found
    assert "Rock AND roll" not in found


def test_list_shows_the_fields_of_entries(store: Store) -> None:
    with store.reading() as db:
        whole = select.select(db, Query(), limit=99)
        lines = summaries.select(db, Query(), limit=99)
    for one, line in zip(whole, lines, strict=True):
        for name in ("id", "source_id", "uri", "sort_at", "changed", "hidden"):
            assert getattr(line, name) == getattr(one, name)
        for name in ("link", "canonical_url", "title", "summary", "language", "image"):
            assert getattr(line, name) == getattr(one.entry, name)
    assert [line.kind for line in lines] == ["", "video", "", "", "audio", ""]


def test_list_leaves_texts_unread(store: Store) -> None:
    statements: list[str] = []
    with store.reading() as db:
        db.set_trace_callback(statements.append)
        summaries.select(db, Query(section=("world",)), limit=9)
        db.set_trace_callback(None)
    assert not [sql for sql in statements if "*" in sql or "content" in sql or " text" in sql]


def test_labels_equal_the_states(store: Store) -> None:
    with store.transaction() as db:
        sources.update(db, "a", {"feed": Feed(title="The A")})
    with store.reading() as db:
        states = sources.get_many(db, ["a", "b", "c", "none"])
        labels = sources.labels(db, ["a", "b", "c", "none"])
    assert {id: (one.title, one.sections) for id, one in labels.items()} == {
        id: (one.title, one.sections) for id, one in states.items()
    }


def test_cursor_is_read_back_from_its_text() -> None:
    place = Cursor(sort_at=NOW, id=7)
    assert Cursor.parse(str(place)) == place
    with pytest.raises(ValueError, match="yesterday"):
        Cursor.parse("yesterday~7")


def test_search_index_follows_every_change(store: Store) -> None:
    with store.transaction() as db:
        entries.revise(
            db,
            1,
            make_entry(0, title="Hail", text="ice"),
            now=NOW,
            changed=True,
            sections=("world",),
        )
        entries.mark_left(db, [2], NOW)
        assert expire(db, Cutoffs(default=NOW + timedelta(days=1))).count == 1
    assert titles(store, Query(q="hail")) == ["Hail"]
    assert titles(store, Query(q="sun")) == []
    with store.transaction() as db:
        db.execute("insert into entries_fts(entries_fts, rank) values ('integrity-check', 1)")


def test_id_of_an_expired_entry_is_not_reused(store: Store) -> None:
    last = len(ENTRIES)
    with store.transaction() as db:
        entries.mark_left(db, [last], NOW)
        expire(db, Cutoffs(default=NOW + timedelta(days=1)))
    assert add(store, "a", make_entry(99), NOW) == last + 1


def test_entries_follow_their_source_to_other_sections(store: Store) -> None:
    changed = (replace(SOURCES[0], sections=("asia",)), *SOURCES[1:])
    with store.transaction() as db:
        [change] = sync.apply(db, changed, now=NOW, first_polls={}).resectioned
        lists.move_source(db, change.source_id, left=change.left, joined=change.joined)
    assert change == sync.SectionChange(source_id="a", left=("europe", "world"), joined=("asia",))
    assert titles(store, Query(section=("asia",))) == ["Sun in Rome", "Rain in Rome"]
    assert titles(store, Query(section=("europe",))) == []


CHEAP = {"SCAN json_each VIRTUAL TABLE INDEX 1:", "SCAN used"}
"""Steps over as many rows as are shown, or as there are languages."""


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(section=("world",)),
        Query(source=("a",)),
        Query(category=("weather",)),
        Query(author=("ann",)),
        Query(lang=("it",)),
        Query(has=("audio",)),
        Query(sort=Sort.UPDATED),
    ],
)
def test_view_is_read_along_an_index(store: Store, query: Query) -> None:
    """No view sorts or scans all entries: the cost depends on the shown ones."""
    statements: list[str] = []
    with store.reading() as db:
        db.set_trace_callback(statements.append)
        summaries.select(db, query, limit=9)
        db.set_trace_callback(None)
        steps = [
            row["detail"] for sql in statements for row in db.execute(f"explain query plan {sql}")
        ]
    assert not any("TEMP B-TREE" in step for step in steps), steps
    tables = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    assert all("USING" in step or step in CHEAP for step in tables), steps
