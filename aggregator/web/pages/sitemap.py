"""What search engines may read (RFC 9309) and the pages to list (the sitemap protocol).

    /robots.txt          names the sitemap; closes searches, past versions and narrowed lists
    /sitemap.xml         names the others
    /sitemap/pages.xml   front page, lists, sections, saved views, sources
    /sitemap/news.xml    stories of the last two days, with their headlines
    /sitemap/stories/0.xml …

The sitemaps list pages that are their own canonical address: not those of single reports.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, render_template, request

from aggregator.models.config import Config
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import stories
from aggregator.store.queries import sitemap, summaries
from aggregator.web.feeds.views import page_path
from aggregator.web.middleware.addresses import root
from aggregator.web.middleware.etags import PageEtags, matches, not_modified, with_etag
from aggregator.web.pages.presenters import headline

MAX_URLS = 50_000
"""URLs of one sitemap, by the protocol."""

PART = 5_000
"""Ids of stories that one sitemap spans: few enough to be read in a moment."""

MAX_NEWS, NEWS_SPAN = 1_000, timedelta(days=2)
"""The limits of a news sitemap."""

MAX_CACHED = 100
"""Sitemaps that a process keeps."""

CLOSED = (
    "/search",
    "/at",
    "/api/",
    "/login",
    "/hub",
    "/websub/",
    "/news.json",
    "/embed",
    "/oembed",
    "/*?",
)
"""Paths for no crawler, * for any characters: the last closes all narrowed lists."""

OPENED = (
    "/*?before=", "/author?name=", "/category?name=", "/picture?", "/static/", "/style.css",
)  # fmt: skip
"""Exceptions: later pages of a list, names that no path can have, and the parts of pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page in a sitemap; `title` and `language` are for news."""

    path: str
    changed: datetime | None = None
    at: datetime | None = None
    title: str = ""
    language: str = ""


def robots(config: Config, root: str) -> str:
    """Return the robots.txt of a site; one that needs a password is closed and names nothing.

    Args:
        root: The path prefix of the site.
    """
    if config.auth.on and config.auth.protect == "site":
        return "User-agent: *\nDisallow: /\n"
    lines = [
        "User-agent: *",
        *(f"Disallow: {root}{path}" for path in CLOSED),
        *(f"Allow: {root}{path}" for path in OPENED),
        "",
        f"Sitemap: {config.site.url}/sitemap.xml",
    ]
    return "\n".join(lines) + "\n"


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("sitemap", __name__)
    sitemaps = Sitemaps(config, store, clock)

    @routes.get("/robots.txt")
    def robots_txt() -> Response:
        response = Response(robots(config(), root()), mimetype="text/plain")
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    routes.add_url_rule("/sitemap.xml", "index", sitemaps.index)
    routes.add_url_rule("/sitemap/pages.xml", "pages", sitemaps.pages)
    routes.add_url_rule("/sitemap/news.xml", "news", sitemaps.news)
    routes.add_url_rule("/sitemap/stories/<int:part>.xml", "stories", sitemaps.stories)
    return routes


class Sitemaps:
    """The sitemaps, kept until an entry or the configuration changes."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._etags = PageEtags(clock)
        self._cached: dict[str, tuple[str, str]] = {}

    def index(self) -> Response:
        """Return the list of sitemaps."""

        def listed(db: Connection) -> Iterator[Listed]:
            yield Listed(path="/sitemap/pages.xml")
            yield Listed(path="/sitemap/news.xml", changed=change_log.last(db, change_log.ALL))
            for part in sitemap.parts(db, PART):
                yield Listed(path=f"/sitemap/stories/{part}.xml")

        return self._response("index", listed)

    def pages(self) -> Response:
        """Return the sitemap of lists."""
        return self._response("pages", self._lists)

    def stories(self, part: int) -> Response:
        """Return the sitemap of a part of the stories; 404 if it has none."""

        def listed(db: Connection) -> Iterator[Listed]:
            for entry_id, changed in sitemap.stories(db, part, PART):
                yield Listed(path=f"/entry/{entry_id}", changed=changed)

        return self._response(f"stories {part}", listed)

    def news(self) -> Response:
        """Return the sitemap of news."""
        return self._response("news", self._news)

    def _lists(self, db: Connection) -> Iterator[Listed]:
        config, last = self._config(), change_log.last(db, change_log.ALL)
        for path in ("/", "/stories", "/corrections"):
            yield Listed(path=path, changed=last)
        yield Listed(path="/topics")
        for section in config.sections:
            changed = change_log.last(db, change_log.section_scope(section.id))
            yield Listed(path=page_path("section", section.id), changed=changed)
        for view in config.views:
            if not view.token:
                yield Listed(path=page_path("view", view.id))
        for source in config.sources:
            changed = change_log.last(db, change_log.source_scope(source.id))
            yield Listed(path=page_path("source", source.id), changed=changed)

    def _news(self, db: Connection) -> Iterator[Listed]:
        since = self._clock() - NEWS_SPAN
        recent = [id for id, at in stories.latest(db, limit=MAX_NEWS) if at > since]
        reports: dict[int, list[int]] = {}
        for member in stories.members(db, recent, shown=True):
            reports.setdefault(member.story, []).append(member.entry_id)
        firsts = {ids[0] for ids in reports.values() if len(ids) > 1}
        for entry in summaries.get_many(db, firsts).values():
            yield Listed(
                path=f"/entry/{entry.id}",
                changed=entry.changed,
                at=entry.sort_at,
                title=headline(entry),
                language=entry.language or self._config().site.language,
            )

    def _response(self, name: str, listed: Callable[[Connection], Iterator[Listed]]) -> Response:
        config = self._config()
        with self._store.reading() as db:
            etag = self._etags.of(db, config)
            if matches(etag):
                return not_modified(etag)
            key = f"{config.site.url} {name}"
            body = self._current(key, etag)
            if not body:
                pages = list(listed(db))[:MAX_URLS]
                if not pages and request.view_args:
                    abort(404)
                body = render_template("sitemap.xml", pages=pages, is_index=name == "index")
                self._keep(key, etag, body)
        return with_etag(Response(body, mimetype="text/xml"), etag)

    def _current(self, key: str, etag: str) -> str:
        made_for, body = self._cached.get(key, ("", ""))
        return body if made_for == etag else ""

    def _keep(self, key: str, etag: str, body: str) -> None:
        if len(self._cached) >= MAX_CACHED:
            self._cached.clear()
        self._cached[key] = etag, body
