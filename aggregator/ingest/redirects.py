"""Permanent redirects: when a source adopts the address that its server redirects to."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aggregator.models.poll import Hop
from aggregator.models.urls import host_of
from aggregator.store.sources.sources import Move, SourceChanges, SourceState

MOVE_TIMES, MOVE_TIME = 3, timedelta(days=1)
"""A source moves after this many identical permanent redirects, over at least this long."""

PERMANENT = frozenset({301, 308})


def observe(state: SourceState, hops: Sequence[Hop], now: datetime) -> tuple[SourceChanges, str]:
    """Return the changes of a source after a response, and the message when it moved, "" else."""
    target = _target(hops)
    if not target:
        return ({} if state.move is None else {"move": None}), ""
    move = Move(url=target, since=now, times=1)
    if state.move is not None and state.move.url == target:
        move = Move(url=target, since=min(state.move.since, now), times=state.move.times + 1)
    if move.times < MOVE_TIMES or now - move.since < MOVE_TIME:
        return {"move": move}, ""
    changes: SourceChanges = {
        "moved_to": target,
        "discovered_url": "",
        "move": None,
        "host": host_of(target),
    }
    return changes, f"moved permanently from {state.poll_url} to {target}"


def _target(hops: Sequence[Hop]) -> str:
    """Return the URL at the end of the permanent redirects that the chain begins with."""
    target = ""
    for hop in hops:
        if hop.status not in PERMANENT:
            break
        target = hop.url
    return target


def after_failure(state: SourceState, discovered: str, failures: int) -> SourceChanges:
    """Return the changes of a source's address after a failed poll.

    Args:
        discovered: The feed URL found on a page that was fetched instead of a feed, "" for none.
        failures: In a row, with this one.
    """
    if discovered:
        return {"discovered_url": discovered, "host": host_of(discovered)}
    if failures >= MOVE_TIMES and (state.moved_to or state.discovered_url):
        # The adopted or discovered address is dead; the configured one may work.
        return {"moved_to": "", "discovered_url": "", "host": host_of(state.url)}
    return {}
