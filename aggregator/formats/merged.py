"""The input of all formats: the entries of a view with their sources."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape

from aggregator.models.entry import Author, Enclosure, Origin, StoredEntry

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""`MergedFeed.updated` of an empty view: formats require a date, and now() would change."""

GENERATOR = "feed-aggregator"

UNKNOWN_TYPE = "application/octet-stream"

# Not the `mimetypes` module: it reads files of the machine, so output would differ by machine.
TYPES = {
    "aac": "audio/aac",
    "flac": "audio/flac",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "zip": "application/zip",
}

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{2,5})(?:[?#]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """The source of an entry.

    Args:
        id: From the configuration.
        url: Of the feed document.
        link: Of the publisher's site.
        feed_id: The id in the feed document, "" without one.
        updated: The newest change among its entries in this feed, None without any.
        page_url: Of the source's page on this site.
    """

    id: str
    title: str
    url: str
    link: str = ""
    feed_id: str = ""
    updated: datetime | None = None
    authors: tuple[Author, ...] = ()
    language: str = ""
    icon: str = ""
    page_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An entry in a merged feed.

    Args:
        sections: Ids of the sections of its source.
        also: `(title, URL)` of other entries of the same story.
        page_url: Of the entry's page on this site, "" without one.
    """

    entry: StoredEntry
    source: SourceInfo
    sections: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    page_url: str = ""

    @property
    def published(self) -> datetime:
        """The publisher's date, or the time of the first poll with it."""
        return self.entry.entry.published or self.entry.first_seen

    @property
    def updated(self) -> datetime:
        """The last real change, never before `published` (RFC 4287 §4.2.15)."""
        return max(self.entry.changed, self.published)

    @property
    def origin(self) -> Origin:
        """The feed to credit: the one that the source copied the entry from, else the source."""
        origin = self.entry.entry.origin
        if origin and (origin.url or origin.id):
            return Origin(
                id=origin.id or origin.url,
                title=origin.title or origin.url or origin.id,
                url=origin.url,
            )
        source = self.source
        return Origin(
            id=source.feed_id or source.url, title=source.title or source.url, url=source.url
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedFeed:
    """One document of one view. All URLs are absolute.

    Args:
        id: Of the view: the same in all formats and archives, and permanent.
        author: Name of the site.
        page_url: Of the view's HTML page.
        self_url: Of this document in this format.
        alternates: `(media type, URL)` of the same document in the other formats.
        updated: The newest change in the view, `NEVER` when it is empty.
        previous_archive: Link of RFC 5005, "" without one; likewise `current` and `next`.
        complete: Whether the document holds the whole view (RFC 5005 §2).
        archive: Whether the document never changes (RFC 5005 §4).
        items: In the order in which they are listed.
        tombstones: `(id, time)` of withdrawn entries (RFC 6721).
    """

    id: str
    title: str
    author: str
    page_url: str
    self_url: str
    subtitle: str = ""
    language: str = ""
    icon: str = ""
    alternates: tuple[tuple[str, str], ...] = ()
    hubs: tuple[str, ...] = ()
    updated: datetime = NEVER
    previous_archive: str = ""
    current: str = ""
    next: str = ""
    complete: bool = False
    archive: bool = False
    items: tuple[Item, ...] = ()
    tombstones: tuple[tuple[str, datetime], ...] = ()


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


def content(item: Item) -> str:
    """Return the entry's HTML, with links to the story's other entries at its end."""
    entry = item.entry.entry
    if not item.also:
        return entry.content
    text = entry.content or (f"<p>{escape(entry.summary)}</p>" if entry.summary else "")
    others = ", ".join(f'<a href="{escape(url)}">{escape(title)}</a>' for title, url in item.also)
    return f"{text}<p>Also reported by {others}.</p>"


def tombstones(feed: MergedFeed) -> tuple[tuple[str, datetime], ...]:
    """Return the feed's tombstones without those of entries in the document."""
    present = {item.entry.uri for item in feed.items}
    return tuple(tombstone for tombstone in feed.tombstones if tombstone[0] not in present)


def language(tag: str) -> str:
    """Return the tag if it is well-formed (BCP 47), else ""."""
    return tag if _LANGUAGE.fullmatch(tag) else ""


def media_type(enclosure: Enclosure) -> str:
    """Return the enclosure's media type, or the one of its URL's ending, or ""."""
    if _MEDIA_TYPE.fullmatch(enclosure.type):
        return enclosure.type
    ending = _EXTENSION.search(enclosure.url)
    return TYPES.get(ending[1].lower(), "") if ending else ""


def rfc3339(when: datetime) -> str:
    """Return a time in UTC to the second, such as `2009-06-27T21:26:00Z`."""
    return f"{when.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"
