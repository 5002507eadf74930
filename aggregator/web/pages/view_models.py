"""What each page shows: a page is a query, one of these, and a template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from aggregator.models.config import Section
from aggregator.models.entry import Enclosure, Image, SafeHtml
from aggregator.store.sources.incidents import Incident
from aggregator.store.sources.poll_log import HostRow, PollRow, Totals
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub.subscribers import Delivery, Subscriber
from aggregator.store.websub.subscriptions import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An entry in a list.

    Args:
        url: Of its page here.
        passage: Text with the found words marked, for a search; else its summary.
        also: Source and path of each other report of the same story.
    """

    id: int
    url: str
    title: str
    passage: SafeHtml
    source_id: str
    source: str
    at: datetime
    section: str = ""
    image: Image | None = None
    kind: str = ""
    language: str = ""
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The stories of one day of a list."""

    day: date
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every page has: its title, when what it shows changed last, and its feeds.

    Args:
        feeds: `(media type, title, path)` of each format.
    """

    title: str
    updated: datetime | None
    description: str = ""
    feeds: tuple[tuple[str, str, str], ...] = ()
    canonical: str = ""
    section: str = ""
    newest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A page as it stood at a moment.

    Args:
        root: What stands before the path of each page of the edition.
        page: The path and query string of the page that is shown.
        others: `(words, path)` of the same page in editions before and after it.
    """

    at: datetime
    root: str
    page: str
    others: tuple[tuple[str, str], ...]
    printing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A section on the front page."""

    section: Section
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPage:
    """The front page: a lead, sections, the latest, and what can be listened to or watched.

    Args:
        covered: The stories of the last days that most sources tell.
    """

    head: Head
    lead: Story | None
    blocks: tuple[Block, ...]
    latest: tuple[Story, ...]
    media: tuple[Story, ...]
    covered: tuple[Story, ...]
    sources: int
    next_poll: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """A view's page: a section, a saved view, a category, an author, a language or a search.

    Args:
        older: Path of the page that goes on, "" at the end.
        expanded: Path of the view with each report of its stories by itself, "" when it is that.
        notes: What of a search could not be obeyed, in words.
    """

    head: Head
    kind: str
    name: str
    days: tuple[Day, ...]
    older: str = ""
    expanded: str = ""
    paged: bool = False
    notes: tuple[str, ...] = ()
    q: str = ""
    section: str = ""
    source: str = ""
    sources: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsPage:
    """The categories of the last `days`, each with how many stories carry it."""

    head: Head
    topics: tuple[tuple[str, int], ...]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """An enclosure of a story; `kind` is audio, video or file."""

    enclosure: Enclosure
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An earlier wording: until when it stood, and the differences to the next, as marked HTML."""

    until: datetime
    title: SafeHtml
    text: SafeHtml


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A change of a story; `what` says whether its headline changed, its text or both."""

    story: Story
    what: str
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionsPage:
    """What was corrected, newest first, under its days; `older` is as in `ListPage`."""

    head: Head
    days: tuple[tuple[date, tuple[Correction, ...]], ...]
    older: str = ""
    paged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember:
    """A report of a story among others; `reason` and `similarity` say why it is one, "" if first.

    Args:
        similarity: To the first, in per cent.
    """

    story: Story
    reason: str
    similarity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPage:
    """A story.

    Args:
        tellings: All reports of the story, this one too, in order of arrival; none if it is alone.
        also: Related stories.
        others: The latest of the same source.
    """

    head: Head
    story: Story
    uri: str
    link: str
    via: str
    comments: str
    content: SafeHtml
    picture: Image | None
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
    story_members: tuple[StoryMember, ...]
    also: tuple[Story, ...]
    others: tuple[Story, ...]
    printing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A little chart of a value for each day: its bars as an SVG path, and the same in words."""

    path: str
    width: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source on the status page."""

    state: SourceState
    spark: Spark


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The "last updated" page.

    Args:
        counts: How many sources are of each health.
        shown: How many of `matching` stand on this page.
        shortage: Why the scheduler can't poll though it lives, "" when it can.
    """

    head: Head
    rows: tuple[SourceRow, ...]
    counts: Sequence[tuple[str, int]]
    totals: Totals
    polls_per_minute: float
    entries: int
    health: str
    sort: str
    page: int
    pages: int
    alive: bool
    tick: datetime | None
    config_error: str
    shortage: str
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsPage:
    """The politeness ledger."""

    head: Head
    rows: tuple[HostRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushesPage:
    """WebSub, both ways.

    Args:
        objection: Why no hub is asked to push, "" when they are.
        hub: That our feeds name, "" for none.
        total: How many subscribers there are.
    """

    head: Head
    objection: str
    hub: str
    subscriptions: tuple[Subscription, ...]
    subscribers: tuple[Subscriber, ...]
    total: int
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """Everything known of a source."""

    head: Head
    state: SourceState
    yaml: str
    line: int
    url: str
    polls: tuple[PollRow, ...]
    spark: Spark
    days: tuple[Day, ...]
    older: str
    incidents: tuple[Incident, ...]
    asked: bool = False
    push: str = ""
