"""Sources brought in line with the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aggregator.models.config import Source
from aggregator.models.urls import host_of
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time
from aggregator.store.sources import renames


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionChange:
    """The sections that a source left and joined."""

    source_id: str
    left: tuple[str, ...]
    joined: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSummary:
    """The sources that a configuration changed, by id.

    `moved` have a new URL; `renamed` holds pairs of an old and a new id.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    resectioned: tuple[SectionChange, ...] = ()


def apply(
    db: Connection, sources: Sequence[Source], *, now: datetime, first_polls: Mapping[str, datetime]
) -> SyncSummary:
    """Bring the tables of sources in line with the configuration.

    Sources that it no longer names stay, not polled. One with the URL of such a source and a new id
    is that source, renamed. The entries of moved and resectioned sources
    are the caller's to adjust: `ingest.maintenance.synchronise` does.

    Args:
        first_polls: When each source that is new, or has a new URL, is polled first; `now` else.
    """
    known = {
        row["id"]: row
        for row in db.execute(
            "select id, url, title, position, enabled, configured, discovered_url from sources"
        )
    }
    renamed = renames.find(known, sources)
    renames.apply(db, renamed)
    known = {renamed.get(source_id, source_id): row for source_id, row in known.items()}
    renames.forget(db, [source.id for source in sources])
    added, moved = [], []
    for position, source in enumerate(sources):
        row, first_poll = known.get(source.id), first_polls.get(source.id, now)
        if row is None:
            added.append(source.id)
            _insert(db, source, position, now, first_poll)
            continue
        # The page itself is polled from now on, not the feed that it links.
        if row["url"] != source.url or (source.listing and row["discovered_url"]):
            moved.append(source.id)
            _move(db, source, now, first_poll)
        _describe(db, source, position, row)
    named = {source.id for source in sources}
    removed = [key for key, row in known.items() if key not in named and row["configured"]]
    db.executemany("update sources set configured = 0 where id = ?", [(key,) for key in removed])
    return SyncSummary(
        added=tuple(added),
        removed=tuple(removed),
        moved=tuple(moved),
        renamed=tuple(renamed.items()),
        resectioned=tuple(_sync_sections(db, sources)),
    )


def _insert(
    db: Connection, source: Source, position: int, now: datetime, first_poll: datetime
) -> None:
    db.execute(
        "insert into sources(id, url, title, position, enabled, host, added_at, planned_at,"
        " next_poll_at, next_poll_reason, identity)"
        " values (:id, :url, :title, :position, :enabled, :host, :now, :now, :first, 'first poll',"
        # Another source may have begun under this id, and keeps the keys that were made with it.
        " case when exists (select 1 from sources where identity = :id) then :id || '#' || :now"
        " else '' end)",
        {
            "id": source.id,
            "url": source.url,
            "title": source.title,
            "position": position,
            "enabled": source.enabled,
            "host": host_of(source.url),
            "now": format_time(now),
            "first": format_time(first_poll),
        },
    )


def _describe(db: Connection, source: Source, position: int, row: Any) -> None:
    wanted = {
        "title": source.title,
        "position": position,
        "enabled": source.enabled,
        "configured": 1,
    }
    if any(row[name] != value for name, value in wanted.items()):
        db.execute(
            "update sources set title = :title, position = :position, enabled = :enabled,"
            " configured = :configured where id = :id",
            wanted | {"id": source.id},
        )


def _move(db: Connection, source: Source, now: datetime, first_poll: datetime) -> None:
    # Entries and aliases stay with the id: a new URL is no reason to take an item for a new one.
    db.execute(
        "update sources set url = :url, host = :host, moved_to = '', move = '',"
        " discovered_url = '', etag = '', last_modified = '', validators_url = '',"
        " lifetime = null, gate_from = null, gate_until = null, failures = 0, health = 'new',"
        " last_ok_at = null, error = '', error_kind = '', error_status = 0,"
        " planned_at = :now, next_poll_at = :first, next_poll_reason = 'the URL was changed',"
        " fill_url = '', hurry = 0, refused_validators = 0, absences = '',"
        " link_parameters = '[]', icon_due_at = '' where id = :id",
        {
            "id": source.id,
            "url": source.url,
            "host": host_of(source.url),
            "now": format_time(now),
            "first": format_time(first_poll),
        },
    )


def _sync_sections(db: Connection, sources: Sequence[Source]) -> list[SectionChange]:
    stored: dict[str, set[str]] = {}
    for row in db.execute("select source_id, section from source_sections"):
        stored.setdefault(row["source_id"], set()).add(row["section"])
    wanted = {source.id: set(source.sections) for source in sources}
    changes = []
    for source_id in wanted | stored:
        before, after = stored.get(source_id, set()), wanted.get(source_id, set())
        if before == after:
            continue
        left, joined = sorted(before - after), sorted(after - before)
        changes.append(SectionChange(source_id=source_id, left=tuple(left), joined=tuple(joined)))
        db.executemany(
            "delete from source_sections where source_id = ? and section = ?",
            [(source_id, section) for section in left],
        )
        db.executemany(
            "insert into source_sections(source_id, section) values (?, ?)",
            [(source_id, section) for section in joined],
        )
    return changes
