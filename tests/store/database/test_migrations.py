"""Migrations that change stored rows."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from aggregator.ingest import maintenance
from aggregator.models.query import Query
from aggregator.store.database.connection import Store
from aggregator.store.database.migrations import (
    APPLICATION_ID,
    MIGRATIONS,
    Migration,
    capped_waits,
    folded_search,
)
from aggregator.store.database.times import format_time
from aggregator.store.queries import select
from tests.builders import START

BEGUN = format_time(START)


@pytest.mark.parametrize(
    ("wait", "ends"), [(timedelta(days=30), False), (timedelta(days=30, seconds=1), True)]
)
def test_long_waits_of_an_earlier_version_end(wait: timedelta, *, ends: bool) -> None:
    until = format_time(START + wait)
    db = Database(memory=True)
    for migration in MIGRATIONS[: MIGRATIONS.index(capped_waits)]:
        migration(db)
    db.execute(
        "insert into sources(id, url, host, added_at, planned_at, next_poll_at, next_poll_reason,"
        " gate_from, gate_until) values ('a', 'https://a.example/', 'a.example', ?1, ?1, ?2, 'x',"
        " ?1, ?2)",
        (BEGUN, until),
    )
    capped_waits(db)
    [row] = db.query("select gate_until, next_poll_at from sources")
    assert row == (
        {"gate_until": None, "next_poll_at": BEGUN}
        if ends
        else {"gate_until": until, "next_poll_at": until}
    )
    db.close()


def make_earlier(path: Path, migration: Migration) -> Database:
    """Make a database as the version before a migration did."""
    db, earlier = Database(path), Migrations("aggregator")
    for each in MIGRATIONS[: MIGRATIONS.index(migration)]:
        earlier()(each)
    earlier.apply(db)
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    db.execute(f"pragma user_version = {MIGRATIONS.index(migration)}")
    return db


def test_search_of_an_earlier_version_is_indexed_anew(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with closing(make_earlier(path, folded_search)) as db:
        db.table("sources").insert(
            {"id": "a", "url": "https://a.example/", "host": "a.example", "next_poll_at": BEGUN}
        )
        columns = [column.name for column in db.table("entries").columns if column.notnull]
        texts = ("東京都議会", "İstanbul")
        row = dict.fromkeys(columns, "") | {"source_id": "a"}
        row |= {"first_seen": BEGUN, "changed": BEGUN, "sort_at": BEGUN}
        db.table("entries").insert_all(row | {"title": title} for title in texts)
        db.execute("insert into entries_fts(entries_fts) values ('rebuild')")
    store = Store(str(path))
    maintenance.index_older(store)
    with store.reading() as reading:
        found = [
            select.select_ids(reading, Query(q=words), limit=9) for words in ("議会", "istanbul")
        ]
    assert found == [[1], [2]]
    store.close()
