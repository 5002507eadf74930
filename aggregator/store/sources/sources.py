"""Sources: the configuration's, joined with the state that polling keeps of each."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple, TypedDict

from aggregator.models import health_text
from aggregator.models.entry import Absence, Feed
from aggregator.models.poll import Validators
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)
from aggregator.store.sources.feed_text import dump_feed, load_feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A permanent redirect under observation: its target, first sighting and sightings in a row."""

    url: str
    since: datetime
    times: int


class SourceState(NamedTuple):
    """A source with its state; a tuple, as each poll makes one, and a dataclass takes long.

    Args:
        url: As configured; `poll_url` is polled.
        title: As configured, else the feed's, else the URL.
        configured: False once the configuration no longer names it; its entries stay.
        health: As `policy.health.HEALTHS` lists it, never disabled.
        error, error_kind, error_status: The message of the last failure, its `FailureKind` and its
            status code; a quarantined source has the reason as its `error`.
        lifetime: max-age or Expires of the last response, kept across 304s.
        gate_from, gate_until: When a Retry-After was received, and the time it names.
        gap, newest: The usual time between publications, and the latest publication.
        planned: When `next_poll` was decided.
        body_bytes: Received for the last full response.
        entries: Number of stored entries.
        fill_url, fill_left: The next older part of the feed to fetch, "" for none, and how many
            more to fetch.
        gap_boost: How many times the interval is halved because entries were missed.
        refused_validators: Conditional requests that failed since the last one that succeeded.
        identity: The name that the keys of its entries are made with; it stays if it is renamed.
        absences: Entries that left the middle of the document, and may have been retracted.
        link_parameters: Names of parameters of links that change from poll to poll, such as
            session ids, as `dedupe.link_parameters` names them.
        icon: The hash of its icon, "" without one.
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
    error_status: int
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
    gap_boost: int
    refused_validators: int
    identity: str
    absences: tuple[Absence, ...]
    link_parameters: tuple[str, ...]
    icon: str

    @property
    def shown_health(self) -> str:
        """The health that pages, API and metrics show: disabled, or `health`."""
        return self.health if self.enabled else "disabled"

    @property
    def problem(self) -> str:
        """The reason for `shown_health` in a few words, "" for a source in order."""
        if not self.enabled:
            return ""
        if self.error_kind:
            return health_text.failure(self.error_kind, self.error_status, self.error)
        if self.health == "waiting" and self.gate_until:
            return health_text.waiting(self.gate_until)
        if self.health == "silent" and self.newest:
            return health_text.silent(self.newest)
        if self.health == "slow":
            return health_text.slow(self.milliseconds)
        return self.error

    @property
    def poll_url(self) -> str:
        """The URL that is polled: found on a page, moved to, or as configured."""
        return self.discovered_url or self.moved_to or self.url


class SourceChanges(TypedDict, total=False):
    """New values for fields of `SourceState`; absent fields keep theirs."""

    host: str
    feed: Feed
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
    error_status: int
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
    fill_url: str
    fill_left: int
    gap_boost: int
    refused_validators: int
    absences: tuple[Absence, ...]
    link_parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The title and icon of a source, as in `SourceState`, and its sections: as lists show them."""

    title: str
    sections: tuple[str, ...]
    icon: str = ""


def get(db: Connection, source_id: str) -> SourceState | None:
    """Return one source, None when the id is unknown."""
    row = db.execute(f"{COLUMNS} where s.id = ?", (source_id,)).fetchone()
    return load_state(row) if row else None


def get_many(db: Connection, source_ids: Iterable[str]) -> dict[str, SourceState]:
    """Return sources by id; unknown ids are left out."""
    wanted = json.dumps(list(source_ids))
    rows = db.execute(f"{COLUMNS} where s.id in (select value from json_each(?))", (wanted,))
    return {state.id: state for state in map(load_state, rows)}


def all_states(db: Connection) -> Iterator[SourceState]:
    """Yield every source that the configuration names, in its order; read to the end."""
    return map(load_state, db.execute(f"{COLUMNS} where s.configured order by s.position"))


def labels(db: Connection, source_ids: Iterable[str]) -> dict[str, Label]:
    """Return the labels of sources by id; unknown ids are left out."""
    rows = db.execute(
        "select s.id, coalesce(nullif(s.title, ''), nullif(s.feed_title, ''), s.url),"
        " (select group_concat(section, ' ') from source_sections where source_id = s.id), s.icon"
        " from sources s where s.id in (select value from json_each(?))",
        (json.dumps(list(source_ids)),),
    )
    return {
        row[0]: Label(title=row[1], sections=_load_sections(row[2]), icon=row[3]) for row in rows
    }


def rule_digests(db: Connection) -> dict[str, str]:
    """Return the digest of the rules that each source's stored entries were last checked with."""
    return {row[0]: row[1] for row in db.execute("select id, rules from sources")}


def save_rule_digest(db: Connection, source_id: str, digest: str) -> None:
    """Note that all stored entries of a source were checked with the rules of a digest."""
    db.execute("update sources set rules = ? where id = ?", (digest, source_id))


def update(db: Connection, source_id: str, changes: SourceChanges) -> None:
    """Change fields of one source."""
    update_many(db, {source_id: changes})


def update_many(db: Connection, changes: Mapping[str, SourceChanges]) -> None:
    """Change fields of many sources, with one statement for all that change the same fields."""
    by_fields: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
    for source_id, changed in changes.items():
        by_fields.setdefault(tuple(changed), []).append((*changed.values(), source_id))
    for fields, rows in by_fields.items():
        written = [
            (place, column, dump)
            for place, field in enumerate(fields)
            for column, dump in _WRITTEN[field]
        ]
        assigned = ", ".join(f"{column} = ?" for _, column, _ in written)
        db.executemany(
            f"update sources set {assigned} where id = ?",
            [
                (*[dump(row[place]) if dump else row[place] for place, _, dump in written], row[-1])
                for row in rows
            ],
        )


def _dump_move(move: Move | None) -> str:
    if move is None:
        return ""
    return json.dumps({"url": move.url, "since": format_time(move.since), "times": move.times})


def _load_move(text: str) -> Move | None:
    if not text:
        return None
    fields = json.loads(text)
    return Move(url=fields["url"], since=parse_time(fields["since"]), times=fields["times"])


def _dump_seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _load_seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _dump_absences(absences: tuple[Absence, ...]) -> str:
    rows = [
        [each.entry_id, each.above, each.below, format_time(each.since), each.polls]
        for each in absences
    ]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def _load_absences(text: str) -> tuple[Absence, ...]:
    if not text:
        return ()
    return tuple(
        Absence(entry_id=entry, above=above, below=below, since=parse_time(since), polls=polls)
        for entry, above, below, since, polls in json.loads(text)
    )


def _load_sections(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(" ")) if text else ()


def _load_names(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


_Written = tuple[tuple[str, Callable[[Any], object] | None], ...]

_WRITTEN: dict[str, _Written] = {
    "host": (("host", None),),
    "feed": (
        ("feed", dump_feed),
        ("feed_title", attrgetter("title")),
        ("link", attrgetter("link")),
    ),
    "moved_to": (("moved_to", None),),
    "move": (("move", _dump_move),),
    "discovered_url": (("discovered_url", None),),
    "validators": (
        ("etag", attrgetter("etag")),
        ("last_modified", attrgetter("last_modified")),
    ),
    "validators_url": (("validators_url", None),),
    "lifetime": (("lifetime", _dump_seconds),),
    "gate_from": (("gate_from", format_time_or_none),),
    "gate_until": (("gate_until", format_time_or_none),),
    "failures": (("failures", None),),
    "health": (("health", None),),
    "health_since": (("health_since", format_time_or_none),),
    "error": (("error", None),),
    "error_kind": (("error_kind", None),),
    "error_status": (("error_status", None),),
    "polls": (("polls", None),),
    "last_poll": (("last_poll_at", format_time_or_none),),
    "last_ok": (("last_ok_at", format_time_or_none),),
    "last_change": (("last_change_at", format_time_or_none),),
    "gap": (("gap", _dump_seconds),),
    "newest": (("newest_at", format_time_or_none),),
    "planned": (("planned_at", format_time),),
    "next_poll": (("next_poll_at", format_time),),
    "next_poll_reason": (("next_poll_reason", None),),
    "milliseconds": (("milliseconds", None),),
    "body_bytes": (("body_bytes", None),),
    "entries": (("entries", None),),
    "fill_url": (("fill_url", None),),
    "fill_left": (("fill_left", None),),
    "gap_boost": (("hurry", None),),
    "refused_validators": (("refused_validators", None),),
    "absences": (("absences", _dump_absences),),
    "link_parameters": (("link_parameters", json.dumps),),
}
"""The columns of each field of `SourceChanges`, with the function that makes their values."""


_Read = tuple[str, Callable[[Any], Any] | None]

_READ: dict[str, _Read] = {
    "id": ("s.id", None),
    "url": ("s.url", None),
    "title": ("coalesce(nullif(s.title, ''), nullif(s.feed_title, ''), s.url)", None),
    "position": ("s.position", None),
    "enabled": ("s.enabled", bool),
    "configured": ("s.configured", bool),
    "host": ("s.host", None),
    "sections": (
        "(select group_concat(section, ' ') from source_sections where source_id = s.id)",
        _load_sections,
    ),
    "feed": ("s.feed", load_feed),
    "link": ("coalesce(s.link, '')", None),
    "moved_to": ("s.moved_to", None),
    "move": ("s.move", _load_move),
    "discovered_url": ("s.discovered_url", None),
    "validators": ("s.etag", None),  # with the last column
    "validators_url": ("s.validators_url", None),
    "lifetime": ("s.lifetime", _load_seconds),
    "gate_from": ("s.gate_from", parse_time_or_none),
    "gate_until": ("s.gate_until", parse_time_or_none),
    "failures": ("s.failures", None),
    "health": ("s.health", None),
    "health_since": ("s.health_since", parse_time_or_none),
    "error": ("s.error", None),
    "error_kind": ("s.error_kind", None),
    "error_status": ("s.error_status", None),
    "polls": ("s.polls", None),
    "last_poll": ("s.last_poll_at", parse_time_or_none),
    "last_ok": ("s.last_ok_at", parse_time_or_none),
    "last_change": ("s.last_change_at", parse_time_or_none),
    "gap": ("s.gap", _load_seconds),
    "newest": ("s.newest_at", parse_time_or_none),
    "planned": ("s.planned_at", parse_time),
    "next_poll": ("s.next_poll_at", parse_time),
    "next_poll_reason": ("s.next_poll_reason", None),
    "milliseconds": ("s.milliseconds", None),
    "body_bytes": ("s.body_bytes", None),
    "entries": ("s.entries", None),
    "added": ("s.added_at", parse_time_or_none),
    "fill_url": ("s.fill_url", None),
    "fill_left": ("s.fill_left", None),
    "gap_boost": ("s.hurry", None),
    "refused_validators": ("s.refused_validators", None),
    "identity": ("coalesce(nullif(s.identity, ''), s.id)", None),
    "absences": ("s.absences", _load_absences),
    "link_parameters": ("s.link_parameters", _load_names),
    "icon": ("s.icon", None),
}
"""The expression of each field of `SourceState`, in their order, with the function that makes the
field's value of its value."""

_LOADED = [(place, load) for place, (_, load) in enumerate(_READ.values()) if load]
_VALIDATORS = list(_READ).index("validators")

COLUMNS = (
    f"select {', '.join(column for column, _ in _READ.values())}, s.last_modified from sources s"
)
"""Selects the rows that `load_state` takes."""


def load_state(row: Iterable[Any]) -> SourceState:
    """Return the source in a row of `COLUMNS`."""
    *values, last_modified = row
    for place, load in _LOADED:
        values[place] = load(values[place])
    values[_VALIDATORS] = Validators(etag=values[_VALIDATORS], last_modified=last_modified)
    return SourceState._make(values)
