"""Our subscriptions at the hubs of sources, and the inbox of what they push."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)

ASKED, ACTIVE, LEAVING, DENIED = "asked", "active", "leaving", "denied"

WAITING_OF_SOURCE, WAITING_BYTES = 50, 100_000_000
"""The inbox takes no more; the hub is asked to come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription, known to its hub by its callback; a source has two while one is renewed.

    Args:
        token: The unguessable last part of the callback's path.
        state: asked, active, leaving (its end is asked for) or denied.
        since: When it came to this state.
        act: When something is to be sent or given up, None when nothing is.
        failures: Requests in a row that came to nothing; `detail` of the last.
        active_since: When the hub first confirmed it or the one that it renews.
        lease_until: None before it is active.
        ignored: Pushes without a good signature.
        suspected: When a poll found what no push had brought; None once a push comes.
        algorithm: That the last push was signed with.
    """

    token: str
    source_id: str
    hub: str
    topic: str
    callback: str
    secret: str = field(repr=False)
    state: str
    since: datetime
    act: datetime | None
    failures: int = 0
    detail: str = ""
    active_since: datetime | None = None
    lease_until: datetime | None = None
    pushes: int = 0
    ignored: int = 0
    last_push: datetime | None = None
    suspected: datetime | None = None
    algorithm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A document that a hub pushed, not yet read."""

    id: int
    source_id: str
    at: datetime
    topic: str
    content_type: str
    body: bytes = field(repr=False)


_OFFERING = (
    "json_extract(s.feed, '$.hubs') is not null and json_extract(s.feed, '$.self_url') is not null"
    " and s.configured and s.enabled"
)


def unasked(db: Connection) -> list[tuple[str, tuple[str, ...], str]]:
    """Return `(source, hubs, self URL)` of sources that offer a push and were not asked for it."""
    rows = db.execute(
        "select s.id, json_extract(s.feed, '$.hubs'), json_extract(s.feed, '$.self_url')"
        f" from sources s where {_OFFERING} and not exists (select 1 from subscriptions"
        " where source_id = s.id and state != 'leaving')"
    )
    return [(row[0], tuple(json.loads(row[1])), row[2]) for row in rows]


def unfounded(db: Connection, callbacks: str, latest: datetime) -> list[Subscription]:
    """Return the subscriptions to what its source offers no more, or with old callbacks.

    Args:
        callbacks: What all callbacks begin with, "" to get every subscription.
        latest: What is dated after it was made by a clock that ran ahead, and is not to be trusted.
    """
    rows = db.execute(
        "select * from subscriptions u where since > ?2 or state != 'leaving' and (?1 = ''"
        " or substr(callback, 1, length(?1)) != ?1 or not exists (select 1 from sources s"
        f" where s.id = u.source_id and {_OFFERING}"
        " and json_extract(s.feed, '$.self_url') = u.topic"
        " and u.hub in (select value from json_each(s.feed, '$.hubs'))))",
        (callbacks, format_time(latest)),
    )
    return [_subscription(row) for row in rows]


def add(db: Connection, subscription: Subscription) -> None:
    """Store a new subscription."""
    given = subscription
    db.execute(
        "insert into subscriptions(token, source_id, hub, topic, callback, secret, state, since,"
        " act_at, active_since, pushes, last_push_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            given.token, given.source_id, given.hub, given.topic, given.callback, given.secret,
            given.state, format_time(given.since), format_time_or_none(given.act),
            format_time_or_none(given.active_since), given.pushes,
            format_time_or_none(given.last_push),
        ),
    )  # fmt: skip


def update(db: Connection, token: str, columns: Mapping[str, Any]) -> None:
    """Set columns of a subscription by name; moments are converted."""
    values = [
        format_time(value) if isinstance(value, datetime) else value for value in columns.values()
    ]
    names = ", ".join(f"{name} = ?" for name in columns)
    db.execute(f"update subscriptions set {names} where token = ?", [*values, token])


def remove(db: Connection, token: str) -> None:
    """Forget a subscription; what it pushed is still read."""
    db.execute("delete from subscriptions where token = ?", (token,))


def get(db: Connection, token: str) -> Subscription | None:
    """Return one subscription, None when there is none of that token."""
    row = db.execute("select * from subscriptions where token = ?", (token,)).fetchone()
    return _subscription(row) if row else None


def all_of(db: Connection, source_id: str = "") -> list[Subscription]:
    """Return the subscriptions of a source, or of all."""
    rows = db.execute(
        "select * from subscriptions where ?1 in ('', source_id) order by source_id, since",
        (source_id,),
    )
    return [_subscription(row) for row in rows]


def by_source(db: Connection) -> dict[str, list[Subscription]]:
    """Return all subscriptions by the id of their source."""
    found: dict[str, list[Subscription]] = {}
    for one in all_of(db):
        found.setdefault(one.source_id, []).append(one)
    return found


def states(db: Connection) -> dict[str, int]:
    """Return how many subscriptions are in each state; `suspected` are of the active."""
    rows = db.execute(
        "select iif(suspected is null, state, 'suspected'), count(*) from subscriptions group by 1"
    )
    return {row[0]: row[1] for row in rows}


def due(db: Connection, now: datetime, limit: int) -> list[Subscription]:
    """Return the subscriptions for which something is to be done, longest overdue first."""
    rows = db.execute(
        "select * from subscriptions where act_at <= ? order by act_at limit ?",
        (format_time(now), limit),
    )
    return [_subscription(row) for row in rows]


def activate(
    db: Connection, subscription: Subscription, *, renew: datetime, until: datetime, now: datetime
) -> None:
    """Note that a hub pushes until a moment; the subscription that this one renews is left."""
    db.execute(
        "update subscriptions set state = 'active', since = ?1, act_at = ?2, lease_until = ?3,"
        " active_since = coalesce(active_since, ?1), failures = 0, detail = '' where token = ?4",
        (format_time(now), format_time(renew), format_time(until), subscription.token),
    )
    db.execute(
        "update subscriptions set state = 'leaving', since = ?1, act_at = ?1, failures = 0"
        " where source_id = ?2 and token != ?3 and state = 'active'",
        (format_time(now), subscription.source_id, subscription.token),
    )


def pushing(db: Connection, source_ids: Iterable[str], now: datetime) -> dict[str, datetime]:
    """Return the sources whose hub has proven that it pushes, and since when it does."""
    rows = db.execute(
        "select source_id, min(active_since) from subscriptions where state = 'active'"
        " and lease_until > ? and pushes and suspected is null"
        " and source_id in (select value from json_each(?)) group by source_id",
        (format_time(now), json.dumps(list(source_ids))),
    )
    return {row[0]: parse_time(row[1]) for row in rows}


def suspect(db: Connection, source_id: str, now: datetime) -> bool:
    """Note that a hub has not pushed what a poll found, unless a push waits to be read."""
    changed = db.execute(
        "update subscriptions set suspected = ?1 where source_id = ?2 and state = 'active'"
        " and not exists (select 1 from inbox where source_id = ?2)",
        (format_time(now), source_id),
    )
    return bool(changed.rowcount)


# --- the inbox -------------------------------------------------------------------------------


def receive(
    db: Connection,
    subscription: Subscription,
    *,
    content_type: str,
    body: bytes,
    algorithm: str,
    now: datetime,
) -> bool:
    """Put a push in the inbox, in the order of arrival; False when it is full."""
    of_source, waiting = db.execute(
        "select count(*) filter (where source_id = ?), coalesce(sum(length(body)), 0) from inbox",
        (subscription.source_id,),
    ).fetchone()
    if of_source >= WAITING_OF_SOURCE or waiting + len(body) > WAITING_BYTES:
        return False
    db.execute(
        "insert into inbox(source_id, at, topic, content_type, body) values (?, ?, ?, ?, ?)",
        (subscription.source_id, format_time(now), subscription.topic, content_type, body),
    )
    db.execute(
        "update subscriptions set pushes = pushes + 1, last_push_at = ?, algorithm = ?"
        " where token = ?",
        (format_time(now), algorithm, subscription.token),
    )
    return True


def ignore(db: Connection, token: str) -> None:
    """Count a push without a good signature."""
    db.execute("update subscriptions set ignored = ignored + 1 where token = ?", (token,))


def waiting(db: Connection, busy: Collection[str], limit: int) -> list[Push]:
    """Return the oldest push of each source that is not busy: they are read in their order."""
    rows = db.execute(
        "select * from inbox where id in (select min(id) from inbox group by source_id)"
        " and source_id not in (select value from json_each(?)) order by id limit ?",
        (json.dumps(sorted(busy)), limit),
    )
    return [
        Push(
            id=row["id"],
            source_id=row["source_id"],
            at=parse_time(row["at"]),
            topic=row["topic"],
            content_type=row["content_type"],
            body=row["body"],
        )
        for row in rows
    ]


def waiting_count(db: Connection) -> int:
    """Return how many pushes wait to be read."""
    return int(db.execute("select count(*) from inbox").fetchone()[0])


def taken(db: Connection, push: int, source_id: str) -> None:
    """Take a push out of the inbox, in the transaction that stores what it brought."""
    db.execute("delete from inbox where id = ?", (push,))
    db.execute("update subscriptions set suspected = null where source_id = ?", (source_id,))


def _subscription(row: Any) -> Subscription:
    return Subscription(
        token=row["token"],
        source_id=row["source_id"],
        hub=row["hub"],
        topic=row["topic"],
        callback=row["callback"],
        secret=row["secret"],
        state=row["state"],
        since=parse_time(row["since"]),
        act=parse_time_or_none(row["act_at"]),
        failures=row["failures"],
        detail=row["detail"],
        active_since=parse_time_or_none(row["active_since"]),
        lease_until=parse_time_or_none(row["lease_until"]),
        pushes=row["pushes"],
        ignored=row["ignored"],
        last_push=parse_time_or_none(row["last_push_at"]),
        suspected=parse_time_or_none(row["suspected"]),
        algorithm=row["algorithm"],
    )
