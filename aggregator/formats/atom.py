"""Atom 1.0 (RFC 4287), with archives (RFC 5005) and tombstones (RFC 6721)."""

from aggregator.formats import extensions, merged
from aggregator.formats.merged import Item, MergedFeed, rfc3339
from aggregator.formats.xml import element, empty, encode, escape, quote
from aggregator.models.entry import Author

TYPE = "application/atom+xml"

_ROOT = (
    '<feed xmlns="http://www.w3.org/2005/Atom"'
    ' xmlns:at="http://purl.org/atompub/tombstones/1.0"'
    ' xmlns:fh="http://purl.org/syndication/history/1.0"'
    f"{extensions.declarations()}"
)


def render(feed: MergedFeed) -> bytes:
    """Return the feed as an Atom document in UTF-8."""
    return encode(
        (
            f'<?xml version="1.0" encoding="utf-8"?>\n{_ROOT}{_language(feed.language)}>\n',
            _metadata(feed),
            *(_entry(item) for item in merged.unique(feed.items)),
            *(
                empty("at:deleted-entry", ("ref", uri), ("when", rfc3339(when)))
                for uri, when in merged.tombstones(feed)
            ),
            "</feed>\n",
        )
    )


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
            element("icon", feed.icon),
            f"<generator>{merged.GENERATOR}</generator>\n",
            "<fh:complete/>\n" if feed.complete else "",
            "<fh:archive/>\n" if feed.archive else "",
        )
    )


def _entry(item: Item) -> str:
    entry = item.entry.entry
    return "".join(
        (
            f"<entry{_language(entry.language)}>\n",
            element("id", item.entry.uri),
            f'<title type="text">{escape(entry.title)}</title>\n',
            f"<published>{rfc3339(item.published)}</published>\n",
            f"<updated>{rfc3339(item.updated)}</updated>\n",
            *(_person(author) for author in entry.authors),
            _links(item),
            *(empty("category", ("term", category)) for category in entry.categories),
            _source(item),
            f'<summary type="text">{escape(entry.summary)}</summary>\n' if entry.summary else "",
            _content(item),
            extensions.render(entry),
            "</entry>\n",
        )
    )


def _links(item: Item) -> str:
    entry = item.entry.entry
    return "".join(
        (
            _link("alternate", entry.link, "text/html"),
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
            *(_link("related", url, title=title) for title, url in item.also),
        )
    )


def _source(item: Item) -> str:
    origin, source = item.origin, item.source
    # Without an author of its own or of its source, the feed's would apply (RFC 4287 §4.2.1):
    # readers would show this site as the author.
    publisher: tuple[Author, ...] = () if item.entry.entry.authors else (Author(name=origin.title),)
    heading = "".join(
        (
            element("id", origin.id),
            f'<title type="text">{escape(origin.title)}</title>\n',
        )
    )
    if item.entry.entry.origin and origin == item.entry.entry.origin:
        updated, authors = item.updated, publisher
        rest = _link("self", origin.url)
    else:
        updated, authors = source.updated or item.updated, source.authors or publisher
        rest = "".join(
            (
                _link("self", source.url),
                _link("alternate", source.link, "text/html"),
                element("icon", source.icon),
            )
        )
    people = "".join(_person(author) for author in authors)
    return (
        f"<source{_language(source.language)}>\n{heading}"
        f"<updated>{rfc3339(updated)}</updated>\n{people}{rest}</source>\n"
    )


def _content(item: Item) -> str:
    entry = item.entry.entry
    if content := merged.content(item):
        return f'<content type="html">{escape(content)}</content>\n'
    if entry.link:
        return ""
    # an entry needs content or an alternate link (RFC 4287 §4.1.2)
    return f'<content type="text">{escape(entry.summary or entry.title)}</content>\n'


def _person(author: Author) -> str:
    name = author.name or author.email or author.uri
    email = author.email if "@" in author.email else ""
    inner = f"{element('name', name)}{element('uri', author.uri)}{element('email', email)}"
    return f"<author>\n{inner}</author>\n" if name else ""


def _link(rel: str, url: str, media_type: str = "", title: str = "") -> str:
    attributes = (("rel", rel), ("type", media_type), ("title", title), ("href", url))
    return empty("link", *attributes) if url else ""


def _language(tag: str) -> str:
    return f" xml:lang={quote(tag)}" if merged.language(tag) else ""
