"""The last document of each source: its hashes, and the entries in it."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.store.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """The last document of a source.

    Args:
        item_hashes: 16 bytes for each item, in order; b"" when the document was not split.
        entry_ids: The entry of each item, 0 for none.
    """

    body_hash: bytes = b""
    item_hashes: bytes = b""
    entry_ids: tuple[int, ...] = ()


def get(db: Connection, source_id: str) -> StoredDocument:
    """Return a source's last document, an empty one when none is stored."""
    row = db.execute(
        "select body_hash, item_hashes, entry_ids from documents where source_id = ?", (source_id,)
    ).fetchone()
    if row is None:
        return StoredDocument()
    return StoredDocument(body_hash=row[0], item_hashes=row[1], entry_ids=_load_ids(row[2]))


def save(db: Connection, source_id: str, document: StoredDocument) -> None:
    """Store a source's last document; in the transaction that stores its entries."""
    db.execute(
        "insert or replace into documents(source_id, body_hash, item_hashes, entry_ids)"
        " values (?, ?, ?, ?)",
        (
            source_id,
            document.body_hash,
            document.item_hashes,
            array("q", document.entry_ids).tobytes(),
        ),
    )


def delete(db: Connection, source_ids: Sequence[str]) -> list[int]:
    """Delete the documents of sources and return the entries that were in them."""
    ids: list[int] = []
    for source_id in source_ids:
        rows = db.execute(
            "delete from documents where source_id = ? returning entry_ids", (source_id,)
        ).fetchall()
        ids += [entry_id for row in rows for entry_id in _load_ids(row[0]) if entry_id]
    return ids


def _load_ids(blob: bytes) -> tuple[int, ...]:
    return tuple(memoryview(blob).cast("q")) if blob else ()
