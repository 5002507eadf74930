"""The fields of sources from which their requests are made."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from aggregator.models.poll import Validators
from aggregator.store.database.connection import Connection


@dataclass(slots=True, kw_only=True)  # each poll makes one, and a frozen one takes long
class PollTarget:
    """The URL of a source, and the validators and hashes of its last document.

    Args:
        configured_url: As configured; `url` is polled.
        is_discovered: Whether `url` was found on a page.
        fill_url: As in `SourceState`.
        body_hash, item_hashes: As in `StoredDocument`.
        is_lost: Whether stored entries were in the document, and the database lost them.
    """

    source_id: str
    configured_url: str = field(repr=False)
    url: str = field(repr=False)
    is_discovered: bool
    fill_url: str
    validators: Validators
    validators_url: str
    body_hash: bytes
    item_hashes: bytes
    is_lost: bool


def get_many(db: Connection, source_ids: Sequence[str]) -> dict[str, PollTarget]:
    """Return targets by source id; unknown ids are left out."""
    rows = db.execute(
        "select s.id, s.url, s.discovered_url, s.moved_to, s.fill_url, s.etag, s.last_modified,"
        " s.validators_url, d.body_hash, d.item_hashes, d.entry_ids,"
        " exists (select 1 from entries where source_id = s.id)"
        " from sources s left join documents d on d.source_id = s.id"
        " where s.id in (select value from json_each(?))",
        (json.dumps(source_ids),),
    )
    return {
        row[0]: PollTarget(
            source_id=row[0],
            configured_url=row[1],
            url=row[2] or row[3] or row[1],
            is_discovered=bool(row[2]),
            fill_url=row[4],
            validators=Validators(etag=row[5], last_modified=row[6]),
            validators_url=row[7],
            body_hash=row[8] or b"",
            item_hashes=row[9] or b"",
            is_lost=not row[11] and bool((row[10] or b"").strip(b"\0")),
        )
        for row in rows
    }
