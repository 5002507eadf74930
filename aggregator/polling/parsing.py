"""The stages of a poll that run in a parser process: parse and clean documents."""

from collections.abc import Sequence
from datetime import datetime

from aggregator.clean import edits
from aggregator.clean import entry as entry_cleaner
from aggregator.clean import feed as feed_cleaner
from aggregator.models.config import PLAIN_READING
from aggregator.models.entry import Entry
from aggregator.models.listing import Listing
from aggregator.models.page import PageTask
from aggregator.models.poll import (
    Failed,
    FailureKind,
    PageResult,
    ParsedDocument,
    PollResult,
    Result,
)
from aggregator.parse import dates, discover, document
from aggregator.parse.decode import NotAFeed
from aggregator.polling import stages

MOST_NAMED = 5
"""Other feeds of a page that the message about it names."""


def parse_documents(bodies: Sequence[stages.Body], now: datetime) -> list[Result]:
    """Parse and clean documents; a document that breaks the parser fails alone."""
    results: list[Result] = []
    for body in bodies:
        task = body.request.task
        try:
            if isinstance(task, PageTask):
                results.append(_read_page(body, task, now))
            else:
                results.append(_parse(body, now))
        except Exception as error:  # noqa: BLE001, the one barrier: parsers raise anything
            results.append(
                stages.parse_failure(body, f"the parser failed ({type(error).__name__}: {error})")
            )
    return results


def _read_page(body: stages.Body, task: PageTask, now: datetime) -> Result:
    # Costly to import, and needed only with `content: full`.
    from aggregator.clean import article as article_cleaner
    from aggregator.parse import article

    fetched = body.fetched
    try:
        parsed = article.read(
            fetched.body,
            content_type=fetched.content_type,
            url=fetched.url,
            rules=task.rules,
            title=task.title,
        )
    except article.NotAPage as error:
        return stages.parse_failure(body, str(error))
    cleaned = article_cleaner.clean(parsed, fetched, now=now)
    transforms = body.request.reading.transforms
    return PageResult(task=task, outcome=article_cleaner.transformed(cleaned, transforms))


def _parse(body: stages.Body, now: datetime) -> Result:
    request, fetched = body.request, body.fetched
    if request.propose:
        return _propose(body, now)
    if request.listing:
        return _parse_listing(body, request.listing, now)
    try:
        with dates.bare_dates_in(request.reading.timezone):
            changes = document.parse_changes(
                fetched.body,
                content_type=fetched.content_type,
                url=fetched.url,
                known=_known_items(body),
            )
    except NotAFeed as error:
        return _not_a_feed(body, f"{fetched.url}: {str(error).rstrip('.')}.")
    return _clean(body, changes, now, header_links=fetched.links)


def _propose(body: stages.Body, now: datetime) -> Result:
    from aggregator.parse.listings.propose import propose

    fetched = body.fetched
    proposed = propose(fetched.body, content_type=fetched.content_type, url=fetched.url, now=now)
    failed = Failed(kind=FailureKind.NOT_A_FEED, detail="no feed", transfer=fetched.transfer)
    return stages.result_of(body.request, failed)._replace(proposed=proposed)


def _parse_listing(body: stages.Body, listing: Listing, now: datetime) -> Result:
    # Few sources have one, and the libraries that it takes are not loaded for the others.
    from aggregator.parse.listings import document as listings

    fetched = body.fetched
    try:
        with dates.bare_dates_in(body.request.reading.timezone):
            changes = listings.parse_changes(
                fetched.body,
                content_type=fetched.content_type,
                url=fetched.url,
                listing=listing,
                known=_known_items(body),
                now=now,
            )
    except listings.NoEntries as error:
        detail = f"{fetched.url}: {error}. Correct it, or see `aggregator doctor URL --page`."
        failed = Failed(kind=FailureKind.NO_ENTRIES, detail=detail, transfer=fetched.transfer)
        return stages.result_of(body.request, failed)
    except NotAFeed as error:
        return _not_a_feed(body, f"{fetched.url}: {str(error).rstrip('.')}.")
    return _clean(body, changes, now)


def _clean(
    body: stages.Body,
    changes: document.Changes,
    now: datetime,
    *,
    header_links: Sequence[tuple[str, str]] = (),
) -> PollResult:
    request, fetched, reading = body.request, body.fetched, body.request.reading
    changes = document.first_items(changes, reading.items)
    parsed = changes.feed
    feed = feed_cleaner.clean(parsed, url=fetched.url, header_links=header_links)
    base = feed.link or fetched.url
    cleaned = [
        entry_cleaner.clean(entry, base=base, now=now, language=feed.language)
        for entry in parsed.entries
    ]
    entries: list[Entry] = [entry for entry in cleaned if not entry_cleaner.is_empty(entry)]
    if reading != PLAIN_READING:
        entries = [edits.apply(entry, reading, feed=feed.title) for entry in entries]
    parsed_document = ParsedDocument(
        url=fetched.url,
        feed=feed,
        entries=tuple(entries),
        body_hash=b"" if fetched.partial else body.body_hash,
        item_hashes=b"" if fetched.partial else changes.item_hashes,
        whole=not fetched.partial,
        following=changes.following,
        validators=fetched.validators,
        transfer=fetched.transfer,
    )
    return stages.result_of(request, parsed_document)


def _known_items(body: stages.Body) -> bytes:
    """Return the hashes of the items that this version of the reader need not read."""
    reader = stages.reader_of(body.request)
    is_read = body.request.body_hash.startswith(reader) and not body.fetched.partial
    return body.request.item_hashes if is_read else b""


def _not_a_feed(body: stages.Body, detail: str) -> Result:
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
    return stages.result_of(request, failed, discovered=feed_url)
