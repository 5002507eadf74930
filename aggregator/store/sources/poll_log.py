"""Bounded logs of polls: by source, by host, by hour and by day."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from aggregator.models import health_text
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)

POLLS_KEPT = 50
_SLOTS = ", ".join(map(str, range(POLLS_KEPT)))
"""All slots, in SQL: the key of polls begins with the slot."""

SUMS_KEPT = timedelta(days=400)
"""How long the days of sources and the hours of the site are kept: charts show a year."""

SOURCE_HOURS_KEPT = timedelta(days=3)
"""How long the hours of sources are kept: charts show a day, and the purge may miss a night."""

FINE = ("ok", "not_modified", "equal")
"""Outcomes of polls without an error."""

FORMERLY = "0"
"""The row that sums up all deleted hours, so that totals never shrink."""


class PollRow(NamedTuple):
    """One poll of a source.

    Args:
        outcome: ok, not_modified, equal, or the `FailureKind`.
        bytes: Received on the wire.
        detail: The error message, "" without one.
    """

    source_id: str
    at: datetime
    outcome: str
    status: int
    milliseconds: int
    bytes: int
    conditional: bool
    new: int
    changed: int
    detail: str
    next_poll: datetime
    reason: str

    @property
    def outcome_text(self) -> str:
        """The outcome in a few words, such as "404 Not Found"."""
        return health_text.outcome(self.outcome, self.status, self.detail)

    @property
    def failed(self) -> bool:
        """Whether the poll failed."""
        return self.outcome not in FINE


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRow:
    """All requests to a host, summed up. `early` must be 0; `saved` is an estimate."""

    host: str
    requests: int
    not_modified: int
    bytes: int
    saved: int
    unconditional: int
    early: int
    failed: int
    spacing: float
    gate_until: datetime | None
    sources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over a span of hours."""

    polls: int
    not_modified: int
    equal: int
    failed: int
    bytes: int
    saved: int
    new: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """A source's day."""

    day: date
    new: int
    changed: int
    polls: int
    failed: int


class HostRequest(NamedTuple):
    """One request to a host.

    Args:
        received, saved: Bytes on the wire, and bytes that a 304 saved.
        unconditional: Whether a full response came although a validator was known.
        early: Whether it was made before the time that a Retry-After named.
        spacing: New seconds between requests, None to keep them.
        limited: Whether the host sent a 429 or 503 with Retry-After.
        gate_until: The time that a Retry-After named, None to keep it.
    """

    host: str
    not_modified: bool
    received: int
    saved: int
    unconditional: bool
    early: bool
    failed: bool
    spacing: float | None
    limited: bool
    gate_until: datetime | None


def add(db: Connection, rows: Sequence[tuple[PollRow, int, int]]) -> None:
    """Log polls: each with its number among its source's polls, and the bytes that it saved."""
    logged, sums = [], []
    for row, number, saved in rows:
        at, outcome = format_time(row.at), row.outcome
        logged.append(
            (
                row.source_id, number % POLLS_KEPT, at, outcome, row.status, row.milliseconds,
                row.bytes, row.conditional, row.new, row.changed, row.detail,
                format_time(row.next_poll), row.reason,
            )
        )  # fmt: skip
        sums.append(
            (
                row.source_id, at[:10], at[:13], 1, outcome == "not_modified", outcome == "equal",
                outcome not in FINE, row.bytes, saved, row.new, row.changed, row.milliseconds,
            )
        )  # fmt: skip
    db.executemany(
        "insert or replace into polls values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", logged
    )
    _sum_up(db, sums)


def add_push(
    db: Connection, source_id: str, at: datetime, new: int, changed: int, received: int
) -> None:
    """Add the entries and bytes of a push to its day and hour, without counting a poll."""
    time = format_time(at)
    _sum_up(db, [(source_id, time[:10], time[:13], 0, 0, 0, 0, received, 0, new, changed, 0)])


_SITE_SUMS = (
    "polls", "not_modified", "equal", "failed", "bytes", "saved", "new", "changed", "milliseconds",
)  # fmt: skip
_SUMS = ("source_id", "day", "hour", *_SITE_SUMS)
"""The values of a poll or push that hours and days sum up."""


def _upsert(table: str, key: str, names: Sequence[str]) -> str:
    """Return the SQL that adds a row of `_SUMS` to a table; NULL, for not recorded, stays NULL."""
    columns = (*key.split(", "), *names)
    places = ", ".join(f"?{_SUMS.index(name) + 1}" for name in columns)
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in names)
    return (
        f"insert into {table}({', '.join(columns)}) values ({places})"
        f" on conflict({key}) do update set {added}"
    )


_ADD_HOUR = _upsert("hours", "hour", _SITE_SUMS)
_ADD_SOURCE_HOUR = _upsert(
    "source_hours", "hour, source_id", ("polls", "failed", "bytes", "new", "milliseconds")
)
_ADD_DAY = _upsert(
    "days", "source_id, day", ("polls", "failed", "bytes", "new", "changed", "milliseconds")
)


def _sum_up(db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add polls and pushes to the sums of their source's day and hour, and of the site's hour."""
    db.executemany(_ADD_DAY, rows)
    db.executemany(_ADD_SOURCE_HOUR, rows)
    by_hour: dict[str, list[tuple[int, ...]]] = {}
    for row in rows:
        by_hour.setdefault(row[2], []).append(row[3:])
    db.executemany(
        _ADD_HOUR,
        [("", "", hour, *map(sum, zip(*sums, strict=True))) for hour, sums in by_hour.items()],
    )


def count_hosts(db: Connection, requests: Sequence[HostRequest]) -> None:
    """Add requests to the sums of their hosts, in the order of their responses."""
    by_host: dict[str, _HostSum] = {}
    for request in requests:
        by_host.setdefault(request.host, _HostSum()).add(request)
    db.executemany(
        "insert into hosts(host, requests, not_modified, bytes, saved, unconditional, early,"
        " failed, spacing, limited, gate_until)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce(?9, 0), ?10, ?11)"
        " on conflict(host) do update set requests = requests + excluded.requests,"
        " not_modified = not_modified + excluded.not_modified, bytes = bytes + excluded.bytes,"
        " saved = saved + excluded.saved, unconditional = unconditional + excluded.unconditional,"
        " early = early + excluded.early, failed = failed + excluded.failed,"
        " spacing = coalesce(?9, spacing),"
        " limited = case when ?12 then 0 else limited end + excluded.limited,"
        " gate_until = coalesce(excluded.gate_until, gate_until)",
        [(host, *each.values()) for host, each in by_host.items()],
    )


class _HostSum:
    """The requests of a batch to one host, summed up: a batch often has many of one host."""

    def __init__(self) -> None:
        self._sums = [0] * 7
        self._spacing: float | None = None
        self._limited, self._is_reset = 0, False
        self._gate_until: datetime | None = None

    def add(self, request: HostRequest) -> None:
        (
            _, not_modified, received, saved, unconditional, early, failed, spacing, limited, gate
        ) = request  # fmt: skip
        sums = self._sums
        sums[0] += 1
        sums[1] += not_modified
        sums[2] += received
        sums[3] += saved
        sums[4] += unconditional
        sums[5] += early
        sums[6] += failed
        if spacing is not None:
            self._spacing = spacing
        if limited:
            self._limited += 1
        elif not failed:  # a success ends the row of limited responses
            self._limited, self._is_reset = 0, True
        if gate is not None:
            self._gate_until = gate

    def values(self) -> tuple[object, ...]:
        gate_until = format_time_or_none(self._gate_until)
        return *self._sums, self._spacing, self._limited, gate_until, self._is_reset


def spacings(db: Connection) -> dict[str, float]:
    """Return the seconds between requests, by host, for hosts that were rate-limited."""
    rows = db.execute("select host, spacing from hosts where spacing > 0")
    return {row[0]: row[1] for row in rows}


def limited(db: Connection, host: str) -> int:
    """Return the number of consecutive 429/503 responses of a host."""
    row = db.execute("select limited from hosts where host = ?", (host,)).fetchone()
    return int(row[0]) if row else 0


def recent(db: Connection, source_id: str, limit: int = POLLS_KEPT) -> list[PollRow]:
    """Return a source's last polls, newest first."""
    rows = db.execute(
        f"select * from polls where slot in ({_SLOTS}) and source_id = ? order by at desc limit ?",
        (source_id, limit),
    )
    return [_poll(row) for row in rows]


def _poll(row: object) -> PollRow:
    fields = {key: row[key] for key in row.keys() if key != "slot"}  # type: ignore[index, attr-defined]  # noqa: SIM118
    return PollRow(
        source_id=fields["source_id"],
        at=parse_time(fields["at"]),
        outcome=fields["outcome"],
        status=fields["status"],
        milliseconds=fields["milliseconds"],
        bytes=fields["bytes"],
        conditional=bool(fields["conditional"]),
        new=fields["new"],
        changed=fields["changed"],
        detail=fields["detail"],
        next_poll=parse_time(fields["next_poll_at"]),
        reason=fields["reason"],
    )


def totals(db: Connection, since: datetime | None = None) -> Totals:
    """Return the sums of all polls since a time's full hour, or since ever."""
    row = db.execute(
        "select coalesce(sum(polls), 0), coalesce(sum(not_modified), 0), coalesce(sum(equal), 0),"
        " coalesce(sum(failed), 0), coalesce(sum(bytes), 0), coalesce(sum(saved), 0),"
        " coalesce(sum(new), 0), coalesce(sum(changed), 0) from hours where hour >= ?",
        (format_time(since)[:13] if since else FORMERLY,),
    ).fetchone()
    names = ("polls", "not_modified", "equal", "failed", "bytes", "saved", "new", "changed")
    return Totals(**dict(zip(names, row, strict=True)))


def days(db: Connection, source_ids: Iterable[str], since: date) -> dict[str, list[DayCounts]]:
    """Return the days of sources from a date on, oldest first, without days without a poll."""
    by_source: dict[str, list[DayCounts]] = {}
    rows = db.execute(
        "select * from days where source_id in (select value from json_each(?)) and day >= ?"
        " order by source_id, day",
        (json.dumps(list(source_ids)), since.isoformat()),
    )
    for row in rows:
        by_source.setdefault(row["source_id"], []).append(
            DayCounts(
                day=date.fromisoformat(row["day"]),
                new=row["new"],
                changed=row["changed"],
                polls=row["polls"],
                failed=row["failed"],
            )
        )
    return by_source


def hosts(db: Connection) -> list[HostRow]:
    """Return the sums of all hosts, busiest first."""
    rows = db.execute(
        "select h.*, (select count(*) from sources s where s.host = h.host and s.configured)"
        " as sources from hosts h order by requests desc, host"
    )
    return [
        HostRow(
            host=row["host"],
            requests=row["requests"],
            not_modified=row["not_modified"],
            bytes=row["bytes"],
            saved=row["saved"],
            unconditional=row["unconditional"],
            early=row["early"],
            failed=row["failed"],
            spacing=row["spacing"],
            gate_until=parse_time_or_none(row["gate_until"]),
            sources=row["sources"],
        )
        for row in rows
    ]


def forget(db: Connection, now: datetime) -> None:
    """Delete the days and hours that no page shows."""
    last = format_time(now - SUMS_KEPT)
    db.execute("delete from days where day < ?", (last[:10],))
    source_last = format_time(now - SOURCE_HOURS_KEPT)
    db.execute("delete from source_hours where hour < ?", (source_last[:13],))
    db.execute(
        f"insert or replace into hours(hour, {', '.join(_SITE_SUMS)})"
        f" select ?1, {', '.join(f'sum({name})' for name in _SITE_SUMS)}"
        " from hours where hour < ?2 group by 1",
        (FORMERLY, last[:13]),
    )
    db.execute("delete from hours where hour < ?2 and hour != ?1", (FORMERLY, last[:13]))
