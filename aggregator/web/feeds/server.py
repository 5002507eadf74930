"""Responds to requests for feeds: from the cache, or by rendering a view, an archive or a delta."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import zstandard

from aggregator.errors import QueryError, StoreError, TooSlow
from aggregator.formats import opml
from aggregator.formats.merged import MergedFeed
from aggregator.formats.table import FORMATS, OPML
from aggregator.models.config import Config
from aggregator.models.query import minute
from aggregator.policy.masking import masker
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.queries import archives
from aggregator.store.sources import renames
from aggregator.web.feeds import build, documents, navigation, views
from aggregator.web.feeds.documents import FeedAddress, parse_address
from aggregator.web.feeds.navigation import wants_page
from aggregator.web.feeds.views import NeedsToken, NoSuchView, ViewSpec
from aggregator.web.middleware import conditional
from aggregator.web.middleware.addresses import root, with_address
from aggregator.web.middleware.auth import bearer_token
from aggregator.web.middleware.cache import (
    REQUEST_KEY,
    Cache,
    CachedResponse,
    DocumentKey,
    RequestKey,
    document_key,
    has_cached_response,
)
from aggregator.web.middleware.keyed_locks import KeyedLocks
from aggregator.web.middleware.representation import (
    PRIVATE,
    PUBLIC,
    Representation,
    WsgiResponse,
    problem,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CACHE_PUBLIC = "public, max-age=60, stale-if-error=86400"
CACHE_PRIVATE = "private, max-age=60"
CACHE_FOREVER = "public, max-age=31536000, immutable"
CACHE_DELTA = "no-store, im"  # only caches that support RFC 3229 may store a delta (§10.8.3)

MAX_STATES = 500
"""Earlier documents whose items are remembered, to send only what is new since (RFC 3229)."""

MAX_STATE_PATH = 1_000
"""Characters of an address with remembered documents; a query may be much longer."""

_OPML = f"{opml.TYPE}; charset=utf-8"

_VARY = f"Accept-Encoding, A-IM, {navigation.VARY}"

_METHODS = "GET, HEAD, OPTIONS"


class FeedServer:
    """Responds to requests for feeds."""

    def __init__(
        self,
        store: Store,
        config: Callable[[], Config],
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Serve the entries of a store.

        Args:
            store: The database.
            config: Returns the configuration in force; a new object means it was reloaded.
            clock: Seconds, monotonic.
            now: Returns the current time. Durations (`since=12h`) count from its minute, and
                Last-Modified is not later (RFC 9110 §8.8.2.1).
        """
        self._store, self._config, self._now = store, config, now
        self._cache = Cache(store, clock=clock)
        self._config_in_use = config()
        self._rendering = KeyedLocks()
        self._guard = threading.Lock()
        self._states: OrderedDict[tuple[str, str], dict[str, datetime]] = OrderedDict()

    def cached_document(self, environ: "WSGIEnvironment") -> WsgiResponse | None:
        """Return the response if it needs no rendering and no routing, else None."""
        path = environ["PATH_INFO"]
        if not path.startswith("/feeds/") and path != "/opml":
            return None
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _method_response(environ["REQUEST_METHOD"])
        if "HTTP_A_IM" in environ or wants_page(environ):
            return None
        if self._config() is not self._config_in_use:
            return None
        key = document_key(environ)
        document = self._cached(key)
        if document is None:
            return None
        response = document.response(environ)
        auth = self._config_in_use.auth
        is_public = not (auth.on and auth.protect == "site") and has_cached_response(environ)
        # Requests with unknown parameters would fill the cache with copies of one response.
        has_own_parameters = key[1] == environ.get("QUERY_STRING", "")
        if is_public and has_own_parameters and document.minute is None:
            cached = CachedResponse(response, document, path)
            self._cache.put_response(environ[REQUEST_KEY], cached, key)
        return response

    def cached_response(self, key: RequestKey) -> CachedResponse | None:
        """Return the response that the same request got before, else None.

        It is for everyone, so a site that requires a password has none.
        """
        if self._config() is not self._config_in_use:
            return None
        return self._cache.get_response(key)

    def response(self, environ: "WSGIEnvironment") -> WsgiResponse:
        """Return the response to a request for a feed."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _method_response(environ["REQUEST_METHOD"])
        try:
            wanted = _requested_address(environ)
            return self._redirect(environ, wanted) or self._respond(environ, wanted)
        except UnicodeError:
            return problem(404, "the address is not valid UTF-8")
        except NoSuchView as error:
            return problem(404, str(error))
        except NeedsToken as error:
            return problem(401, str(error), ("WWW-Authenticate", "Bearer"), safe=PRIVATE)
        except QueryError as error:
            return problem(400, str(error))
        except TooSlow as error:
            return problem(503, str(error), ("Retry-After", "10"))
        except StoreError:
            return problem(503, "the database can't be read now", ("Retry-After", "10"))

    def feed(self, environ: "WSGIEnvironment") -> tuple[MergedFeed, str] | None:
        """Return the feed and the format that a request names, for a page.

        Returns:
            None for requests that `response` answers in every program: those for archives, OPML
            and renamed sources, and invalid ones.

        Raises:
            StoreError: The database can't be read.
            TooSlow: Reading it took too long.
        """
        try:
            wanted = _requested_address(environ)
            if wanted.archive or wanted.format == OPML or self._redirect(environ, wanted):
                return None
            config = with_address(self._current_config(), environ)
            spec = _requested_view(environ, wanted, config)
        except (NoSuchView, NeedsToken, QueryError, UnicodeError):
            return None
        merged, _ = documents.merged(self._store, spec, wanted.format, config, self._now())
        return merged, wanted.format

    def _redirect(self, environ: "WSGIEnvironment", wanted: FeedAddress) -> WsgiResponse | None:
        """Return a redirect to the present address of a renamed source's feed, None without one."""
        if wanted.kind != "source":
            return None
        with self._store.reading() as db:
            new_id = renames.current_id(db, wanted.id)
        if not new_id:
            return None
        archive = f"/archive/{wanted.archive}" if wanted.archive else ""
        args = environ.get("QUERY_STRING", "")
        path = f"/feeds/source/{quote(new_id, safe='')}{archive}.{wanted.format}"
        location = f"{root(environ)}{path}{'?' if args else ''}{args}"
        return problem(301, f"this source is now {new_id}", ("Location", location))

    def _respond(self, environ: "WSGIEnvironment", wanted: FeedAddress) -> WsgiResponse:
        current = self._current_config()
        config = with_address(current, environ)
        spec = _requested_view(environ, wanted, config)
        since = self._known_state(environ, spec, wanted)
        if since is not None:
            whole, feed = self._feed(spec, wanted.format, config)
            response = whole.response(environ)
            if response.status.startswith("304"):
                return response
            return _delta(feed, whole, since, wanted.format, config).response(environ)
        key = document_key(environ)
        with self._rendering.hold(key):  # a second request for the same document finds it cached
            document = self._cached(key)
            if document is None:
                document = self._render(spec, wanted, config)
                # A cached document is served to every request with the same address, so a
                # private view is cached only when the address holds the token.
                is_cacheable = not spec.private or spec.token
                if is_cacheable and current is self._config_in_use:
                    self._cache.put(key, document)
        return document.response(environ)

    def _cached(self, key: DocumentKey) -> Representation | None:
        document = self._cache.get(key)
        if document is None or document.minute in (None, minute(self._now())):
            return document
        return None

    def _current_config(self) -> Config:
        """Return the configuration in force; drop all that was rendered with another one."""
        with self._guard:
            config = self._config()
            if config is not self._config_in_use:
                self._cache.clear()
                self._config_in_use = config
        return config

    def _render(self, spec: ViewSpec, wanted: FeedAddress, config: Config) -> Representation:
        if wanted.archive:
            return self._archive(spec, wanted, config)
        if wanted.format == OPML:
            return self._opml(spec, config)
        return self._feed(spec, wanted.format, config)[0]

    def _feed(
        self, spec: ViewSpec, format: str, config: Config
    ) -> tuple[Representation, MergedFeed]:
        """Return a view's main document, and the feed that it was rendered from."""
        now = self._now()
        feed, rendered = documents.render(self._store, spec, format, config, now)
        last_modified = feed.updated if feed.items or feed.tombstones else None
        if (last_modified and last_modified > now) or spec.query.within:
            last_modified = None  # an entry that leaves the view is a change without a date
        document = Representation(
            body=rendered.body,
            content_type=rendered.content_type,
            last_modified=last_modified,
            links=_links(spec, format, feed.hubs),
            cache_control=CACHE_PRIVATE if spec.private else CACHE_PUBLIC,
            versions=rendered.versions,
            vary=f"{_VARY}, Authorization" if spec.private else _VARY,
            private=spec.private,
            minute=minute(now) if spec.query.within else None,
        )
        self._remember_state(spec, format, document.etag, feed)
        return document, feed

    def _archive(self, spec: ViewSpec, wanted: FeedAddress, config: Config) -> Representation:
        number, format = wanted.archive, wanted.format
        # The documents hold the address of the site: one that moves needs new ones.
        variant = f"{format} {spec.base}"
        with self._store.reading() as db:
            versions = documents.versions(db, (change_log.ARCHIVES,))
            packed = archives.get_document(db, spec.key, number, variant) if spec.archived else None
        if packed is None:
            build.close_archives(self._store, spec)
            with self._store.reading() as db:
                content = build.archive(db, spec, number) if spec.archived else None
            if content is None:
                raise NoSuchView(f"there is no archive {number} of {spec.path}")
            body = FORMATS[format].render(build.merged(spec, content, config, format))
            packed = zstandard.ZstdCompressor(level=8).compress(body)
            if spec.base == config.site.public_url:  # one that requests choose could fill the disk
                with self._store.transaction() as db:
                    # An entry that was hidden since must not be stored again.
                    if versions == documents.versions(db, (change_log.ARCHIVES,)):
                        packed = archives.save_document(db, spec.key, number, variant, packed)
        return Representation(
            body=masker(config.secrets).body(zstandard.ZstdDecompressor().decompress(packed)),
            content_type=FORMATS[format].content_type,
            links=(
                (spec.feed_url(format, number), 'rel="self"'),
                (spec.feed_url(format), 'rel="current"'),
            ),
            cache_control=CACHE_FOREVER,
            versions=versions,
        )

    def _opml(self, spec: ViewSpec, config: Config) -> Representation:
        now = self._now()
        with self._store.reading() as db:
            versions = documents.versions(db, (change_log.ALL,))
            outlines = build.outlines(db, spec.at(now), config)
        return Representation(
            body=masker(config.secrets).body(opml.render(outlines, title=spec.title)),
            content_type=_OPML,
            links=((spec.page_url, 'rel="alternate"; type="text/html"'),),
            cache_control=CACHE_PRIVATE if spec.private else CACHE_PUBLIC,
            versions=versions,
            vary="Accept-Encoding, Authorization" if spec.private else "Accept-Encoding",
            private=spec.private,
            minute=minute(now) if spec.query.within else None,
            extra=[("Content-Disposition", 'inline; filename="feeds.opml"')],
        )

    def _known_state(
        self, environ: "WSGIEnvironment", spec: ViewSpec, wanted: FeedAddress
    ) -> Mapping[str, datetime] | None:
        """Return the items that a client has, when it asks for a delta only (RFC 3229)."""
        manipulations = environ.get("HTTP_A_IM", "").lower().split(",")
        if wanted.archive or "feed" not in (
            name.partition(";")[0].strip() for name in manipulations
        ):
            return None
        for tag in conditional.etags(environ.get("HTTP_IF_NONE_MATCH", "")):
            state = self._states.get((spec.feed_path(wanted.format), re.split("[-;]", tag)[0]))
            if state is not None:
                return state
        return None

    def _remember_state(self, spec: ViewSpec, format: str, etag: str, feed: MergedFeed) -> None:
        key = spec.feed_path(format), etag
        if len(key[0]) > MAX_STATE_PATH:
            return
        state = {item.entry.uri: item.modified for item in feed.items}
        with self._guard:
            self._states[key] = state
            self._states.move_to_end(key)
            if len(self._states) > MAX_STATES:
                self._states.popitem(last=False)


def _requested_address(environ: "WSGIEnvironment") -> FeedAddress:
    return parse_address(environ["PATH_INFO"].encode("latin-1").decode())


def _requested_view(environ: "WSGIEnvironment", wanted: FeedAddress, config: Config) -> ViewSpec:
    args, bearer = environ.get("QUERY_STRING", ""), bearer_token(environ)
    return views.resolve(wanted.kind, wanted.id, args, config, bearer=bearer)


def _delta(
    feed: MergedFeed,
    document: Representation,
    since: Mapping[str, datetime],
    format: str,
    config: Config,
) -> Representation:
    """Return the items of a document that are new or changed since an earlier state (RFC 3229)."""
    new = [item for item in feed.items if since.get(item.entry.uri) != item.modified]
    delta = replace(feed, items=tuple(new), complete=False)
    return Representation(
        body=masker(config.secrets).body(FORMATS[format].render(delta)),
        content_type=FORMATS[format].content_type,
        last_modified=document.last_modified,
        links=document.links,
        cache_control=CACHE_DELTA,
        etag=document.etag,
        status=226,
        vary="Accept-Encoding, A-IM, If-None-Match",
        extra=[("IM", "feed")],
        private=document.private,
    )


def _links(spec: ViewSpec, format: str, hubs: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return (
        (spec.feed_url(format), 'rel="self"'),
        *((hub, 'rel="hub"') for hub in hubs),
        (spec.page_url, 'rel="alternate"; type="text/html"'),
        *(
            (url, f'rel="alternate"; type="{media_type}"')
            for media_type, url in build.alternates(spec, format)
        ),
    )


def _method_response(method: str) -> WsgiResponse:
    if method != "OPTIONS":
        return problem(405, f"use {_METHODS}", ("Allow", _METHODS))
    return WsgiResponse(
        status="204 No Content",
        headers=[
            ("Allow", _METHODS),
            ("Access-Control-Allow-Methods", _METHODS),
            ("Access-Control-Allow-Headers", "A-IM, If-Modified-Since, If-None-Match"),
            ("Access-Control-Max-Age", "86400"),
            *PUBLIC,
        ],
    )
