"""RSS 2.0 by the Best Practices Profile of the RSS Advisory Board, with archives (RFC 5005)."""

from email.utils import format_datetime
from html import escape as as_html

from aggregator.formats import entries, extensions, merged, xml
from aggregator.formats.entries import FeedEntry
from aggregator.formats.merged import Item, MergedFeed, rfc3339
from aggregator.formats.xml import address, element, empty, encode, escape, quote
from aggregator.models.entry import Entry
from aggregator.models.urls import as_uri

TYPE = "application/rss+xml"

TTL = 15
"""Minutes between two requests of a feed reader; more often is fine, a 304 costs little."""

_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    **extensions.URIS,
}


def render(feed: MergedFeed) -> bytes:
    """Return the feed as an RSS document in UTF-8. RSS has no tombstones."""
    presented = entries.present(feed)
    content = "".join(
        (
            _metadata(feed),
            extensions.podcast(feed, presented),
            *(_item(entry) for entry in presented),
        )
    )
    root = f'<rss version="2.0"{xml.declarations(_NAMESPACES, content)}>\n'
    return encode(
        (
            f'<?xml version="1.0" encoding="utf-8"?>\n{root}<channel>\n',
            content,
            "</channel>\n</rss>\n",
        )
    )


def _metadata(feed: MergedFeed) -> str:
    links = (
        ("self", TYPE, feed.self_url),
        *(("alternate", media_type, url) for media_type, url in feed.alternates),
        ("prev-archive", TYPE, feed.previous_archive),
        ("current", TYPE, feed.current),
        ("next", TYPE, feed.next),
        *(("hub", "", url) for url in feed.hubs),
    )
    return "".join(
        (
            element("title", feed.title),
            address("link", feed.page_url),
            element("description", as_html(feed.subtitle or feed.title, quote=False)),
            element("language", merged.language(feed.language)),
            f"<lastBuildDate>{format_datetime(feed.updated, usegmt=True)}</lastBuildDate>\n",
            f"<generator>{merged.GENERATOR}</generator>\n",
            # By http: so validators know feeds of the profile, in which items may have xml:lang.
            "<docs>http://www.rssboard.org/rss-specification</docs>\n",
            f"<ttl>{TTL}</ttl>\n",
            *(_link(rel, url, media_type) for rel, media_type, url in links),
            _image(feed),
            "<fh:complete/>\n" if feed.complete else "",
            "<fh:archive/>\n" if feed.archive else "",
        )
    )


def _image(feed: MergedFeed) -> str:
    url = feed.artwork or feed.icon
    if not url:
        return ""
    inner = f"{address('url', url)}{element('title', feed.title)}{address('link', feed.page_url)}"
    return f"<image>\n{inner}</image>\n"


def _item(presented: FeedEntry) -> str:
    item, link = presented.item, presented.link
    entry, uri = item.entry.entry, item.entry.uri
    language = xml.language_attribute(merged.language(entry.language))
    permalink = "true" if uri == as_uri(link) else "false"
    modified = f"<atom:updated>{rfc3339(item.updated)}</atom:updated>\n"
    return "".join(
        (
            f"<item{language}>\n",
            element("title", presented.title),
            address("link", link),
            f'<guid isPermaLink="{permalink}">{escape(uri)}</guid>\n',
            f"<pubDate>{format_datetime(item.published, usegmt=True)}</pubDate>\n",
            modified if item.updated != item.published else "",
            *(element("dc:creator", author.name) for author in presented.authors),
            *(element("category", category) for category in entry.categories),
            address("comments", entry.comments),
            _link("via", entry.via),
            *(_link("related", url, title=title) for title, url in item.also),
            _source(item),
            _enclosure(entry),
            _texts(presented),
            extensions.further_enclosures(entry),
            extensions.render(entry),
            "</item>\n",
        )
    )


def _texts(presented: FeedEntry) -> str:
    """Return the description as HTML and, when it is a summary, the full content beside it."""
    summary = presented.item.entry.entry.summary
    if not summary:
        return element("description", presented.content)
    description = element("description", as_html(summary, quote=False))
    return description + element("content:encoded", presented.content)


def _enclosure(entry: Entry) -> str:
    """Return the first enclosure: the profile allows one, with all three attributes."""
    if not entry.enclosures:
        return ""
    first = entry.enclosures[0]
    return empty(
        "enclosure",
        ("url", first.url),
        ("length", first.length or 0),  # the profile: "0" when unknown
        ("type", merged.media_type(first) or merged.UNKNOWN_TYPE),
    )


def _source(item: Item) -> str:
    origin = item.origin
    url = origin.url or item.source.url
    return f"<source url={quote(as_uri(url))}>{escape(origin.title)}</source>\n" if url else ""


def _link(rel: str, url: str, media_type: str = "", title: str = "") -> str:
    attributes = (("rel", rel), ("type", media_type), ("title", title), ("href", url))
    return empty("atom:link", *attributes) if url else ""
