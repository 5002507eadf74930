"""Migrations that change stored rows."""

from datetime import timedelta

import pytest
from sqlite_utils import Database

from aggregator.store.database.migrations import MIGRATIONS, capped_waits
from aggregator.store.database.times import format_time
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
