"""Documents kept in memory as they are sent, and the WSGI wrapper that sends them.

A feed is rendered when it is first asked for after a change, compressed once for each coding that
anybody asks for, and then answered here, before Flask has looked at the request. Nothing in here
knows what a document holds.
"""

import gzip
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import brotli  # type: ignore[import-untyped]  # ships no types
import xxhash
import zstandard

from aggregator.errors import StoreError
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.web.middleware import conditional

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

SAFE: Headers = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Access-Control-Allow-Origin", "*"),
]
"""What every answer on feeds carries, errors too."""

PRIVATE: Headers = [pair for pair in SAFE if not pair[0].startswith("Access-Control")]

EXPOSED = ("Access-Control-Expose-Headers", "ETag, IM, Last-Modified, Link")

ANSWERS_KEPT = 1_000

_SUFFIXES = {"gzip": "-gz", "br": "-br", "zstd": "-zst", "identity": ""}

_CODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
    "br": lambda body: brotli.compress(body, brotli.MODE_TEXT, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=8).compress(body),
    "identity": lambda body: body,
}


def compress(coding: str, body: bytes) -> bytes:
    """Return a body in a content coding that `conditional.coding` chose."""
    return _CODERS[coding](body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, ready to be sent; `status` as in `200 OK`."""

    status: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A document in one content coding, with the answers it can give."""

    etag: str
    quoted: str
    full: Answer
    unchanged: Answer


@dataclass(slots=True, kw_only=True)
class Document:
    """A document as it is served.

    Args:
        last_modified: None when nothing tells.
        links: `(URL, parameters)` of the Link header field, parameters such as `rel="self"`.
        cache_control: As sent.
        versions: What it was made from: scopes of change with their versions, none if it can't
            change.
        etag: Opaque and without quotes; of the body when empty.
        status: 200, or 226 for a delta.
        extra: Further header fields, with a `Vary` of their own.
        variants: By content coding, made when first asked for.
        used: When it was last asked for, on the cache's clock.
        private: Whether it is for one reader: no page of another site may read it.
    """

    body: bytes
    content_type: str
    last_modified: datetime | None = None
    links: tuple[tuple[str, str], ...] = ()
    cache_control: str
    versions: Mapping[str, int] = field(default_factory=dict)
    etag: str = ""
    status: int = 200
    vary: str = "Accept-Encoding"
    extra: Headers = field(default_factory=list)
    variants: dict[str, Variant] = field(default_factory=dict)
    used: float = 0.0
    private: bool = False

    def __post_init__(self) -> None:
        """Name the document after its bytes, so that two workers give it the same name."""
        self.etag = self.etag or xxhash.xxh3_128_hexdigest(self.body)

    def variant(self, coding: str) -> Variant:
        """Return the document in a content coding."""
        made = self.variants.get(coding)
        if made is None:
            made = self.variants[coding] = self._variant(coding)
        return made

    def _variant(self, coding: str) -> Variant:
        body = compress(coding, self.body)
        etag = f"{self.etag}{_SUFFIXES[coding]}"
        common: Headers = [
            ("ETag", f'"{etag}"'),
            ("Cache-Control", self.cache_control),
            ("Vary", self.vary),
            *(PRIVATE if self.private else SAFE),
        ]
        full: Headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(body))),
            *common,
            *([] if self.private else [EXPOSED]),
            *self.extra,
        ]
        if self.last_modified is not None:  # not in a 304, which has the ETag (RFC 9110 §15.4.5)
            full.append(("Last-Modified", format_datetime(self.last_modified, usegmt=True)))
        if coding != "identity":
            full.append(("Content-Encoding", coding))
        if self.links:
            value = ", ".join(f"<{url}>; {parameters}" for url, parameters in self.links)
            full.append(("Link", value))
        return Variant(
            etag=etag,
            quoted=f'"{etag}"',
            full=Answer(status=_line(self.status), headers=full, body=body),
            unchanged=Answer(status=_line(304), headers=common),
        )

    def answer(self, environ: Mapping[str, Any]) -> Answer:
        """Return the answer to a GET or HEAD (RFC 9110 §12.5.3, §13.2.2)."""
        coding = conditional.coding(environ.get("HTTP_ACCEPT_ENCODING"))
        if coding is None:
            return problem(406, f"send Accept-Encoding with one of {', '.join(_CODERS)}")
        variant = self.variants.get(coding) or self.variant(coding)
        if self.status == 200:  # for a delta the conditions were looked at to make it
            status = _condition(environ, variant, self.last_modified)
            if status == 304:
                return variant.unchanged
            if status == 412:
                return problem(412, "the document is not the one that If-Match names")
        if environ["REQUEST_METHOD"] == "HEAD":
            return Answer(status=variant.full.status, headers=variant.full.headers)
        return variant.full

    @property
    def size(self) -> int:
        """Bytes held, about."""
        coded = (
            len(variant.full.body) for name, variant in self.variants.items() if name != "identity"
        )
        return len(self.body) + sum(coded) + 2_000


_CONDITIONS = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in ("if-match", "if-unmodified-since", "if-none-match", "if-modified-since")
}


def _condition(environ: Mapping[str, Any], variant: Variant, modified: datetime | None) -> int:
    if (
        environ.get("HTTP_IF_NONE_MATCH") == variant.quoted
        and "HTTP_IF_MATCH" not in environ
        and "HTTP_IF_UNMODIFIED_SINCE" not in environ
    ):
        return 304  # what nearly every reader sends needs no reading
    headers = {name: environ[key] for key, name in _CONDITIONS.items() if key in environ}
    return conditional.status(headers, etag=variant.etag, last_modified=modified)


def problem(
    status: int, text: str, *headers: tuple[str, str], safe: Sequence[tuple[str, str]] = SAFE
) -> Answer:
    """Return an error in plain text, so that no part of the request can become markup."""
    body = f"{text}\n".encode("utf-8", "replace")
    return Answer(
        status=_line(status),
        headers=[
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *safe,
            *headers,
        ],
        body=body,
    )


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


Asked = tuple[str | None, ...]


def asked(environ: Mapping[str, Any]) -> Asked:
    """Return all of a request that the answer from a document depends on."""
    get = environ.get
    return (  # written out, because it is most of the work of a request
        environ["PATH_INFO"],
        get("QUERY_STRING"),
        environ["REQUEST_METHOD"],
        get("HTTP_ACCEPT_ENCODING"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_IF_MODIFIED_SINCE"),
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_UNMODIFIED_SINCE"),
        get("HTTP_A_IM"),
    )


def address(asked: Asked) -> str:
    """Return what a document is kept under: the path and query string of a request."""
    return f"{asked[0]}?{asked[1] or ''}"


class Cache:
    """Documents by address, dropped when what they were made from has changed.

    Answers are kept too, by all that they depend on in a request, so that who asks again costs one
    look. They go all at once when anything changes.

    Whether anything has changed is asked of the database at most every `interval` seconds, by one
    thread, while the others go on with what they know. If the database can't be read, what is
    here stays good.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        interval: float = 0.2,
        capacity: int = 64_000_000,
    ) -> None:
        """Make an empty cache.

        Args:
            store: Asked for the versions of scopes.
            clock: Seconds, monotonic.
            interval: Seconds.
            capacity: Bytes of all documents; the least recently used go first.
        """
        self._store, self._clock, self._interval, self._capacity = store, clock, interval, capacity
        self._documents: dict[str, Document] = {}
        self._sizes: dict[str, int] = {}
        self._total = 0
        self._answers: dict[Asked, tuple[Answer, Document]] = {}
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._asked = float("-inf")
        self._version = -1
        self._known: dict[str, int] = {}

    def get(self, key: str) -> Document | None:
        """Return the document of an address if it still holds."""
        if self._clock() - self._asked >= self._interval:
            self._ask()
        document = self._documents.get(key)
        if document is None:
            return None
        if not self._holds(document):
            self._drop(key)
            return None
        document.used = self._asked  # no lock, and fine enough to tell what nobody asks for
        return document

    def again(self, asked: Asked) -> Answer | None:
        """Return the answer that the same request was given, if it still holds."""
        if self._clock() - self._asked >= self._interval:
            self._ask()
        found = self._answers.get(asked)
        if found is None:
            return None
        answer, document = found
        document.used = self._asked
        return answer

    def note(self, asked: Asked, answer: Answer, document: Document) -> None:
        """Keep a document's answer for who asks the same."""
        with self._lock:
            # It may have been dropped since it was looked up, and an answer must not outlive it.
            if self._documents.get(address(asked)) is document and self._holds(document):
                if len(self._answers) >= ANSWERS_KEPT:
                    self._answers.clear()
                self._answers[asked] = answer, document

    def _holds(self, document: Document) -> bool:
        known = self._known
        return all(known.get(scope, 0) <= made for scope, made in document.versions.items())

    def put(self, key: str, document: Document) -> None:
        """Keep a document; documents that can't fit are not kept."""
        size = document.size * 3  # with its codings, in time
        if size > self._capacity // 4:
            return
        with self._lock:
            self._forget(key)
            self._documents[key] = document
            self._sizes[key] = size
            self._total += size
            document.used = self._clock()
            while self._total > self._capacity:
                self._forget(min(self._documents, key=lambda old: self._documents[old].used))

    def clear(self) -> None:
        """Forget everything, as when the configuration has changed."""
        with self._lock:
            self._documents.clear()
            self._sizes.clear()
            self._answers.clear()
            self._total = 0

    def _drop(self, key: str) -> None:
        with self._lock:
            self._forget(key)

    def _forget(self, key: str) -> None:
        if self._documents.pop(key, None) is not None:
            self._total -= self._sizes.pop(key)
            self._answers.clear()

    def _ask(self) -> None:
        if not self._asking.acquire(blocking=False):
            return
        try:
            with self._store.reading() as db:
                version = change_log.version(db)
                if version < self._version:  # another database, as after a restore
                    self.clear()
                if version != self._version:
                    known = change_log.versions(db)
                    with self._lock:
                        self._known, self._version = known, version
                        self._answers.clear()
        except StoreError:
            return  # what was served stays good until the database can be read again
        finally:
            self._asked = self._clock()
            self._asking.release()


def front(
    app: "WSGIApplication", remembered: "Callable[[WSGIEnvironment], Answer | None]"
) -> "WSGIApplication":
    """Return an application that gives what `remembered` has, and leaves the rest to `app`."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = remembered(environ)
        if answer is None:
            return app(environ, start_response)
        start_response(answer.status, list(answer.headers))  # a server may change its list
        return [answer.body]

    return application
