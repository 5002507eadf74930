"""What the formats render: one view of the store, with the sources its entries came from."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape

from aggregator.models.entry import Author, Enclosure, Origin, StoredEntry

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""`MergedFeed.updated` of a view that holds nothing: a date is required, and now() is no answer."""

GENERATOR = "feed-aggregator"

UNKNOWN_TYPE = "application/octet-stream"

# Not the `mimetypes` module: it reads the machine's files, so two machines would differ.
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
    """The feed that an entry came from, as the formats name it.

    Args:
        id: The id in our configuration.
        url: Of the feed document; link: of the publisher's site; page_url: of our page on it.
        feed_id: The feed's own id, "" when it has none.
        updated: Newest change of its entries that is known here, None when unknown.
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
        sections: Ids of the sections that its source belongs to.
        also: `(title, URL)` of other reports of the same story.
        page_url: Of our page on it, "" when there is none.
    """

    entry: StoredEntry
    source: SourceInfo
    sections: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    page_url: str = ""

    @property
    def published(self) -> datetime:
        """When it was first published: the publisher's word, else when we first saw it."""
        return self.entry.entry.published or self.entry.first_seen

    @property
    def updated(self) -> datetime:
        """When it last really changed, and never before it was published (RFC 4287 §4.2.15)."""
        return max(self.entry.changed, self.published)

    @property
    def origin(self) -> Origin:
        """The feed to credit: the one it was copied from, if its own feed was a copy already."""
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
        id: Of the view, the same in its archives and formats, for ever.
        author: Who answers for the feed as a whole: the site.
        page_url: Of the view's HTML page.
        self_url: Of this document in this format.
        alternates: `(media type, URL)` of the same document in the other formats.
        updated: The newest change in the view, `NEVER` when it is empty.
        previous_archive, current, next: RFC 5005 links, "" when there is none.
        complete: This document holds all of the view (RFC 5005 §2).
        archive: This document never changes (RFC 5005 §4).
        items: In the order to be shown.
        tombstones: `(id, when)` of entries that were taken back (RFC 6721).
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
    """Return the items, of those that share an id the one that arrived first, naming the others.

    Two sources may carry the same entry; a document must not hold an id twice (RFC 4287 §4.1.1).
    """
    items = tuple(items)
    sharing: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.entry.id):
        sharing.setdefault(item.entry.uri, []).append(item)
    first = {id(alike[0]): alike[1:] for alike in sharing.values()}
    return tuple(_with(item, first[id(item)]) for item in items if id(item) in first)


def _with(item: Item, others: Sequence[Item]) -> Item:
    if not others:
        return item
    also = [(one.source.title, one.entry.entry.link or one.page_url) for one in others]
    return replace(item, also=(*item.also, *(other for other in also if other[1])))


def content(item: Item) -> str:
    """Return the entry's HTML, and at its end who else reports the same."""
    entry = item.entry.entry
    if not item.also:
        return entry.content
    text = entry.content or (f"<p>{escape(entry.summary)}</p>" if entry.summary else "")
    others = ", ".join(f'<a href="{escape(url)}">{escape(title)}</a>' for title, url in item.also)
    return f"{text}<p>Also reported by {others}.</p>"


def tombstones(feed: MergedFeed) -> tuple[tuple[str, datetime], ...]:
    """Return the feed's tombstones without those of entries that the document holds."""
    present = {item.entry.uri for item in feed.items}
    return tuple(stone for stone in feed.tombstones if stone[0] not in present)


def language(tag: str) -> str:
    """Return the tag if it has the form of BCP 47, else ""."""
    return tag if _LANGUAGE.fullmatch(tag) else ""


def media_type(enclosure: Enclosure) -> str:
    """Return the enclosure's media type, from its URL's ending if it has none, else ""."""
    if _MEDIA_TYPE.fullmatch(enclosure.type):
        return enclosure.type
    ending = _EXTENSION.search(enclosure.url)
    return TYPES.get(ending[1].lower(), "") if ending else ""


def rfc3339(when: datetime) -> str:
    """Return the moment in UTC to the second, such as `2009-06-27T21:26:00Z`."""
    return f"{when.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"
