"""Sitemaps, with the elements for news and images, and indexes of sitemaps.

https://www.sitemaps.org/protocol.html, and the news and image extensions of search engines.
"""

import re
import zlib
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import xxhash
from lxml import etree

from aggregator.models.entry import Image, ParsedEntry, ParsedFeed, Text
from aggregator.parse import dates
from aggregator.parse.decode import NotAFeed
from aggregator.parse.listings import html
from aggregator.parse.listings.page import NoEntries

MOST_ENTRIES = 1_000
"""Entries of one sitemap that are read, the newest first; a sitemap has up to 50,000."""

MOST_SITEMAPS = 5
"""Sitemaps of an index that are fetched after one poll: of the changed ones, the latest."""

LARGEST = 50_000_000
"""Bytes of a gzipped sitemap after decompression: the protocol's own limit."""

_HASH_VERSION = b"sitemap 1\0"
_SEPARATORS = re.compile(r"[-_+.]+")
_ENDING = re.compile(r"\.(?:html?|php|aspx?)$", re.IGNORECASE)
_NUMBER = re.compile(r"^\d+$|^[0-9a-f-]{16,}$")


def read(body: bytes, *, url: str) -> tuple[ParsedFeed, dict[bytes, str]]:
    """Return a sitemap as a feed, or the sitemaps of an index by the hash of their entry in it.

    Args:
        body: XML, gzipped or not.
        url: Where it came from.

    Raises:
        NoEntries: It has no addresses.
        NotAFeed: It is no sitemap, or too large.
    """
    root = _root(_decompressed(body))
    kind = _name(root)
    if kind == "sitemapindex":
        return ParsedFeed(version="sitemap", link=url), _sitemaps(root, url)
    if kind != "urlset":
        raise NotAFeed(f"The document is no sitemap: its first element is <{kind[:50]}>")
    entries = [entry for each in root if _name(each) == "url" if (entry := _entry(each, url))]
    if not entries:
        raise NoEntries("the sitemap has no addresses")
    entries.sort(key=_date, reverse=True)
    return ParsedFeed(version="sitemap", link=url, entries=tuple(entries[:MOST_ENTRIES])), {}


def _decompressed(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    decoder = zlib.decompressobj(wbits=31)
    try:
        xml = decoder.decompress(body, LARGEST)
    except zlib.error as error:
        raise NotAFeed(f"The sitemap can't be decompressed: {error}") from error
    if decoder.unconsumed_tail:
        raise NotAFeed(f"The sitemap is larger than {LARGEST:,} bytes after decompression")
    return xml


def _root(xml: bytes) -> etree._Element:
    # Entities stay as they are: none is expanded, and nothing is loaded.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise NotAFeed(f"The sitemap can't be read: {error}") from error
    if root is None:
        raise NotAFeed("The document is no sitemap: it has no elements")
    return root


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _texts(element: etree._Element) -> dict[str, str]:
    """Return the texts of all elements in an element by local name, the first of each."""
    texts: dict[str, str] = {}
    for each in element.iterdescendants():
        if isinstance(each.tag, str) and (text := (each.text or "").strip()):
            prefix = "image:" if "image" in (etree.QName(each).namespace or "") else ""
            texts.setdefault(prefix + _name(each), text)
    return texts


def _sitemaps(root: etree._Element, url: str) -> dict[bytes, str]:
    """Return the sitemaps of an index, the latest changed first."""
    found = []
    for each in root:
        texts = _texts(each)
        if address := html.absolute(url, texts.get("loc", "")):
            changed = dates.parse(texts.get("lastmod", "")) or datetime.min.replace(tzinfo=UTC)
            found.append((changed, _hash(address, texts.get("lastmod", "")), address))
    if not found:
        raise NoEntries("the index has no sitemaps")
    found.sort(key=lambda each: each[0], reverse=True)
    return {item_hash: address for _, item_hash, address in found if address != url}


def _hash(*values: str) -> bytes:
    return xxhash.xxh3_128_digest(_HASH_VERSION + "\0".join(values).encode(errors="replace"))


def _entry(element: etree._Element, url: str) -> ParsedEntry | None:
    texts = _texts(element)
    link = html.absolute(url, texts.get("loc", ""))
    if not link:
        return None
    title = texts.get("title", "") or title_of(link)
    image = html.absolute(url, texts.get("image:loc", ""))
    published, changed = texts.get("publication_date", ""), texts.get("lastmod", "")
    return ParsedEntry(
        link=link,
        title=Text(value=title, type="text") if title else None,
        published=dates.parse(published),
        updated=dates.parse(changed),
        language=texts.get("language", ""),
        images=(Image(url=image),) if image else (),
        item_hash=_hash(link, title, published, changed, image),
    )


def _date(entry: ParsedEntry) -> datetime:
    return entry.published or entry.updated or datetime.min.replace(tzinfo=UTC)


def title_of(link: str) -> str:
    """Return the words in the last part of a URL, as a title for an entry without one."""
    parts = [part for part in unquote(urlsplit(link).path).split("/") if part]
    for part in reversed(parts):
        words = _SEPARATORS.sub(" ", _ENDING.sub("", part)).strip()
        if words and not _NUMBER.match(words.replace(" ", "-")):
            return words[:1].upper() + words[1:]
    return ""
