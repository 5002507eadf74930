"""One poll without the database, so that it can run in a child process or on another machine.

    request | fetch | gates | parse | clean | result

Three gates skip the parser: a 304, a body equal to the last one, and items whose bytes are
known. `parse_documents` parses the rest. Its input is untrusted, so it runs in a process that may
be killed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import xxhash

from aggregator.clean import entry as entry_cleaner
from aggregator.clean import feed as feed_cleaner
from aggregator.models.entry import Entry
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    NotModified,
    ParsedDocument,
    PollOutcome,
    PollResult,
    Request,
    Unchanged,
)
from aggregator.parse import discover, document
from aggregator.parse.decode import NotAFeed

READER_VERSION = b"2"
"""First byte of body hashes. Raise it when reading or cleaning improves: a document that an
earlier version read is then read once more, with all of its items."""


MOST_NAMED = 5
"""Other feeds of a page that the message about it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A document that passed the first two gates and is ready to parse."""

    request: Request
    fetched: Fetched
    body_hash: bytes


def check_fetch(request: Request, outcome: FetchOutcome) -> PollResult | Body:
    """Apply the gates that need no parser: 304 Not Modified and an equal body."""
    match outcome:
        case Failed():
            return result_of(request, outcome)
        case NotModified():
            unchanged = Unchanged(
                url=outcome.url, validators=outcome.validators, transfer=outcome.transfer
            )
            return result_of(request, unchanged)
        case Fetched():
            body_hash = READER_VERSION + xxhash.xxh3_128_digest(outcome.body)
            if body_hash != request.body_hash or outcome.partial:
                return Body(request=request, fetched=outcome, body_hash=body_hash)
            unchanged = Unchanged(
                url=outcome.url,
                validators=outcome.validators,
                transfer=outcome.transfer,
                equal_body=True,
            )
            return result_of(request, unchanged)


def result_of(request: Request, outcome: PollOutcome, *, discovered: str = "") -> PollResult:
    """Return the result of a request."""
    return PollResult(
        source_id=request.source_id,
        outcome=outcome,
        discovered=discovered,
        archive=request.archive,
        push=request.push,
    )


def parse_documents(bodies: Sequence[Body], now: datetime) -> list[PollResult]:
    """Parse and clean documents; a document that breaks the parser fails alone."""
    results = []
    for body in bodies:
        try:
            results.append(_parse(body, now))
        except Exception as error:  # noqa: BLE001, the one barrier: parsers raise anything
            results.append(
                parse_failure(body, f"the parser failed ({type(error).__name__}: {error})")
            )
    return results


def parse_failure(body: Body, reason: str) -> PollResult:
    """Return the result for a document that could not be parsed."""
    failed = Failed(
        kind=FailureKind.PARSE,
        detail=f"{body.fetched.url}: {reason}. Stored entries are kept; tell the publisher.",
        transfer=body.fetched.transfer,
    )
    return result_of(body.request, failed)


def storage_failure(result: PollResult) -> PollResult:
    """Return the failure to store in place of a result that a bug of ours can't store."""
    failed = Failed(
        kind=FailureKind.PARSE,
        detail="the result could not be stored; the log has the traceback, please report it",
        transfer=result.outcome.transfer,
    )
    return replace(result, outcome=failed)


def _parse(body: Body, now: datetime) -> PollResult:
    request, fetched = body.request, body.fetched
    try:
        changes = document.parse_changes(
            fetched.body,
            content_type=fetched.content_type,
            url=fetched.url,
            known=_known_items(body),
        )
    except NotAFeed as error:
        return _not_a_feed(body, f"{fetched.url}: {str(error).rstrip('.')}.")
    parsed = changes.feed
    feed = feed_cleaner.clean(parsed, url=fetched.url, header_links=fetched.links)
    base = feed.link or fetched.url
    cleaned = [
        entry_cleaner.clean(entry, base=base, now=now, language=feed.language)
        for entry in parsed.entries
    ]
    entries: list[Entry] = [entry for entry in cleaned if not entry_cleaner.is_empty(entry)]
    parsed_document = ParsedDocument(
        url=fetched.url,
        feed=feed,
        entries=tuple(entries),
        body_hash=b"" if fetched.partial else body.body_hash,
        item_hashes=b"" if fetched.partial else changes.item_hashes,
        whole=not fetched.partial,
        validators=fetched.validators,
        transfer=fetched.transfer,
    )
    return result_of(request, parsed_document)


def _known_items(body: Body) -> bytes:
    """Return the hashes of the items that this version of the reader need not read."""
    is_read = body.request.body_hash.startswith(READER_VERSION) and not body.fetched.partial
    return body.request.item_hashes if is_read else b""


def _not_a_feed(body: Body, detail: str) -> PollResult:
    request, fetched = body.request, body.fetched
    links: tuple[discover.FeedLink, ...] = ()
    if request.discover:
        links = discover.feeds(fetched.body, url=fetched.url, content_type=fetched.content_type)
    feed_url, *others = [link.url for link in links if link.url != request.url] or [""]
    if feed_url:
        detail = f"{detail} It links to a feed, which is polled from now on: {feed_url}"
    if others:
        detail = f"{detail} Its other feeds: {', '.join(others[:MOST_NAMED])}"
    failed = Failed(kind=FailureKind.NOT_A_FEED, detail=detail, transfer=fetched.transfer)
    return result_of(request, failed, discovered=feed_url)
