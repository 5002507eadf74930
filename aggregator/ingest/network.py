"""Failures of our own network: recognised in a batch of results, and not charged to its sources."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from aggregator.ingest.source_update import Context, Ingested
from aggregator.models.network import Network
from aggregator.models.poll import Failed, NextPoll, PollResult
from aggregator.policy import network as policy
from aggregator.policy import schedule
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.sources import network as store
from aggregator.store.sources import poll_plan
from aggregator.store.sources.sources import SourceState

logger = logging.getLogger("aggregator")

CANARIES = 3
"""Sources of a batch that are polled every minute until the network is back."""

OFFLINE = "offline"
"""The result of a poll that our own network made fail."""


def excuse(
    db: Connection,
    results: Sequence[PollResult],
    states: Mapping[str, SourceState],
    context: Context,
) -> tuple[list[PollResult], list[Ingested]]:
    """Update the state of our network; only reschedule sources whose polls it made fail.

    Returns:
        The results to store, and the effect of the others.
    """
    reached, unreached = _hosts(results, states)
    before = store.get(db)
    if not unreached and not (before.unreached or before.down_since or _is_stale(before, context)):
        return list(results), []
    after = policy.observe(
        before,
        reached=reached,
        unreached=unreached,
        hosts=store.count_hosts(db) if unreached else 0,
        now=context.now,
    )
    if after != before:
        _save(db, before, after, context.now)
    kept: list[PollResult] = []
    excused: list[PollResult] = []
    for result in results:
        state = states.get(result.source_id)
        is_ours = state is not None and _is_unreached(result) and policy.is_excused(
            before, after, state.host, good=bool(state.last_ok and not state.failures),
            now=context.now,
        )  # fmt: skip
        (excused if is_ours else kept).append(result)
    return kept, _postpone(db, excused, states, after, context.now)


def _is_stale(network: Network, context: Context) -> bool:
    """Return whether it is time to note again that the network works."""
    return network.last_reached is None or context.now - network.last_reached >= policy.FRESH / 2


def _is_unreached(result: PollResult) -> bool:
    return not result.push and policy.is_reached(result.outcome) is False


def _hosts(
    results: Sequence[PollResult], states: Mapping[str, SourceState]
) -> tuple[set[str], set[str]]:
    """Return the hosts that a batch reached, and those that it stopped reaching."""
    reached, unreached = set[str](), set[str]()
    for result in results:
        state, is_reached = states.get(result.source_id), policy.is_reached(result.outcome)
        if state is None or is_reached is None or result.push:
            continue
        if is_reached:
            reached.add(state.host)
        elif not state.failures:  # hosts that are down for long fail while the network works, too
            unreached.add(state.host)
    return reached, unreached - reached


def _save(db: Connection, before: Network, after: Network, now: datetime) -> None:
    store.put(db, after)
    if after.down_since and not before.down_since:
        logger.warning("event=offline hosts=%d", len(after.unreached))
    if before.down_since and not after.down_since:
        logger.warning("event=online resumed=%d", store.resume(db, now))
    if before.down_since != after.down_since:
        change_log.bump_all(db)  # every page shows it


def _postpone(
    db: Connection,
    results: Sequence[PollResult],
    states: Mapping[str, SourceState],
    network: Network,
    now: datetime,
) -> list[Ingested]:
    """Plan the next polls of excused sources."""
    reason = store.WAITING if network.down_since else "the host was not reached"
    plans: dict[str, NextPoll] = {}
    done = []
    for number, result in enumerate(results):
        at = policy.retry_at(network, now, canary=number < CANARIES)
        wait = schedule.format_duration(at - now)
        text = f"next {schedule.format_time(at, now)}: {reason}, retry in {wait}"
        plan = plans[result.source_id] = NextPoll(at=at, reason=text)
        done.append(
            Ingested(
                source_id=result.source_id,
                title=states[result.source_id].title,
                result=OFFLINE,
                detail=result.outcome.detail if isinstance(result.outcome, Failed) else "",
                next_poll=plan,
            )
        )
    poll_plan.save(db, plans, now)
    if plans and network.down_since:
        change_log.bump_all(db)  # every page shows the next attempt
    return done
