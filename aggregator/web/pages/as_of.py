"""Editions: pages and feeds as they stood at a moment, under /at/2009-06-27T21:26Z/.

The moment stands before the path of a page, or of a feed:

    /at/2009-06-27T21:26Z/                  /at/2009-06-27T21:26Z/section/europe
    /at/2009-06-27T21:26Z/feeds/all.atom    /at/2009-06-27T21:26Z/feeds/view/nato.json

No answer is for ever: retention, rules and the configuration decide what of the past is left.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from aggregator.models.config import Config
from aggregator.models.query import Query, Sort
from aggregator.store.database.connection import Connection, Store
from aggregator.store.queries import as_of
from aggregator.store.queries.select import Cursor
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.web.feeds import build, site_feeds
from aggregator.web.feeds.build import Content
from aggregator.web.feeds.documents import address
from aggregator.web.feeds.views import NoSuchView, ViewSpec
from aggregator.web.middleware.etags import Tags, is_known, tagged, unchanged
from aggregator.web.pages import dates, front
from aggregator.web.pages.entry_lists import Reader
from aggregator.web.pages.routes import asked_for, list_page
from aggregator.web.pages.view_models import Edition, FrontPage, Head, ListPage

KINDS = ("section", "view", "category", "author", "lang")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_STEPS = (
    ("A day earlier", -timedelta(days=1)),
    ("An hour earlier", -timedelta(hours=1)),
    ("An hour later", timedelta(hours=1)),
    ("A day later", timedelta(days=1)),
)


class PastReader(Reader):
    """A look at the database as it stood at a moment."""

    collapses = False

    def __init__(self, db: Connection, config: Config, at: datetime) -> None:
        """Look back; `db` is one snapshot."""
        super().__init__(db, config)
        self.then = as_of.Moment.of(db, at)

    def page(
        self, query: Query, *, size: int, before: Cursor | None
    ) -> tuple[list[EntrySummary], Cursor | None]:
        """Return one page of a view; what changed since then gives no order."""
        return super().page(replace(query, sort=Sort.NEWEST), size=size, before=before)

    def _listed(self, query: Query, limit: int, before: Cursor | None) -> list[EntrySummary]:
        return as_of.select(self.db, query, self.then, limit=limit, before=before)


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the routes."""
    made = Blueprint("editions", __name__, url_prefix="/at")
    editions = Editions(config, store, clock)
    made.add_url_rule("", "choose", editions.choose)
    made.add_url_rule("/<moment>/", "front", editions.front)
    made.add_url_rule("/<moment>/<kind>", "named", editions.list, defaults={"name": ""})
    made.add_url_rule("/<moment>/<kind>/<path:name>", "list", editions.list)
    made.add_url_rule("/<moment>/feeds/<path:rest>", "feed", editions.feed)

    @made.after_request
    def finish(response: Response) -> Response:
        # Each edition leads to others without end.
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return made


class Editions:
    """The pages and feeds of the past."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._tags = Tags(clock)

    def choose(self) -> AnyResponse:
        """Lead to the edition of a moment, by itself that of an hour ago or the first."""
        moment = request.args.get("moment", "").removesuffix("Z") or self._default()
        page = "".join(request.args.get("page", "/").split())  # no line break is let into a header
        return redirect(f"/at/{_name(self._read(moment))}/{page.lstrip('/')}", 303)

    def _default(self) -> str:
        with self._store.reading() as db:
            begin = as_of.first(db)
        if begin is None:
            abort(404, "Nothing is stored yet.")
        first_minute = begin + timedelta(seconds=59)
        return dates.minute(max(self._clock() - timedelta(hours=1), first_minute))

    def front(self, moment: str) -> Response | str:
        """Show the front page."""
        config, at = self._config(), self._read(moment.removesuffix("Z"))
        with self._store.reading() as db:
            tag = self._tags.of(db, config)
            if is_known(tag):
                return unchanged(tag)
            self._check(db, at)
            reader = PastReader(db, config, at)
            page = front.compose(reader, as_of.last_change(db, reader.then))
        return self._answer("front.html", page, at, "/", tag)

    def list(self, moment: str, kind: str, name: str) -> Response | str:
        """Show a section, saved view, category, author or language."""
        config, at = self._config(), self._read(moment.removesuffix("Z"))
        if kind not in KINDS:
            abort(404)
        name = name or request.args.get("name", "")
        spec = _public(asked_for(kind, name, config))
        with self._store.reading() as db:
            tag = self._tags.of(db, config)
            if is_known(tag):
                return unchanged(tag)
            self._check(db, at)
            page = list_page(PastReader(db, config, at), spec, kind, name)
        if page.older:
            page = replace(page, older=f"{_root(at)}{page.older}")
        return self._answer("list.html", page, at, spec.page_path, tag)

    def feed(self, moment: str, rest: str) -> Response:
        """Give a view as a feed."""
        config, at = self._config(), self._read(moment.removesuffix("Z"))
        try:
            asked = address(f"/feeds/{rest}")
        except NoSuchView as error:
            abort(404, str(error))
        if asked.archive:
            abort(404, "An edition has no archives.")
        site_feeds.check(asked.format, "A feed of an edition")
        spec = _public(asked_for(asked.kind, asked.id, config))
        with self._store.reading() as db:
            self._check(db, at)
            limit = spec.query.limit or build.DEFAULT_LIMIT
            stored = tuple(as_of.select_whole(db, spec.query, as_of.Moment.of(db, at), limit=limit))
            states = sources.get_many(db, {one.source_id for one in stored})
        feed = build.merged(spec, Content(stored=stored, states=states), config, asked.format)
        base, root = spec.base, _root(at)
        feed = replace(
            feed,
            id=f"{feed.id}/at/{_name(at)}",
            title=f"{feed.title}, {dates.clock(at)}, {dates.day(at)}",
            page_url=f"{base}{root}{spec.page_path}",
            self_url=feed.self_url.replace(base, f"{base}{root}", 1),
            alternates=tuple(
                (kind, url.replace(base, f"{base}{root}", 1)) for kind, url in feed.alternates
            ),
        )
        return site_feeds.response(feed, asked.format, cache_control="no-cache")

    def _read(self, text: str) -> datetime:
        """Return a moment that is over, else answer 400 or 404."""
        try:
            if not _MOMENT.fullmatch(text):
                raise ValueError(text)
            at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            abort(400, "Write a moment in GMT, as in /at/2009-06-27T21:26Z/.")
        if at > self._clock():
            abort(404, f"That edition is not out yet: it is {dates.in_zones(self._clock(), ())}.")
        return at

    @staticmethod
    def _check(db: Connection, at: datetime) -> None:
        begin = as_of.first(db)
        if begin is None or at < begin:
            since = f"; the first is of {dates.in_zones(begin, ())}" if begin else ""
            abort(404, f"Nothing is stored of that time{since}.")

    def _answer(
        self, template: str, page: FrontPage | ListPage, at: datetime, path: str, tag: str
    ) -> Response:
        config, root = self._config(), _root(at)
        edition = Edition(
            at=at,
            root=root,
            page=path,
            others=tuple(
                (words, f"{_root(at + step)}{path}")
                for words, step in _STEPS
                if at + step <= self._clock()
            ),
            printing=request.args.get("print") == "1",
        )
        head = _head(page, edition, config)
        body = render_template(template, page=page, head=head, edition=edition)
        return tagged(body, tag)


def _head(page: FrontPage | ListPage, edition: Edition, config: Config) -> Head:
    """Return what such a page has at its top: its own addresses, and no news."""
    return replace(
        page.head,
        title=f"{page.head.title}, {dates.clock(edition.at)}, {dates.day(edition.at)}",
        canonical=f"{config.site.base_url}{edition.root}{edition.page}",
        feeds=tuple(
            (type, title, f"{edition.root}{path}") for type, title, path in page.head.feeds
        ),
        newest=0,
    )


def _public(spec: ViewSpec) -> ViewSpec:
    if spec.private:
        abort(404, "There are no editions of private views.")
    return spec


def _name(at: datetime) -> str:
    return f"{dates.minute(at)}Z"


def _root(at: datetime) -> str:
    return f"/at/{_name(at)}"
