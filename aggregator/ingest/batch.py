"""What polls brought, stored: the only door into the database, and where "exactly once" is kept.

    results | known | decide | apply | next poll | log        all in the caller's one transaction

Entries, validators, hashes and the schedule of a source move together or not at all, so a crash
at any moment leaves a source as it was before the poll, and the poll is simply made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.ingest import document, stories
from aggregator.ingest.source_update import Context, Ingested, SourceUpdate, waiting_reason
from aggregator.models.config import Source
from aggregator.models.poll import (
    Failed,
    FailureKind,
    NextPoll,
    ParsedDocument,
    PollResult,
    Request,
    Unchanged,
    Validators,
)
from aggregator.models.urls import origin_of
from aggregator.policy import schedule
from aggregator.policy.masking import masker
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, poll_log, poll_plan, poll_requests, sources
from aggregator.store.sources.poll_requests import Target
from aggregator.store.sources.sources import SourceChanges, SourceState
from aggregator.store.websub import inbox, subscriptions

WELL = frozenset({"new", "fine", "slow"})
"""States without an open incident."""


def requests(db: Connection, due: Sequence[str], context: Context) -> list[Request]:
    """Return the request for each source that is due."""
    found = poll_requests.get_many(db, due)
    pairs = [(found.get(source_id), context.sources.get(source_id)) for source_id in due]
    return [_request(db, target, source, context) for target, source in pairs if target and source]


def _request(db: Connection, target: Target, source: Source, context: Context) -> Request:
    if target.fill_url:
        return Request(
            source_id=target.source_id,
            url=target.fill_url,
            headers=source.headers if _same_origin(target.fill_url, target.configured_url) else {},
            limits=context.config.defaults.limits,
            discover=False,
            archive=True,
        )
    # A database that lost its entries, by a restore or by hand, must not be told "unchanged".
    lost = target.had_entries and not entries.has_any(db, target.source_id)
    is_known = bool(target.body_hash) and not lost
    return Request(
        source_id=target.source_id,
        url=target.url,
        validators=target.validators if is_known else Validators(),
        validators_url=target.validators_url if is_known else "",
        body_hash=b"" if lost else target.body_hash,
        item_hashes=b"" if lost else target.item_hashes,
        headers=source.headers if _same_origin(target.url, target.configured_url) else {},
        limits=context.config.defaults.limits,
        discover=not target.is_discovered,
    )


def ingest(db: Connection, results: Sequence[PollResult], context: Context) -> list[Ingested]:
    """Store what polls brought, inside the caller's transaction.

    A source that the database no longer knows is passed over, and so is a poll that was cancelled:
    it is due again as if it had never begun.
    """
    results = [_without_secrets(result, context.config.secrets) for result in results]
    named = [result.source_id for result in results]
    states, pushing = sources.get_many(db, named), subscriptions.pushing(db, named, context.now)
    done: list[Ingested] = []
    writer = BatchWriter(db)
    indexed, met = entries.last_id(db), set[str]()
    for number, result in enumerate(results):
        state, outcome = states.get(result.source_id), result.outcome
        if state is None:
            continue
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.CANCELLED:
            continue
        if state.id in met:  # a push and a poll
            indexed = entries.index_new(db, indexed)
            writer.write()
        met.add(state.id)
        if result.push:
            done.append(_pushed(db, state, result, context))
            continue
        poll = SourceUpdate(db, state, result, context, pushing.get(state.id))
        if poll.is_limited:  # it asks what its host answered before
            writer.write()
        done.append(poll.store())
        writer.add(poll, done[-1])
        if poll.gate:  # of which the results that follow must know
            writer.write()
            _gate(db, state, *poll.gate, context)
            states |= sources.get_many(db, [later.source_id for later in results[number + 1 :]])
    writer.write()
    entries.index_new(db, indexed)
    stories.follow(db, [new for one in done for new in one.new], context.now)
    if done:
        change_log.bump(db, _scopes(done, states), context.now)
    return done


def _without_secrets(result: PollResult, secrets: frozenset[str]) -> PollResult:
    """Mask secrets in the detail of a failure, which is stored and shown."""
    failed = result.outcome
    if not (secrets and isinstance(failed, Failed)):
        return result
    detail = masker(secrets).text(failed.detail)
    return replace(result, outcome=replace(failed, detail=detail))


def _scopes(done: Sequence[Ingested], states: Mapping[str, SourceState]) -> set[str]:
    scopes = {change_log.STATUS}
    for ingested in done:
        if ingested.touched:
            scopes |= {change_log.ALL, change_log.source_scope(ingested.source_id)}
            scopes |= {change_log.section_scope(s) for s in states[ingested.source_id].sections}
    return scopes


def _pushed(db: Connection, state: SourceState, result: PollResult, context: Context) -> Ingested:
    """Store what a hub pushed. Of the source's server it tells nothing, so the plan stays."""
    outcome, now = result.outcome, context.now
    inbox.take(db, result.push, state.id)
    found = document.DocumentChanges()
    if isinstance(outcome, ParsedDocument) and state.configured:
        found = document.ingest_document(
            db,
            state,
            outcome,
            rulebook=context.rulebook,
            now=now,
            base_url=context.config.site.base_url,
            pushed=True,
        )
        changes: SourceChanges = {"entries": state.entries + len(found.new)}
        if found.new or found.changed:
            changes |= {"last_change": now, "newest": None}  # the next poll computes it
        if found.quarantine and state.health != "quarantined":
            changes |= {"health": "quarantined", "health_since": now, "error": found.quarantine}
            incidents.open(db, state.id, "quarantined", found.quarantine, now)
        sources.update(db, state.id, changes)
        poll_log.add_push(
            db, state.id, now, len(found.new), len(found.changed), outcome.transfer.received
        )
    elif isinstance(outcome, Failed) and _is_rested(state, context):
        poll_plan.poll_now(db, state.id, now, "the hub pushed a document that can't be read")
    return Ingested(
        source_id=state.id,
        title=state.title,
        result="pushed" if isinstance(outcome, ParsedDocument) else "push_unread",
        new=tuple(found.new),
        changed=tuple(found.changed),
        detail=outcome.detail if isinstance(outcome, Failed) else "",
        touched=bool(found.touched or found.new),
        next_poll=NextPoll(at=state.next_poll, reason=state.next_poll_reason),
    )


def _is_rested(state: SourceState, context: Context) -> bool:
    """Whether a source may be polled again for no reason of its own."""
    least = context.config.defaults.minimum
    return state.last_poll is None or context.now - state.last_poll >= least


class BatchWriter:
    """What polls mean for sources, hosts and logs, kept until it is written for all at once."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._spacings = poll_log.spacings(db)
        self._changes: dict[str, SourceChanges] = {}
        self._host_requests: list[poll_log.HostRequest] = []
        self._polls: list[tuple[poll_log.PollRow, int, int]] = []

    def add(self, poll: SourceUpdate, ingested: Ingested) -> None:
        """Take what was found of a poll."""
        saved = _saved(poll)
        self._changes[poll.state.id] = poll.changes
        self._host_requests.append(self._host_request(poll, saved))
        self._polls.append((_log_row(poll, ingested), poll.state.polls, saved))

    def write(self) -> None:
        """Write all that was taken since the last time."""
        sources.update_many(self._db, self._changes)
        poll_log.count_hosts(self._db, self._host_requests)
        poll_log.add(self._db, self._polls)
        self._changes, self._host_requests, self._polls = {}, [], []

    def _host_request(self, poll: SourceUpdate, saved: int) -> poll_log.HostRequest:
        """Return the line for the host's ledger; what it says of its spacing is remembered."""
        state, transfer, limited = poll.state, poll.transfer, poll.is_limited
        had = bool(state.validators.etag or state.validators.last_modified)
        spacing = self._spacings.get(state.host, 0.0)
        if limited or spacing:
            self._spacings[state.host] = schedule.host_spacing(spacing, limited=limited)
        return poll_log.HostRequest(
            host=state.host,
            not_modified=transfer.status == 304,
            received=transfer.received,
            saved=saved,
            unconditional=had
            and not poll.result.archive
            and not transfer.conditional
            and transfer.status == 200,
            early=_is_early(poll),
            failed=isinstance(poll.result.outcome, Failed),
            spacing=self._spacings.get(state.host),
            limited=limited and transfer.freshness.retry_after is not None,
            gate_until=poll.changes.get("gate_until"),
        )


def _gate(
    db: Connection, state: SourceState, until: datetime, reason: str, context: Context
) -> None:
    """Let all sources of an origin wait, and open an incident for each that waits for long."""
    gated = poll_plan.gate_origin(db, state, context.now, until, reason)
    for source in sources.get_many(db, gated).values():
        waiting = waiting_reason(context.sources.get(source.id), context, until)
        if waiting and source.health in WELL:
            sources.update(db, source.id, {"health": "waiting", "health_since": context.now})
            incidents.open(db, source.id, "waiting", waiting, context.now)


def _log_row(poll: SourceUpdate, ingested: Ingested) -> poll_log.PollRow:
    return poll_log.PollRow(
        source_id=poll.state.id,
        at=poll.now,
        outcome=ingested.result,
        status=poll.transfer.status,
        milliseconds=round(poll.transfer.seconds * 1000),
        bytes=poll.transfer.received,
        conditional=poll.transfer.conditional,
        new=len(poll.found.new),
        changed=len(poll.found.changed),
        detail=ingested.detail or poll.found.quarantine,
        next_poll=ingested.next_poll.at,
        reason=ingested.next_poll.reason,
    )


def _saved(poll: SourceUpdate) -> int:
    """Return the bytes that a 304 saved: what the source's last full answer weighed more."""
    if not isinstance(poll.result.outcome, Unchanged) or poll.result.outcome.equal_body:
        return 0
    return max(poll.state.body_bytes - poll.transfer.received, 0)


def _is_early(poll: SourceUpdate) -> bool:
    """Whether a poll began between the moment a Retry-After was given and the one it names."""
    given, until = poll.state.gate_from, poll.state.gate_until
    if given is None or until is None:
        return False
    return given <= poll.now - timedelta(seconds=poll.transfer.seconds) < until


def _same_origin(first: str, second: str) -> bool:
    """Whether two URLs are of one scheme, host and port, so that one may have the other's secrets.

    As with a redirect: a source's headers were meant for its configured address.
    """
    return first == second or origin_of(first) == origin_of(second) != ""
