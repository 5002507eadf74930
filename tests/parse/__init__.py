"""Builders of small documents: a test gives the content of an item or channel only."""

from aggregator.models.entry import ParsedEntry, ParsedFeed
from aggregator.parse import document

URL = "https://example.org/blog/feed.xml"

NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:podcast="https://podcastindex.org/namespace/1.0" '
    'xmlns:georss="http://www.georss.org/georss" '
    'xmlns:fh="http://purl.org/syndication/history/1.0" '
    'xmlns:thr="http://purl.org/syndication/thread/1.0" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" '
    'xmlns:a="http://www.w3.org/2005/Atom"'
)


def rss(inside: str, *, head: str = "") -> bytes:
    """An RSS document with `inside` in its channel."""
    return f'{head}<rss version="2.0" {NAMESPACES}><channel>{inside}</channel></rss>'.encode()


def atom(inside: str, *, attributes: str = "") -> bytes:
    """An Atom document with `inside` in its feed element."""
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>{inside}</feed>'.encode()


def rdf(inside: str) -> bytes:
    """An RSS 1.0 document."""
    return (
        '<rdf:RDF xmlns="http://purl.org/rss/1.0/" '
        f'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {NAMESPACES}>{inside}</rdf:RDF>'
    ).encode()


def parse(body: bytes, content_type: str = "application/xml") -> ParsedFeed:
    return document.parse(body, content_type=content_type, url=URL)


def rss_item(inside: str) -> ParsedEntry:
    (entry,) = parse(rss(f"<item>{inside}</item>")).entries
    return entry


def atom_entry(inside: str) -> ParsedEntry:
    (entry,) = parse(atom(f"<entry>{inside}</entry>")).entries
    return entry
