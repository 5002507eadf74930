"""One request under way, from its URL over every redirect to the outcome.

Every answer is judged here, and nothing touches the network: `handle` makes the transfers,
`client` decides when.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from aggregator.fetch import freshness, headers, urls
from aggregator.fetch.headers import Fields
from aggregator.fetch.urls import Target
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

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_RESENDING = frozenset((307, 308))
"""Redirects that keep method and body (RFC 9110 §15.4.8); the only ones that a message follows."""
_SCHEMES = frozenset(("http", "https"))
_SAID = 300
"""Bytes of the words with which a message is refused that are told."""
_LONGEST_VALIDATOR = 2_000
"""Characters; longer ones would make requests that servers refuse."""

_COMMON = {
    "accept": b"Accept: application/atom+xml, application/rss+xml, application/feed+json, "
    b"application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, "
    b"application/json;q=0.7, */*;q=0.1",
    "a-im": b"A-IM: feed",
}
_PLAIN = list(_COMMON.values())
_UNSAID = Freshness()

_BREAKING = frozenset("\r\n\0")
"""Characters that would end a header line."""

_REMEDIES = {
    401: "it wants a user name and password: give them in the URL, or under `headers`",
    403: "the server refuses us: ask its owner, or set `headers` if it wants something special",
    404: "there is no feed at this URL: correct it, or remove the source",
    407: "the proxy wants a user name and password: correct `network.proxy`",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a transfer did not end as it should."""

    kind: FailureKind
    words: str


class Answer(NamedTuple):
    """What came of one transfer.

    Args:
        status: The last status line's, 0 when none came.
        complete: Whether the header section arrived as a whole.
        seconds: How long it took.
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
    """Follows one request. Every redirect is a transfer of its own, so that each is judged."""

    request: Request
    target: Target
    header: list[bytes] = field(default_factory=list)
    conditional: bool = False
    seconds: float = 0.0
    received: int = 0
    hops: tuple[Hop, ...] = ()
    _custom: dict[str, bytes] = field(default_factory=dict)
    _freshness: Freshness = _UNSAID

    @classmethod
    def begin(cls, request: Request) -> "Attempt | Failed":
        """Make ready for a request's own URL, or say why it can't be asked."""
        target = urls.target(request.url)
        if target and target.scheme not in _SCHEMES:
            words = f"{urls.shown(request.url)}: only http and https are fetched"
            return Failed(kind=FailureKind.REFUSED_SCHEME, detail=words)
        if target is None or not target.host:
            words = f"{urls.shown(request.url)}: correct it"
            return Failed(kind=FailureKind.PROTOCOL, detail=words)
        attempt = cls(request, target)
        if request.headers or target.credentials:
            attempt._custom = _custom(request, target)
        attempt._compose()
        return attempt

    @property
    def remaining(self) -> float:
        """Seconds left of the total; time spent waiting for a turn does not count."""
        return self.request.limits.total - self.seconds

    def failed(self, kind: FailureKind, words: str, status: int = 0) -> Failed:
        """End the attempt without a document."""
        where = urls.shown(self.target.href)
        if self.hops:
            where += f" (redirected from {urls.shown(self.request.url)})"
        return Failed(kind=kind, detail=f"{where}: {words}", transfer=self._transfer(status))

    def outcome_of(self, answer: Answer, now: datetime) -> FetchOutcome | None:
        """Return the outcome, or None after a redirect: `target` is then the next URL."""
        self.seconds += answer.seconds
        self.received += answer.received
        self._hear(freshness.read(answer.fields, now))
        if self.request.message:
            return self._replied(answer)
        if answer.status == 200 and answer.fault is None and answer.body:
            return self._fetched(answer)
        if answer.status == 304 and answer.complete:
            return self._not_modified(answer)
        if answer.status in _REDIRECTS and answer.complete:
            return self._follow(answer)
        return self._other(answer)

    # --- the request ---------------------------------------------------------------------------

    def _compose(self) -> None:
        """Compose the header for the current target."""
        message, validators = self.request.message, self.request.validators
        if message:
            self.header = list(self._custom.values())
            if message.content_type:
                self.header.append(f"Content-Type: {message.content_type}".encode())
            self.header.append(b"Expect:")  # libcurl would wait a second for leave to go on
            return
        self.conditional = self._known() and bool(validators.etag or validators.last_modified)
        if not (self._custom or self.conditional):
            self.header = _PLAIN
            return
        header = list((_COMMON | self._custom).values()) if self._custom else _PLAIN.copy()
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

    # --- the answer ----------------------------------------------------------------------------

    def _hear(self, said: Freshness) -> None:
        """Keep the newest answer's freshness, and the longest Retry-After of all hops."""
        earlier = self._freshness.retry_after
        if earlier is not None and (said.retry_after is None or said.retry_after < earlier):
            said = Freshness(lifetime=said.lifetime, no_store=said.no_store, retry_after=earlier)
        self._freshness = said

    def _transfer(self, status: int) -> Transfer:
        return Transfer(
            status=status,
            seconds=self.seconds,
            received=self.received,
            conditional=self.conditional,
            hops=self.hops,
            freshness=self._freshness,
        )

    def _fetched(self, answer: Answer, *, partial: bool = False) -> Fetched:
        fields = answer.fields
        return Fetched(
            url=self.target.href,
            body=answer.body,
            content_type=headers.first(fields, "content-type"),
            content_language=headers.first(fields, "content-language"),
            validators=self._validators(fields, Validators()),
            partial=partial,
            links=headers.links(fields, self.target.href) if "link" in fields else (),
            transfer=self._transfer(answer.status),
        )

    def _not_modified(self, answer: Answer) -> FetchOutcome:
        if not self.conditional:
            words = "304 Not Modified, though nothing was named that could be unmodified"
            return self.failed(FailureKind.FALSE_304, words, 304)
        fields = answer.fields
        return NotModified(
            url=self.target.href,
            validators=self._validators(fields, self.request.validators),
            transfer=self._transfer(304),
            links=headers.links(fields, self.target.href) if "link" in fields else (),
        )

    def _validators(self, fields: Fields, known: Validators) -> Validators:
        """Take the response's, and the known ones where it names none (RFC 9111 §3.2)."""
        if self._freshness.no_store:
            return Validators()
        etag = headers.first(fields, "etag") or known.etag
        modified = headers.first(fields, "last-modified") or known.last_modified
        if etag == known.etag and modified == known.last_modified:
            return known
        return Validators(
            etag=etag if len(etag) <= _LONGEST_VALIDATOR else "",
            last_modified=modified if len(modified) <= _LONGEST_VALIDATOR else "",
        )

    def _other(self, answer: Answer) -> FetchOutcome:
        status, fault = answer.status, answer.fault
        if fault and (not answer.complete or status < 300):
            return self.failed(fault.kind, fault.words, status)
        if status in (200, 204):
            return self.failed(FailureKind.EMPTY, f"the answer ({status}) has no body", status)
        if status == 226:
            return self._changes(answer)
        if status < 300:
            words = f"the status {status} answers another question than ours"
            return self.failed(FailureKind.PROTOCOL, words, status)
        if status == 410:
            words = "410 Gone: the feed has ended; remove the source, or give it its new URL"
            return self.failed(FailureKind.GONE, words, status)
        if status == 429:
            return self.failed(FailureKind.RATE_LIMITED, self._slower(), status)
        remedy = _REMEDIES.get(status)
        if remedy is None:
            remedy = "the server's own fault" if status >= 500 else "unexpected for a feed"
        return self.failed(FailureKind.HTTP_STATUS, f"status {status}: {remedy}", status)

    def _changes(self, answer: Answer) -> FetchOutcome:
        """Judge a 226: only the changed entries, if that is what it did (RFC 3229 §10.5)."""
        applied = [name.lower() for name in headers.members(answer.fields, "im")]
        if applied != ["feed"]:
            words = "226 IM Used, with another manipulation than the `feed` asked for"
            return self.failed(FailureKind.PROTOCOL, words, 226)
        if not answer.body:
            return self.failed(FailureKind.EMPTY, "the answer (226) has no body", 226)
        return self._fetched(answer, partial=True)

    def _replied(self, answer: Answer) -> FetchOutcome | None:
        """Judge the answer to a message: any 2xx is one, and of a POST nobody reads its body."""
        status, fault, message = answer.status, answer.fault, self.request.message
        if status in _RESENDING and answer.complete:
            return self._follow(answer)
        good = 200 <= status < 300 and answer.complete
        if good and (fault is None or (message and message.method == "POST")):
            return self._fetched(answer)
        if fault and (not answer.complete or status < 300):
            return self.failed(fault.kind, fault.words, status)
        said = answer.body[:_SAID].decode(errors="replace").strip()
        words = f"status {status}" + (f", in its words: {said}" if said else "")
        gone = FailureKind.GONE if status == 410 else FailureKind.HTTP_STATUS
        return self.failed(gone, words, status)

    def _slower(self) -> str:
        wait = self._freshness.retry_after
        if wait is None:
            return "status 429: the server wants fewer requests and does not say how many"
        return f"status 429: the server wants no request for {wait.total_seconds():.0f} s"

    # --- redirects -----------------------------------------------------------------------------

    def _follow(self, answer: Answer) -> Failed | None:
        status = answer.status
        location = headers.utf8(headers.first(answer.fields, "location"))
        target = urls.target(location, base=self.target.href) if location else None
        if target is None or (target.scheme in _SCHEMES and not target.host):
            words = f"status {status} without a Location that could be followed"
            return self.failed(FailureKind.PROTOCOL, words, status)
        words = self._objection(target)
        if words:
            return self.failed(FailureKind.REDIRECTS, f"{words}: correct the URL", status)
        if target.scheme not in _SCHEMES:
            words = f"redirects to {urls.shown(target.href)}; only http and https are followed"
            return self.failed(FailureKind.REFUSED_SCHEME, words, status)
        if self.target.scheme == "https" and target.scheme == "http":
            words = (
                f"redirects from https to {urls.shown(target.href)}, which anyone on the way could "
                "change; if that is meant, give the source this URL"
            )
            return self.failed(FailureKind.REFUSED_SCHEME, words, status)
        if target.origin != self.target.origin:
            self._custom = {}  # they were meant for the first origin, and may be secrets
        self.hops += (Hop(status=status, url=target.href),)
        self.target = target
        if self.request.hosts and target.host not in self.request.hosts:
            return self.failed(FailureKind.ELSEWHERE, "another host, not asked here", status)
        self._compose()
        return None

    def _objection(self, target: Target) -> str:
        most = self.request.limits.redirects
        if len(self.hops) >= most:
            return f"more than {most} redirects (limit `redirects`)"
        seen = {self.target.href, _normal(self.request.url), *(hop.url for hop in self.hops)}
        if target.href in seen:
            return f"redirects in a circle, back to {urls.shown(target.href)}"
        return ""


def _normal(url: str) -> str:
    target = urls.target(url)
    return target.href if target else ""


def _custom(request: Request, target: Target) -> dict[str, bytes]:
    """Compose the source's own lines, by lower-case name, with the URL's user and password."""
    custom: dict[str, bytes] = {}
    if target.credentials:
        token = b64encode(target.credentials.encode())
        custom["authorization"] = b"Authorization: Basic " + token
    for name, value in request.headers.items():
        if _BREAKING.isdisjoint(name + value):
            custom[name.lower()] = f"{name}: {value}".encode()
    return custom
