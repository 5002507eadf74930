"""The settings that sources are polled with, to notice a change of the configuration."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time


class Settings(NamedTuple):
    """The settings of a source that decide when and how it is polled.

    Args:
        every: Seconds of its configured interval, None without one.
        digest: Of its headers.
    """

    every: int | None
    digest: str


def get_all(db: Connection) -> dict[str, Settings]:
    """Return the stored settings of each source that has any, by id."""
    rows = db.execute("select id, every, settings from sources where settings != ''")
    return {row[0]: Settings(row[1], row[2]) for row in rows}


def put(db: Connection, settings: Mapping[str, Settings]) -> None:
    """Store the settings of sources."""
    db.executemany(
        "update sources set every = ?, settings = ? where id = ?",
        [(*values, source_id) for source_id, values in settings.items()],
    )


def hasten(db: Connection, source_ids: Collection[str], now: datetime) -> None:
    """Make sources due now; a Retry-After stays in force."""
    db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1,"
        " next_poll_reason = 'its settings were changed'"
        " where enabled and configured and next_poll_at > ?1"
        " and (gate_until is null or gate_until <= ?1)"
        " and id in (select value from json_each(?2))",
        (format_time(now), json.dumps(sorted(source_ids))),
    )


def failing(db: Connection) -> list[str]:
    """Return the sources that have failed since their last success."""
    return [row[0] for row in db.execute("select id from sources where failures > 0")]
