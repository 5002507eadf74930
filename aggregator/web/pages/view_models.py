"""View models: the values that each page's template renders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aggregator.models.config import Section
from aggregator.models.entry import Enclosure, Image, SafeHtml
from aggregator.models.messages import N_
from aggregator.store.sources.sources import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReport:
    """Another report of a story: title and icon of its source, and the path of its page."""

    source: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryItem:
    """An entry in a list.

    Args:
        url: Path of the entry's page on this site.
        excerpt: The summary, or in a search a passage with the matches marked.
        section, section_id: Of its source, "" if it is in none.
        icon: Hash of the icon of its source, "" without one.
        is_untitled: Whether `title` is the first words of its text.
        direction: In which it is written, `ltr` or `rtl`.
        other_reports: The other reports of the same story.
        retracted: When its publisher removed it, None if it did not.
    """

    id: int
    url: str
    title: str
    excerpt: SafeHtml
    source_id: str
    source: str
    at: datetime
    section: str = ""
    section_id: str = ""
    icon: str = ""
    is_untitled: bool = False
    direction: str = "ltr"
    image: Image | None = None
    kind: str = ""
    language: str = ""
    other_reports: tuple[OtherReport, ...] = ()
    retracted: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The entries of one day of a list."""

    day: date
    entries: tuple[EntryItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLink:
    """A feed of a page.

    Args:
        type: Media type.
        label: Name of its format.
        hint: Which programs read it, as a sentence.
    """

    type: str
    title: str
    path: str
    label: str
    hint: str


LinkedData = Mapping[str, Any]
"""A node of schema.org, as JSON-LD has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """A page as cards of social networks and search engines show it.

    Args:
        title: Without the name of the site.
        type: The `og:type`, website or article.
        url: Of the page itself, which its canonical URL may differ from.
        published, modified, section: Of an article.
    """

    title: str
    url: str
    type: str = "website"
    image: Image | None = None
    published: datetime | None = None
    modified: datetime | None = None
    section: str = ""
    linked_data: tuple[LinkedData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The parts that every page has: title, time of the last change, feeds.

    Args:
        updated: When the content of the page last changed.
        newest_id: The newest entry shown; the script asks for newer ones. 0 for none.
        embed: Address by which other sites learn how to embed the page's list, "" if they can't.
        sharing: None for a page that is described by its title alone.
    """

    title: str
    updated: datetime | None
    description: str = ""
    feeds: tuple[FeedLink, ...] = ()
    canonical: str = ""
    section: str = ""
    newest_id: int = 0
    embed: str = ""
    sharing: Sharing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """An entry on the page of a feed.

    Args:
        url: Path of the entry's page on this site, else URL of the publisher's, "" without both.
        source: Title of the feed that it came from.
    """

    url: str
    title: str
    summary: str
    language: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """The page that a browser shows for a feed.

    Args:
        label: Name of the feed's format.
        url: Address of the feed.
        raw_path: Path and query string of the feed itself in a browser.
        raw_label: The language that it is written in.
        page_path: Path and query string of the page with the same entries.
        podcast_url: Address for podcast apps, "" if the feed has no recordings.
        language: Of its title and description, "" if unknown.
    """

    head: Head
    label: str
    url: str
    raw_path: str
    raw_label: str
    page_path: str
    entries: tuple[FeedItem, ...]
    podcast_url: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVersion:
    """A page as it was at a time in the past.

    Args:
        root: Prefix of the path of each page at that time.
        path: Path and query string of the page, without the prefix.
        others: `(label, path)` of the same page at earlier and later times.
    """

    at: datetime
    root: str
    path: str
    others: tuple[tuple[str, str], ...]
    printing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSection:
    """A section on the front page."""

    section: Section
    entries: tuple[EntryItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptySite:
    """Why a site has no entries yet.

    Args:
        sources: Enabled sources.
        unpolled: Sources without a finished first poll.
        failed: Sources with a failed last poll.
        is_alive: Whether the scheduler is running.
        next_poll: When the next poll is due.
    """

    sources: int
    unpolled: int
    failed: int
    is_alive: bool
    next_poll: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPage:
    """The front page: a lead, sections, the latest entries, audio and video.

    Args:
        most_covered: The stories of the last days that most sources report.
        empty: Why there are no entries, None if there are, and for past times.
    """

    head: Head
    lead: EntryItem | None
    sections: tuple[FrontSection, ...]
    latest: tuple[EntryItem, ...]
    media: tuple[EntryItem, ...]
    most_covered: tuple[EntryItem, ...]
    empty: EmptySite | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A small bar chart with one value a day: an SVG path, and a label that says the same."""

    path: str
    width: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The profile of a saved view or a topic.

    Args:
        names: Names that its latest entries have, the path of their search, and the number of
            entries.
        sources: Id of each frequent source, its label, and its number of entries.
        pace: Its entries by day, None without any.
        most_covered: Its latest stories that most sources report, with their number.
    """

    names: tuple[tuple[str, str, int], ...]
    sources: tuple[tuple[str, Label, int], ...]
    pace: Sparkline | None
    most_covered: tuple[tuple[EntryItem, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """The page of a view: a section, saved view, category, author, language or search.

    Args:
        newer_path: Path of the page with newer entries, "" on the first page.
        next_path: Path of the next page, "" at the end.
        expanded_path: Path of the same view with every report of a story, "" if none is collapsed.
        is_continued: Whether this is a later page of the list.
        sources: Of the section, each with its id.
        notes: Parts of a search that were ignored, or the reason why it is invalid.
        profile: None for kinds without one and for later pages.
        features: Entries with pictures that are not on the page.
    """

    head: Head
    kind: str
    name: str
    days: tuple[Day, ...]
    newer_path: str = ""
    next_path: str = ""
    expanded_path: str = ""
    is_continued: bool = False
    notes: tuple[str, ...] = ()
    q: str = ""
    section: str = ""
    sources: tuple[tuple[str, Label], ...] = ()
    profile: Profile | None = None
    features: tuple[EntryItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedList:
    """A list in a frame on another site; `url` is that of its page on this one."""

    title: str
    url: str
    entries: tuple[EntryItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsPage:
    """The categories of the last `days` days, each with its number of entries."""

    head: Head
    topics: tuple[tuple[str, int], ...]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """An enclosure of an entry; `kind` is audio, video or file."""

    enclosure: Enclosure
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An edit of an entry: when it was seen, and the differences as marked HTML."""

    until: datetime
    title: SafeHtml
    text: SafeHtml


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """An edit in the list of corrections.

    Args:
        parts: The parts that changed: headline, text, or both.
    """

    entry: EntryItem
    parts: tuple[str, ...]
    change: Change

    @property
    def label(self) -> str:
        """The parts as a heading."""
        if self.parts == ("headline",):
            return N_("Headline changed")
        return N_("Text changed") if self.parts == ("text",) else N_("Headline and text changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionsPage:
    """The corrections by day, newest first; `next_path` and `is_continued` as in `ListPage`."""

    head: Head
    days: tuple[tuple[date, tuple[Correction, ...]], ...]
    next_path: str = ""
    is_continued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember:
    """An entry of a story.

    Args:
        reason: Why it belongs to the story, "" for the first.
        similarity: To the first, in per cent.
        agreements: What it and the first agree in, and what would have kept them apart.
    """

    entry: EntryItem
    reason: str
    similarity: int
    agreements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The entries before and after one in a section or source, which `name` is the title of."""

    name: str
    newer: EntryItem | None
    older: EntryItem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """The page of an entry.

    Args:
        is_continued: Whether the text is a summary of the publisher's page.
        film: Page of another site that plays it, "" for none.
        minutes: To read it, 0 for a short text.
        changed: When the publisher last changed it, None if never.
        is_text_of_page: Whether the text is that of its page, not of the feed.
        story_members: All entries of its story in order of arrival, itself included; empty if it
            belongs to none.
        related: Entries about the same subject.
        from_source: The latest entries of the same source.
        profiles: Title and path of each saved view that it is in.
        features: Entries with pictures that are not on the page.
        unlinked: The authors and categories that have no page.
    """

    head: Head
    entry: EntryItem
    uri: str
    link: str
    is_continued: bool
    via: str
    comments: str
    content: SafeHtml
    picture: Image | None
    film: str
    minutes: int
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    clips: tuple[Clip, ...]
    published: datetime | None
    first_seen: datetime
    changed: datetime | None
    changes: tuple[Change, ...]
    hidden: str
    reasons: tuple[str, ...]
    known_by: tuple[str, ...]
    matched: str
    is_text_of_page: bool
    story_members: tuple[StoryMember, ...]
    neighbours: Neighbours
    related: tuple[EntryItem, ...]
    from_source: tuple[EntryItem, ...]
    profiles: tuple[tuple[str, str], ...] = ()
    features: tuple[EntryItem, ...] = ()
    printing: bool = False
    unlinked: frozenset[str] = frozenset()
