"""Poll results stored, each exactly once: the only way of entries into the database.

    results | known | decide | apply | next poll | log        all in the caller's transaction

Entries, validators, hashes and the plan of a source are stored together or not at all. After a
crash, a source is as it was before the poll, and the poll is repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from aggregator.ingest import following, network, page_fetches, push
from aggregator.ingest.batch_writer import BatchWriter
from aggregator.ingest.source_update import Context, Ingested, SourceUpdate, waiting_reason
from aggregator.models.config import Source
from aggregator.models.listing import is_page, key_of
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Hop,
    PageResult,
    ParsedDocument,
    PollResult,
    Request,
    Result,
    Validators,
)
from aggregator.models.urls import host_of, origin_of
from aggregator.parse import robots as robots_txt
from aggregator.policy.masking import masker
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, search_index
from aggregator.store.sources import incidents, poll_plan, poll_requests, robots, sources
from aggregator.store.sources.poll_requests import PollTarget
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions

WELL = frozenset({"new", "fine", "retrying", "slow"})
"""States of health without an open incident."""


def requests(
    db: Connection,
    due: Sequence[str],
    context: Context,
    hops: Mapping[str, tuple[Hop, ...]] = MappingProxyType({}),
) -> list[Request]:
    """Return the request for each source that is due.

    For a source that is a page, that is the request for its robots.txt where this is due, and one
    with a failure in place of a document where it forbids the page.

    Args:
        hops: Redirects that led pages to another host, by source.
    """
    targets = poll_requests.get_many(db, due)
    pairs = [(targets.get(source_id), context.sources.get(source_id)) for source_id in due]
    return [
        _by_robots(db, _request(target, source, context), context, hops.get(source.id, ()))
        for target, source in pairs
        if target and source
    ]


def _by_robots(
    db: Connection, request: Request, context: Context, hops: tuple[Hop, ...]
) -> Request:
    if not request.is_page:
        return request
    url = hops[-1].url if hops else request.url
    origin, host = origin_of(url), host_of(url)
    known = robots.get(db, origin)
    if known is None or known.until <= context.now:
        transport = request.transport.to(host, own=host_of(request.url))
        first = robots_txt.request_for(origin, limits=request.limits, transport=transport)
        return replace(first, source_id=request.source_id)
    refusal = robots_txt.refusal(known.rules, url)
    if refusal:
        return replace(request, document=refusal)
    return replace(request, hops=hops, hosts=frozenset({host}))


def _request(target: PollTarget, source: Source, context: Context) -> Request:
    limits = source.limits or context.config.defaults.limits
    if target.fill_url:
        url = following.first(target.fill_url)
        return Request(
            source_id=target.source_id,
            url=url,
            headers=source.headers if _same_origin(url, target.configured_url) else {},
            limits=limits,
            listing=source.listing,
            transport=source.transport,
            reading=source.reading,
            discover=False,
            archive=True,
        )
    # If the database lost its entries, by a restore or by hand, the whole feed is needed.
    lost = target.is_lost
    # The document that the validators stand for may have been read by other selectors.
    is_read = target.body_hash[1:-16] == key_of(source.listing)
    is_known = bool(target.body_hash) and is_read and not lost
    return Request(
        source_id=target.source_id,
        url=target.url,
        validators=target.validators if is_known else Validators(),
        validators_url=target.validators_url if is_known else "",
        body_hash=b"" if lost else target.body_hash,
        item_hashes=b"" if lost else target.item_hashes,
        headers=source.headers if _same_origin(target.url, target.configured_url) else {},
        limits=limits,
        listing=source.listing,
        transport=source.transport,
        reading=source.reading,
        discover=not target.is_discovered and source.listing is None,
    )


def ingest(db: Connection, results: Sequence[Result], context: Context) -> list[Ingested]:
    """Store results in the caller's transaction; return the effect of each poll.

    Results of unknown sources and cancelled requests are ignored; cancelled ones stay due.
    """
    of_pages = [result for result in results if isinstance(result, PageResult)]
    if of_pages:
        page_fetches.ingest(db, of_pages, context)
    polls = [result for result in results if isinstance(result, PollResult)]
    return _ingest_polls(db, polls, context)


def _ingest_polls(
    db: Connection, results: Sequence[PollResult], context: Context
) -> list[Ingested]:
    results = [
        _without_secrets(_allowed(db, result, context), context.config.secrets)
        for result in results
    ]
    named = [result.source_id for result in results]
    states, pushing = sources.get_many(db, named), subscriptions.pushing(db, named, context.now)
    results, done = network.excuse(db, results, states, context)
    writer = BatchWriter(db)
    indexed, seen = entries.last_id(db), set[str]()
    for number, result in enumerate(results):
        state, outcome = states.get(result.source_id), result.outcome
        if state is None:
            continue
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.CANCELLED:
            continue
        if state.id in seen:  # a push and a poll
            indexed = search_index.add_new(db, indexed)
            writer.write()
        seen.add(state.id)
        if result.push:
            done.append(push.ingest_push(db, state, result, context))
            continue
        poll = SourceUpdate(db, state, result, context, pushing.get(state.id))
        if poll.is_limited:  # it reads the earlier responses of its host
            writer.write()
        done.append(poll.store())
        writer.add(poll, done[-1])
        if poll.gate:  # the following results depend on it
            writer.write()
            _gate(db, state, *poll.gate, context)
            states |= sources.get_many(db, [later.source_id for later in results[number + 1 :]])
    writer.write()
    new = [entry_id for ingested in done for entry_id in ingested.new]
    if new:
        from aggregator.ingest import stories  # slow to import, and most polls bring no news

        search_index.add_new(db, indexed)
        stories.follow(db, new, context.now)
    if done:
        change_log.bump(db, _scopes(done, states), context.now)
    return done


def _allowed(db: Connection, result: PollResult, context: Context) -> PollResult:
    """Return a failure for a page that redirects to one that the robots.txt forbids."""
    document, source = result.outcome, context.sources.get(result.source_id)
    if not (isinstance(document, ParsedDocument) and document.transfer.hops):
        return result
    if source is None or not is_page(source.listing):
        return result
    known = robots.get(db, origin_of(document.url))
    refusal = robots_txt.refusal(known.rules, document.url) if known else None
    if refusal is None:
        return result
    return result._replace(outcome=replace(refusal, transfer=document.transfer))


def _without_secrets(result: PollResult, secrets: frozenset[str]) -> PollResult:
    """Mask secrets in the detail of a failure, which is stored and shown."""
    failed = result.outcome
    if not (secrets and isinstance(failed, Failed)):
        return result
    detail = masker(secrets).text(failed.detail)
    return result._replace(outcome=replace(failed, detail=detail))


def _scopes(done: Sequence[Ingested], states: Mapping[str, SourceState]) -> set[str]:
    scopes = {change_log.STATUS}
    for ingested in done:
        if ingested.touched:
            scopes |= {change_log.ALL, change_log.source_scope(ingested.source_id)}
            scopes |= {change_log.section_scope(s) for s in states[ingested.source_id].sections}
    return scopes


def _gate(
    db: Connection, state: SourceState, until: datetime, reason: str, context: Context
) -> None:
    """Gate all sources of an origin, and open an incident for each that waits long."""
    gated = poll_plan.gate_origin(db, state, context.now, until, reason)
    for source in sources.get_many(db, gated).values():
        waiting = waiting_reason(context.sources.get(source.id), context, until)
        if waiting and source.health in WELL:
            sources.update(db, source.id, {"health": "waiting", "health_since": context.now})
            incidents.open(db, source.id, "waiting", waiting, context.now)


def _same_origin(first: str, second: str) -> bool:
    """Return whether two URLs have one scheme, host and port.

    The headers of a source may hold secrets, which are for the origin of its configured URL.
    """
    return first == second or origin_of(first) == origin_of(second) != ""
