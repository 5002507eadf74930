"""Gaps: entries that appeared and left between two polls, fetched from the feed's archive.

A gap is a document in which nothing is left of the previous one. The feed is polled sooner from
then on, and the older parts that it links (RFC 5005) are fetched until a known entry appears.
Each function returns the changes of the source, and the incident to note, "" for none.
"""

from aggregator.ingest.document_changes import DocumentChanges
from aggregator.models.poll import Failed, ParsedDocument, PollOutcome
from aggregator.store.sources.sources import SourceChanges, SourceState

MOST_ARCHIVES = 20
"""Older parts of a feed fetched to fill one gap."""

MOST_BOOST = 4
"""Times that the interval is halved, at most."""

EASED = 3
"""Known entries per new one in a document that take one halving back."""


def after_document(
    state: SourceState, ingested: DocumentChanges, document: ParsedDocument
) -> tuple[SourceChanges, str]:
    """Return the step after the feed's own document."""
    if not ingested.gap:
        if state.gap_boost and ingested.known >= EASED * len(ingested.new):
            return {"gap_boost": state.gap_boost - 1}, ""
        return {}, ""
    changes: SourceChanges = {"gap_boost": min(state.gap_boost + 1, MOST_BOOST)}
    older = document.feed.older
    if not older or older == document.url:
        return changes, f"{ingested.gap}; the feed links no archive"
    changes |= {"fill_url": older, "fill_left": MOST_ARCHIVES}
    return changes, f"{ingested.gap}; fetching the feed's archive"


def after_archive(
    state: SourceState, ingested: DocumentChanges, outcome: PollOutcome
) -> tuple[SourceChanges, str]:
    """Return the step after an older part of the feed, fetched to fill a gap."""
    older = outcome.feed.older if isinstance(outcome, ParsedDocument) else ""
    left = state.fill_left - 1
    if not ingested.known and older and left > 0:
        return {"fill_url": older, "fill_left": left}, ""
    if ingested.known:
        message = "filled the gap from the feed's archive"
    elif isinstance(outcome, Failed):
        message = f"could not fill the gap: {outcome.detail}"
    else:
        message = "fetched the whole archive; the gap may be larger"
    return {"fill_url": ""}, message
