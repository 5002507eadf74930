"""Past versions: pages and feeds as they were at a time, under /at/2009-06-27T21:26Z/.

The time is a prefix of the path of a page or feed:

    /at/2009-06-27T21:26Z/                  /at/2009-06-27T21:26Z/section/europe
    /at/2009-06-27T21:26Z/feeds/all.atom    /at/2009-06-27T21:26Z/feeds/view/nato.json

A past version can change: it holds only entries that are still stored, and it follows the rules
and the configuration of today.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, abort, render_template, request

from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.models.query import Query, Sort
from aggregator.store.database import site_id
from aggregator.store.database.connection import Connection, Store
from aggregator.store.queries import as_of
from aggregator.store.queries.select import Cursor
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.web.feeds import build, site_feeds
from aggregator.web.feeds.build import Content
from aggregator.web.feeds.documents import parse_address
from aggregator.web.feeds.views import NoSuchView, ViewSpec
from aggregator.web.middleware.addresses import see_other
from aggregator.web.middleware.etags import PageEtags, matches, not_modified, with_etag
from aggregator.web.pages import dates, front
from aggregator.web.pages.entry_lists import EntryLists
from aggregator.web.pages.routes import list_page, requested_view
from aggregator.web.pages.view_models import FrontPage, Head, ListPage, PastVersion

KINDS = ("section", "view", "category", "author", "lang")
DEFAULT_AGE = timedelta(hours=1)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_STEPS = (
    (N_("A day earlier"), -timedelta(days=1)),
    (N_("An hour earlier"), -timedelta(hours=1)),
    (N_("An hour later"), timedelta(hours=1)),
    (N_("A day later"), timedelta(days=1)),
)


class PastEntryLists(EntryLists):
    """The lists of entries as they were at a time."""

    collapses = False

    def __init__(self, db: Connection, config: Config, at: datetime) -> None:
        """Read from a connection; the caller keeps it in one snapshot."""
        super().__init__(db, config)
        self.then = as_of.Snapshot.of(db, at)

    def page(
        self, query: Query, *, size: int, before: Cursor | None
    ) -> tuple[list[EntrySummary], Cursor | None]:
        """Return one page of a view, always newest first: later changes give no order."""
        return super().page(replace(query, sort=Sort.NEWEST), size=size, before=before)

    def _entries(self, query: Query, limit: int, before: Cursor | None) -> list[EntrySummary]:
        return as_of.select(self.db, query, self.then, limit=limit, before=before)


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("as_of", __name__, url_prefix="/at")
    pages = PastPages(config, store, clock)
    routes.add_url_rule("", "choose", pages.choose)
    routes.add_url_rule("/<time>/", "front", pages.front, strict_slashes=False)
    routes.add_url_rule("/<time>/<kind>", "named", pages.list, defaults={"name": ""})
    routes.add_url_rule("/<time>/<kind>/<path:name>", "list", pages.list)
    routes.add_url_rule("/<time>/feeds/<path:feed>", "feed", pages.feed)

    @routes.after_request
    def forbid_indexing(response: Response) -> Response:
        # Each past version links to others, without end.
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return routes


class PastPages:
    """The pages and feeds of the past."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._etags = PageEtags(clock)

    def choose(self) -> Response:
        """Redirect to the version of a time; by default an hour ago, or the oldest.

        Before the site is a minute old, that is the front page.
        """
        time = request.args.get("moment", "").removesuffix("Z") or self._default()
        if not time:
            return see_other("/")
        path = "".join(request.args.get("page", "/").split())  # no line break gets into a header
        return see_other(f"/at/{_name(self._parse(time))}/{path.lstrip('/')}")

    def _default(self) -> str:
        with self._store.reading() as db:
            oldest = as_of.oldest(db)
        now = self._clock()
        first_minute = oldest + timedelta(seconds=59) if oldest else now
        if first_minute >= now:
            return ""
        return dates.datetime_local(max(now - DEFAULT_AGE, first_minute))

    def front(self, time: str) -> Response | str:
        """Show the front page."""
        config, at = self._config(), self._parse(time.removesuffix("Z"))
        with self._store.reading() as db:
            etag = self._etags.of(db, config)
            if matches(etag):
                return not_modified(etag)
            oldest = self._check(db, at)
            lists = PastEntryLists(db, config, at)
            page = front.compose(lists, as_of.last_change(db, lists.then), None)
        return self._response("front.html", page, at, oldest, "/", etag)

    def list(self, time: str, kind: str, name: str) -> Response | str:
        """Show a section, saved view, category, author or language."""
        config, at = self._config(), self._parse(time.removesuffix("Z"))
        if kind not in KINDS:
            abort(404)
        name = name or request.args.get("name", "")
        spec = _public(requested_view(kind, name, config))
        with self._store.reading() as db:
            etag = self._etags.of(db, config)
            if matches(etag):
                return not_modified(etag)
            oldest = self._check(db, at)
            page = list_page(PastEntryLists(db, config, at), spec.at(at), kind, name)
        # No way up: entries that were withdrawn since are not in the lists that it is read from.
        older = f"{_root(at)}{page.next_path}" if page.next_path else ""
        page = replace(page, newer_path="", next_path=older)
        return self._response("list.html", page, at, oldest, spec.page_path, etag)

    def feed(self, time: str, feed: str) -> Response:
        """Return a view as a feed."""
        config, at = self._config(), self._parse(time.removesuffix("Z"))
        try:
            requested = parse_address(f"/feeds/{feed}")
        except NoSuchView as error:
            abort(404, error.args[0])
        if requested.archive:
            abort(404, N_("Past versions of a feed have no archives."))
        site_feeds.check(requested.format)
        spec = _public(requested_view(requested.kind, requested.id, config)).at(at)
        with self._store.reading() as db:
            self._check(db, at)
            limit = spec.query.limit or build.DEFAULT_LIMIT
            stored = tuple(
                as_of.select_whole(db, spec.query, as_of.Snapshot.of(db, at), limit=limit)
            )
            states = sources.get_many(db, {entry.source_id for entry in stored})
            content = Content(site_id=site_id.get(db), stored=stored, states=states)
        merged = build.merged(spec, content, config, requested.format)
        base, root = spec.base, _root(at)
        merged = replace(
            merged,
            id=f"{merged.id}/at/{_name(at)}",
            title=f"{merged.title}, {_title(at)}",
            page_url=f"{base}{root}{spec.page_path}",
            self_url=merged.self_url.replace(base, f"{base}{root}", 1),
            alternates=tuple(
                (kind, url.replace(base, f"{base}{root}", 1)) for kind, url in merged.alternates
            ),
        )
        return site_feeds.response(merged, requested.format, config, cache_control="no-cache")

    def _parse(self, text: str) -> datetime:
        """Return the time of a path; answer 400 if it is invalid, 404 if it is in the future."""
        try:
            if not _TIME.fullmatch(text):
                raise ValueError(text)
            at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            abort(400, N_("Write the time in GMT, for example /at/2009-06-27T21:26Z/."))
        if at > self._clock():
            now = dates.in_zones(self._clock(), ())
            abort(404, N_("This time is in the future. It is now %(time)s.", time=now))
        return at

    @staticmethod
    def _check(db: Connection, at: datetime) -> datetime:
        """Return the time of the oldest entry; answer 404 if it is later."""
        oldest = as_of.oldest(db)
        if oldest is None or at < oldest:
            if not oldest:
                abort(404, N_("No entries are stored from this time."))
            time = dates.in_zones(oldest, ())
            abort(
                404,
                N_("No entries are stored from this time. The oldest is from %(time)s.", time=time),
            )
        return oldest

    def _response(
        self,
        template: str,
        page: FrontPage | ListPage,
        at: datetime,
        oldest: datetime,
        path: str,
        etag: str,
    ) -> Response:
        past = PastVersion(
            at=at,
            root=_root(at),
            path=path,
            others=tuple(
                (label, f"{_root(at + step)}{path}")
                for label, step in _STEPS
                if oldest <= at + step <= self._clock()
            ),
            printing=request.args.get("print") == "1",
        )
        head = _head(page, past, self._config())
        return with_etag(render_template(template, page=page, head=head, past=past), etag)


def _head(page: FrontPage | ListPage, past: PastVersion, config: Config) -> Head:
    """Return the head of a page with the addresses of its past version."""
    return replace(
        page.head,
        title=f"{page.head.title}, {_title(past.at)}",
        canonical=f"{config.site.url}{past.root}{past.path}",
        feeds=tuple(replace(feed, path=f"{past.root}{feed.path}") for feed in page.head.feeds),
        newest_id=0,
        sharing=None,
    )


def _public(spec: ViewSpec) -> ViewSpec:
    if spec.private:
        abort(404, N_("Private views have no past versions."))
    return spec


def _title(at: datetime) -> str:
    return dates.in_zones(at, ())


def _name(at: datetime) -> str:
    return f"{dates.datetime_local(at)}Z"


def _root(at: datetime) -> str:
    return f"/at/{_name(at)}"
