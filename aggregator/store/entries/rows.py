"""Entries as rows: the one table of columns that storing, revising and reading share."""

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from aggregator.models.entry import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Image,
    Origin,
    RuleResult,
    SafeHtml,
    StoredEntry,
)
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)

# Made once: `json.dumps` with arguments makes an encoder for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _dump(value: object) -> str:
    return _encode(value) if value else ""


def _load(text: str) -> list[Any]:
    return list(json.loads(text)) if text else []


def _dump_record(value: Author | Enclosure | Image | Origin | None) -> str:
    # Not asdict, which copies deeply: it cost as much as the insert itself.
    return _encode({name: getattr(value, name) for name in value.__slots__}) if value else ""


def _dump_records(values: tuple[Author | Enclosure, ...]) -> str:
    if not values:
        return "[]"
    return _encode([{name: getattr(value, name) for name in value.__slots__} for value in values])


def _dump_extensions(values: tuple[Extension, ...]) -> str:
    return _dump([[value.name, value.text, value.attributes] for value in values])


def _load_extensions(text: str) -> tuple[Extension, ...]:
    return tuple(
        Extension(name=name, text=value, attributes=tuple((k, v) for k, v in attributes))
        for name, value, attributes in _load(text)
    )


def _dump_sections(sections: tuple[str, ...] | None) -> str | None:
    return None if sections is None else _encode(sections)  # () says: in none


class Column(NamedTuple):
    """The column of a field.

    Args:
        dump: Makes the column's value, None where the field's value is stored as it is.
        load: Makes the field's value of the column's, None likewise.
    """

    name: str
    dump: Callable[[Any], object] | None = None
    load: Callable[[Any], Any] | None = None


NOT_STORED = frozenset({"item_hash"})
"""Fields of `Entry` without a column: `documents` holds the hashes of items."""

ENTRY: Mapping[str, Column] = {
    "guid": Column("guid"),
    "link": Column("url"),
    "canonical_url": Column("canonical_url"),
    "title": Column("title"),
    "summary": Column("summary"),
    "content": Column("content", None, SafeHtml),
    "text": Column("text"),
    "published": Column("published", format_time_or_none, parse_time_or_none),
    "updated": Column("updated", format_time_or_none, parse_time_or_none),
    "authors": Column(
        "authors", _dump_records, lambda text: tuple(Author(**each) for each in _load(text))
    ),
    "categories": Column("categories", _dump, lambda text: tuple(_load(text))),
    "enclosures": Column(
        "enclosures", _dump_records, lambda text: tuple(Enclosure(**each) for each in _load(text))
    ),
    "image": Column(
        "image", _dump_record, lambda text: Image(**json.loads(text)) if text else None
    ),
    "origin": Column(
        "origin", _dump_record, lambda text: Origin(**json.loads(text)) if text else None
    ),
    "via": Column("via"),
    "comments": Column("comments"),
    "extensions": Column("extensions", _dump_extensions, _load_extensions),
    "language": Column("language"),
    "unread_date": Column("unread_date"),
    "fingerprint": Column("fingerprint"),
    "text_from": Column("text_from"),
    "edits": Column("edits", _dump, lambda text: tuple(_load(text))),
}
"""The columns of an entry as published, by field of `Entry`."""

RULING: Mapping[str, Column] = {
    "sections": Column(
        "sections", _dump_sections, lambda text: None if text is None else tuple(json.loads(text))
    ),
    "categories": Column("tags", _dump, lambda text: tuple(_load(text))),
    "priority": Column("priority", None, bool),
    "reasons": Column("ruled", _dump, lambda text: tuple(_load(text))),
}
"""The columns of a ruling, by field of `RuleResult`; `hidden` and `entry_view` hold the others."""

STORED: Mapping[str, Column] = {
    "id": Column("id"),
    "source_id": Column("source_id"),
    "uri": Column("uri"),
    "first_seen": Column("first_seen", format_time, parse_time),
    "changed": Column("changed", format_time, parse_time),
    "sort_at": Column("sort_at", format_time, parse_time),
    "withdrawn": Column("withdrawn", format_time_or_none, parse_time_or_none),
    "retracted": Column("retracted", format_time_or_none, parse_time_or_none),
    "hidden": Column("hidden", lambda reason: reason or None, lambda reason: reason or ""),
    "known_by": Column("known_by"),
    "matched": Column("matched"),
}
"""The columns of our own knowledge of an entry, by field of `StoredEntry`."""


def _writer(columns: Mapping[str, Column]) -> Callable[[Any], list[Any]]:
    """Return a function that makes the values of an object's fields, in the order of columns."""
    get = attrgetter(*columns)
    dumps = [(place, column.dump) for place, column in enumerate(columns.values()) if column.dump]

    def write(holder: Any) -> list[Any]:
        values = list(get(holder))
        for place, dump in dumps:
            values[place] = dump(values[place])
        return values

    return write


_entry_values, _ruling_values = _writer(ENTRY), _writer(RULING)

_ENTRY_COLUMNS = (*(column.name for column in ENTRY.values()), "audio", "video", "picture")
_RULING_COLUMNS = tuple(column.name for column in RULING.values())


def _of_entry(entry: Entry) -> list[Any]:
    kinds = [enclosure.type.partition("/")[0] for enclosure in entry.enclosures]
    media = ("audio" in kinds, "video" in kinds) if kinds else (False, False)
    return [*_entry_values(entry), *media, entry.image is not None]


def entry_values(entry: Entry) -> dict[str, object]:
    """Return the values of an entry as published, by column."""
    return dict(zip(_ENTRY_COLUMNS, _of_entry(entry), strict=True))


def ruling_values(ruling: RuleResult) -> dict[str, object]:
    """Return the values of a ruling, by column."""
    return dict(zip(_RULING_COLUMNS, _ruling_values(ruling), strict=True))


class NewRow(NamedTuple):
    """Our own knowledge of a new entry, as `STORED` writes it."""

    source_id: str
    uri: str
    first_seen: str
    changed: str
    sort_at: str
    hidden: str | None
    known_by: str


# Values are bound by place: by name, it costs twice as much.
_INSERTED = (
    "id", *_ENTRY_COLUMNS, *_RULING_COLUMNS, *(STORED[field].name for field in NewRow._fields)
)  # fmt: skip
_INSERT = f"insert into entries({', '.join(_INSERTED)}) values ({', '.join('?' * len(_INSERTED))})"


def insert_rows(db: Connection, rows: Sequence[tuple[Entry, RuleResult, NewRow]]) -> range:
    """Insert entries with one statement and return their ids."""
    if not rows:
        return range(0)
    first = last_given_id(db) + 1
    ids = range(first, first + len(rows))
    db.executemany(
        _INSERT,
        [
            (entry_id, *_of_entry(entry), *_ruling_values(ruling), *row)
            for entry_id, (entry, ruling, row) in zip(ids, rows, strict=True)
        ],
    )
    return ids


def last_given_id(db: Connection) -> int:
    """Return the highest id that any entry ever had, 0 without one."""
    row = db.execute(
        "select max(coalesce((select seq from sqlite_sequence where name = 'entries'), 0),"
        " coalesce((select max(id) from entries), 0))"
    ).fetchone()
    return int(row[0])


def stored_values(**values: object) -> dict[str, object]:
    """Return the values of fields of `StoredEntry`, by column."""
    columns = ((STORED[field], value) for field, value in values.items())
    return {column.name: column.dump(value) if column.dump else value for column, value in columns}


def load_stored(row: Any, *, tagged: bool = True) -> StoredEntry:
    """Return the entry in a whole row of the table.

    Args:
        tagged: Whether its categories include those that rules added.
    """
    values = dict(zip(row.keys(), row, strict=True))  # sqlite3.Row searches for each name
    ruling = _loaded(RULING, values)
    entry = _loaded(ENTRY, values)
    if tagged:
        entry["categories"] += ruling["categories"]
    return StoredEntry(**_loaded(STORED, values), entry=Entry(**entry), ruling=RuleResult(**ruling))


def load_entry(row: Any) -> Entry:
    """Return the entry in a row as its publisher wrote it, without our own knowledge of it."""
    return Entry(**_loaded(ENTRY, dict(zip(row.keys(), row, strict=True))))


def _loaded(columns: Mapping[str, Column], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: load(values[name]) if load else values[name]
        for field, (name, _, load) in columns.items()
    }


def assignments(columns: Mapping[str, object]) -> str:
    """Return the assignments of an update with named values."""
    return ", ".join(f"{name} = :{name}" for name in columns)
