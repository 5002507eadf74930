"""Icons of sources: where each is looked up, when again, and the pictures.

A feed's own picture and a site each have a row in `icons`, shared by all sources that name them.
A source keeps the hash of the icon that pages show beside its name.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aggregator.models.entry import Feed
from aggregator.models.poll import Validators
from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time
from aggregator.store.sources.feed_text import load_feed

VERSION = "icons"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSource:
    """A source whose icon is looked up now; `url` is polled, `link` its site as the feed says."""

    id: str
    url: str
    link: str
    feed: Feed


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIcon:
    """The result of looking one place up.

    Args:
        place: URL of a picture, or of a site's home page.
        hash: Of the icon, "" if there is none.
        url: Where the picture was found; `validators` belong to it.
        image: PNG, b"" to leave the stored one as it is.
        failures: In a row, of those that may pass.
        reason: Why there is no icon, or why it was not renewed.
    """

    place: str
    hash: str
    url: str = ""
    validators: Validators = Validators()
    image: bytes = b""
    failures: int = 0
    due: datetime
    reason: str = ""


def due(db: Connection, now: datetime, limit: int) -> list[DueSource]:
    """Return sources that were polled with success and whose icon is due, longest due first."""
    rows = db.execute(
        "select id, coalesce(nullif(discovered_url, ''), nullif(moved_to, ''), url), link, feed"
        " from sources indexed by sources_icon_due where enabled and configured"
        " and last_ok_at is not null and icon_due_at <= ?1"
        " and (gate_until is null or gate_until <= ?1) order by icon_due_at limit ?2",
        (format_time(now), limit),
    )
    return [
        DueSource(id=row[0], url=row[1], link=row[2] or "", feed=load_feed(row[3])) for row in rows
    ]


def get(db: Connection, places: Iterable[str]) -> dict[str, StoredIcon]:
    """Return the results of earlier look-ups by place, without their pictures."""
    rows = db.execute(
        "select place, hash, url, etag, last_modified, failures, due_at, reason from icons"
        " where place in (select value from json_each(?))",
        (json.dumps(list(places)),),
    )
    return {
        row[0]: StoredIcon(
            place=row[0],
            hash=row[1],
            url=row[2],
            validators=Validators(etag=row[3], last_modified=row[4]),
            failures=row[5],
            due=parse_time(row[6]),
            reason=row[7],
        )
        for row in rows
    }


def put(db: Connection, icon: StoredIcon) -> None:
    """Store the result of a look-up."""
    db.execute(
        "insert into icons(place, hash, url, etag, last_modified, image, failures, due_at, reason)"
        " values (:place, :hash, :url, :etag, :last_modified, :image, :failures, :due, :reason)"
        " on conflict(place) do update set hash = excluded.hash, url = excluded.url,"
        " etag = excluded.etag, last_modified = excluded.last_modified,"
        " image = iif(excluded.hash = icons.hash, icons.image, excluded.image),"
        " failures = excluded.failures, due_at = excluded.due_at, reason = excluded.reason",
        {
            "place": icon.place,
            "hash": icon.hash,
            "url": icon.url,
            "etag": icon.validators.etag,
            "last_modified": icon.validators.last_modified,
            "image": icon.image,
            "failures": icon.failures,
            "due": format_time(icon.due),
            "reason": icon.reason,
        },
    )


def assign(db: Connection, found: Mapping[str, tuple[str, datetime]]) -> None:
    """Give sources, by id, the hash of their icon and the time of the next look-up."""
    before = dict(
        db.execute(
            "select id, icon from sources where id in (select value from json_each(?))",
            (json.dumps(list(found)),),
        ).fetchall()
    )
    if any(before.get(source_id) != hash for source_id, (hash, _) in found.items()):
        metadata.put(db, VERSION, str(int(version(db) or 0) + 1))
    db.executemany(
        "update sources set icon = ?, icon_due_at = ? where id = ?",
        [(hash, format_time(due), source_id) for source_id, (hash, due) in found.items()],
    )


def version(db: Connection) -> str:
    """Return a text that changes when the icon of any source does, "" before the first."""
    return metadata.get(db, VERSION)


def image(db: Connection, hash: str) -> bytes | None:
    """Return the picture with a hash, None if no source has it."""
    row = db.execute(
        "select image from icons where hash = ? and hash != '' and image != x''", (hash,)
    ).fetchone()
    return bytes(row[0]) if row else None


def forget(db: Connection, before: datetime) -> int:
    """Delete results that no source asked for since a time and no source shows; return how many."""
    cursor = db.execute(
        "delete from icons where due_at < ?"
        " and (hash = '' or hash not in (select icon from sources))",
        (format_time(before),),
    )
    return cursor.rowcount
