"""The input of all formats: the entries of a view with their sources."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from aggregator.models.config import Attribution
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
        """The date that feeds show."""
        return self.entry.published

    @property
    def updated(self) -> datetime:
        """The last change that feeds show."""
        return self.entry.updated

    @property
    def modified(self) -> datetime:
        """When we last changed the entry in our feeds: later at each change, as caches need."""
        return max(self.entry.changed, self.published)

    @property
    def is_copied(self) -> bool:
        """Whether the source copied the entry from another feed, which it names."""
        origin = self.entry.entry.origin
        return origin is not None and bool(origin.url or origin.id)

    @property
    def origin(self) -> Origin:
        """The feed to credit: the one that the source copied the entry from, else the source."""
        origin = self.entry.entry.origin
        if origin and self.is_copied:
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
class Credits:
    """The texts in the content of entries that name sources; HTML, with {} for the names."""

    source: str = "From {}"
    other_reports: str = "Also reported by {}."


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedFeed:
    """One document of one view. All URLs are absolute.

    Args:
        id: Of the view: the same in all formats and archives, and permanent.
        author: Name of the site.
        page_url: Of the view's HTML page.
        icon: URL of the site's logo.
        artwork: URL of the picture of the only source; readers show it in place of the logo.
        self_url: Of this document in this format.
        alternates: `(media type, URL)` of the same document in the other formats.
        updated: The newest change in the view, `NEVER` when it is empty.
        previous_archive: Link of RFC 5005, "" without one; likewise `current` and `next`.
        complete: Whether the document holds the whole view (RFC 5005 §2).
        archive: Whether the document never changes (RFC 5005 §4).
        items: In the order in which they are listed.
        tombstones: `(id, time)` of withdrawn entries (RFC 6721).
        attribution: Where entries name their source, None where the feed has only one.
        credits: In the language of the interface.
    """

    id: str
    title: str
    author: str
    page_url: str
    self_url: str
    subtitle: str = ""
    language: str = ""
    icon: str = ""
    artwork: str = ""
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
    attribution: Attribution | None = None
    credits: Credits = Credits()


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
