"""Our subscriptions at the hubs of sources."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)

ASKED, ACTIVE, LEAVING, DENIED = "asked", "active", "leaving", "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription, which its hub knows by its callback; a source has two during a renewal.

    Args:
        token: The secret last part of the callback's path.
        state: asked, active, leaving (unsubscribing) or denied.
        since: When it entered this state.
        act: When the next request is due, or the end of the lease; None for nothing to do.
        failures: Failed requests in a row; `detail` of the last.
        active_since: When the hub first confirmed it, or the subscription that it renews.
        lease_until: None before it is active.
        ignored: Pushes without a valid signature.
        suspected: When a poll found an entry that was not pushed; None after the next push.
        algorithm: The algorithm that signed the last push.
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


class SubscriptionChanges(TypedDict, total=False):
    """New values for fields of `Subscription`; absent fields keep theirs."""

    state: str
    since: datetime
    act: datetime | None
    failures: int
    detail: str


_OFFERING = (
    "json_extract(s.feed, '$.hubs') is not null and json_extract(s.feed, '$.self_url') is not null"
    " and s.configured and s.enabled"
)


def offers(db: Connection) -> list[tuple[str, tuple[str, ...], str]]:
    """Return `(source, hubs, self URL)` of sources with a hub and without a subscription."""
    rows = db.execute(
        "select s.id, json_extract(s.feed, '$.hubs'), json_extract(s.feed, '$.self_url')"
        f" from sources s where {_OFFERING} and not exists (select 1 from subscriptions"
        " where source_id = s.id and state != 'leaving')"
    )
    return [(row[0], tuple(json.loads(row[1])), row[2]) for row in rows]


def obsolete(db: Connection, callbacks: str, latest: datetime) -> list[Subscription]:
    """Return the subscriptions whose source has another hub or topic, or with old callbacks.

    Args:
        callbacks: The prefix of valid callbacks, "" to return every subscription.
        latest: A subscription dated later is obsolete too: it was made by a clock that ran ahead.
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


def update(db: Connection, token: str, changes: SubscriptionChanges) -> None:
    """Change fields of a subscription."""
    values: dict[str, object] = {"token": token}
    for name, value in changes.items():
        column = "act_at" if name == "act" else name
        values[column] = format_time(value) if isinstance(value, datetime) else value
    assigned = ", ".join(f"{column} = :{column}" for column in values if column != "token")
    db.execute(f"update subscriptions set {assigned} where token = :token", values)


def remove(db: Connection, token: str) -> None:
    """Delete a subscription; its pushes in the inbox stay."""
    db.execute("delete from subscriptions where token = ?", (token,))


def get(db: Connection, token: str) -> Subscription | None:
    """Return the subscription with a token, None if there is none."""
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
    """Return all subscriptions by source id."""
    by_source_id: dict[str, list[Subscription]] = {}
    for subscription in all_of(db):
        by_source_id.setdefault(subscription.source_id, []).append(subscription)
    return by_source_id


def states(db: Connection) -> dict[str, int]:
    """Return the number of subscriptions in each state; `suspected` is counted as a state."""
    rows = db.execute(
        "select iif(suspected is null, state, 'suspected'), count(*) from subscriptions group by 1"
    )
    return {row[0]: row[1] for row in rows}


def due(db: Connection, now: datetime, limit: int) -> list[Subscription]:
    """Return the subscriptions with something to do, longest overdue first."""
    rows = db.execute(
        "select * from subscriptions where act_at <= ? order by act_at limit ?",
        (format_time(now), limit),
    )
    return [_subscription(row) for row in rows]


def activate(
    db: Connection, subscription: Subscription, *, renew: datetime, until: datetime, now: datetime
) -> None:
    """Note that the hub confirmed a lease; unsubscribe from the subscription that it renews.

    Args:
        renew: When to renew the lease, which ends at `until`.
    """
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
    """Return the sources with a hub that has pushed, and since when it is subscribed."""
    rows = db.execute(
        "select source_id, min(active_since) from subscriptions where state = 'active'"
        " and lease_until > ? and pushes and suspected is null"
        " and source_id in (select value from json_each(?)) group by source_id",
        (format_time(now), json.dumps(list(source_ids))),
    )
    return {row[0]: parse_time(row[1]) for row in rows}


def suspect(db: Connection, source_id: str, now: datetime) -> bool:
    """Note that a poll found an entry that the hub did not push, unless a push is in the inbox."""
    changed = db.execute(
        "update subscriptions set suspected = ?1 where source_id = ?2 and state = 'active'"
        " and not exists (select 1 from inbox where source_id = ?2)",
        (format_time(now), source_id),
    )
    return bool(changed.rowcount)


def count_ignored(db: Connection, token: str) -> None:
    """Count a push without a valid signature."""
    db.execute("update subscriptions set ignored = ignored + 1 where token = ?", (token,))


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
