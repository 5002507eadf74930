"""A feed document to `ParsedFeed`: the entry point of this package.

body > decode.document > items.reduce > tree.read > feed.read
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.models.entry import ParsedFeed
from aggregator.parse import decode, feed, items, jsonfeed, links, tree
from aggregator.parse.decode import NotAFeed as NotAFeed

MOST_ENTRIES = 20_000
"""Entries of one document that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The part of a document that is not known yet.

    Args:
        feed: The feed; its entries are those that are not known, in document order.
        item_hashes: Of every item in the document, 16 bytes each; b"" when it could not be split
            for certain, and then `feed` has all entries.
        following: URLs of documents with further entries, as in `ParsedDocument`.
    """

    feed: ParsedFeed
    item_hashes: bytes = b""
    following: tuple[str, ...] = ()


def parse(body: bytes, *, content_type: str = "", url: str) -> ParsedFeed:
    """Return a feed document with all of its entries: RSS, Atom, RDF or JSON Feed.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent, "" when absent.
        url: Where it came from; with xml:base and the feed's link the base of references.

    Raises:
        NotAFeed: The message is a sentence that names the kind of document that came.
    """
    if jsonfeed.is_meant(body, content_type):
        return jsonfeed.parse(body, content_type=content_type, url=url)
    document = decode.document(body, content_type)
    return _read(document.xml, url, document.problems)[0]


def parse_changes(body: bytes, *, content_type: str = "", url: str, known: bytes = b"") -> Changes:
    """Return a feed document with the entries that are not known; only those are parsed.

    Args:
        body: As in `parse`, as are `content_type` and `url`.
        known: `item_hashes` of the entries that are stored, from earlier calls.

    Raises:
        NotAFeed: As in `parse`.
    """
    if jsonfeed.is_meant(body, content_type):
        return _unknown(jsonfeed.parse(body, content_type=content_type, url=url), known)
    document = decode.document(body, content_type)
    reduced = items.reduce(document.xml, known)
    if reduced is None:
        return Changes(feed=_read(document.xml, url, document.problems)[0])
    hashes = [reduced.item_hashes[at] for at in reduced.new]
    read, is_divisible = _read(reduced.document, url, document.problems, hashes)
    if is_divisible and len(read.entries) == len(hashes):
        return Changes(feed=read, item_hashes=b"".join(reduced.item_hashes))
    if len(reduced.document) == len(document.xml):
        return Changes(feed=read)
    return Changes(feed=_read(document.xml, url, document.problems)[0])


def first_items(changes: Changes, most: int) -> Changes:
    """Return the changes of the first items of a document, as if it had no others.

    Args:
        changes: Of the whole document.
        most: The number of items; 0 for all.
    """
    if not most:
        return changes
    hashes, entries = changes.item_hashes, changes.feed.entries
    if not hashes:
        return Changes(feed=replace(changes.feed, entries=entries[:most]))
    size = items.HASH_SIZE
    first = {hashes[at * size : (at + 1) * size] for at in range(most)}
    kept = tuple(entry for entry in entries if entry.item_hash in first)
    return Changes(feed=replace(changes.feed, entries=kept), item_hashes=hashes[: most * size])


def _unknown(read: ParsedFeed, known: bytes) -> Changes:
    size = items.HASH_SIZE
    old = {known[at : at + size] for at in range(0, len(known), size)}
    new = tuple(entry for entry in read.entries if entry.item_hash not in old)
    hashes = b"".join(entry.item_hash for entry in read.entries)
    return Changes(feed=replace(read, entries=new), item_hashes=hashes)


def _read(
    xml: bytes, url: str, problems: tuple[str, ...], hashes: Sequence[bytes] = ()
) -> tuple[ParsedFeed, bool]:
    """Return the feed, and whether its items have the same values read one by one.

    Only then its entries have hashes.
    """
    document = tree.read(xml, url)
    entries = feed.items(document)
    if not entries and not feed.is_feed(document):
        raise NotAFeed("The document is no feed: no rss, feed or rdf:RDF element could be read")
    if len(entries) > MOST_ENTRIES:
        problems += (f"only the first {MOST_ENTRIES:,} of {len(entries):,} entries are read",)
        entries = entries[:MOST_ENTRIES]
    is_divisible = not document.problems and feed.are_apart(document, entries)
    if not is_divisible or len(hashes) != len(entries):
        hashes = ()
    channel = feed.channel(document)
    page = links.page(channel, links.read(channel, document), document)
    document = replace(
        document, url=page if tree.is_web(page) else url, problems=(*problems, *document.problems)
    )
    return feed.read(document, entries, hashes, channel, page), is_divisible
