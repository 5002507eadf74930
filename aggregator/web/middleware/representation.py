"""Documents with their validators and content codings, ready to be sent (RFC 9110 §8.8, §13)."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import brotli  # type: ignore[import-untyped]  # ships no types
import xxhash
import zstandard
from flask import Response
from werkzeug import datastructures

from aggregator.web.middleware import conditional

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Headers = list[tuple[str, str]]

PUBLIC: Headers = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Access-Control-Allow-Origin", "*"),
]
"""Fields of every response for a feed, errors included."""

PRIVATE: Headers = [pair for pair in PUBLIC if not pair[0].startswith("Access-Control")]
"""Fields that replace `PUBLIC` where no page of another site may read the response."""

EXPOSED = ("Access-Control-Expose-Headers", "ETag, IM, Last-Modified, Link")

_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
    "br": lambda body: brotli.compress(body, brotli.MODE_TEXT, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=8).compress(body),
    "identity": lambda body: body,
}


def compress(coding: str, body: bytes) -> bytes:
    """Return a body in a content coding that `conditional.coding` chose."""
    return _ENCODERS[coding](body)


@lru_cache(maxsize=32)
def compress_for_good(coding: str, body: bytes) -> bytes:
    """Return a body that browsers keep for good in a content coding, as small as it can be."""
    if coding == "br":
        return bytes(brotli.compress(body, brotli.MODE_TEXT, quality=11))
    return compress(coding, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiResponse:
    """A response as WSGI wants it; `status` as in `200 OK`."""

    status: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A representation in one content coding, as responses with status 200 and 304."""

    etag: str
    quoted_etag: str
    full: WsgiResponse
    not_modified: WsgiResponse


@dataclass(slots=True, kw_only=True)
class Representation:
    """A document and the header fields that describe it.

    Args:
        last_modified: None when unknown.
        links: `(URL, parameters)` of the Link field, parameters such as `rel="self"`.
        cache_control: The field's value.
        versions: Versions of the scopes of change it was made from; empty if it never changes.
        etag: Opaque and without quotes; by default a hash of the body, so that all workers
            send the same.
        status: 200, or 226 for a delta (RFC 3229).
        extra: Further header fields.
        private: Whether it is for one reader: no page of another site may read it.
        encoded: By content coding, filled on demand.
        used: When it was last sent, on the clock of the cache.
        minute: The minute that a document is for if it also depends on the time, else None.
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
    private: bool = False
    encoded: dict[str, Encoded] = field(default_factory=dict)
    used: float = 0.0
    minute: datetime | None = None

    def __post_init__(self) -> None:
        """Set the default ETag."""
        self.etag = self.etag or xxhash.xxh3_128_hexdigest(self.body)

    def response(self, environ: Mapping[str, Any]) -> WsgiResponse:
        """Return the response to a GET or HEAD (RFC 9110 §12.5.3, §13.2.2)."""
        coding = conditional.coding(environ.get("HTTP_ACCEPT_ENCODING"))
        if coding is None:
            return problem(406, f"send Accept-Encoding with one of {', '.join(_ENCODERS)}")
        encoded = self.encoded.get(coding) or self._encode(coding)
        if self.status == 200:  # a delta was made because its conditions hold
            status = _condition(environ, encoded, self.last_modified)
            if status == 304:
                return encoded.not_modified
            if status == 412:
                return problem(412, "If-Match does not name the current document")
        if environ["REQUEST_METHOD"] == "HEAD":
            return WsgiResponse(status=encoded.full.status, headers=encoded.full.headers)
        return encoded.full

    def _encode(self, coding: str) -> Encoded:
        body = compress(coding, self.body)
        etag = f"{self.etag}{conditional.SUFFIXES[coding]}"
        common: Headers = [
            ("ETag", f'"{etag}"'),
            ("Cache-Control", self.cache_control),
            ("Vary", self.vary),
            *(PRIVATE if self.private else PUBLIC),
        ]
        full: Headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(body))),
            *common,
            *([] if self.private else [EXPOSED]),
            *self.extra,
        ]
        if self.last_modified is not None:  # a 304 has the ETag instead (RFC 9110 §15.4.5)
            full.append(("Last-Modified", format_datetime(self.last_modified, usegmt=True)))
        if coding != "identity":
            full.append(("Content-Encoding", coding))
        if self.links:
            value = ", ".join(f"<{url}>; {parameters}" for url, parameters in self.links)
            full.append(("Link", value))
        encoded = self.encoded[coding] = Encoded(
            etag=etag,
            quoted_etag=f'"{etag}"',
            full=WsgiResponse(status=_status_line(self.status), headers=full, body=body),
            not_modified=WsgiResponse(status=_status_line(304), headers=common),
        )
        return encoded

    @property
    def size(self) -> int:
        """Bytes in memory, approximately."""
        encoded = (
            len(encoded.full.body) for name, encoded in self.encoded.items() if name != "identity"
        )
        return len(self.body) + sum(encoded) + 2_000


_CONDITIONS = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in ("if-match", "if-unmodified-since", "if-none-match", "if-modified-since")
}


def _condition(environ: Mapping[str, Any], encoded: Encoded, modified: datetime | None) -> int:
    if (
        environ.get("HTTP_IF_NONE_MATCH") == encoded.quoted_etag
        and "HTTP_IF_MATCH" not in environ
        and "HTTP_IF_UNMODIFIED_SINCE" not in environ
    ):
        return 304  # nearly every feed reader sends this: no need to parse it
    headers = {name: environ[key] for key, name in _CONDITIONS.items() if key in environ}
    return conditional.status(headers, etag=encoded.etag, last_modified=modified)


class ExactResponse(Response):
    """A response with exactly its own header fields, as when the cache serves it."""

    default_mimetype = None

    def __init__(self, response: WsgiResponse) -> None:
        """Take over a response."""
        super().__init__(response.body, response.status)
        self._exact = datastructures.Headers(response.headers)
        self.headers.update(response.headers)

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> datastructures.Headers:
        """Return the header fields without those that Werkzeug would add or recompute."""
        return self._exact


def problem(
    status: int, text: str, *headers: tuple[str, str], safe: Sequence[tuple[str, str]] = PUBLIC
) -> WsgiResponse:
    """Return an error in plain text, so that no part of the request can become markup."""
    body = f"{text}\n".encode("utf-8", "replace")
    return WsgiResponse(
        status=_status_line(status),
        headers=[
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *safe,
            *headers,
        ],
        body=body,
    )


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
