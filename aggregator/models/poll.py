"""A poll: the request, the HTTP outcome, and the result that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.models.config import Limits
from aggregator.models.entry import Entry, Feed


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

    source_id: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
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


PollOutcome = ParsedDocument | Unchanged | Failed


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
