"""One request from its URL through every redirect to its outcome.

Interprets responses and touches no network: `handle` makes the transfers, `client` schedules them.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, assert_never

from aggregator.fetch import freshness, headers, urls
from aggregator.fetch.cookies import Cookies
from aggregator.fetch.headers import Fields
from aggregator.fetch.urls import RequestTarget
from aggregator.models import health_text
from aggregator.models.config import Transport
from aggregator.models.listing import JsonListing, Listing, PageListing, SitemapListing
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    Freshness,
    Hop,
    NotModified,
    Request,
    Transfer,
    Validators,
)
from aggregator.models.urls import host_of

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_RESENDING = frozenset((307, 308))
"""Redirects that keep method and body (RFC 9110 §15.4.8); a message follows only these."""
_SCHEMES = frozenset(("http", "https"))
_ERROR_TEXT = 300
"""Bytes of an error body that are quoted when a message is refused."""
_SHOWN = 200
"""Maximum characters of an invalid Location in a message."""
_LONGEST_VALIDATOR = 2_000
"""Characters. Servers refuse requests with longer headers."""

_COMMON = {
    "accept": b"Accept: application/atom+xml, application/rss+xml, application/feed+json, "
    b"application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, "
    b"application/json;q=0.7, */*;q=0.1",
    "a-im": b"A-IM: feed",
}
_PLAIN = list(_COMMON.values())
_PAGE = {"accept": b"Accept: text/html, application/xhtml+xml;q=0.9, */*;q=0.1"}
_JSON = {"accept": b"Accept: application/json, */*;q=0.5"}
_SITEMAP = {"accept": b"Accept: application/xml, text/xml, application/gzip, */*;q=0.5"}
_NO_FRESHNESS = Freshness()

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_BREAKING = frozenset("\r\n\0")
"""Characters that would end a header line."""

_REMEDIES = {
    401: "the feed needs a user name and password: add them under `credentials`",
    403: "the server refuses access: ask its owner, or set `headers` if it needs one",
    404: "there is no feed at this URL: correct the URL, or remove the source",
    407: "the proxy needs a user name and password: correct the URL of the proxy",
}
_REMEDIES_OF_PAGES = {
    401: "the page needs a user name and password: set `credentials` or `cookies`",
    403: "the server refuses access: set `cookies` or `credentials` if you have an account",
    404: "there is no page at this URL",
    407: _REMEDIES[407],
    410: "the page was removed",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a transfer failed."""

    kind: FailureKind
    reason: str


class Response(NamedTuple):
    """The response of one transfer.

    Args:
        status: From the last status line, 0 without one.
        complete: Whether the whole header section arrived.
        seconds: Duration.
        received: Bytes on the wire.
    """

    status: int
    fields: Fields
    complete: bool
    body: bytes
    seconds: float
    received: int
    fault: Fault | None


@dataclass(slots=True)
class Attempt:
    """Follows one request; each redirect is a separate transfer, so that each URL is checked."""

    request: Request
    target: RequestTarget
    header: list[bytes] = field(default_factory=list)
    conditional: bool = False
    seconds: float = 0.0
    received: int = 0
    hops: tuple[Hop, ...] = ()
    _custom: dict[str, bytes] = field(default_factory=dict)
    _freshness: Freshness = _NO_FRESHNESS
    _cookies: Cookies = field(default_factory=Cookies)
    _sent_cookies: str = ""
    _seen: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def begin(cls, request: Request) -> "Attempt | Failed":
        """Return the attempt for a request, or the reason why its URL can't be fetched."""
        target = urls.parse(request.hops[-1].url if request.hops else request.url)
        if target and target.scheme not in _SCHEMES:
            detail = f"{urls.display(request.url)}: only http and https are fetched"
            return Failed(kind=FailureKind.REFUSED_SCHEME, detail=detail)
        if target is None or not target.host:
            detail = f"{urls.display(request.url)}: not a valid URL; correct it"
            return Failed(kind=FailureKind.PROTOCOL, detail=detail)
        attempt = cls(request, target, hops=request.hops)
        if request.transport.cookies:
            attempt._cookies.seed(request.transport.cookies)
        if not request.hops and (request.headers or target.credentials):
            attempt._custom = _custom(request, target)
        attempt._compose()
        return attempt

    @property
    def transport(self) -> Transport:
        """How the current transfer is sent; another origin is not trusted as the first is."""
        transport = self.request.transport
        if not (self.hops and (transport.insecure or transport.ca)):
            return transport
        return transport.to(self.target.host, own=host_of(self.request.url))

    @property
    def remaining(self) -> float:
        """Seconds left of `limits.total`; time in the queue does not count."""
        return self.request.limits.total - self.seconds

    def failure(self, kind: FailureKind, reason: str, status: int = 0) -> Failed:
        """Return the outcome of an attempt without a document."""
        where = urls.display(self.target.href)
        if self.hops:
            where += f" (redirected from {urls.display(self.request.url)})"
        return Failed(kind=kind, detail=f"{where}: {reason}", transfer=self._transfer(status))

    def outcome_of(self, response: Response, now: datetime) -> FetchOutcome | None:
        """Return the outcome, or None after a redirect; `target` is then the next URL."""
        self.seconds += response.seconds
        self.received += response.received
        self._keep_freshness(freshness.parse(response.fields, now))
        if self.request.message:
            return self._replied(response)
        if response.status == 200 and response.fault is None and response.body:
            return self._fetched(response)
        if response.status == 304 and response.complete:
            return self._not_modified(response)
        if response.status in _REDIRECTS and response.complete:
            return self._follow(response)
        return self._other(response)

    # --- the request ---------------------------------------------------------------------------

    def _compose(self) -> None:
        """Build the request header for the current target."""
        self._compose_header()
        self._sent_cookies = self._cookies.field(self.target)
        if self._sent_cookies:
            given = [line for line in self.header if line.lower().startswith(b"cookie:")]
            line = b"; ".join((*given, self._sent_cookies.encode("latin-1")))
            line = line if given else b"Cookie: " + line
            self.header = [*(other for other in self.header if other not in given), line]

    def _compose_header(self) -> None:
        message, validators = self.request.message, self.request.validators
        if message:
            self.header = list(self._custom.values())
            if message.content_type:
                self.header.append(f"Content-Type: {message.content_type}".encode())
            self.header.append(b"Expect:")  # libcurl would wait a second for 100 Continue
            return
        is_posted = self.request.post is not None
        self.conditional = (
            not is_posted and self._known() and bool(validators.etag or validators.last_modified)
        )
        listing = self.request.listing
        if not (self._custom or self.conditional or listing or self.request.task):
            self.header = _PLAIN
            return
        common = _accepted(listing) if listing else _PAGE if self.request.task else _COMMON
        header = list((common | self._custom).values())
        if is_posted:
            header += [b"Content-Type: application/json", b"Expect:"]
        if self.conditional and validators.etag:
            header.append(b"If-None-Match: " + validators.etag.encode("latin-1", "replace"))
        if self.conditional and validators.last_modified:
            modified = validators.last_modified.encode("latin-1", "replace")
            header.append(b"If-Modified-Since: " + modified)
        self.header = header

    def _known(self) -> bool:
        """Whether the validators belong to the current target."""
        known = self.request.validators_url
        return bool(known) and (self.target.href == known or self.target.href == _normal(known))

    # --- the response --------------------------------------------------------------------------

    def _keep_freshness(self, new: Freshness) -> None:
        """Keep the newest response's freshness, and the longest Retry-After of all hops."""
        earlier = self._freshness.retry_after
        if earlier is not None and (new.retry_after is None or new.retry_after < earlier):
            new = Freshness(lifetime=new.lifetime, no_store=new.no_store, retry_after=earlier)
        self._freshness = new

    def _transfer(self, status: int) -> Transfer:
        return Transfer(
            status=status,
            seconds=self.seconds,
            received=self.received,
            conditional=self.conditional,
            hops=self.hops,
            freshness=self._freshness,
        )

    def _fetched(self, response: Response, *, partial: bool = False) -> Fetched:
        fields = response.fields
        return Fetched(
            url=self.target.href,
            body=response.body,
            content_type=headers.first(fields, "content-type"),
            content_language=headers.first(fields, "content-language"),
            validators=self._validators(fields, Validators()),
            partial=partial,
            links=headers.links(fields, self.target.href) if "link" in fields else (),
            transfer=self._transfer(response.status),
        )

    def _not_modified(self, response: Response) -> FetchOutcome:
        if not self.conditional:
            reason = "304 Not Modified, although the request was not conditional"
            return self.failure(FailureKind.FALSE_304, reason, 304)
        fields = response.fields
        return NotModified(
            url=self.target.href,
            validators=self._validators(fields, self.request.validators),
            transfer=self._transfer(304),
            links=headers.links(fields, self.target.href) if "link" in fields else (),
        )

    def _validators(self, fields: Fields, known: Validators) -> Validators:
        """Return the response's validators; known ones fill in for missing ones (RFC 9111 §3.2)."""
        if self._freshness.no_store:
            return Validators()
        etag = headers.first(fields, "etag") or known.etag
        modified = headers.first(fields, "last-modified") or known.last_modified
        if etag == known.etag and modified == known.last_modified:
            return known
        return Validators(etag=_sendable(etag), last_modified=_sendable(modified))

    def _other(self, response: Response) -> FetchOutcome:
        status, fault = response.status, response.fault
        if fault and (not response.complete or status < 300):
            return self.failure(fault.kind, fault.reason, status)
        if status in (200, 204):
            return self.failure(FailureKind.EMPTY, f"the response ({status}) has no body", status)
        if status == 226:
            return self._changes(response)
        if status < 300:
            reason = f"the status {status} does not answer a GET request"
            return self.failure(FailureKind.PROTOCOL, reason, status)
        if status == 410:
            ended = "the feed has ended; remove the source, or set its new URL"
            reason = f"410 Gone: {_REMEDIES_OF_PAGES[410] if self.request.task else ended}"
            return self.failure(FailureKind.GONE, reason, status)
        if status == 429:
            return self.failure(FailureKind.RATE_LIMITED, self._rate_limit_reason(), status)
        remedy = (_REMEDIES_OF_PAGES if self.request.task else _REMEDIES).get(status)
        if remedy is None:
            noun = "page" if self.request.task else "feed"
            remedy = "an error of the server" if status >= 500 else f"unexpected for a {noun}"
        reason = f"{health_text.status(status)}: {remedy}"
        return self.failure(FailureKind.HTTP_STATUS, reason, status)

    def _changes(self, response: Response) -> FetchOutcome:
        """Return the outcome of a 226, which may hold changed entries only (RFC 3229 §10.5)."""
        applied = [name.lower() for name in headers.members(response.fields, "im")]
        if applied != ["feed"]:
            reason = "226 IM Used, with a different manipulation than the requested `feed`"
            return self.failure(FailureKind.PROTOCOL, reason, 226)
        if not response.body:
            return self.failure(FailureKind.EMPTY, "the response (226) has no body", 226)
        return self._fetched(response, partial=True)

    def _replied(self, response: Response) -> FetchOutcome | None:
        """Return the outcome of a message: any 2xx succeeds, and a POST needs no body."""
        status, fault, message = response.status, response.fault, self.request.message
        if status in _RESENDING and response.complete:
            return self._follow(response)
        good = 200 <= status < 300 and response.complete
        if good and (fault is None or (message and message.method == "POST")):
            return self._fetched(response)
        if fault and (not response.complete or status < 300):
            return self.failure(fault.kind, fault.reason, status)
        quote = response.body[:_ERROR_TEXT].decode(errors="replace").strip()
        reason = health_text.status(status) + (f": {quote}" if quote else "")
        kind = FailureKind.GONE if status == 410 else FailureKind.HTTP_STATUS
        return self.failure(kind, reason, status)

    def _rate_limit_reason(self) -> str:
        wait = self._freshness.retry_after
        if wait is None:
            return "429 Too Many Requests: the server names no waiting time"
        return f"429 Too Many Requests: the server asks to wait {wait.total_seconds():.0f} s"

    # --- redirects -----------------------------------------------------------------------------

    def _follow(self, response: Response) -> Failed | None:
        status = response.status
        location = headers.url(headers.first(response.fields, "location"))
        if not location:
            reason = f"status {status}, a redirect, without a Location header"
            return self.failure(FailureKind.PROTOCOL, reason, status)
        target = urls.parse(location, base=self.target.href)
        if target is None or (target.scheme in _SCHEMES and not target.host):
            reason = (
                f"redirects (status {status}) to {location[:_SHOWN]!a}, which is not a valid URL"
            )
            return self.failure(FailureKind.PROTOCOL, reason, status)
        self._cookies.store(response.fields, self.target)
        reason = self._redirect_problem(target) or self._posting_problem(status, target)
        if reason:
            return self.failure(FailureKind.REDIRECTS, f"{reason}: correct the URL", status)
        if target.scheme not in _SCHEMES:
            reason = f"redirects to {urls.display(target.href)}; only http and https are followed"
            return self.failure(FailureKind.REFUSED_SCHEME, reason, status)
        if self.target.scheme == "https" and target.scheme == "http":
            reason = (
                f"redirects from https to {urls.display(target.href)}, which anyone on the network "
                "path could change; if that is intended, use this URL for the source"
            )
            return self.failure(FailureKind.REFUSED_SCHEME, reason, status)
        if target.origin != self.target.origin and not self._is_upgrade(target):
            self._custom = {}  # the headers may be secrets, meant for the first origin
        self.hops += (Hop(status=status, url=target.href),)
        self.target = target
        if self.request.hosts and target.host not in self.request.hosts:
            return self.failure(FailureKind.ELSEWHERE, "is on another host", status)
        self._compose()
        return None

    def _redirect_problem(self, target: RequestTarget) -> str:
        most = self.request.limits.redirects
        if len(self.hops) >= most:
            return f"more than {most} redirects (limit `redirects`)"
        self._seen.add((self.target.href, self._sent_cookies))
        if (target.href, self._cookies.field(target)) in self._seen:
            return f"redirects in a loop, back to {urls.display(target.href)}"
        return ""

    def _posting_problem(self, status: int, target: RequestTarget) -> str:
        """Return why a body must not be sent to the target of a redirect, "" if it may be."""
        if self.request.post is None or self.request.message:
            return ""
        where = urls.display(target.href)
        if status not in _RESENDING:
            return f"answers a POST with a redirect ({status}) to {where}"
        if target.origin != self.target.origin:
            return f"redirects a POST to another origin, {where}"
        return ""

    def _is_upgrade(self, target: RequestTarget) -> bool:
        """Whether a redirect leads from http to https on the same host."""
        schemes = (self.target.scheme, target.scheme)
        return schemes == ("http", "https") and target.host == self.target.host


def _accepted(listing: Listing) -> dict[str, bytes]:
    match listing:
        case PageListing():
            return _PAGE
        case JsonListing():
            return _PAGE if listing.script else _JSON
        case SitemapListing():
            return _SITEMAP
        case _:
            assert_never(listing)


def _sendable(validator: str) -> str:
    """Return a validator, or "" if it can't be sent back as a header value (RFC 9110 §5.5)."""
    # Blanks and quotes inside an ETag are not etagc either, but servers that send them know them.
    is_safe = len(validator) <= _LONGEST_VALIDATOR and not _CONTROL.search(validator)
    return validator if is_safe else ""


def _normal(url: str) -> str:
    target = urls.parse(url)
    return target.href if target else ""


def _custom(request: Request, target: RequestTarget) -> dict[str, bytes]:
    """Return the source's own header lines by lower-case name, with the URL's credentials."""
    custom: dict[str, bytes] = {}
    if target.credentials:
        token = b64encode(target.credentials.encode())
        custom["authorization"] = b"Authorization: Basic " + token
    for name, value in request.headers.items():
        if _BREAKING.isdisjoint(name + value):
            custom[name.lower()] = f"{name}: {value}".encode()
    return custom
