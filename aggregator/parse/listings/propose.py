"""Listings for a document that is no feed, from the structures that repeat in it."""

from collections.abc import Iterator
from datetime import datetime

from aggregator.models.listing import JsonListing, Listing
from aggregator.parse import decode, jsonfeed
from aggregator.parse.decode import NotAFeed
from aggregator.parse.listings import document, html, propose_json, propose_page
from aggregator.parse.listings import json as json_listing
from aggregator.parse.listings.html import Element
from aggregator.parse.page import base_of

MOST_PROPOSED = 5
"""Listings that are proposed for one document."""

WORST = 0.3
"""Share of the best score that a listing must have."""

_JSON_TYPES = ("application/json", "application/ld+json")
SMALLEST_SCRIPT = 200
"""Characters of a script that is searched for JSON."""


def propose(body: bytes, *, content_type: str, url: str, now: datetime) -> tuple[Listing, ...]:
    """Return listings for a document that find entries in it, the best first; never raises.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent.
        url: Where it came from.
        now: The time of the poll, for relative dates.
    """
    try:
        found = sorted(_found(body, content_type, url, now), key=lambda each: -each[0])
    except (NotAFeed, RecursionError):
        return ()
    good = (
        listing
        for score, listing in found[: 3 * MOST_PROPOSED]
        if score >= WORST * found[0][0] and _finds_entries(body, content_type, url, listing, now)
    )
    return tuple(listing for _, listing in zip(range(MOST_PROPOSED), good, strict=False))


def _found(
    body: bytes, content_type: str, url: str, now: datetime
) -> Iterator[tuple[float, Listing]]:
    if jsonfeed.is_meant(body, content_type) or body.lstrip()[:1] == b"[":
        text = decode.text(body, content_type, [])
        yield from propose_json.propose(json_listing.load(text), "", now)
        return
    page = html.tree(body, content_type, [])
    yield from propose_page.propose(page, base_of(page, url), now)
    for selector, text in _scripts(page):
        for value in json_listing.embedded([text]):
            yield from propose_json.propose(value, selector, now)


def _scripts(page: Element) -> Iterator[tuple[str, str]]:
    """Yield the scripts that may hold JSON, with selectors for them."""
    for number, script in enumerate(page.iter("script")):
        text = script.text or ""
        if len(text) < SMALLEST_SCRIPT:
            continue
        kind, id = script.get("type") or "", script.get("id") or ""
        if id and propose_page.is_name(id):
            yield f"script#{id}", text
        elif kind in _JSON_TYPES:
            yield f"script[type='{kind}']", text
        else:
            yield f"(//script)[{number + 1}]", text


def _finds_entries(
    body: bytes, content_type: str, url: str, listing: Listing, now: datetime
) -> bool:
    try:
        changes = document.parse_changes(
            body, content_type=content_type, url=url, listing=listing, now=now
        )
    except (document.NoEntries, NotAFeed):
        return False
    entries = changes.feed.entries
    least = 1 if isinstance(listing, JsonListing) else propose_page.FEWEST_ITEMS
    return len(entries) >= least
