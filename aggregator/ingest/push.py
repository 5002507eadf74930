"""Documents that hubs pushed."""

from aggregator.ingest import pages
from aggregator.ingest.document_changes import DocumentChanges
from aggregator.ingest.source_update import Context, Ingested
from aggregator.models.config import Content
from aggregator.models.poll import Failed, NextPoll, ParsedDocument, PollResult
from aggregator.store.database.connection import Connection
from aggregator.store.sources import incidents, poll_log, poll_plan, sources
from aggregator.store.sources.sources import SourceChanges, SourceState
from aggregator.store.websub import inbox


def ingest_push(
    db: Connection, state: SourceState, result: PollResult, context: Context
) -> Ingested:
    """Store a pushed document; the plan of the source stays, as its server was not asked."""
    outcome, now = result.outcome, context.now
    inbox.take(db, result.push, state.id)
    changes = DocumentChanges()
    if isinstance(outcome, ParsedDocument) and state.configured:
        changes = _store(db, state, outcome, context)
    elif isinstance(outcome, Failed) and _may_poll(state, context):
        poll_plan.poll_now(db, state.id, now, "the hub pushed a document that can't be read")
    return Ingested(
        source_id=state.id,
        title=state.title,
        result="pushed" if isinstance(outcome, ParsedDocument) else "push_unread",
        new=tuple(changes.new),
        changed=tuple(changes.changed),
        detail=outcome.detail if isinstance(outcome, Failed) else "",
        touched=bool(changes.touched or changes.new),
        next_poll=NextPoll(at=state.next_poll, reason=state.next_poll_reason),
    )


def _store(
    db: Connection, state: SourceState, parsed: ParsedDocument, context: Context
) -> DocumentChanges:
    from aggregator.ingest import document  # slow to import

    now, configured = context.now, context.sources.get(state.id)
    changes = document.ingest_document(
        db,
        state,
        parsed,
        rulebook=context.rulebook,
        now=now,
        content=configured.content if configured else Content.FEED,
        pushed=True,
    )
    pages.enqueue(db, configured, changes, now)
    source: SourceChanges = {
        "entries": state.entries + len(changes.new),
        "link_parameters": changes.link_parameters,
    }
    if changes.new or changes.changed:
        source |= {"last_change": now, "newest": None}  # the next poll computes it
    if changes.quarantine and state.health != "quarantined":
        source |= {"health": "quarantined", "health_since": now, "error": changes.quarantine}
        incidents.open(db, state.id, "quarantined", changes.quarantine, now)
    sources.update(db, state.id, source)
    poll_log.add_push(
        db, state.id, now, len(changes.new), len(changes.changed), parsed.transfer.received
    )
    return changes


def _may_poll(state: SourceState, context: Context) -> bool:
    """Return whether the last poll is at least the minimum interval ago."""
    least = context.config.defaults.minimum
    return state.last_poll is None or context.now - state.last_poll >= least
