"""Sources: what the configuration names, joined with what polling learnt of it."""

import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from aggregator.models.config import Source
from aggregator.models.entry import Author, Feed
from aggregator.models.poll import NextPoll, Validators
from aggregator.models.urls import host_of
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time, parse_time_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A permanent redirect under observation: where to, since when, how often seen alike."""

    url: str
    since: datetime
    times: int


class SourceState(NamedTuple):
    """Everything known of a source; a tuple, as each poll makes one, and a dataclass takes long.

    Args:
        url: As configured; `poll_url` is where it is polled now.
        title: As configured, else the feed's own, else the URL.
        configured: False once the configuration no longer names it; its entries stay.
        health: new, fine, slow, failing, gone, silent or quarantined.
        lifetime: The server's max-age or Expires of the last answer, kept across 304s.
        gate_from, gate_until: When a Retry-After was given, and the moment it names.
        gap, newest: The usual time between publications, and the latest of them, where known.
        planned: When `next_poll` was decided.
        body_bytes: Received for the last whole answer.
        entries: Stored entries.
        fill_url, fill_left: The next older part of the feed to be fetched, "" for none, and how
            many more may be.
        hurry: How many times the interval is halved, since entries were missed.
    """

    id: str
    url: str
    title: str
    position: int
    enabled: bool
    configured: bool
    host: str
    sections: tuple[str, ...]
    feed: Feed
    link: str
    moved_to: str
    move: Move | None
    discovered_url: str
    validators: Validators
    validators_url: str
    lifetime: timedelta | None
    gate_from: datetime | None
    gate_until: datetime | None
    failures: int
    health: str
    health_since: datetime | None
    error: str
    error_kind: str
    polls: int
    last_poll: datetime | None
    last_ok: datetime | None
    last_change: datetime | None
    gap: timedelta | None
    newest: datetime | None
    planned: datetime
    next_poll: datetime
    next_poll_reason: str
    milliseconds: int
    body_bytes: int
    entries: int
    added: datetime | None
    fill_url: str
    fill_left: int
    hurry: int

    @property
    def poll_url(self) -> str:
        """Where the source is polled: found on a page, moved to, or as configured."""
        return self.discovered_url or self.moved_to or self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What lists of entries say of a source: its title, as in `SourceState`, and its sections."""

    title: str
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is remembered of a source's last document: hashes, and which entries stand in it."""

    body_hash: bytes = b""
    item_hashes: bytes = b""
    entry_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A source whose time has come."""

    source_id: str
    host: str
    next_poll: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSummary:
    """What a configuration changed: ids of the sources."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    resectioned: tuple[str, ...] = ()


def sync(
    db: Connection, sources: Sequence[Source], *, now: datetime, first_polls: Mapping[str, datetime]
) -> SyncSummary:
    """Bring the table in line with the configuration; sources no longer named stay, disabled.

    Args:
        first_polls: When each source that is new, or has a new URL, is polled first.
    """
    known = {
        row["id"]: row
        for row in db.execute("select id, url, title, position, enabled, configured from sources")
    }
    added, moved = [], []
    for position, source in enumerate(sources):
        row = known.get(source.id)
        if row is None:
            added.append(source.id)
            db.execute(
                "insert into sources(id, url, title, position, enabled, host, added_at, planned_at,"
                " next_poll_at, next_poll_reason) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    source.id, source.url, source.title, position, source.enabled,
                    host_of(source.url), format_time(now), format_time(now),
                    format_time(first_polls.get(source.id, now)), "first poll",
                ),
            )  # fmt: skip
        elif row["url"] != source.url:
            moved.append(source.id)
            _move(db, source, now, first_polls.get(source.id, now))
        wanted = (source.title, position, source.enabled, 1)
        if row is not None and wanted != (
            row["title"], row["position"], row["enabled"], row["configured"],
        ):  # fmt: skip
            db.execute(
                "update sources set title = ?, position = ?, enabled = ?, configured = 1"
                " where id = ?",
                (source.title, position, source.enabled, source.id),
            )
    named = {source.id for source in sources}
    removed = [key for key, row in known.items() if key not in named and row["configured"]]
    db.executemany("update sources set configured = 0 where id = ?", [(key,) for key in removed])
    resectioned = _sync_sections(db, sources, named)
    return SyncSummary(
        added=tuple(added),
        removed=tuple(removed),
        moved=tuple(moved),
        resectioned=tuple(resectioned),
    )


def _move(db: Connection, source: Source, now: datetime, first_poll: datetime) -> None:
    # Entries and aliases stay with the id, so a new address is no reason to see an item as new.
    # They leave the old document; those that stand in the new one too come back by its first poll.
    db.executemany(
        "update entries set last_seen = ? where id = ?",
        [(format_time(now), entry_id) for entry_id in document(db, source.id).entry_ids],
    )
    db.execute(
        "update sources set url = ?, host = ?, moved_to = '', move = '', discovered_url = '',"
        " etag = '', last_modified = '', validators_url = '', lifetime = null, failures = 0,"
        " health = 'new', error = '', error_kind = '', planned_at = ?, next_poll_at = ?,"
        " next_poll_reason = 'its URL was changed', fill_url = '', hurry = 0 where id = ?",
        (source.url, host_of(source.url), format_time(now), format_time(first_poll), source.id),
    )
    db.execute("delete from documents where source_id = ?", (source.id,))


def _sync_sections(db: Connection, sources: Sequence[Source], named: set[str]) -> list[str]:
    stored: dict[str, set[str]] = {}
    for row in db.execute("select source_id, section from source_sections"):
        stored.setdefault(row["source_id"], set()).add(row["section"])
    wanted = {source.id: set(source.sections) for source in sources}
    changed = [
        key for key in named | set(stored) if stored.get(key, set()) != wanted.get(key, set())
    ]
    for key in changed:
        db.execute("delete from source_sections where source_id = ?", (key,))
        db.executemany(
            "insert into source_sections values (?, ?)",
            [(key, section) for section in sorted(wanted.get(key, set()))],
        )
        for section in stored.get(key, set()) - wanted.get(key, set()):
            db.execute(
                "delete from entry_section where section = ? and entry_id in"
                " (select id from entries where source_id = ? and sections is null)",
                (section, key),
            )
        for section in wanted.get(key, set()) - stored.get(key, set()):
            db.execute(
                "insert or ignore into entry_section(section, sort_at, entry_id)"
                " select ?, sort_at, id from entries where source_id = ? and hidden is null"
                " and sections is null",
                (section, key),
            )
    return changed


def judged(db: Connection) -> dict[str, str]:
    """Return by which rules each source's entries were judged, as `Rulebook.stamp` has it."""
    return {row[0]: row[1] for row in db.execute("select id, rules from sources")}


def due(db: Connection, now: datetime, limit: int = 100_000) -> list[Due]:
    """Return the sources whose time has come, longest overdue first."""
    rows = db.execute(
        "select id, host, next_poll_at from sources indexed by sources_due"
        " where enabled and configured and next_poll_at <= ? order by next_poll_at limit ?",
        (format_time(now), limit),
    )
    return [Due(source_id=row[0], host=row[1], next_poll=parse_time(row[2])) for row in rows]


def next_due(db: Connection) -> datetime | None:
    """Return when the next poll of all is due, None without sources."""
    row = db.execute(
        "select min(next_poll_at) from sources where enabled and configured"
    ).fetchone()
    return parse_time_or_none(row[0])


_COLUMNS = (
    "select s.*, (select group_concat(section, ' ') from source_sections where source_id = s.id)"
    " as sections from sources s"
)


def get(db: Connection, source_id: str) -> SourceState | None:
    """Return one source, None when the id is unknown."""
    row = db.execute(f"{_COLUMNS} where s.id = ?", (source_id,)).fetchone()
    return _state(row) if row else None


def get_many(db: Connection, source_ids: Iterable[str]) -> dict[str, SourceState]:
    """Return the named sources by id; unknown ids are left out."""
    wanted = json.dumps(list(source_ids))
    rows = db.execute(f"{_COLUMNS} where s.id in (select value from json_each(?))", (wanted,))
    return {state.id: state for state in map(_state, rows)}


def labels(db: Connection, source_ids: Iterable[str]) -> dict[str, Label]:
    """Return what lists say of the named sources; unknown ids are left out."""
    rows = db.execute(
        "select s.id, coalesce(nullif(s.title, ''), nullif(s.feed_title, ''), s.url),"
        " (select group_concat(section, ' ') from source_sections where source_id = s.id)"
        " from sources s where s.id in (select value from json_each(?))",
        (json.dumps(list(source_ids)),),
    )
    return {
        row[0]: Label(title=row[1], sections=tuple(row[2].split(" ")) if row[2] else ())
        for row in rows
    }


def all_states(db: Connection) -> list[SourceState]:
    """Return every source that the configuration names, in its order."""
    rows = db.execute(f"{_COLUMNS} where s.configured order by s.position")
    return [_state(row) for row in rows]


def document(db: Connection, source_id: str) -> Document:
    """Return what is remembered of the source's last document."""
    row = db.execute(
        "select body_hash, item_hashes, entry_ids from documents where source_id = ?", (source_id,)
    ).fetchone()
    if row is None:
        return Document()
    return Document(
        body_hash=row[0],
        item_hashes=row[1],
        entry_ids=tuple(memoryview(row[2]).cast("q")) if row[2] else (),
    )


def save_document(db: Connection, source_id: str, document: Document) -> None:
    """Remember the document that was just stored; call it in the same transaction."""
    db.execute(
        "insert or replace into documents values (?, ?, ?, ?)",
        (
            source_id, document.body_hash, document.item_hashes,
            array("q", document.entry_ids).tobytes(),
        ),
    )  # fmt: skip


def update(db: Connection, source_id: str, columns: Mapping[str, Any]) -> None:
    """Set columns of a source by name; moments and durations are converted."""
    update_many(db, {source_id: columns})


def update_many(db: Connection, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Set columns of many sources, each its own: those of the same names by one statement."""
    by_names: dict[tuple[str, ...], list[list[object]]] = {}
    for source_id, columns in changed.items():
        values = [
            _STORED[type(value)](value) if type(value) in _STORED else value
            for value in columns.values()
        ]
        by_names.setdefault(tuple(columns), []).append([*values, source_id])
    for names, rows in by_names.items():
        assignments = ", ".join(f"{name} = ?" for name in names)
        db.executemany(f"update sources set {assignments} where id = ?", rows)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


_STORED: dict[type, Callable[[Any], object]] = {datetime: format_time, timedelta: _seconds}
"""How values are stored that are not stored as they are."""


def gate_host(db: Connection, host: str, given: datetime, until: datetime, reason: str) -> None:
    """Let no source of a host be polled before a moment (Retry-After); never shortens a gate."""
    db.execute(
        "update sources set gate_from = ?, gate_until = ? where host = ?"
        " and (gate_until is null or gate_until < ?)",
        (format_time(given), format_time(until), host, format_time(until)),
    )
    db.execute(
        "update sources set planned_at = ?, next_poll_at = ?, next_poll_reason = ? where host = ?"
        " and next_poll_at < ?",
        (format_time(given), format_time(until), reason, host, format_time(until)),
    )


def poll_now(
    db: Connection, source_id: str, now: datetime, reason: str = "asked for by hand"
) -> bool:
    """Make a source due at once unless a Retry-After forbids it; False when it does."""
    changed = db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1, next_poll_reason = ?3"
        " where id = ?2 and (gate_until is null or gate_until <= ?1)",
        (format_time(now), source_id, reason),
    )
    return bool(changed.rowcount)


def force(db: Connection, now: datetime, source_ids: Sequence[str] = ()) -> None:
    """Make the named sources due now, or all; what a Retry-After or a 410 holds back stays.

    A source that is named is asked again in spite of its 410.
    """
    names = json.dumps(list(source_ids))
    db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1,"
        " next_poll_reason = 'asked for by hand'"
        " where enabled and configured and (gate_until is null or gate_until <= ?1)"
        " and case ?2 when '[]' then health != 'gone'"
        " else id in (select value from json_each(?2)) end",
        (format_time(now), names),
    )


def plan(db: Connection, plans: Mapping[str, NextPoll], now: datetime) -> None:
    """Set when sources are polled next, and why."""
    db.executemany(
        "update sources set planned_at = ?, next_poll_at = ?, next_poll_reason = ? where id = ?",
        [(format_time(now), format_time(plan.at), plan.reason, key) for key, plan in plans.items()],
    )


def planned_after(db: Connection, moment: datetime) -> list[SourceState]:
    """Return the sources whose plan or gate was made after a moment, so by a wrong clock."""
    rows = db.execute(
        f"{_COLUMNS} where s.planned_at > ?1 or s.gate_from > ?1", (format_time(moment),)
    )
    return [_state(row) for row in rows]


def feed_json(feed: Feed) -> str:
    """Return the text that holds a feed's metadata, without its empty fields."""
    return json.dumps(
        {key: _plain(value) for key in feed.__slots__ if (value := getattr(feed, key))},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [asdict(each) if isinstance(each, Author) else each for each in value]
    return value


@lru_cache(maxsize=1024)  # a poll asks twice: for its request, and with its result
def _feed(text: str) -> Feed:
    if text == "{}":
        return Feed()
    fields = json.loads(text)
    for name in ("updated", "update_base"):
        if name in fields:
            fields[name] = parse_time(fields[name])
    for name in ("ttl", "update_period"):
        if name in fields:
            fields[name] = timedelta(seconds=fields[name])
    for name in ("skip_hours", "skip_days"):
        fields[name] = frozenset(fields.get(name, ()))
    for name in ("hubs", "problems"):
        fields[name] = tuple(fields.get(name, ()))
    fields["authors"] = tuple(Author(**author) for author in fields.get("authors", ()))
    return Feed(**fields)


def _state(found: Any) -> SourceState:
    row = dict(zip(found.keys(), found, strict=True))  # sqlite3.Row looks each name up by search
    feed = _feed(row["feed"])
    move = json.loads(row["move"]) if row["move"] else None
    return SourceState(
        id=row["id"],
        url=row["url"],
        title=row["title"] or row["feed_title"] or row["url"],
        position=row["position"],
        enabled=bool(row["enabled"]),
        configured=bool(row["configured"]),
        host=row["host"],
        sections=tuple(row["sections"].split(" ")) if row["sections"] else (),
        feed=feed,
        link=row["link"] or "",
        moved_to=row["moved_to"],
        move=Move(url=move["url"], since=parse_time(move["since"]), times=move["times"])
        if move
        else None,
        discovered_url=row["discovered_url"],
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"]),
        validators_url=row["validators_url"],
        lifetime=None if row["lifetime"] is None else timedelta(seconds=row["lifetime"]),
        gate_from=parse_time_or_none(row["gate_from"]),
        gate_until=parse_time_or_none(row["gate_until"]),
        failures=row["failures"],
        health=row["health"],
        health_since=parse_time_or_none(row["health_since"]),
        error=row["error"],
        error_kind=row["error_kind"],
        polls=row["polls"],
        last_poll=parse_time_or_none(row["last_poll_at"]),
        last_ok=parse_time_or_none(row["last_ok_at"]),
        last_change=parse_time_or_none(row["last_change_at"]),
        gap=None if row["gap"] is None else timedelta(seconds=row["gap"]),
        newest=parse_time_or_none(row["newest_at"]),
        planned=parse_time(row["planned_at"]),
        next_poll=parse_time(row["next_poll_at"]),
        next_poll_reason=row["next_poll_reason"],
        milliseconds=row["milliseconds"],
        body_bytes=row["body_bytes"],
        entries=row["entries"],
        added=parse_time_or_none(row["added_at"]),
        fill_url=row["fill_url"],
        fill_left=row["fill_left"],
        hurry=row["hurry"],
    )


def move_json(move: Move | None) -> str:
    """Return the text that holds a move under observation, "" for none."""
    if move is None:
        return ""
    return json.dumps({"url": move.url, "since": format_time(move.since), "times": move.times})
