"""Atom 1.0 (RFC 4287), with archives (RFC 5005) and tombstones (RFC 6721)."""

from aggregator.formats import entries, extensions, merged, xml
from aggregator.formats.entries import FeedEntry
from aggregator.formats.merged import Item, MergedFeed, rfc3339
from aggregator.formats.xml import address, element, empty, encode, escape
from aggregator.models.entry import Author

TYPE = "application/atom+xml"

_NAMESPACES = {
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
    **extensions.URIS,
}


def render(feed: MergedFeed) -> bytes:
    """Return the feed as an Atom document in UTF-8."""
    content = "".join(
        (
            _metadata(feed),
            *(_entry(entry) for entry in entries.present(feed)),
            *(
                empty("at:deleted-entry", ("ref", uri), ("when", rfc3339(when)))
                for uri, when in merged.tombstones(feed)
            ),
        )
    )
    root = (
        '<feed xmlns="http://www.w3.org/2005/Atom"'
        f"{xml.declarations(_NAMESPACES, content)}{_language(feed.language)}>\n"
    )
    return encode(('<?xml version="1.0" encoding="utf-8"?>\n', root, content, "</feed>\n"))


def _metadata(feed: MergedFeed) -> str:
    links = (
        ("self", TYPE, feed.self_url),
        ("alternate", "text/html", feed.page_url),
        *(("alternate", media_type, url) for media_type, url in feed.alternates),
        ("prev-archive", TYPE, feed.previous_archive),
        ("current", TYPE, feed.current),
        ("next", TYPE, feed.next),
        *(("hub", "", url) for url in feed.hubs),
    )
    return "".join(
        (
            element("id", feed.id),
            f'<title type="text">{escape(feed.title)}</title>\n',
            f'<subtitle type="text">{escape(feed.subtitle)}</subtitle>\n' if feed.subtitle else "",
            f"<updated>{rfc3339(feed.updated)}</updated>\n",
            _person(Author(name=feed.author, uri=feed.page_url)),
            *(_link(rel, url, media_type) for rel, media_type, url in links),
            address("icon", feed.icon),
            address("logo", feed.artwork),
            f"<generator>{merged.GENERATOR}</generator>\n",
            "<fh:complete/>\n" if feed.complete else "",
            "<fh:archive/>\n" if feed.archive else "",
        )
    )


def _entry(presented: FeedEntry) -> str:
    item = presented.item
    entry = item.entry.entry
    return "".join(
        (
            f"<entry{_language(entry.language)}>\n",
            element("id", item.entry.uri),
            f'<title type="text">{escape(presented.title)}</title>\n',
            f"<published>{rfc3339(item.published)}</published>\n",
            f"<updated>{rfc3339(item.updated)}</updated>\n",
            *(_person(author) for author in presented.authors),
            _links(presented),
            *(empty("category", ("term", category)) for category in entry.categories),
            _source(item),
            f'<summary type="text">{escape(entry.summary)}</summary>\n' if entry.summary else "",
            _content(presented),
            extensions.render(entry),
            "</entry>\n",
        )
    )


def _links(presented: FeedEntry) -> str:
    entry = presented.item.entry.entry
    return "".join(
        (
            _link("alternate", presented.link, "text/html"),
            *(
                empty(
                    "link",
                    ("rel", "enclosure"),
                    ("type", merged.media_type(enclosure)),
                    ("length", enclosure.length),
                    ("title", enclosure.title),
                    ("href", enclosure.url),
                )
                for enclosure in entry.enclosures
            ),
            _link("via", entry.via),
            _link("replies", entry.comments, "text/html"),
            *(_link("related", url, title=title) for title, url in presented.item.also),
        )
    )


def _source(item: Item) -> str:
    origin, source = item.origin, item.source
    no_authors: tuple[Author, ...] = ()
    heading = "".join(
        (
            element("id", origin.id),
            f'<title type="text">{escape(origin.title)}</title>\n',
        )
    )
    if item.is_copied:
        updated, authors = item.updated, no_authors
        rest = _link("self", origin.url)
    else:
        updated, authors = source.updated or item.updated, source.authors
        rest = "".join(
            (
                _link("self", source.url),
                _link("alternate", source.link, "text/html"),
                address("icon", source.icon),
            )
        )
    people = "".join(_person(author) for author in authors)
    return (
        f"<source{_language(source.language)}>\n{heading}"
        f"<updated>{rfc3339(updated)}</updated>\n{people}{rest}</source>\n"
    )


def _content(presented: FeedEntry) -> str:
    if presented.content:
        return f'<content type="html">{escape(presented.content)}</content>\n'
    if presented.link:
        return ""
    # an entry needs content or an alternate link (RFC 4287 §4.1.2)
    text = presented.item.entry.entry.summary or presented.title
    return f'<content type="text">{escape(text)}</content>\n'


def _person(author: Author) -> str:
    name = author.name or author.email or author.uri  # authors of a source may lack a name
    email = author.email if "@" in author.email else ""
    inner = f"{element('name', name)}{address('uri', author.uri)}{element('email', email)}"
    return f"<author>\n{inner}</author>\n" if name else ""


def _link(rel: str, url: str, media_type: str = "", title: str = "") -> str:
    attributes = (("rel", rel), ("type", media_type), ("title", title), ("href", url))
    return empty("link", *attributes) if url else ""


def _language(tag: str) -> str:
    return xml.language_attribute(merged.language(tag))
