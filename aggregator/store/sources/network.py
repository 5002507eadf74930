"""The state of our own network, and the sources that wait for it."""

import json
from datetime import datetime

from aggregator.models.network import Network
from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, format_time_or_none, parse_time_or_none

NAME = "network"

WAITING = "this server's network seems to be down"
"""Part of the reason of the next poll of each source that waits for the network."""


def get(db: Connection) -> Network:
    """Return the state, that of a network in order if none is stored."""
    text = metadata.get(db, NAME)
    if not text:
        return Network()
    fields = json.loads(text)
    return Network(
        unreached=frozenset(fields["unreached"]),
        last_reached=parse_time_or_none(fields["last_reached"]),
        down_since=parse_time_or_none(fields["down_since"]),
        attempts=fields["attempts"],
        retry_at=parse_time_or_none(fields["retry_at"]),
    )


def put(db: Connection, network: Network) -> None:
    """Store the state."""
    fields = {
        "unreached": sorted(network.unreached),
        "last_reached": format_time_or_none(network.last_reached),
        "down_since": format_time_or_none(network.down_since),
        "attempts": network.attempts,
        "retry_at": format_time_or_none(network.retry_at),
    }
    metadata.put(db, NAME, json.dumps(fields))


def count_hosts(db: Connection) -> int:
    """Return the number of hosts that sources are polled from."""
    row = db.execute("select count(distinct host) from sources where enabled and configured")
    return int(row.fetchone()[0])


def is_only_host(db: Connection, host: str) -> bool:
    """Return whether no source is polled from another host."""
    others = "select 1 from sources where enabled and configured and host != ? limit 1"
    return db.execute(others, (host,)).fetchone() is None


def resume(db: Connection, now: datetime) -> int:
    """Make the sources due that wait for the network; return their number."""
    cursor = db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1,"
        " next_poll_reason = 'the network is back'"
        " where next_poll_reason like ?2 and next_poll_at > ?1",
        (format_time(now), f"%{WAITING}%"),
    )
    return cursor.rowcount
