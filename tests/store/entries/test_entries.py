"""Entries are stored and read back with every field."""

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.models.config import Source
from aggregator.models.entry import Entry, RuleResult, SafeHtml, StoredEntry
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries, rows, search_index
from aggregator.store.sources import sync
from tests.store.filled import START, filled

NUMBERS = itertools.count(1)
LATER = START + timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "test.db"))
    with opened.transaction() as db:
        sync.apply(db, [Source(id="a", url="https://a.example/")], now=START, first_polls={})
    yield opened
    opened.close()


def entry_as_stored() -> Entry:
    """Return an entry with every field set that has a column, each to another value."""
    entry: Entry = filled(Entry, NUMBERS)
    unset: dict[str, Any] = {"item_hash": b""}
    return replace(entry, **unset)


def ruling_as_stored() -> RuleResult:
    """Return a ruling with every field set but those that `hidden` and `entry_view` hold."""
    ruling: RuleResult = filled(RuleResult, NUMBERS)
    return replace(ruling, dropped="", views=())


def insert(db: Connection, wanted: StoredEntry) -> int:
    new = entries.NewEntry(
        entry=wanted.entry,
        uri=wanted.uri,
        sort_at=wanted.sort_at,
        hidden=wanted.hidden,
        ruling=wanted.ruling,
        known_by=wanted.known_by,
    )
    last = entries.last_id(db)
    [entry_id] = entries.insert(
        db, wanted.source_id, [new], first_seen=wanted.first_seen, sections=()
    )
    search_index.add_new(db, last)
    return entry_id


def stored_entry(db: Connection) -> StoredEntry:
    """Store an entry with every field set, and return it as it is to be read."""
    draft: StoredEntry = filled(StoredEntry, NUMBERS)
    draft = replace(draft, source_id="a", entry=entry_as_stored(), ruling=ruling_as_stored())
    entry_id = insert(db, draft)
    return replace(
        draft, id=entry_id, changed=draft.first_seen, withdrawn=None, retracted=None, matched=""
    )


def tagged(wanted: StoredEntry) -> StoredEntry:
    """Return an entry with the categories of its ruling too, as pages show it."""
    categories = (*wanted.entry.categories, *wanted.ruling.categories)
    return replace(wanted, entry=replace(wanted.entry, categories=categories))


def test_every_field_has_a_column_or_a_reason() -> None:
    assert set(rows.ENTRY) | rows.NOT_STORED == {field.name for field in fields(Entry)}
    assert not set(rows.ENTRY) & rows.NOT_STORED
    assert set(rows.RULING) | {"dropped", "views"} == {field.name for field in fields(RuleResult)}
    assert set(rows.STORED) | {"entry", "ruling"} == {field.name for field in fields(StoredEntry)}


def test_every_field_comes_back_after_insert(store: Store) -> None:
    with store.transaction() as db:
        wanted = stored_entry(db)
        assert entries.get(db, wanted.id) == tagged(wanted)
        assert entries.of_source(db, "a", after=0, limit=9) == [wanted]
        assert entries.get_as_published(db, [wanted.id]) == {wanted.id: wanted.entry}


def test_no_id_is_given_twice(store: Store) -> None:
    with store.transaction() as db:
        first = stored_entry(db).id
        db.execute("delete from entries where id = ?", (first,))
        second = stored_entry(db).id
        db.execute("delete from sqlite_sequence")  # as after a salvage
        third = stored_entry(db).id
        assert [second, third] == [first + 1, first + 2]
        assert entries.is_deleted(db, first)
        assert not entries.is_deleted(db, third + 1)


def test_every_field_comes_back_after_revise(store: Store) -> None:
    with store.transaction() as db:
        first = stored_entry(db)
        entry, ruling = entry_as_stored(), ruling_as_stored()
        entries.revise(
            db, first.id, entry, now=LATER, changed=True, sections=(), ruling=ruling,
            matched="the link",
        )  # fmt: skip
        wanted = replace(
            first,
            entry=replace(entry, guid=first.entry.guid),
            ruling=ruling,
            changed=LATER,
            matched="the link",
        )
        assert entries.get(db, first.id) == tagged(wanted)


def test_every_field_comes_back_after_another_ruling(store: Store) -> None:
    with store.transaction() as db:
        first = replace(stored_entry(db), hidden="")
        ruling = replace(ruling_as_stored(), dropped="dropped by a rule")
        entries.apply_ruling(db, first, ruling, (), LATER)
        wanted = replace(
            first, ruling=replace(ruling, dropped=""), hidden="dropped by a rule", withdrawn=LATER
        )
        assert entries.get(db, first.id) == tagged(wanted)


def test_revision_without_a_date_keeps_the_first(store: Store) -> None:
    with store.transaction() as db:
        first = stored_entry(db)
        undated = replace(entry_as_stored(), published=None, updated=None)
        entries.revise(db, first.id, undated, now=LATER, changed=False, sections=())
        after = entries.get(db, first.id)
        assert after is not None
        assert after.entry.published == first.entry.published
        assert after.entry.updated is None
        assert after.changed == first.changed


def test_empty_fields_come_back_empty(store: Store) -> None:
    blank = Entry(
        guid="", link="", canonical_url="", title="", summary="", content=SafeHtml(""),
        published=None, updated=None,
    )  # fmt: skip
    with store.transaction() as db:
        new = entries.NewEntry(entry=blank, uri="", sort_at=START, ruling=RuleResult(sections=()))
        [entry_id] = entries.insert(db, "a", [new], first_seen=START, sections=("world",))
        after = entries.get(db, entry_id)
        assert after is not None
        assert after.entry == blank
        assert after.ruling == RuleResult(sections=())
        assert after.hidden == ""
