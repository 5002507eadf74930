"""RSS 2.0 by the Best Practices Profile of the RSS Advisory Board, with archives (RFC 5005)."""

from email.utils import format_datetime
from html import escape as as_html

from aggregator.formats import extensions, merged
from aggregator.formats.merged import Item, MergedFeed, rfc3339
from aggregator.formats.xml import element, empty, encode, escape, quote
from aggregator.models.entry import Entry

TYPE = "application/rss+xml"

TTL = 15
"""Minutes between two requests of a feed reader; more often is fine, a 304 costs little."""

_ROOT = (
    '<rss version="2.0"'
    ' xmlns:atom="http://www.w3.org/2005/Atom"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:fh="http://purl.org/syndication/history/1.0"'
    f"{extensions.declarations()}>\n"
)


def render(feed: MergedFeed) -> bytes:
    """Return the feed as an RSS document in UTF-8. RSS has no tombstones."""
    return encode(
        (
            f'<?xml version="1.0" encoding="utf-8"?>\n{_ROOT}<channel>\n',
            _metadata(feed),
            *(_item(item) for item in merged.unique(feed.items)),
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
            element("link", feed.page_url),
            element("description", feed.subtitle or feed.title),
            element("language", merged.language(feed.language)),
            f"<lastBuildDate>{format_datetime(feed.updated, usegmt=True)}</lastBuildDate>\n",
            f"<generator>{merged.GENERATOR}</generator>\n",
            "<docs>https://www.rssboard.org/rss-specification</docs>\n",
            f"<ttl>{TTL}</ttl>\n",
            *(_link(rel, url, media_type) for rel, media_type, url in links),
            _image(feed),
            "<fh:complete/>\n" if feed.complete else "",
            "<fh:archive/>\n" if feed.archive else "",
        )
    )


def _image(feed: MergedFeed) -> str:
    if not feed.icon:
        return ""
    inner = (
        f"{element('url', feed.icon)}{element('title', feed.title)}{element('link', feed.page_url)}"
    )
    return f"<image>\n{inner}</image>\n"


def _item(item: Item) -> str:
    entry, uri = item.entry.entry, item.entry.uri
    permalink = "true" if uri == entry.link else "false"
    modified = f"<atom:updated>{rfc3339(item.updated)}</atom:updated>\n"
    return "".join(
        (
            "<item>\n",
            element("title", entry.title),
            element("link", entry.link),
            f'<guid isPermaLink="{permalink}">{escape(uri)}</guid>\n',
            f"<pubDate>{format_datetime(item.published, usegmt=True)}</pubDate>\n",
            modified if item.updated != item.published else "",
            *(
                element("dc:creator", author.name or author.email or author.uri)
                for author in entry.authors
            ),
            *(element("category", category) for category in entry.categories),
            element("comments", entry.comments),
            _link("via", entry.via),
            *(_link("related", url, title=title) for title, url in item.also),
            _source(item),
            _enclosure(entry),
            _texts(item),
            extensions.further_enclosures(entry),
            extensions.render(entry),
            "</item>\n",
        )
    )


def _texts(item: Item) -> str:
    """Return the description as HTML and, when it is a summary, the full content beside it."""
    entry, content = item.entry.entry, merged.content(item)
    if entry.summary:
        summary = as_html(entry.summary, quote=False)
        return element("description", summary) + element("content:encoded", content)
    if content or entry.title:
        return element("description", content)
    # an item needs a title or a description
    return element("description", as_html(entry.link or item.entry.uri, quote=False))


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
    return f"<source url={quote(url)}>{escape(origin.title)}</source>\n" if url else ""


def _link(rel: str, url: str, media_type: str = "", title: str = "") -> str:
    attributes = (("rel", rel), ("type", media_type), ("title", title), ("href", url))
    return empty("atom:link", *attributes) if url else ""
