"""A poll: the request, the HTTP outcome, and the result that is stored.

What each poll makes is a tuple: a dataclass takes four times as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from aggregator.models.config import (
    PLAIN_READING,
    PLAIN_TRANSPORT,
    Limits,
    Reading,
    Transport,
)
from aggregator.models.entry import Author, Entry, Feed, Image, SafeHtml
from aggregator.models.listing import JsonListing, Listing, is_page
from aggregator.models.page import PageTask, RobotsTask


class Validators(NamedTuple):
    """A response's validators, opaque and returned byte for byte (RFC 9110 §8.8)."""

    etag: str = ""
    last_modified: str = ""


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A WebSub message, sent instead of a request for a feed.

    Any 2xx response is `Fetched`, even without a body. Only 307 and 308 redirects are followed.

    Args:
        method: GET or POST.
    """

    method: str = "POST"
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A poll to make, with everything it needs, so that it can run in any process.

    Args:
        source_id: The source, "" for a request that polls none.
        validators: Sent as If-None-Match and If-Modified-Since if the final URL equals
            `validators_url`.
        body_hash: xxh3_128 of the last body, b"" without one.
        item_hashes: Hashes of the last document's items, 16 bytes each.
        listing: How entries are found in a document that is no feed, None for a feed.
        discover: Whether an HTML page may be searched for links to feeds.
        propose: Propose listings for the document instead of reading it.
        archive: Whether this is an older part of the feed, fetched to fill a gap.
        message: A message to send instead of polling a feed.
        document: A pushed document or a refusal, which need no fetch.
        push: The inbox row of `document`.
        hosts: The only hosts that may be contacted, empty for any. A redirect to another host ends
            the poll.
        hops: Redirects of `url` that were followed before; the last one's target is fetched.
        transport, reading: The options of its source.
        task: The page or robots.txt to fetch instead of polling a feed.
    """

    source_id: str = ""
    url: str = field(repr=False)
    validators: Validators = NO_VALIDATORS
    validators_url: str = field(default="", repr=False)
    body_hash: bytes = b""
    item_hashes: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = Limits()
    listing: Listing | None = None
    discover: bool = True
    propose: bool = False
    archive: bool = False
    message: Message | None = None
    document: "Fetched | Failed | None" = field(default=None, repr=False)
    push: int = 0
    hosts: frozenset[str] = frozenset()
    hops: "tuple[Hop, ...]" = ()
    transport: Transport = PLAIN_TRANSPORT
    reading: Reading = PLAIN_READING
    task: PageTask | RobotsTask | None = None

    @property
    def key(self) -> str:
        """Identifies the request among those in flight."""
        return self.task.key if self.task else self.source_id

    @property
    def is_page(self) -> bool:
        """Whether this fetches a page for people, which the robots.txt of its host may forbid."""
        return isinstance(self.task, PageTask) or is_page(self.listing)

    @property
    def post(self) -> bytes | None:
        """The body to POST, None for a GET request."""
        if self.message:
            return self.message.body if self.message.method == "POST" else None
        if isinstance(self.listing, JsonListing) and self.listing.post:
            return self.listing.post.encode()
        return None


class Freshness(NamedTuple):
    """When a server wants the next request.

    Args:
        lifetime: Cache-Control max-age, else Expires - Date, minus Age (RFC 9111 §4.2).
        no_store: Whether validators must not be kept (RFC 9111 §5.2.2.5).
        retry_after: Counted from the response (RFC 9110 §10.2.3).
    """

    lifetime: timedelta | None = None
    no_store: bool = False
    retry_after: timedelta | None = None


class Hop(NamedTuple):
    """A followed redirect: its status and target URL."""

    status: int
    url: str


class Transfer(NamedTuple):
    """Measurements of a fetch; `received` counts bytes of body and header on the wire."""

    status: int = 0
    seconds: float = 0.0
    received: int = 0
    conditional: bool = False
    hops: tuple[Hop, ...] = ()
    freshness: Freshness = Freshness()


NO_TRANSFER = Transfer()


class FailureKind(StrEnum):
    """Why a poll returned no document."""

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
    NO_ENTRIES = "no_entries"
    PARSE = "parse"
    CANCELLED = "cancelled"
    ELSEWHERE = "elsewhere"
    ROBOTS = "robots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A poll that returned no document. Stored; never raised across stages.

    Args:
        detail: For people: the URL, the limit, the response, and the remedy.
    """

    kind: FailureKind
    detail: str
    transfer: Transfer = NO_TRANSFER


class NotModified(NamedTuple):
    """304 Not Modified, with the validators it updated (RFC 9111 §3.2)."""

    url: str
    validators: Validators
    transfer: Transfer
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete, decoded body.

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
    validators: Validators = NO_VALIDATORS
    partial: bool = False
    links: tuple[tuple[str, str], ...] = ()
    transfer: Transfer = NO_TRANSFER


FetchOutcome = Fetched | NotModified | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """A document, parsed and cleaned.

    Args:
        url: The final URL of the document.
        entries: Only the new and changed items when the document could be split.
        item_hashes: Of every item in the document, in order, 16 bytes each; b"" when not split.
        whole: Whether `entries` together with the known items are all of the document.
        following: URLs of further documents with entries of the source: the next page of a
            listing, or the sitemaps of an index.
    """

    url: str
    feed: Feed
    entries: tuple[Entry, ...]
    body_hash: bytes
    item_hashes: bytes = b""
    whole: bool = True
    following: tuple[str, ...] = ()
    validators: Validators = NO_VALIDATORS
    transfer: Transfer = NO_TRANSFER


class Unchanged(NamedTuple):
    """A poll without changes: a 304, or a body equal to the last one."""

    url: str
    validators: Validators
    transfer: Transfer
    equal_body: bool = False


PollOutcome = ParsedDocument | Unchanged | Failed


class PollResult(NamedTuple):
    """A finished poll of one source; the input of `ingest`.

    Args:
        push: The row of the inbox that brought the document, 0 for a poll.
        archive: As in its request.
        proposed: Listings for a document that is no feed, the best first.
    """

    source_id: str
    outcome: PollOutcome
    discovered: str = ""
    proposed: tuple[Listing, ...] = ()
    archive: bool = False
    push: int = 0

    @property
    def key(self) -> str:
        """The key of its request."""
        return self.source_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The text of an entry's page, sanitised.

    Args:
        url: The final URL of the page.
        text: `content` as plain text, as in `Entry`.
        summary: The first words of it.
        image, authors, published: As the page says, for an entry that lacks them.
        edits: Descriptions of the changes by the options of the source.
    """

    url: str
    content: SafeHtml
    text: str
    summary: str = ""
    image: Image | None = None
    authors: tuple[Author, ...] = ()
    published: datetime | None = None
    edits: tuple[str, ...] = ()
    validators: Validators = NO_VALIDATORS
    transfer: Transfer = NO_TRANSFER


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsFile:
    """A robots.txt as received (RFC 9309)."""

    body: bytes = field(repr=False)
    transfer: Transfer = NO_TRANSFER


PageOutcome = PageText | RobotsFile | Unchanged | Failed


class PageResult(NamedTuple):
    """A fetched page or robots.txt; the input of `ingest.pages`."""

    task: PageTask | RobotsTask
    outcome: PageOutcome

    @property
    def key(self) -> str:
        """The key of its request."""
        return self.task.key


Result = PollResult | PageResult


class NextPoll(NamedTuple):
    """When a source is polled next, and the reason as text."""

    at: datetime
    reason: str
