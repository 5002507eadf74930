"""Aliases: the keys that identify entries; they outlive their entry, which may come back."""

from collections.abc import Iterable, Mapping, Sequence

from aggregator.store.database.connection import Connection


def find(db: Connection, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Return the entry of each known key, 0 for a void key; the entry may have expired."""
    entries: dict[bytes, int] = {}
    # A source's keys are adjacent, so one lookup shows that a new source has none.
    if not keys or not _any(db, min(keys), max(keys)):
        return entries
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        places = ",".join("?" * len(part))
        rows = db.execute(f"select key, entry_id from aliases where key in ({places})", part)
        entries.update((row[0], row[1]) for row in rows)
    return entries


def _any(db: Connection, first: bytes, last: bytes) -> bool:
    row = db.execute("select 1 from aliases where key between ? and ? limit 1", (first, last))
    return row.fetchone() is not None


def add(db: Connection, aliases: Mapping[bytes, int]) -> None:
    """Assign keys to entries; a key that is assigned keeps its entry."""
    db.executemany("insert or ignore into aliases values (?, ?)", sorted(aliases.items()))


def void(db: Connection, keys: Iterable[bytes]) -> None:
    """Make keys void for good; `find` returns 0 for them."""
    db.executemany("insert or replace into aliases values (?, 0)", [(key,) for key in keys])
