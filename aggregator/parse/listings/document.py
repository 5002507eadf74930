"""A document of a source without a feed to `ParsedFeed`: the entry point of this package."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from aggregator.models.entry import ParsedFeed
from aggregator.models.listing import JsonListing, Listing, PageListing, SitemapListing
from aggregator.parse.document import Changes
from aggregator.parse.items import HASH_SIZE
from aggregator.parse.listings import json, page, sitemap
from aggregator.parse.listings.page import NoEntries as NoEntries


def parse_changes(
    body: bytes,
    *,
    content_type: str = "",
    url: str,
    listing: Listing,
    known: bytes = b"",
    now: datetime,
) -> Changes:
    """Return a document with the entries that are not known, and the documents that follow it.

    The next page follows if no entry on this one is known, the sitemaps of an index that are not
    known follow always.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent, for its charset.
        url: Where it came from.
        listing: Where its entries are.
        known: `item_hashes` of the last document.
        now: The time of the poll, for relative dates.

    Raises:
        NoEntries: A selector finds nothing; the message names it.
        NotAFeed: It is another kind of document.
    """
    old = {known[at : at + HASH_SIZE] for at in range(0, len(known), HASH_SIZE)}
    match listing:
        case PageListing():
            feed, following = page.read(
                body, content_type=content_type, url=url, listing=listing, now=now
            )
        case JsonListing():
            feed, following = json.read(
                body, content_type=content_type, url=url, listing=listing, now=now
            )
        case SitemapListing():
            return _of_sitemap(body, url, old)
        case _:
            assert_never(listing)
    changes = _unknown(feed, old)
    is_new = len(changes.feed.entries) == len(feed.entries)
    return replace(changes, following=(following,) if following and is_new else ())


def _of_sitemap(body: bytes, url: str, old: set[bytes]) -> Changes:
    feed, sitemaps = sitemap.read(body, url=url)
    if not sitemaps:
        return _unknown(feed, old)
    new = [address for item_hash, address in sitemaps.items() if item_hash not in old]
    return Changes(
        feed=feed,
        item_hashes=b"".join(sitemaps),
        following=tuple(new[: sitemap.MOST_SITEMAPS]),
    )


def _unknown(feed: ParsedFeed, old: set[bytes]) -> Changes:
    new = tuple(entry for entry in feed.entries if entry.item_hash not in old)
    hashes = b"".join(entry.item_hash for entry in feed.entries)
    return Changes(feed=replace(feed, entries=new), item_hashes=hashes)
