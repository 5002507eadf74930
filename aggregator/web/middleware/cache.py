"""An in-memory cache of representations and responses, and the WSGI middleware that serves it.

A feed is rendered when it is first requested after a change, compressed once for each content
coding in use, and then served from here, before Flask parses the request. The response to a
repeated request is served before any other middleware.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aggregator.errors import StoreError
from aggregator.models.query_string import known_pairs
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.web.middleware.addresses import ADDRESS
from aggregator.web.middleware.representation import Representation, WsgiResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_RESPONSES = 1_000
MAX_KEY = 1_000
"""Characters of a request with a cached response; headers may be as long as the server allows."""

RequestKey = tuple[str | None, ...]
"""The parts of a request that the response for a document depends on."""

REQUEST_KEY = "aggregator.request_key"
"""Key in the WSGI environment: the `RequestKey` of the request as it came."""

DocumentKey = tuple[str, str]
"""Path, after the address of the site, and query string."""


def request_key(environ: Mapping[str, Any]) -> RequestKey:
    """Return the parts of a request, before any middleware, that a document's response depends on.

    Fields that only `has_cached_response` excludes are among them, so that a request with one of
    them finds nothing.
    """
    get = environ.get
    return (  # written out: this is most of the work of a request
        environ["PATH_INFO"],
        get("QUERY_STRING"),
        environ["REQUEST_METHOD"],
        get("HTTP_HOST"),
        get("HTTP_ACCEPT_ENCODING"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_IF_MODIFIED_SINCE"),
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_UNMODIFIED_SINCE"),
        get("HTTP_A_IM"),
        get("HTTP_SEC_FETCH_DEST"),
        get("HTTP_UPGRADE_INSECURE_REQUESTS"),
        get("HTTP_X_FORWARDED_PROTO"),
        get("HTTP_X_FORWARDED_HOST"),
        get("HTTP_X_FORWARDED_PREFIX"),
        get("HTTP_FORWARDED"),
    )


def has_cached_response(environ: Mapping[str, Any]) -> bool:
    """Return whether the response to a request may be cached.

    With Upgrade-Insecure-Requests it also depends on Accept. A Forwarded field names the client, so
    that no other request would find the response.
    """
    return "HTTP_UPGRADE_INSECURE_REQUESTS" not in environ and "HTTP_FORWARDED" not in environ


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response for a document; `path` is that of the request, without the site's prefix."""

    response: WsgiResponse
    document: Representation
    path: str


def document_key(environ: Mapping[str, Any]) -> DocumentKey:
    """Return the key under which a request's document is cached; it has no unknown parameter."""
    query = known_pairs(environ.get("QUERY_STRING") or "", "token")
    return f"{environ.get(ADDRESS, '')}{environ['PATH_INFO']}", query


class Cache:
    """Representations by path and query, dropped when the data they were made from changes.

    Whole responses are cached too, by all that they depend on in a request, so that a repeated
    request costs one lookup. All responses are dropped when anything changes.

    The database is checked for changes at most every `interval` seconds, by one thread, while
    the others continue with the versions that they know. If the database can't be read, the
    contents stay valid.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        interval: float = 0.2,
        capacity: int = 64_000_000,
    ) -> None:
        """Create an empty cache.

        Args:
            store: Has the versions of scopes.
            clock: Seconds, monotonic.
            interval: Seconds.
            capacity: Bytes of all representations; the least recently used are dropped first.
        """
        self._store, self._clock, self._interval, self._capacity = store, clock, interval, capacity
        self._documents: dict[DocumentKey, Representation] = {}
        self._sizes: dict[DocumentKey, int] = {}
        self._total = 0
        self._responses: dict[RequestKey, CachedResponse] = {}
        self._lock = threading.Lock()
        self._checking = threading.Lock()
        self._checked = float("-inf")
        self._version = -1
        self._versions: dict[str, int] = {}

    def get(self, key: DocumentKey) -> Representation | None:
        """Return the representation of a key, None when there is none or it is out of date."""
        if self._clock() - self._checked >= self._interval:
            self._check()
        document = self._documents.get(key)
        if document is None:
            return None
        if not self._is_current(document):
            self._drop(key)
            return None
        document.used = self._checked  # needs no lock, and is exact enough to find unused ones
        return document

    def get_response(self, key: RequestKey) -> CachedResponse | None:
        """Return the response that the same request got, None when it may be out of date."""
        if self._clock() - self._checked >= self._interval:
            self._check()
        cached = self._responses.get(key)
        if cached is not None:
            cached.document.used = self._checked
        return cached

    def put(self, key: DocumentKey, document: Representation) -> None:
        """Cache a representation, unless it is larger than a quarter of the capacity."""
        # In time it is held in several content codings; a query string may be as long.
        size = document.size * 3 + len(key[0]) + len(key[1])
        if size > self._capacity // 4:
            return
        with self._lock:
            self._remove(key)
            self._documents[key] = document
            self._sizes[key] = size
            self._total += size
            document.used = self._clock()
            while self._total > self._capacity:
                self._remove(min(self._documents, key=lambda old: self._documents[old].used))

    def put_response(
        self, key: RequestKey, cached: CachedResponse, document_key: DocumentKey
    ) -> None:
        """Cache a document's response for requests with the same key."""
        if sum(len(part) for part in key if part) > MAX_KEY:
            return
        with self._lock:
            # The document may have been dropped meanwhile; no response may outlive it.
            document = self._documents.get(document_key)
            if document is cached.document and self._is_current(document):
                if len(self._responses) >= MAX_RESPONSES:
                    self._responses.clear()
                self._responses[key] = cached

    def clear(self) -> None:
        """Drop everything, as when the configuration has changed."""
        with self._lock:
            self._documents.clear()
            self._sizes.clear()
            self._responses.clear()
            self._total = 0

    def _is_current(self, document: Representation) -> bool:
        known = self._versions
        return all(known.get(scope, 0) <= version for scope, version in document.versions.items())

    def _drop(self, key: DocumentKey) -> None:
        with self._lock:
            self._remove(key)

    def _remove(self, key: DocumentKey) -> None:
        if self._documents.pop(key, None) is not None:
            self._total -= self._sizes.pop(key)
            self._responses.clear()

    def _check(self) -> None:
        if not self._checking.acquire(blocking=False):
            return
        try:
            with self._store.reading() as db:
                version = change_log.version(db)
                if version < self._version:  # another database, as after a restore
                    self.clear()
                if version != self._version:
                    versions = change_log.versions(db)
                    with self._lock:
                        self._versions, self._version = versions, version
                        self._responses.clear()
        except StoreError:
            return  # the contents stay valid until the database can be read again
        finally:
            self._checked = self._clock()
            self._checking.release()


def serve_repeated(
    lookup: Callable[[RequestKey], CachedResponse | None],
    count: Callable[[str, str], None],
    app: "WSGIApplication",
) -> "WSGIApplication":
    """Return an application that serves the responses `lookup` has, and the others by `app`.

    Args:
        lookup: Returns the response that the same request got before.
        count: Called with the path of a request that is served so, and with the status line.
        app: Finds the `REQUEST_KEY` of its requests in their environment.
    """

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        key = environ[REQUEST_KEY] = request_key(environ)
        cached = lookup(key)
        if cached is None:
            return app(environ, start_response)
        response = cached.response
        count(cached.path, response.status)
        start_response(response.status, list(response.headers))  # a server may change its list
        return [response.body]

    return application


def serve_from(
    lookup: "Callable[[WSGIEnvironment], WsgiResponse | None]", app: "WSGIApplication"
) -> "WSGIApplication":
    """Return an application that serves the responses `lookup` has, and the others by `app`."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        response = lookup(environ)
        if response is None:
            return app(environ, start_response)
        start_response(response.status, list(response.headers))  # a server may change its list
        return [response.body]

    return application
