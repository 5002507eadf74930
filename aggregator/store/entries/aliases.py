"""The keys by which entries are recognised; they outlive their entry, which may come back."""

from collections.abc import Iterable, Mapping, Sequence

from aggregator.store.database.connection import Connection


def find(db: Connection, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Return the entry that each known key stands for, 0 for a void key; it may have expired."""
    found: dict[bytes, int] = {}
    # A source's keys lie together, so that one look tells that nothing is known of a new one's.
    if not keys or not _any(db, min(keys), max(keys)):
        return found
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        places = ",".join("?" * len(part))
        rows = db.execute(f"select key, entry_id from aliases where key in ({places})", part)
        found.update((row[0], row[1]) for row in rows)
    return found


def _any(db: Connection, first: bytes, last: bytes) -> bool:
    row = db.execute("select 1 from aliases where key between ? and ? limit 1", (first, last))
    return row.fetchone() is not None


def add(db: Connection, aliases: Mapping[bytes, int]) -> None:
    """Let keys stand for entries from now on; a key that already stands for one keeps it."""
    db.executemany("insert or ignore into aliases values (?, ?)", sorted(aliases.items()))


def void(db: Connection, keys: Iterable[bytes]) -> None:
    """Let keys stand for no entry any more, for good; `find` gives 0 for them."""
    db.executemany("insert or replace into aliases values (?, 0)", [(key,) for key in keys])
