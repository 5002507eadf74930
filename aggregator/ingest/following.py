"""Further documents of a source without a feed: next pages, and the sitemaps of an index.

Each is a poll of its own, with the limits of its host. They are fetched one after the other; the
queue is in `SourceState.fill_url`, with a blank between two URLs, and `fill_left` counts down.
"""

from collections.abc import Mapping

from aggregator.ingest.document_changes import DocumentChanges
from aggregator.models.listing import Listing, SitemapListing
from aggregator.models.poll import Failed, ParsedDocument, PollOutcome
from aggregator.store.sources.sources import SourceChanges, SourceState

INCIDENT_POLLS = 3
"""Polls in a row in which a selector finds nothing, from which that is an incident."""


def first(queue: str) -> str:
    """Return the URL to fetch next."""
    return queue.partition(" ")[0]


def after_document(listing: Listing, document: ParsedDocument) -> SourceChanges:
    """Return the step after the source's own document, {} if nothing follows."""
    most = len(document.following) if isinstance(listing, SitemapListing) else listing.pages - 1
    return _queue(document.following, most)


def after_following(
    listing: Listing, state: SourceState, ingested: DocumentChanges, outcome: PollOutcome
) -> tuple[SourceChanges, str]:
    """Return the step after a further document, and the incident to note, "" for none.

    A next page is followed by another while all entries on it are new.
    """
    rest = tuple(state.fill_url.split()[1:])
    if isinstance(outcome, ParsedDocument) and not ingested.known:
        rest += () if isinstance(listing, SitemapListing) else outcome.following
    message = ""
    if isinstance(outcome, Failed):
        message = f"could not fetch further entries: {outcome.detail}"
    return _queue(rest, state.fill_left - 1) or {"fill_url": "", "fill_left": 0}, message


def _queue(urls: tuple[str, ...], most: int) -> SourceChanges:
    queued = urls[: max(most, 0)]
    return {"fill_url": " ".join(queued), "fill_left": most} if queued else {}


def count_unmatched(
    before: tuple[tuple[str, int], ...], now: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    """Return the selectors that find nothing, with the number of polls up to `INCIDENT_POLLS`."""
    known: Mapping[str, int] = dict(before)
    return tuple((selector, min(known.get(selector, 0) + 1, INCIDENT_POLLS)) for selector, _ in now)


def unmatched_message(before: tuple[tuple[str, int], ...], now: tuple[tuple[str, int], ...]) -> str:
    """Return the incident to note: selectors that have just reached `INCIDENT_POLLS`."""
    new = [pair[0] for pair in now if pair[1] == INCIDENT_POLLS and pair not in before]
    if not new:
        return ""
    named = ", ".join(f"`{selector}`" for selector in new)
    return f"found nothing in {INCIDENT_POLLS} polls: {named}; correct the selectors"
