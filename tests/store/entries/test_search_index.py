"""The search index: what is found in it, and the entries that an earlier version left."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from aggregator.ingest import maintenance
from aggregator.models.config import Source
from aggregator.models.query import Query
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries, search_index
from aggregator.store.entries.retention import Cutoffs, expire
from aggregator.store.queries import select
from aggregator.store.sources import sync
from tests.store.queries.test_select import make_entry

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)

TEXTS = (
    "東京都議会は予算案を可決した",
    "北京市政府昨日宣布「新规定」",
    "서울에서 대통령이 연설했다",
    "นายกรัฐมนตรีแถลงข่าวเมื่อวานนี้",
    "Der Außenminister reist nach İstanbul",
    "Un ﬁlm à l’e\u0301te\u0301",
    "قال مُحَمَّد إن الحكـــومة",
    "שָׁלוֹם לכולם",
    "Heavy rain in Rome, no rain in Oslo",
    "Rome has rain: heavy, as ever",
    "新しいiPhone手機が2026年に",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a store with an entry of each text; ids count from 1."""
    made = Store(str(tmp_path / "test.db"))
    with made.transaction() as db:
        sync.apply(db, [Source(id="a", url="https://a.example/")], now=NOW, first_polls={})
        add(db, *TEXTS)
        search_index.add_new(db, 0)
    yield made
    made.close()


def add(db: Connection, *texts: str) -> None:
    first = entries.last_id(db) + 1
    fresh = [
        entries.NewEntry(
            entry=make_entry(number, title=text, text="report"), uri=f"x:{number}", sort_at=NOW
        )
        for number, text in enumerate(texts, start=first)
    ]
    entries.insert(db, "a", fresh, first_seen=NOW, sections=())


def found(store: Store, words: str) -> list[int]:
    with store.reading() as db:
        return sorted(select.select_ids(db, Query(q=words), limit=99))


def stored_words(db: Connection) -> list[tuple[object, ...]]:
    """Return each word of the index with its places, and check the index."""
    db.execute("insert into entries_fts(entries_fts) values ('integrity-check')")
    db.execute("create virtual table temp.words using fts5vocab(main, entries_fts, instance)")
    rows = db.execute("select term, doc, col, offset from words order by 1, 2, 3, 4").fetchall()
    db.execute("drop table temp.words")
    return [tuple(row) for row in rows]


def expected_words(db: Connection) -> list[tuple[object, ...]]:
    rows = db.execute("select id, indexed(title), indexed(text) from entries").fetchall()
    return sorted(
        (word, row[0], column, place)
        for row in rows
        for column, text in (("title", row[1]), ("text", row[2]))
        for place, word in enumerate(text.split())
    )


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("予算", [1]),
        ("東京都議会", [1]),
        ("京都", [1]),
        ("京", [1, 2]),
        ("会", [1]),
        ("した", [1]),
        ("都会", []),
        ("政府", [2]),
        ("「新规定」", [2]),
        ("대통령", [3]),
        ("서울 연설", [3]),
        ("รัฐมนตรี", [4]),
        ("AUSSENMINISTER istanbul", [5]),
        ("film été", [6]),
        ("محمد", [7]),
        ("الحكومة", [7]),
        ("שלום", [8]),
        ("„heavy rain“", [9]),
        ('"rain heavy"', [10]),
        ("heavy rain", [9, 10]),
        ("«rain in oslo»", [9]),
        ("iphone手機", [11]),
        ("2026年", [11]),
        ("政府 -市政府", []),
    ],
)
def test_words_are_found(store: Store, words: str, ids: list[int]) -> None:
    assert found(store, words) == ids


def test_words_at_the_end_of_a_run_are_found_by_their_last_character(store: Store) -> None:
    assert found(store, "た") == [1]


def age(db: Connection) -> None:
    """Leave the index as the migration of an earlier version's database does."""
    db.execute("insert into entries_fts(entries_fts) values ('delete-all')")
    db.execute("insert into facts select 'unindexed', max(id) from entries")


def test_entries_of_an_earlier_version_are_indexed_newest_first(store: Store) -> None:
    with store.transaction() as db:
        age(db)
        assert search_index.since(db) == NOW
        add(db, "Rain tomorrow")
        search_index.add_new(db, len(TEXTS))
    assert found(store, "rain") == [len(TEXTS) + 1]
    with store.transaction() as db:
        assert search_index.add_older(db, 2) == 2
    assert found(store, "rain") == [10, 12]
    while maintenance.index_older(store):
        pass
    with store.transaction() as db:
        assert search_index.since(db) is None
        assert search_index.add_older(db) == 0
        assert stored_words(db) == expected_words(db)


def test_an_index_that_is_complete_is_left_alone(store: Store) -> None:
    with store.transaction() as db:
        assert search_index.is_complete(db)
        db.execute("insert into entries_fts(entries_fts) values ('delete-all')")
    assert maintenance.index_older(store) == 0
    with store.transaction() as db:
        assert stored_words(db) == []
        db.execute("insert into facts select 'unindexed', max(id) from entries")
        assert not search_index.is_complete(db)
    assert maintenance.index_older(store) == len(TEXTS)


def test_a_stop_loses_no_batch(store: Store) -> None:
    with store.transaction() as db:
        age(db)
    assert maintenance.index_older(store, lambda: True) == len(TEXTS)
    with store.transaction() as db:
        assert stored_words(db) == expected_words(db)


def test_an_empty_rest_is_complete(store: Store) -> None:
    with store.transaction() as db:
        age(db)
        db.execute("delete from entries")
    assert maintenance.index_older(store) == 0
    with store.transaction() as db:
        assert search_index.since(db) is None
        assert stored_words(db) == []


@pytest.mark.parametrize("seed", range(5))
def test_changes_in_any_order_leave_the_index_as_if_made_of_what_is_stored(
    store: Store, seed: int
) -> None:
    chance = Random(seed)
    with store.transaction() as db:
        age(db)
    for _ in range(30):
        with store.transaction() as db:
            last = entries.last_id(db)
            entry_id = chance.randint(1, last)
            match chance.choice(("add", "revise", "expire", "index")):
                case "add":
                    add(db, chance.choice(TEXTS))
                    search_index.add_new(db, last)
                case "revise" if entries.get(db, entry_id):
                    entry = make_entry(entry_id, title=chance.choice(TEXTS), text="new")
                    entries.revise(db, entry_id, entry, now=NOW, changed=False, sections=())
                case "expire":
                    entries.mark_left(db, [entry_id], NOW)
                    expire(db, Cutoffs(default=NOW + timedelta(days=1)))
                case "index":
                    search_index.add_older(db, 2)
    while maintenance.index_older(store):
        pass
    with store.transaction() as db:
        assert stored_words(db) == expected_words(db)
