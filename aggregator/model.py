"""The nouns that travel between the stages; plain data, no behaviour beyond derived properties.

Two types hold an entry, on purpose: `ParsedEntry` is the publisher's text, never to be trusted;
`Entry` is ours, made from it by `clean.entry.clean` and by nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

SafeHtml = NewType("SafeHtml", str)
"""HTML that passed the sanitiser; made only in `clean.html`."""


# --- configuration ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone of the "last updated" line: an IANA `name`, and the `label` shown after the time."""

    name: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages and feeds say of the site itself; `base_url` has no trailing slash.

    Args:
        logo: An http or https URL, or the path of a picture on this machine.
        accent: A colour as #rgb or #rrggbb.
        css: Rules for the pages, after our own.
    """

    title: str = "Feed aggregator"
    description: str = ""
    base_url: str = "http://127.0.0.1:8000"
    contact: str = ""
    zones: tuple[Zone, ...] = ()
    language: str = "en"
    logo: str = ""
    accent: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one fetch: times are totals in seconds, `body` counts decoded bytes."""

    connect: float = 10.0
    idle: float = 15.0
    total: float = 30.0
    body: int = 10_000_000
    header: int = 65_536
    redirects: int = 10
    parse: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PerHost:
    """How one host is treated: connections at once, and the least time between two requests."""

    connections: int = 2
    spacing: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for every source that does not say otherwise; `keep` is None for ever."""

    every: timedelta | None = None
    minimum: timedelta = timedelta(minutes=5)
    maximum: timedelta = timedelta(hours=24)
    keep: timedelta | None = None
    limits: Limits = Limits()
    per_host: PerHost = PerHost()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done with entries in whose `field` a regular expression (RE2 syntax) is found.

    Args:
        action: `keep`, `drop`, `category`, `section` or `priority`.
        field: What is looked at; `words` is title, summary and content together.
        value: The category that is added, or the section that the entry is moved to.
    """

    action: str
    field: str
    pattern: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A region or topic of the site."""

    id: str
    title: str
    description: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A feed that the YAML file names: stable `id`, URL and options.

    Args:
        every: The user's own interval, or None for the feed's rhythm.
        priority: The source with the highest leads a story in views with `lead: priority`.
        line: 1-based line of the YAML file where the source stands.
        yaml: The lines of the YAML file that define it, for its page.
    """

    id: str
    url: str = field(repr=False)  # may carry keys
    title: str = ""
    sections: tuple[str, ...] = ()
    every: timedelta | None = None
    enabled: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may carry secrets
    rules: tuple[Rule, ...] = ()
    retry_after_scope: str = "host"
    priority: int = 0
    line: int = 0
    yaml: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved query with a name of its own; with a `token`, only for those who know it."""

    id: str
    title: str
    query: "Query"
    description: str = ""
    token: str = field(default="", repr=False)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """What is closed to strangers.

    Args:
        password: As hashed by `aggregator password`.
        token: For programs.
        protect: `control`, the actions alone, or `site`, everything.
    """

    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    protect: str = "control"

    @property
    def on(self) -> bool:
        """Whether anything is closed."""
        return bool(self.password or self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSub:
    """Pushes instead of polls.

    Args:
        hub: Of our own feeds: `own`, `off`, or the URL of another's hub, told of each change.
        subscribe: Whether the hubs of sources are asked to push.
    """

    hub: str = "own"
    subscribe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Pictures of entries; with `proxy`, pages load them from us and not from publishers."""

    proxy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration file; `cluster` is the address of one, "" for this process."""

    path: str
    site: Site
    storage: str
    allow: tuple[str, ...] = ()
    proxy: str = ""
    defaults: Defaults = Defaults()
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    views: tuple[View, ...] = ()
    auth: Auth = Auth()
    websub: WebSub = WebSub()
    media: Media = Media()
    cluster: str = ""


# --- views -----------------------------------------------------------------------------------


class Sort(StrEnum):
    """Order of a view: `newest` by `sort_at`, `updated` by the last real change."""

    NEWEST = "newest"
    UPDATED = "updated"


class Stories(StrEnum):
    """Whether a view shows a story that several sources tell once, or each of its entries."""

    COLLAPSE = "collapse"
    EXPAND = "expand"


class Lead(StrEnum):
    """Which entry is shown of a story: the first, the preferred source's, or the longest."""

    FIRST = "first"
    PRIORITY = "priority"
    LONGEST = "longest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a view selects. Values of one key are alternatives, keys are all required.

    Args:
        q: Words, "phrases", prefix*, -not; the full-text search.
        exclude: Words that must not occur (the key `not`).
        since: Only entries published at or after this moment.
        has: `audio`, `video`, `image`, `priority`.
        limit: Entries in a feed or page; None for the default.
        within: Only entries published in the time before now; `since` is None then.
        view: A saved view whose keep and drop rules the entries must meet; never in a URL.
        lead: Of a story that is collapsed.
    """

    section: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()
    q: str = ""
    exclude: str = ""
    since: datetime | None = None
    has: tuple[str, ...] = ()
    limit: int | None = None
    sort: Sort = Sort.NEWEST
    within: timedelta | None = None
    view: tuple[str, ...] = ()
    stories: Stories = Stories.COLLAPSE
    lead: Lead = Lead.FIRST


# --- fetch -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """A response's validators, opaque and returned byte for byte (RFC 9110 §8.8)."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said to another program instead of asking it for a feed.

    Any 2xx answer is `Fetched`, even without a body; of redirects only 307 and 308 are followed.

    Args:
        method: GET or POST.
    """

    method: str = "POST"
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One poll to be made: everything it needs travels with it, so it can run anywhere.

    Args:
        validators: Sent as If-None-Match and If-Modified-Since when the final URL is the same
            as `validators_url`.
        body_hash: xxh3_128 of the body stored last, b"" when none.
        item_hashes: Hashes of the items known from the last document, 16 bytes each.
        discover: Whether an HTML page may be searched for its feed.
        archive: Whether this is an older part of the feed, fetched to fill a gap.
        message: Set when no feed is asked for.
        document: Set when the answer has come by itself: a push, and the row of the inbox that
            holds it, `push`; both travel with the request to where it is read.
        hosts: The only ones that may be asked, empty for any; a redirect elsewhere ends the poll.
    """

    source_id: str
    url: str = field(repr=False)
    validators: Validators = Validators()
    validators_url: str = field(default="", repr=False)
    body_hash: bytes = b""
    item_hashes: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = Limits()
    discover: bool = True
    archive: bool = False
    message: Message | None = None
    document: "Fetched | None" = field(default=None, repr=False)
    push: int = 0
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """What a server said of the next request.

    Args:
        lifetime: Cache-Control max-age, else Expires - Date, less Age (RFC 9111 §4.2).
        no_store: Validators must not be kept (RFC 9111 §5.2.2.5).
        retry_after: From the moment of the answer (RFC 9110 §10.2.3).
    """

    lifetime: timedelta | None = None
    no_store: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A redirect that was followed: the status, and the URL it led to."""

    status: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The measurable side of a fetch; `received` counts bytes on the wire, body and header."""

    status: int = 0
    seconds: float = 0.0
    received: int = 0
    conditional: bool = False
    hops: tuple[Hop, ...] = ()
    freshness: Freshness = Freshness()


class FailureKind(StrEnum):
    """Why a poll brought no document."""

    DNS = "dns"
    REFUSED_ADDRESS = "refused_address"
    REFUSED_SCHEME = "refused_scheme"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECTS = "redirects"
    TRUNCATED = "truncated"
    ENCODING = "encoding"
    PROTOCOL = "protocol"
    HTTP_STATUS = "http_status"
    RATE_LIMITED = "rate_limited"
    GONE = "gone"
    FALSE_304 = "false_304"
    NOT_A_FEED = "not_a_feed"
    EMPTY = "empty"
    PARSE = "parse"
    CANCELLED = "cancelled"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A poll that brought no document. Stored; never raised across stages.

    Args:
        detail: For people: names the URL, the limit, what came, and what to do.
    """

    kind: FailureKind
    detail: str
    transfer: Transfer = Transfer()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """The server says that nothing changed; validators as updated by the 304 (RFC 9111 §3.2)."""

    url: str
    validators: Validators
    transfer: Transfer
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole body, decoded.

    Args:
        url: The final URL, base of relative references.
        content_type: The Content-Type field as sent, "" when absent.
        content_language: The Content-Language field, "" when absent.
        partial: A 226 answer to `A-IM: feed`: a list of changes, not the whole feed (RFC 3229).
        links: `(rel, URL)` of the Link header fields, resolved (RFC 8288).
    """

    url: str
    body: bytes = field(repr=False)
    content_type: str
    content_language: str = ""
    validators: Validators = Validators()
    partial: bool = False
    links: tuple[tuple[str, str], ...] = ()
    transfer: Transfer = Transfer()


FetchOutcome = Fetched | NotModified | Failed


# --- entries ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A person of a feed or entry (RFC 4287 §3.2)."""

    name: str = ""
    uri: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """An attached audio, video or other file; `length` in bytes, `duration` in seconds."""

    url: str
    type: str = ""
    length: int | None = None
    duration: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An entry's or feed's picture; sizes in pixels, 0 when unknown."""

    url: str
    width: int = 0
    height: int = 0
    caption: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The feed that an entry was copied from: atom:source or RSS source (RFC 4287 §4.2.11)."""

    id: str = ""
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An element of an allowed namespace that is passed through, such as `itunes:duration`."""

    name: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text construct as published: `type` is `text`, `html` or `xhtml` (RFC 4287 §3.1)."""

    value: str
    type: str = "html"
    base: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    """An entry as the publisher wrote it. Nothing in it may be trusted.

    Args:
        published, updated: As the feed says, with zone, unclamped; None when absent or unreadable.
        base: xml:base in force for the entry, "" when none.
        item_hash: Hash of the item's bytes in the document, b"" when the document was not split.
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
        ttl: RSS ttl; update_period: sy:updatePeriod over sy:updateFrequency.
        skip_hours: 0 to 23, GMT. skip_days: 0 is Monday, GMT.
        problems: What was wrong with the document, in words, with the line where known.
        links: `(rel, URL)` of the feed's links, such as `self`, `hub`, `prev-archive`.
        entries: In document order.
    """

    version: str
    id: str = ""
    title: str = ""
    subtitle: str = ""
    link: str = ""
    language: str = ""
    rights: str = ""
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
    entries: tuple[ParsedEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed's metadata, cleaned: text is text, every URL is absolute http or https."""

    version: str = ""
    id: str = ""
    title: str = ""
    subtitle: str = ""
    link: str = ""
    language: str = ""
    rights: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry that is safe to store and serve.

    Args:
        guid: As sent, bounded; "" when absent.
        link: Absolute http or https URL of the entry's page, "" when none.
        canonical_url: `link` as compared, "" when none.
        title: Text, never markup.
        summary: Text of at most a few hundred characters, made from summary or content.
        content: The fullest text the feed gave.
        text: `content` as plain text, for the search and for comparing.
        published, updated: Clamped to the moment of the poll; None when the feed says nothing.
        fingerprint: Hash of what readers see, free of noise; a change of it is a real change.
        item_hash: As in `ParsedEntry`.
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
    fingerprint: bytes = b""
    item_hash: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the rules of the configuration say of an entry.

    Args:
        dropped: Why it is in no view, "" when it is.
        sections: Where it stands; None for the sections of its source.
        categories: Those that it is given beside the publisher's.
        views: The saved views with rules of their own that it passes.
        priority: Whether it is marked as important.
        reasons: Each rule that said something, in words.
    """

    dropped: str = ""
    sections: tuple[str, ...] | None = None
    categories: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    priority: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry with what we know of it.

    Args:
        id: Our row, in order of arrival.
        uri: The id in our feeds: the publisher's where it is an IRI, else a tag: URI of ours.
        first_seen: When a poll first brought it; never changes.
        changed: When it was last really changed (first_seen when never), the `updated` we publish.
        sort_at: min(published, first_seen): the order of lists.
        withdrawn: When the publisher or a rule took it back, None while it stands.
        hidden: Why it is in no view, "" when it is.
        ruling: What the rules said of it; its categories stand in `entry` too.
        known_by: What it is recognised by: `guid`, `link`, `text`, between blanks.
        matched: Which of them it was recognised by when it was rewritten last, "" when never.
    """

    id: int
    source_id: str
    uri: str
    first_seen: datetime
    changed: datetime
    sort_at: datetime
    entry: Entry
    withdrawn: datetime | None = None
    hidden: str = ""
    ruling: Ruling = Ruling()
    known_by: str = ""
    matched: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """What must be known of a stored entry to tell whether an incoming one is the same."""

    id: int
    guid: str
    canonical_url: str
    title: str
    fingerprint: bytes
    published: datetime | None


# --- polls -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a document said, read and cleaned.

    Args:
        url: The final URL of the document.
        entries: Only the new and changed items when the document could be split.
        item_hashes: Of every item in the document, in order, 16 bytes each; b"" when not split.
        whole: Whether `entries` together with the known items are all of the document.
    """

    url: str
    feed: Feed
    entries: tuple[Entry, ...]
    body_hash: bytes
    item_hashes: bytes = b""
    whole: bool = True
    validators: Validators = Validators()
    transfer: Transfer = Transfer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """A poll that found what is stored already: a 304, or a body equal to the last one."""

    url: str
    validators: Validators
    transfer: Transfer
    equal_body: bool = False


PollOutcome = Reading | Unchanged | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """One poll of one source, finished; the only thing `ingest` takes.

    Args:
        push: The row of the inbox that brought the document, 0 for a poll.
        archive: As in its request.
    """

    source_id: str
    outcome: PollOutcome
    discovered: str = ""
    archive: bool = False
    push: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """When a source is polled next, and why, in words."""

    at: datetime
    reason: str
