"""Tell a failure of our own network from failures of sources. Pure.

down       no host of a batch is reached, or nearly none, and several are not
retry      after 30 s, 1, 2 and then every 5 minutes; a few sources, or the only one, every minute
up         a batch reaches its hosts again
"""

from collections.abc import Set
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.models.network import Network
from aggregator.models.poll import Failed, FailureKind, PollOutcome

MIN_HOSTS = 3
"""Hosts that must fail before the network counts as down; two if the sources have only two."""

NEARLY = 0.1
"""Share of reached hosts up to which a batch counts as having reached none."""

DELAYS = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))

CANARY_DELAY = timedelta(minutes=1)
"""The longest wait of the sources that find out whether the network is back."""

FRESH = timedelta(minutes=1)
"""How long a reached host shows that the network works."""

REMEMBERED = 20
"""Unreached hosts to remember at most."""

_NO_CONNECTION = frozenset({FailureKind.DNS, FailureKind.CONNECT})
_UNREACHED = _NO_CONNECTION | {FailureKind.TIMEOUT}
_NO_EVIDENCE = frozenset(
    {
        FailureKind.CANCELLED, FailureKind.REFUSED_ADDRESS, FailureKind.REFUSED_SCHEME,
        FailureKind.PROTOCOL, FailureKind.TLS,
    }
)  # fmt: skip
"""Failures that may occur with a network and without one: a captive portal breaks TLS."""


def is_reached(outcome: PollOutcome) -> bool | None:
    """Return whether a poll reached its host; None if it shows neither."""
    if not isinstance(outcome, Failed):
        return True
    transfer = outcome.transfer
    if transfer.status or transfer.received or transfer.hops:
        return True
    if outcome.kind in _UNREACHED:
        return False
    return None if outcome.kind in _NO_EVIDENCE else True


def observe(
    network: Network, *, reached: Set[str], unreached: Set[str], hosts: int, now: datetime
) -> Network:
    """Return the state after a batch of polls.

    Args:
        reached: Hosts that the batch reached.
        unreached: Hosts that it could not resolve or connect to.
        hosts: Number of hosts of all sources that are polled.
        now: The time of the batch.
    """
    if not (reached or unreached):
        return network
    if len(reached) > NEARLY * len(reached | unreached):
        fresh = network.last_reached is not None and now - network.last_reached < FRESH / 2
        return Network(last_reached=network.last_reached if fresh else now)
    known = frozenset(sorted(network.unreached | unreached)[:REMEMBERED])
    network = replace(network, unreached=known)
    if hosts < 2 or len(known) < min(MIN_HOSTS, hosts):
        return network
    if network.down_since and network.retry_at and now < network.retry_at:
        return network  # a canary, or a straggler of the last round
    return replace(
        network,
        down_since=network.down_since or now,
        attempts=network.attempts + 1,
        retry_at=now + DELAYS[min(network.attempts, len(DELAYS) - 1)],
    )


def is_excused(before: Network, after: Network, host: str, *, good: bool, now: datetime) -> bool:
    """Return whether a failure to reach a host is not counted against its source.

    While too few hosts have failed to tell, a good source has one failure free.

    Args:
        before: The state before the batch.
        after: The state after it.
        host: The host of the source.
        good: Whether the source's last poll succeeded.
        now: The time of the batch.
    """
    if after.down_since:
        return True
    is_fresh = after.last_reached is not None and now - after.last_reached < FRESH
    return good and not is_fresh and host not in before.unreached


def may_be_ours(outcome: PollOutcome) -> bool:
    """Return whether a poll of the only host failed as it does without a network.

    One host can't tell: it is charged, and polled every minute. A timeout does not count, because
    the host may be overloaded.
    """
    return (
        isinstance(outcome, Failed)
        and outcome.kind in _NO_CONNECTION
        and is_reached(outcome) is False
    )


def retry_at(network: Network, now: datetime, *, canary: bool) -> datetime:
    """Return when an excused source is polled again."""
    at = max(network.retry_at or now, now + DELAYS[0])
    return min(at, now + CANARY_DELAY) if canary else at
