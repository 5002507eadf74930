"""A feed document to `ParsedFeed`: the door of this package.

    body > decode.document > items.reduce > elements > direct, else feedparser > entries.feed

feedparser parses here and nowhere else. It gets a stream, never bytes or str, which it may take
for a file name or a URL; and no sanitising, which is `clean`'s, seven times faster and without
feedparser's holes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit
from xml.sax import SAXException, SAXParseException

import feedparser
from feedparser.sgml import sgmllib

from aggregator.models.entry import ParsedFeed
from aggregator.parse import decode, direct, elements, entries, items, jsonfeed
from aggregator.parse.decode import NotAFeed as NotAFeed

_FEEDPARSER_FAILS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    sgmllib.SGMLParseError,
)
"""What feedparser was seen to raise, or may, on documents that are not well-formed."""

_WORDS = {
    "mismatched tag": "an end tag does not match its start tag",
    "undefined entity": "an entity is used that XML does not know, such as &nbsp;",
    "unbound prefix": "an element has a prefix whose namespace is not declared",
    "no element found": "the document ends too early",
    "unclosed token": "the document ends within a tag",
    "unclosed CDATA section": "the document ends within a CDATA section",
    "duplicate attribute": "an element has one attribute twice",
    "junk after document element": "something follows the end of the feed",
    "not well-formed (invalid token)": "a bare & or <, or another character that XML forbids here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a document says that is not known yet.

    Args:
        feed: The feed; its entries are those that are not known, in document order.
        item_hashes: Of every item in the document, 16 bytes each; b"" when it could not be split
            for certain, and then `feed` has all entries.
    """

    feed: ParsedFeed
    item_hashes: bytes = b""


def parse(body: bytes, *, content_type: str = "", url: str) -> ParsedFeed:
    """Return everything a feed document says: RSS, Atom, RDF or JSON Feed.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent, "" when absent.
        url: Where it came from; with xml:base and the feed's link the base of references.

    Raises:
        NotAFeed: Says in a sentence what came instead.
    """
    if jsonfeed.is_meant(body, content_type):
        return jsonfeed.parse(body, url=url)
    document = decode.document(body, content_type)
    return _read(document.xml, url, document.problems)[0]


def parse_changes(body: bytes, *, content_type: str = "", url: str, known: bytes = b"") -> Changes:
    """Return what a feed document says, parsing only the items that are not known.

    Args:
        body: As in `parse`, as are `content_type` and `url`.
        known: `item_hashes` of the entries that are stored, from earlier calls.

    Raises:
        NotAFeed: As in `parse`.
    """
    if jsonfeed.is_meant(body, content_type):
        return _unknown(jsonfeed.parse(body, url=url), known)
    document = decode.document(body, content_type)
    reduced = items.reduce(document.xml, known)
    if reduced is None:
        return Changes(feed=_read(document.xml, url, document.problems)[0])
    hashes = [reduced.item_hashes[at] for at in reduced.new]
    feed, well_formed = _read(reduced.document, url, document.problems, hashes)
    if well_formed and len(feed.entries) == len(hashes):
        return Changes(feed=feed, item_hashes=b"".join(reduced.item_hashes))
    if len(reduced.document) == len(document.xml):
        return Changes(feed=feed)
    return Changes(feed=_read(document.xml, url, document.problems)[0])


def _unknown(feed: ParsedFeed, known: bytes) -> Changes:
    size = items.HASH_SIZE
    old = {known[at : at + size] for at in range(0, len(known), size)}
    new = tuple(entry for entry in feed.entries if entry.item_hash not in old)
    hashes = b"".join(entry.item_hash for entry in feed.entries)
    return Changes(feed=replace(feed, entries=new), item_hashes=hashes)


def _read(
    xml: bytes, url: str, problems: tuple[str, ...], hashes: Sequence[bytes] = ()
) -> tuple[ParsedFeed, bool]:
    """Return the feed, and whether its XML is well-formed; only then its entries have hashes."""
    root, is_clean = elements.tree(xml)
    found = elements.read(root)
    base = base_of(url, found.link)
    values = direct.read(xml, root, base) if root is not None and is_clean else None
    if values:
        return entries.feed(values, found, base=base, problems=problems, hashes=hashes), True
    values = library(xml, base)
    fault: Exception | None = values.get("bozo_exception")
    if fault:
        problems += (_problem(fault),)
    well_formed = not isinstance(fault, SAXException)
    hashes = hashes if well_formed else ()
    feed = entries.feed(values, found, base=base, problems=problems, hashes=hashes)
    return feed, well_formed


def library(xml: bytes, base: str) -> entries.Values:
    """Return feedparser's reading of a document, well-formed or not.

    Args:
        xml: As `decode.document` makes it.
        base: What relative references are resolved against.

    Raises:
        NotAFeed: There is no feed in it, or feedparser fails.
    """
    try:
        parsed: entries.Values = feedparser.parse(
            io.BytesIO(xml),
            response_headers={
                "content-type": "application/xml; charset=utf-8",
                "content-location": base,
            },
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except _FEEDPARSER_FAILS as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise NotAFeed(f"The document is so ill-formed that it can't be read ({what})") from error
    if not parsed["version"] and not parsed["entries"]:
        raise NotAFeed("The document is no feed: no rss, feed or rdf:RDF element could be read")
    return parsed


def base_of(url: str, link: str) -> str:
    """Return what relative references are resolved against: the feed's link, else its URL."""
    try:
        base = urljoin(url, link)
        return base if urlsplit(base).scheme in ("http", "https") else url
    except ValueError:
        return url


def _problem(error: Exception) -> str:
    if not isinstance(error, SAXParseException):
        return f"not well-formed: {error}"
    message = error.getMessage()
    return f"line {error.getLineNumber()}: {_WORDS.get(message, message)}"
