"""The pages of entries, fetched for their text: requested, and stored exactly once.

    queue | robots.txt | request || text | rules | incident

The text of the page replaces that of the feed when it comes, if it is longer. That is no
correction: the entry keeps its `updated` and gets no earlier version. Its fingerprint stays that of
the feed's text, so that the next poll compares the feed with itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import assert_never

from aggregator.ingest import retractions
from aggregator.ingest.source_update import LIMITED, Context
from aggregator.models.config import Source
from aggregator.models.page import PageTask, RobotsTask
from aggregator.models.poll import (
    Failed,
    FailureKind,
    PageOutcome,
    PageResult,
    PageText,
    Request,
    RobotsFile,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.models.urls import host_of, origin_of
from aggregator.parse import robots as robots_txt
from aggregator.policy import pages as policy
from aggregator.policy import schedule
from aggregator.policy.masking import masker
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, page_queue
from aggregator.store.entries.page_queue import QueuedPage
from aggregator.store.sources import incidents, poll_log, robots, sources

LARGEST = 5_000_000
"""Bytes of a page, decompressed, where `limits.body` allows more."""

ROBOTS_KEPT = timedelta(hours=24)
ROBOTS_RETRY = timedelta(hours=1)
"""When a robots.txt is fetched again: after a response, and without one (RFC 9309 §2.4)."""

INCIDENT = "unreadable"


# --- requests --------------------------------------------------------------------------------


@dataclass(slots=True)
class Taken:
    """Due pages: requests to send, and results that need none, with their hosts."""

    requests: list[Request] = field(default_factory=list)
    results: list[tuple[PageResult, str]] = field(default_factory=list)


def take(db: Connection, context: Context, *, busy: Collection[str], room: int) -> Taken:
    """Return the requests for due pages, one per host; a robots.txt first where it is due.

    Args:
        busy: Hosts with a page in flight.
        room: The most pages to take.
    """
    taken = Taken()
    for page in page_queue.due(db, context.now, busy=busy, limit=room):
        source = context.sources.get(page.source_id)
        if source is None:
            continue
        request = _request(db, page, source, context)
        if isinstance(request, Request):
            taken.requests.append(request)
        else:
            taken.results.append((request, page.host))
    return taken


def _request(
    db: Connection, page: QueuedPage, source: Source, context: Context
) -> Request | PageResult:
    stored = entries.get(db, page.entry_id)
    title = stored.entry.title if stored else ""
    task = PageTask(entry_id=page.entry_id, title=title, rules=source.page_rules)
    text = _text_of_other_entry(db, page, source, context)
    if text:
        return PageResult(task=task, outcome=text)
    origin = origin_of(page.url)
    known = robots.get(db, origin)
    limits = source.limits or context.config.defaults.limits
    transport = source.transport.to(host_of(page.url), own=host_of(source.url))
    if known is None or known.until <= context.now:
        return robots_txt.request_for(origin, limits=limits, transport=transport)
    refusal = robots_txt.refusal(known.rules, page.url)
    if refusal:
        return PageResult(task=task, outcome=refusal)
    is_known = page.outcome == "page"
    return Request(
        source_id=page.source_id,
        url=page.url,
        validators=page.validators if is_known else Validators(),
        validators_url=page.validators_url if is_known else "",
        headers=source.headers if origin == origin_of(source.url) else {},
        limits=replace(limits, body=min(limits.body, LARGEST)),
        transport=transport,
        reading=source.reading,
        discover=False,
        hosts=frozenset({page.host}),  # another host has a robots.txt of its own
        task=task,
    )


def _text_of_other_entry(
    db: Connection, page: QueuedPage, source: Source, context: Context
) -> PageText | None:
    """Return the text of a page that was fetched for another entry, None if none was."""
    twin = page_queue.find_fetched(db, page)
    owner = context.sources.get(twin.source_id) if twin else None
    if twin is None or owner is None or owner.page_rules != source.page_rules:
        return None
    if owner.reading != source.reading:
        return None
    if page.outcome:  # the feed changed it since
        return None
    stored = entries.get(db, twin.entry_id)
    if stored is None or stored.entry.text_from != "page":
        return None
    entry = stored.entry
    return PageText(
        url=twin.url,
        content=entry.content,
        text=entry.text,
        summary=entry.summary,
        image=entry.image,
        authors=entry.authors,
        published=entry.published,
    )


# --- results ---------------------------------------------------------------------------------


def ingest(db: Connection, results: Sequence[PageResult], context: Context) -> None:
    """Store the results of `take`, in the caller's transaction."""
    for result in results:
        outcome = _without_secrets(result.outcome, context)
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.CANCELLED:
            continue
        if isinstance(result.task, RobotsTask):
            _count_host(db, host_of(result.task.origin), outcome, context)
            _ingest_robots(db, result.task.origin, outcome, context)
        else:
            page = page_queue.get(db, result.task.entry_id)
            if page is not None:  # else the entry expired meanwhile
                _count_host(db, page.host, outcome, context)
                _ingest_page(db, page, outcome, context)


def _without_secrets(outcome: PageOutcome, context: Context) -> PageOutcome:
    if not isinstance(outcome, Failed):
        return outcome
    return replace(outcome, detail=masker(context.config.secrets).text(outcome.detail))


def _ingest_robots(db: Connection, origin: str, outcome: PageOutcome, context: Context) -> None:
    rules = robots_txt.rules_of(outcome)
    wait = ROBOTS_RETRY if rules is None else ROBOTS_KEPT
    robots.put(db, origin, rules, context.now + wait)


def _ingest_page(db: Connection, page: QueuedPage, outcome: PageOutcome, context: Context) -> None:
    match outcome:
        case PageText():
            kind = _store_text(db, page, outcome, context)
            detail = {
                "shorter": "the page's text is not longer than the feed's",
                "robots": "the site's robots.txt forbids the page that it redirects to",
            }.get(kind, "")
            validators, url = outcome.validators, outcome.url
            _settle(db, page, kind, detail, context, validators if kind == "page" else None, url)
        case Unchanged():
            _settle(db, page, page.outcome, "", context)
        case Failed(kind=FailureKind.ELSEWHERE):
            _follow(db, page, outcome, context)
        case Failed():
            delay = policy.retry_delay(outcome, page.attempts, context.random())
            if delay is None:
                _settle(db, page, str(outcome.kind), outcome.detail, context)
            else:
                page_queue.postpone(db, page.entry_id, context.now + delay, outcome.detail)
        case RobotsFile():
            raise TypeError("a robots.txt in place of a page")
        case _:
            assert_never(outcome)


def _follow(db: Connection, page: QueuedPage, outcome: Failed, context: Context) -> None:
    """Fetch a page from another host, to which it was redirected, by that host's robots.txt."""
    if page.moves >= policy.MOST_MOVES:
        detail = f"{page.url}: redirects to a different host each time"
        _settle(db, page, str(FailureKind.REDIRECTS), detail, context)
    else:
        url = outcome.transfer.hops[-1].url
        page_queue.move(db, page.entry_id, url, host_of(url))


def _store_text(db: Connection, page: QueuedPage, text: PageText, context: Context) -> str:
    """Store a page's text; return the outcome."""
    known = robots.get(db, origin_of(text.url))
    if known and known.rules is not None and not robots_txt.allows(known.rules, text.url):
        return "robots"
    if len(text.text) <= page.feed_length:
        return "shorter"
    [stored] = entries.get_for_ruling(db, [page.entry_id])
    before = stored.entry
    published = before.published or text.published
    entry = replace(
        before,
        content=text.content,
        text=text.text,
        summary=before.summary or text.summary,
        image=before.image or text.image,
        authors=before.authors or text.authors,
        published=published,
        text_from="page",
        edits=(*(each for each in before.edits if each.startswith("title")), *text.edits),
    )
    if entry == before:
        return "page"
    entries.put_page_text(
        db, stored.id, entry, sort_at=min(published or stored.sort_at, stored.sort_at)
    )
    state = sources.get(db, stored.source_id)
    sections = state.sections if state else ()
    [stored] = entries.get_for_ruling(db, [page.entry_id])
    retractions.apply_rules(db, stored, context.rulebook, sections, context.now)
    shown_in = {*sections, *(stored.ruling.sections or ())}
    scopes = [change_log.ALL, change_log.STATUS, change_log.source_scope(stored.source_id)]
    change_log.bump(db, scopes + [change_log.section_scope(s) for s in shown_in], context.now)
    return "page"


def _settle(
    db: Connection,
    page: QueuedPage,
    outcome: str,
    detail: str,
    context: Context,
    validators: Validators | None = None,
    url: str = "",
) -> None:
    page_queue.settle(
        db,
        page.entry_id,
        outcome=outcome,
        detail=detail,
        now=context.now,
        validators=validators,
        validators_url=url,
    )
    latest = page_queue.latest_outcomes(db, page.source_id, policy.FAILED_PAGES)
    if policy.is_unreadable(latest, page_queue.GOOD):
        detail = f"the last {len(latest)} pages of its entries gave no text: {detail}"
        incidents.open(db, page.source_id, INCIDENT, detail, context.now)
    elif outcome in page_queue.GOOD:
        incidents.close_kind(db, page.source_id, INCIDENT, context.now)


# --- hosts -----------------------------------------------------------------------------------


def _count_host(db: Connection, host: str, outcome: PageOutcome, context: Context) -> None:
    """Add a request to the sums of its host; no page is fetched before the time it names."""
    transfer = outcome.transfer
    if transfer == Transfer():
        return  # not requested
    wait = transfer.freshness.retry_after
    is_limited = transfer.status in LIMITED and not transfer.hops
    until = context.now + wait if is_limited and wait is not None else None
    spacing = poll_log.spacings(db).get(host, 0.0)
    is_spaced = is_limited or spacing
    request = poll_log.HostRequest(
        host=host,
        not_modified=transfer.status == 304,
        received=transfer.received,
        saved=0,
        unconditional=False,
        early=False,
        failed=isinstance(outcome, Failed) and outcome.kind is not FailureKind.ELSEWHERE,
        spacing=schedule.host_spacing(spacing, limited=is_limited) if is_spaced else None,
        limited=is_limited and wait is not None,
        gate_until=until,
    )
    poll_log.count_hosts(db, [request])
