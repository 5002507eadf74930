"""Feeds for subscribers: every view as Atom, RSS and JSON Feed, its archives, its sources as OPML.

/feeds/all.atom                     /feeds/section/europe.rss?q=nato
/feeds/all/archive/3.atom           /feeds/search.json?q=nato
/feeds/view/nato.opml               /opml
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import zstandard
from flask import Blueprint, Response, request
from werkzeug.datastructures import Headers

from aggregator.errors import QueryError, StoreError
from aggregator.formats import opml
from aggregator.formats.merged import MergedFeed
from aggregator.formats.table import FORMATS, OPML
from aggregator.models.config import Config
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.queries import archives
from aggregator.web.feeds import build, documents, views
from aggregator.web.feeds.documents import Address, address
from aggregator.web.feeds.views import NeedsToken, NoSuchView, ViewSpec
from aggregator.web.middleware import cache, conditional
from aggregator.web.middleware.cache import PRIVATE, Answer, Cache, Document, problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FRESH = "public, max-age=60, stale-if-error=86400"
FRESH_FOR_ONE = "private, max-age=60"
FOR_EVER = "public, max-age=31536000, immutable"
DELTA = "no-store, im"  # only a cache that knows RFC 3229 may keep a delta (§10.8.3)

STATES_KEPT = 500
"""So many earlier documents are remembered by what they held, to answer with what is new since."""

_OPML = f"{opml.TYPE}; charset=utf-8"

_VARY = "Accept-Encoding, A-IM"

_METHODS = "GET, HEAD, OPTIONS"


class Feeds:
    """Answers requests for feeds, from memory where it can."""

    def __init__(
        self,
        store: Store,
        config: Callable[[], Config],
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Serve a store.

        Args:
            config: Gives the configuration in force; another object means it was reloaded.
            clock: Seconds, monotonic.
            now: The time of day; only keeps Last-Modified out of the future (RFC 9110 §8.8.2.1).
        """
        self._store, self._config, self._now = store, config, now
        self._cache = Cache(store, clock=clock)
        self._made_with = config()
        self._making = threading.Lock()
        self._states: OrderedDict[tuple[str, str], dict[str, datetime]] = OrderedDict()

    def remembered(self, environ: "WSGIEnvironment") -> Answer | None:
        """Return the answer if it can be given without the database and without Flask."""
        path = environ["PATH_INFO"]
        if not path.startswith("/feeds/") and path != "/opml":
            return None
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _other_method(environ["REQUEST_METHOD"])
        if "HTTP_A_IM" in environ:
            return None
        if self._config() is not self._made_with:
            return None
        document = self._cache.get(_key(environ))
        if document is None:
            return None
        answer = document.answer(environ)
        auth = self._made_with.auth
        if not (auth.on and auth.protect == "site"):
            self._cache.note(cache.asked(environ), answer, document)
        return answer

    def again(self, environ: "WSGIEnvironment") -> Answer | None:
        """Return the answer if the same was asked before, by anybody: no site that is closed."""
        if self._config() is not self._made_with:
            return None
        return self._cache.again(cache.asked(environ))

    def answer(self, environ: "WSGIEnvironment") -> Answer:
        """Return the answer to a request for a path of this module."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _other_method(environ["REQUEST_METHOD"])
        try:
            path = environ["PATH_INFO"].encode("latin-1").decode()
            return self._answer(environ, address(path))
        except UnicodeError:
            return problem(404, "the address is not in UTF-8")
        except NoSuchView as error:
            return problem(404, str(error))
        except NeedsToken as error:
            return problem(401, str(error), ("WWW-Authenticate", "Bearer"), safe=PRIVATE)
        except QueryError as error:
            return problem(400, str(error))
        except StoreError:
            return problem(503, "the database can't be read just now", ("Retry-After", "10"))

    def _answer(self, environ: "WSGIEnvironment", asked: Address) -> Answer:
        with self._making:  # one rendering at a time: who waits finds it done
            config = self._config()
            if config is not self._made_with:
                self._cache.clear()
                self._made_with = config
            scheme, _, bearer = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            spec = views.resolve(
                asked.kind,
                asked.id,
                environ.get("QUERY_STRING", ""),
                config,
                bearer=bearer.strip() if scheme.lower() == "bearer" else "",
            )
            known = self._known_state(environ, spec, asked)
            if known is not None:
                whole, delta = self._feed(spec, asked.format, config, since=known)
                answer = whole.answer(environ)
                return answer if answer.status.startswith("304") else delta.answer(environ)
            document = self._cache.get(_key(environ))
            if document is None:
                document = self._make(spec, asked, config)
                # What is remembered is given to whoever sends the same address, so a private
                # view may only be when the address itself holds the token.
                if not spec.private or spec.token:
                    self._cache.put(_key(environ), document)
        return document.answer(environ)

    def _make(self, spec: ViewSpec, asked: Address, config: Config) -> Document:
        if asked.archive:
            return self._archive(spec, asked, config)
        if asked.format == OPML:
            return self._opml(spec, config)
        return self._feed(spec, asked.format, config)[0]

    def _feed(
        self,
        spec: ViewSpec,
        format: str,
        config: Config,
        since: Mapping[str, datetime] | None = None,
    ) -> tuple[Document, Document]:
        """Return a view's document, and what is new since a state as a document of its own."""
        feed, rendered = documents.make(self._store, spec, format, config)
        last_modified = feed.updated if feed.items or feed.tombstones else None
        document = Document(
            body=rendered.body,
            content_type=rendered.content_type,
            last_modified=last_modified if last_modified and last_modified <= self._now() else None,
            links=_links(spec, format, feed.hubs),
            cache_control=FRESH_FOR_ONE if spec.private else FRESH,
            versions=rendered.versions,
            vary=f"{_VARY}, Authorization" if spec.private else _VARY,
            private=spec.private,
        )
        self._remember_state(spec, format, document.etag, feed)
        if since is None:
            return document, document
        new = [item for item in feed.items if since.get(item.entry.uri) != item.updated]
        delta = replace(feed, items=tuple(new), complete=False)
        return document, Document(
            body=FORMATS[format].render(delta),
            content_type=FORMATS[format].content_type,
            last_modified=document.last_modified,
            links=document.links,
            cache_control=DELTA,
            etag=document.etag,
            status=226,
            vary="Accept-Encoding, A-IM, If-None-Match",
            extra=[("IM", "feed")],
            private=spec.private,
        )

    def _archive(self, spec: ViewSpec, asked: Address, config: Config) -> Document:
        number, format = asked.archive, asked.format
        # What was served names the site's address, so a site that moves has others.
        variant = f"{format} {spec.base}"
        kept = self._kept(spec, number, variant)
        if kept is None:
            build.close_archives(self._store, spec)
            with self._store.reading() as db:
                content = build.archive(db, spec, number) if spec.archived else None
            if content is None:
                raise NoSuchView(f"there is no archive {number} of {spec.path}")
            body = FORMATS[format].render(build.merged(spec, content, config, format))
            packed = zstandard.ZstdCompressor(level=8).compress(body)
            with self._store.transaction() as db:
                kept = archives.keep(db, spec.key, number, variant, packed)
        return Document(
            body=zstandard.ZstdDecompressor().decompress(kept),
            content_type=FORMATS[format].content_type,
            links=(
                (spec.feed_url(format, number), 'rel="self"'),
                (spec.feed_url(format), 'rel="current"'),
            ),
            cache_control=FOR_EVER,
        )

    def _kept(self, spec: ViewSpec, number: int, variant: str) -> bytes | None:
        if not spec.archived:
            return None
        with self._store.reading() as db:
            return archives.document(db, spec.key, number, variant)

    def _opml(self, spec: ViewSpec, config: Config) -> Document:
        with self._store.reading() as db:
            versions = documents.versions(db, (change_log.ALL,))
            outlines = build.outlines(db, spec, config)
        return Document(
            body=opml.render(outlines, title=spec.title),
            content_type=_OPML,
            links=((spec.page_url, 'rel="alternate"; type="text/html"'),),
            cache_control=FRESH_FOR_ONE if spec.private else FRESH,
            versions=versions,
            vary="Accept-Encoding, Authorization" if spec.private else "Accept-Encoding",
            private=spec.private,
            extra=[("Content-Disposition", 'inline; filename="feeds.opml"')],
        )

    def _known_state(
        self, environ: "WSGIEnvironment", spec: ViewSpec, asked: Address
    ) -> Mapping[str, datetime] | None:
        """Return what a client holds that asks for no more than the news (RFC 3229)."""
        manipulations = environ.get("HTTP_A_IM", "").lower().split(",")
        if asked.archive or "feed" not in (
            name.partition(";")[0].strip() for name in manipulations
        ):
            return None
        for tag in conditional.tags(environ.get("HTTP_IF_NONE_MATCH", "")):
            state = self._states.get((spec.feed_path(asked.format), tag.partition("-")[0]))
            if state is not None:
                return state
        return None

    def _remember_state(self, spec: ViewSpec, format: str, etag: str, feed: MergedFeed) -> None:
        key = spec.feed_path(format), etag
        self._states[key] = {item.entry.uri: item.updated for item in feed.items}
        self._states.move_to_end(key)
        if len(self._states) > STATES_KEPT:
            self._states.popitem(last=False)


def _key(environ: Mapping[str, Any]) -> str:
    return cache.address(cache.asked(environ))


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


def _other_method(method: str) -> Answer:
    if method != "OPTIONS":
        return problem(405, f"feeds are read with {_METHODS}", ("Allow", _METHODS))
    return Answer(
        status="204 No Content",
        headers=[
            ("Allow", _METHODS),
            ("Access-Control-Allow-Methods", _METHODS),
            ("Access-Control-Allow-Headers", "A-IM, If-Modified-Since, If-None-Match"),
            ("Access-Control-Max-Age", "86400"),
            *cache.SAFE,
        ],
    )


class _Exact(Response):
    """A response with the header fields it was given and no others, as when it is remembered."""

    default_mimetype = None

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, answer.status)
        self._exact = Headers(answer.headers)
        self.headers.update(answer.headers)

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        return self._exact


def blueprint(feeds: Feeds) -> Blueprint:
    """Return the routes for what `cache.front` did not answer."""
    routes = Blueprint("feeds", __name__)

    @routes.get("/opml")
    @routes.get("/feeds/<path:_>")
    def feed(_: str = "") -> Response:
        return _Exact(feeds.answer(request.environ))

    return routes
