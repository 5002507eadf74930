"""Where words occur around an entry."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.models.config import Source
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, search_index
from aggregator.store.queries import fts
from aggregator.store.sources import sync
from tests.store.queries.test_select import make_entry

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
COUNT = 200


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a store with two hundred entries: all say rain, each twentieth says ferry."""
    made = Store(str(tmp_path / "test.db"))
    with made.transaction() as db:
        source = Source(id="a", url="https://a.example/")
        sync.apply(db, [source], now=NOW, first_polls={})
        fresh = []
        for number in range(1, COUNT + 1):
            text = "rain ferry" if number % 20 == 0 else "rain"
            entry = make_entry(number, title=f"Report {number}", text=text)
            fresh.append(entries.NewEntry(entry=entry, uri=f"x:{number}", sort_at=NOW))
        entries.insert(db, "a", fresh, first_seen=NOW, sections=())
        search_index.add_new(db, 0)
    yield made
    made.close()


def test_rare_word_is_found_in_every_entry(store: Store) -> None:
    with store.reading() as db:
        where = fts.nearest(db, 100, ["ferry"])["ferry"]
    assert sorted(where.ids) == [20, 40, 60, 80, 120, 140, 160, 180, 200]
    assert where.span == COUNT - 1


def test_of_a_common_word_only_the_nearest_entries_are_read(store: Store) -> None:
    with store.reading() as db:
        where = fts.nearest(db, 100, ["rain"])["rain"]
    assert sorted(where.ids) == [n for n in range(40, 161) if n != 100]
    assert where.span == 120


def test_word_of_no_other_entry_is_not_found(store: Store) -> None:
    with store.reading() as db:
        assert fts.nearest(db, 100, ["xylophone"])["xylophone"].ids == ()
