"""Feeds and entries, as published (`ParsedFeed`, `ParsedEntry`) and as stored (`Feed`, `Entry`).

Two types hold an entry on purpose. `ParsedEntry` is untrusted input. `Entry` is safe to store and
serve, and only `clean.entry.clean` makes one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, NewType

from aggregator.models.pickling import fast_pickle

SafeHtml = NewType("SafeHtml", str)
"""Sanitised HTML; only `clean.html` makes it."""


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A person of a feed or entry (RFC 4287 §3.2)."""

    name: str = ""
    uri: str = ""
    email: str = ""


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """An attached audio, video or other file; `length` in bytes, `duration` in seconds."""

    url: str
    type: str = ""
    length: int | None = None
    duration: int | None = None
    title: str = ""


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of an entry or feed.

    Args:
        width, height: In pixels, 0 when unknown.
        is_artwork: Whether it is the square artwork of a podcast, such as itunes:image.
    """

    url: str
    width: int = 0
    height: int = 0
    caption: str = ""
    credit: str = ""
    is_artwork: bool = False


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The feed that an entry was copied from: atom:source or RSS source (RFC 4287 §4.2.11)."""

    id: str = ""
    title: str = ""
    url: str = ""


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An element of an allowed namespace that is passed through, such as `itunes:duration`."""

    name: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


class Text(NamedTuple):
    """A text construct as published: `type` is `text`, `html` or `xhtml` (RFC 4287 §3.1)."""

    value: str
    type: str = "html"
    base: str = ""
    language: str = ""


@dataclass(slots=True, kw_only=True)  # one is made in a sixth of the time of a frozen one
class ParsedEntry:
    """An entry as the publisher wrote it. Nothing in it may be trusted.

    Args:
        published, updated: As the feed says, with zone, unclamped; None when absent or unreadable.
        unread_date: The text of a date that can't be read, where no other one can; else "".
        base: xml:base in force for the entry, "" when none.
        item_hash: Hash of the item's bytes in the document, b"" when the document was not split.
        is_cut: Whether the document ends within the entry, so that its text may be incomplete.
        links: `(rel, URL)` of the entry's further links, such as `via` or `replies`.
    """

    guid: str = ""
    link: str = ""
    title: Text | None = None
    summary: Text | None = None
    content: Text | None = None
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    unread_date: str = ""
    is_cut: bool = False
    enclosures: tuple[Enclosure, ...] = ()
    images: tuple[Image, ...] = ()
    origin: Origin | None = None
    links: tuple[tuple[str, str], ...] = ()
    comments: str = ""
    extensions: tuple[Extension, ...] = ()
    language: str = ""
    base: str = ""
    item_hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document as the publisher wrote it.

    Args:
        icon: A picture meant for small sizes; image: the one that stands for the feed.
        ttl: RSS ttl; update_period: sy:updatePeriod over sy:updateFrequency.
        skip_hours: 0 to 23, GMT. skip_days: 0 is Monday, GMT.
        problems: A sentence for each fault of the document, with its line if known.
        links: `(rel, URL)` of the feed's links, such as `self`, `hub`, `prev-archive`.
        unmatched: The selectors of its listing that match in none of its entries.
        entries: In document order.
    """

    version: str
    id: str = ""
    title: str = ""
    subtitle: str = ""
    link: str = ""
    language: str = ""
    rights: str = ""
    icon: str = ""
    image: str = ""
    updated: datetime | None = None
    authors: tuple[Author, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    ttl: timedelta | None = None
    update_period: timedelta | None = None
    update_base: datetime | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    complete: bool = False
    archive: bool = False
    problems: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    entries: tuple[ParsedEntry, ...] = ()


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed's metadata, cleaned: text is text, every URL is absolute http or https.

    `icon` and `image` are as in `ParsedFeed`.

    Args:
        unmatched: The selectors of its listing that matched in none of its entries, each with the
            number of polls in a row.
    """

    version: str = ""
    id: str = ""
    title: str = ""
    subtitle: str = ""
    link: str = ""
    language: str = ""
    rights: str = ""
    icon: str = ""
    image: str = ""
    updated: datetime | None = None
    authors: tuple[Author, ...] = ()
    self_url: str = ""
    hubs: tuple[str, ...] = ()
    older: str = ""
    ttl: timedelta | None = None
    update_period: timedelta | None = None
    update_base: datetime | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    problems: tuple[str, ...] = ()
    unmatched: tuple[tuple[str, int], ...] = ()


@fast_pickle
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry that is safe to store and serve.

    Args:
        guid: As sent, of limited length; "" if absent.
        link: Absolute http or https URL of the entry's page, "" if absent.
        canonical_url: `link` in the form to compare, "" if absent.
        title: Text, never markup.
        summary: Text of at most a few hundred characters, from summary or content.
        content: The longest text in the feed.
        text: `content` as plain text, to search and compare.
        published, updated: Not later than the poll; None if absent in the feed.
        unread_date: As in `ParsedEntry`, bounded.
        fingerprint: Hash of the visible text without noise; it changes with the text.
        item_hash: As in `ParsedEntry`.
        text_from: `page` if the texts are those of its page, "" for those of the feed.
        edits: Descriptions of the changes by the options of its source, for people.
    """

    guid: str
    link: str
    canonical_url: str
    title: str
    summary: str
    content: SafeHtml
    published: datetime | None
    updated: datetime | None
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    image: Image | None = None
    origin: Origin | None = None
    via: str = ""
    comments: str = ""
    extensions: tuple[Extension, ...] = ()
    language: str = ""
    unread_date: str = ""
    fingerprint: bytes = b""
    item_hash: bytes = b""
    text: str = ""
    text_from: str = ""
    edits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """The result of the configuration's rules for an entry.

    Args:
        dropped: Why no view shows it, "" if views do.
        sections: The sections that show it; None for those of its source.
        categories: Categories added to the publisher's.
        views: The saved views with rules that it passes.
        priority: Whether it is marked as important.
        reasons: A description of each rule that applied.
    """

    dropped: str = ""
    sections: tuple[str, ...] | None = None
    categories: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    priority: bool = False
    reasons: tuple[str, ...] = ()


REMOVED = "removed: "
"""Begins the reason of an entry that the operator hid; no rule and no revision shows it again."""

RETRACTED = "retracted by its publisher"
"""The reason of a retracted entry where the configuration hides such entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """An entry that left its feed's document from between two entries that stayed.

    Args:
        above, below: The ids of these two, in the order of the document.
        since: Time of the first poll without it.
        polls: Successful polls without it in a row.
    """

    entry_id: int
    above: int
    below: int
    since: datetime
    polls: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """A stored entry, with its state.

    Args:
        id: Row id, in order of arrival.
        uri: The id in our feeds: the guid if it is an IRI, else a tag: URI of ours.
        first_seen: When a poll first found it; never changes.
        changed: When its text last changed as we saw it, else first_seen.
        sort_at: min(published, first_seen): the order of lists.
        withdrawn: When the publisher, a rule or the operator withdrew it, None if none did.
        retracted: When its publisher removed it from the middle of the feed, None if it did not.
        hidden: Why no view shows it, "" if views do.
        ruling: The result of the rules; its categories are in `entry` too.
        known_by: The keys that identify it: `guid`, `link`, `text`, separated by blanks.
        matched: The key that identified it at its last revision, "" without one.
    """

    id: int
    source_id: str
    uri: str
    first_seen: datetime
    changed: datetime
    sort_at: datetime
    entry: Entry
    withdrawn: datetime | None = None
    retracted: datetime | None = None
    hidden: str = ""
    ruling: RuleResult = RuleResult()
    known_by: str = ""
    matched: str = ""

    @property
    def published(self) -> datetime:
        """The publisher's date, or the time of the first poll with it."""
        return self.entry.published or self.first_seen

    @property
    def updated(self) -> datetime:
        """When the entry last changed, never before `published` (RFC 4287 §4.2.15).

        That is our time of a change that we saw, else the publisher's, else `published`.
        """
        if self.changed > self.first_seen:
            return max(self.changed, self.published)
        return max(self.entry.updated or self.published, self.published)

    @property
    def is_removed(self) -> bool:
        """Whether the operator hid it."""
        return self.hidden.startswith(REMOVED)

    @property
    def is_taken_down(self) -> bool:
        """Whether nothing of it may be served: hidden by the operator, or as retracted."""
        return self.hidden.startswith((REMOVED, RETRACTED))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """The fields of a stored entry by which an incoming entry is compared with it."""

    id: int
    guid: str
    canonical_url: str
    title: str
    fingerprint: bytes
    published: datetime | None
