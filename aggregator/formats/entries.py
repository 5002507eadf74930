"""Entries as every format writes them: each has a title, a link, an author and its source's name.

Many feed readers show nothing but these, and drop or mix up entries that lack one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from urllib.parse import urlsplit

from aggregator.formats.merged import Credits, Item, MergedFeed
from aggregator.models.config import Attribution
from aggregator.models.entry import Author, Entry
from aggregator.models.excerpt import first_words

_PICTURE = re.compile(r'<(?:img|video) [^>]*?\b(?:src|poster)="([^"]*)"')
_SIZE = re.compile(r"[-_](?:\d{2,4}x\d{2,4}|scaled|\d{2,4}w)(?=\.[a-z]{3,4}\Z)")

DISTINCT_NAME = 12
"""Characters of a file name from which it names one picture, in whatever folder it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """An entry as feed readers show it.

    Args:
        title: Never empty.
        link: URL of the publisher's page, else of the entry's page on this site; "" without both.
        authors: Its authors, else its publication: never empty, so that no reader takes the
            feed's author for the entry's (RFC 4287 §4.2.1).
        content: HTML with the entry's picture, its source and the story's other reports, as far
            as the feed names them; "" if there is nothing to show.
    """

    item: Item
    title: str
    link: str
    authors: tuple[Author, ...]
    content: str


def present(feed: MergedFeed) -> tuple[FeedEntry, ...]:
    """Return the feed's entries in order, each id once."""
    return tuple(_present(item, feed.attribution, feed.credits) for item in unique(feed.items))


def _present(item: Item, attribution: Attribution | None, credits: Credits) -> FeedEntry:
    source, title, authors = item.origin.title, _title(item), _authors(item)
    if attribution is Attribution.TITLE:
        title = f"{source}: {title}"
    elif attribution is Attribution.AUTHOR:
        authors = tuple(_with_source(author, source) for author in authors)
    return FeedEntry(
        item=item,
        title=title,
        link=item.entry.entry.link or item.page_url,
        authors=authors,
        content=_content(item, credits, names_source=attribution is Attribution.CONTENT),
    )


def unique(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items without duplicate ids; the first to arrive stays and names the others.

    Two sources may publish an entry with the same id, and a document must not contain an id twice
    (RFC 4287 §4.1.1).
    """
    items = tuple(items)
    by_uri: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.entry.id):
        by_uri.setdefault(item.entry.uri, []).append(item)
    duplicates = {id(first): others for first, *others in by_uri.values()}
    return tuple(_naming(item, duplicates[id(item)]) for item in items if id(item) in duplicates)


def _naming(item: Item, others: Sequence[Item]) -> Item:
    if not others:
        return item
    also = [(other.source.title, other.entry.entry.link or other.page_url) for other in others]
    return replace(item, also=(*item.also, *(pair for pair in also if pair[1])))


def _title(item: Item) -> str:
    """Return the title, else the first words of the text, a caption or a file, else the source."""
    entry = item.entry.entry
    if entry.title:
        return entry.title
    others = (
        entry.summary,
        entry.image.caption if entry.image else "",
        *(enclosure.title for enclosure in entry.enclosures),
    )
    words = next(filter(None, map(first_words, others)), "")
    return words or f"{item.origin.title}, {item.published:%Y-%m-%d %H:%M}"


def _authors(item: Item) -> tuple[Author, ...]:
    named = tuple(
        Author(name=name, uri=author.uri, email=author.email if "@" in author.email else "")
        for author in item.entry.entry.authors
        if (name := author.name or author.email or author.uri)
    )
    return named or (Author(name=item.origin.title),)


def _with_source(author: Author, source: str) -> Author:
    if author.name.casefold() == source.casefold():
        return author
    return replace(author, name=f"{author.name} ({source})")


# --- content ---------------------------------------------------------------------------------


def _content(item: Item, credits: Credits, *, names_source: bool) -> str:
    """Return the entry's HTML between its source and picture, and the story's other reports."""
    entry = item.entry.entry
    before = f"{_source_line(item, credits) if names_source else ''}{_picture(entry)}"
    after = _other_reports(item, credits)
    if not before and not after:
        return entry.content
    text = entry.content or (f"<p>{escape(entry.summary)}</p>" if entry.summary else "")
    return f"{before}{text}{after}"


def _source_line(item: Item, credits: Credits) -> str:
    title = escape(item.origin.title)
    # The page of a source that copied the entry is not the origin's.
    url = "" if item.is_copied else item.source.link
    name = f'<a href="{escape(url)}">{title}</a>' if url else title
    return f"<p>{credits.source.format(name)}</p>"


def _picture(entry: Entry) -> str:
    """Return the entry's picture as HTML, "" if the content shows it; artwork is of the podcast."""
    image = entry.image
    if image is None or image.is_artwork or shows_picture(entry.content, image.url):
        return ""
    size = f' width="{image.width}" height="{image.height}"' if image.width and image.height else ""
    return f'<p><img src="{escape(image.url)}" alt="{escape(image.caption)}"{size}></p>'


def _other_reports(item: Item, credits: Credits) -> str:
    others = ", ".join(f'<a href="{escape(url)}">{escape(title)}</a>' for title, url in item.also)
    return f"<p>{credits.other_reports.format(others)}</p>" if others else ""


def shows_picture(content: str, url: str) -> bool:
    """Return whether sanitised HTML shows a picture, perhaps in another size or from another host.

    Args:
        content: Sanitised HTML.
        url: Absolute URL of the picture.
    """
    shown = [unescape(found) for found in _PICTURE.findall(content)]
    names = {name for other in shown for name in _picture_names(other)}
    return url in shown or not names.isdisjoint(_picture_names(url))


def _picture_names(url: str) -> set[str]:
    """Return the names by which pictures are compared: the path, and a file name that is no index.

    Publishers write the size into the query or before the ending: `a.jpg?w=300`, `a-300x200.jpg`.
    """
    path = _SIZE.sub("", urlsplit(url).path.lower())
    name = path.rpartition("/")[2]
    return {path, name} if len(name) >= DISTINCT_NAME else {path}
