"""Sources renamed in the configuration: their rows move to the new id; the old one redirects."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aggregator.models.config import Source
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection

TABLES = (
    "source_sections", "documents", "entries", "polls", "days", "source_hours", "incidents",
    "subscriptions", "inbox", "story_members", "story_members_draft",
    "page_queue",
)  # fmt: skip
"""Tables with a column `source_id`."""


def find(known: Mapping[str, Any], sources: Sequence[Source]) -> dict[str, str]:
    """Return the new id of each renamed source, by its old id.

    A new source was renamed if exactly one source with its URL is no longer named. Where several
    sources could be the one, each is a source of its own.

    Args:
        known: The stored sources by id, with their `url`.
        sources: Those of the configuration.
    """
    named = {source.id for source in sources}
    lost: dict[str, list[str]] = {}
    for source_id, row in known.items():
        if source_id not in named:
            lost.setdefault(row["url"], []).append(source_id)
    new: dict[str, list[str]] = {}
    for source in sources:
        if source.id not in known:
            new.setdefault(source.url, []).append(source.id)
    return {
        lost[url][0]: ids[0]
        for url, ids in new.items()
        if len(ids) == 1 and len(lost.get(url, ())) == 1
    }


def apply(db: Connection, renamed: Mapping[str, str]) -> None:
    """Move all that is stored of sources to their new ids, in the caller's transaction.

    The keys of entries were made with the first id of the source, which stays its `identity`.
    """
    if not renamed:
        return
    db.execute("pragma defer_foreign_keys = on")  # until the transaction ends
    for old, new in renamed.items():
        db.execute(
            "update sources set id = ?2, identity = coalesce(nullif(identity, ''), id)"
            " where id = ?1",
            (old, new),
        )
        for table in TABLES:
            db.execute(f"update {table} set source_id = ? where source_id = ?", (new, old))
        view, before = f"source:{new}", f"source:{old}"
        # Their documents name the old address; the next requests render them again.
        db.execute("delete from archive_documents where view in (?, ?)", (view, before))
        db.execute("delete from archives where view = ?", (view,))
        db.execute("update archives set view = ? where view = ?", (view, before))
        db.execute(
            "insert or replace into changes select ?, version, at from changes where scope = ?",
            (change_log.source_scope(new), change_log.source_scope(old)),
        )
        db.execute("update renamed set new = ? where new = ?", (new, old))
        db.execute("insert or replace into renamed values (?, ?)", (old, new))


def forget(db: Connection, named: Collection[str]) -> None:
    """End the redirects of ids that the configuration names again."""
    db.executemany("delete from renamed where old = ?", [(source_id,) for source_id in named])


def current_id(db: Connection, source_id: str) -> str:
    """Return the present id of a source that was renamed, "" if this one was not."""
    row = db.execute("select new from renamed where old = ?", (source_id,)).fetchone()
    return str(row[0]) if row else ""
