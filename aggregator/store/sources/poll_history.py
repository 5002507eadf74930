"""The sums of polls by hour and by day, as charts read them; `poll_log` writes them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSums:
    """The polls and pushes of an hour, or of a day (UTC).

    Args:
        start: Its first moment.
        bytes: Received on the wire; None if not recorded.
        milliseconds: The response times of all polls added up; None if not recorded.
    """

    start: datetime
    polls: int
    failed: int
    new: int
    bytes: int | None
    milliseconds: int | None


def hours_of_site(db: Connection, hours: Sequence[datetime]) -> list[PollSums]:
    """Return the sums of those of these full hours that had a poll or a push, oldest first."""
    return _sums(
        db.execute(
            "select hour, polls, failed, new, bytes, milliseconds from hours"
            " where hour in (select value from json_each(?)) order by hour",
            (_texts(hours),),
        )
    )


def hours_of_source(db: Connection, source_id: str, hours: Sequence[datetime]) -> list[PollSums]:
    """Return the same for one source; its hours are kept for `poll_log.SOURCE_HOURS_KEPT`."""
    return _sums(
        db.execute(
            "select hour, polls, failed, new, bytes, milliseconds from source_hours"
            " where hour in (select value from json_each(?)) and source_id = ? order by hour",
            (_texts(hours), source_id),
        )
    )


def days_of_site(db: Connection, since: date) -> list[PollSums]:
    """Return the sums of the days from a date on that had a poll or a push, oldest first."""
    return _sums(
        db.execute(
            "select substr(hour, 1, 10) as day, sum(polls), sum(failed), sum(new), sum(bytes),"
            # a sum with a part that was not recorded would be too low
            " case when count(milliseconds) = count(*) then sum(milliseconds) end"
            " from hours where hour >= ? group by day order by day",
            (since.isoformat(),),
        )
    )


def days_of_source(db: Connection, source_id: str, since: date) -> list[PollSums]:
    """Return the same for one source."""
    return _sums(
        db.execute(
            "select day, polls, failed, new, bytes, milliseconds from days"
            " where source_id = ? and day >= ? order by day",
            (source_id, since.isoformat()),
        )
    )


def _texts(hours: Sequence[datetime]) -> str:
    return json.dumps([format_time(hour)[:13] for hour in hours])


def _sums(rows: Iterable[Any]) -> list[PollSums]:
    return [
        PollSums(
            start=datetime.fromisoformat(start).replace(tzinfo=UTC),
            polls=polls,
            failed=failed,
            new=new,
            bytes=received,
            milliseconds=milliseconds,
        )
        for start, polls, failed, new, received, milliseconds in rows
    ]
