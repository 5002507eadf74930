"""Pages for readers: each reads the store, fills a view model and renders a template."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from unicodedata import combining, normalize
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, render_template, request

from aggregator.errors import QueryError
from aggregator.formats.table import FORMATS
from aggregator.models import query as queries
from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.models.numbers import parse_number
from aggregator.models.query import Query
from aggregator.models.query_string import known_pairs, suggestions
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import lists, search_index
from aggregator.store.queries import fts, select
from aggregator.store.sources import sources
from aggregator.store.sources.sources import Label
from aggregator.web.feeds.views import (
    NAMED,
    NeedsToken,
    NoSuchView,
    ViewSpec,
    resolve,
    without_secret,
)
from aggregator.web.i18n import current, gettext, ngettext
from aggregator.web.middleware.auth import Authenticator, bearer_token
from aggregator.web.middleware.etags import PageEtags, matches, not_modified, with_etag
from aggregator.web.pages import entry_page, features, front, parts, presenters, profiles
from aggregator.web.pages.dates import short_day
from aggregator.web.pages.entry_lists import (
    EntryLists,
    requested_entry,
    requested_part,
    view_head,
)
from aggregator.web.pages.entry_page import Found
from aggregator.web.pages.view_models import Head, ListPage, TopicsPage

MAX_NEW = 100
MAX_TOPICS, TOPICS_SPAN = 100, timedelta(days=30)
TOPICS_TTL = timedelta(minutes=10)
"""Counting topics reads all categories of the span: too slow for every request."""

PAGE_KEYS = ("before", "name", "print")
"""Query parameters of a page that are not part of its view."""


def blueprint(
    config: Callable[[], Config],
    store: Store,
    clock: Callable[[], datetime],
    authenticator: Authenticator,
) -> Blueprint:
    """Return the pages for readers."""
    routes = Blueprint("pages", __name__)
    pages = Pages(config, store, clock, authenticator)
    routes.add_url_rule("/", "front", pages.front)
    routes.add_url_rule("/search", "search", pages.search)
    routes.add_url_rule("/stories", "stories", pages.stories)
    routes.add_url_rule("/stories/before/<int:before>", "stories_part", pages.stories)
    routes.add_url_rule("/entry/<int:entry_id>", "entry", pages.entry)
    routes.add_url_rule("/topics", "topics", pages.topics)
    routes.add_url_rule("/help", "help", pages.help)
    routes.add_url_rule("/news.json", "news", pages.news)
    for kind in ("section", "view", "category", "author", "lang"):
        rule = f"/{kind}/<path:name>"
        routes.add_url_rule(rule, kind, pages.list, defaults={"kind": kind})
        part_rule = f"{rule}/before/<int:before>"
        routes.add_url_rule(part_rule, f"{kind}_part", pages.list, defaults={"kind": kind})
    for kind in ("category", "author"):
        defaults = {"kind": kind, "name": ""}
        routes.add_url_rule(f"/{kind}", f"{kind}_named", pages.list, defaults=defaults)
    return routes


class Pages:
    """The pages for readers."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: Store,
        clock: Callable[[], datetime],
        authenticator: Authenticator,
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._authenticator = authenticator
        self._etags = PageEtags(clock)
        self._found = Found(clock)
        self._topics: tuple[datetime, tuple[tuple[str, int], ...]] | None = None

    def front(self) -> Response | str:
        """Show the front page."""
        config = self._config()
        with self._store.reading() as db:
            etag = self._etags.of(db, config)
            if matches(etag):
                return not_modified(etag)
            updated = change_log.last(db, change_log.ALL)
            page = front.compose(EntryLists(db, config), updated, self._clock())
        if page.empty:  # it shows polls, which leave the ETag as it is
            return render_template("front.html", page=page, head=page.head)
        return with_etag(render_template("front.html", page=page, head=page.head), etag)

    def list(self, kind: str, name: str, before: int = 0) -> Response | str:
        """Show a section, saved view, category, author or language.

        Args:
            before: As in `requested_part`.
        """
        config = self._config()
        name = name or request.args.get("name", "")
        spec = requested_view(kind, name, config)
        response = self._list(spec, config, kind, name, before)
        if spec.private:
            response.headers["Cache-Control"] = "private, no-cache"
            response.vary.add("Authorization")
        return response

    def stories(self, before: int = 0) -> Response | str:
        """Show all stories, newest first.

        Args:
            before: As in `requested_part`.
        """
        config = self._config()
        spec = requested_view("all", "", config)
        return self._list(spec, config, "all", "", before)

    def _list(self, spec: ViewSpec, config: Config, kind: str, name: str, before: int) -> Response:
        with self._store.reading() as db:
            etag = self._etags.of(db, config, by_minute=spec.query.within is not None)
            if matches(etag):
                return not_modified(etag)
            lists, spec = EntryLists(db, config), spec.at(self._clock())
            page = list_page(lists, spec, kind, name, before=before)
            if not page.is_continued and not config.site.static:
                page = self._with_more(page, lists, spec.query)
        return with_etag(render_template("list.html", page=page, head=page.head), etag)

    def _with_more(self, page: ListPage, lists: EntryLists, query: Query) -> ListPage:
        """Return the page of a view with its profile, or with features at the foot."""
        if page.kind == "section":
            shown = [entry.id for day in page.days for entry in day.entries]
            found = features.choose(lists, shown, self._found.features, page.head.section)
            return replace(page, features=found)
        if page.kind not in ("view", "category"):
            return page
        digest = self._found.profiles.get(
            f"{page.name} {queries.render(query)}",
            lambda: profiles.digest(lists, query, page.name, self._clock()),
        )
        if page.kind == "view":
            title = gettext("Profile: %(title)s", title=page.head.title)
            page = replace(page, head=replace(page.head, title=title))
        return replace(page, profile=profiles.compose(lists, digest))

    def search(self) -> Response | str:
        """Show the results of a search, or the search form."""
        config = self._config()
        query = view_query()
        if config.site.static:
            return self._static_search(config)
        try:
            spec = resolve("search", "", query, config)
        except QueryError as error:
            given, hints = known_pairs(query), suggestions(query)
            page = ListPage(
                head=Head(title=gettext("Search") + f" – {config.site.title}", updated=None),
                kind="search",
                name="",
                days=(),
                notes=hints + ((error.args[0],) if given else ()),
                q=request.args.get("q", ""),
            )
            body = render_template("list.html", page=page, head=page.head)
            return Response(body, 400 if given or hints else 200)
        ignored = fts.expression(spec.query.q, spec.query.exclude).ignored
        notes = suggestions(query)
        notes += tuple(
            N_("Ignored “%(term)s”: it has no letters or digits.", term=term) for term in ignored
        )
        with self._store.reading() as db:
            since = search_index.since(db)
            if since is not None:
                day = short_day(since)
                notes += (N_("Entries from before %(day)s are still being indexed.", day=day),)
            spec = spec.at(self._clock())
            page = list_page(EntryLists(db, config), spec, "search", "", notes)
        return render_template("list.html", page=page, head=page.head)

    def _static_search(self, config: Config) -> str:
        """Show the search of a site of files, which a script makes in an index."""
        head = Head(title=f"Search – {config.site.title}", updated=None)
        return render_template("static_search.html", head=head)

    def entry(self, entry_id: int) -> Response | str:
        """Show an entry."""
        config = self._config()
        is_signed_in = self._authenticator.is_signed_in(request.environ)
        with self._store.reading() as db:
            stored = requested_entry(db, entry_id, is_signed_in=is_signed_in)
            page = entry_page.compose(db, stored, config, self._found, self._clock())
        return render_template("entry.html", page=page, head=page.head)

    def topics(self) -> str:
        """Show the most used categories of the last days, A to Z."""
        config, now = self._config(), self._clock()
        if self._topics is None or now - self._topics[0] > TOPICS_TTL:
            with self._store.reading() as db:
                categories = lists.top_categories(db, now - TOPICS_SPAN, MAX_TOPICS)
            if self._config().site.static:
                categories = [topic for topic in categories if parts.has_page(*topic)]
            self._topics = now, tuple(sorted(categories, key=_alphabetically))
        head = Head(
            title=gettext("Topics") + f" – {config.site.title}",
            updated=None if self._config().site.static else self._topics[0],
            canonical=f"{config.site.url}/topics",
        )
        page = TopicsPage(head=head, topics=self._topics[1], days=TOPICS_SPAN.days)
        return render_template("topics.html", head=head, page=page)

    def help(self) -> str:
        """Show how to subscribe, and the query parameters of views."""
        head = Head(title=gettext("Help") + f" – {self._config().site.title}", updated=None)
        keys, formats = queries.KEYS.values(), FORMATS.values()
        return render_template("help.html", head=head, keys=keys, formats=formats)

    def news(self) -> Response:
        """Return the number of entries newer than one, for the bar on the front page."""
        since = parse_number(request.args.get("since", "0"))
        if since is None:
            raise QueryError(
                N_("since must be the id of an entry, for example /news.json?since=4711")
            )
        with self._store.reading() as db:
            etag = f"{since}-{change_log.version(db)}-{current().language}"
            if matches(etag):
                return not_modified(etag)
            ids = select.select_ids(db, Query(), limit=MAX_NEW)
        new = sum(entry_id > since for entry_id in ids)
        count = gettext("100 or more") if new >= MAX_NEW else new
        text = ngettext("%(count)s new entry", "%(count)s new entries", new, count=count)
        return with_etag(jsonify(new=new, text=text), etag)


def _alphabetically(topic: tuple[str, int]) -> tuple[str, str]:
    """Return the key by which topics are sorted: letters with accents stand with those without."""
    name = topic[0]
    letters = (letter for letter in normalize("NFKD", name.casefold()) if not combining(letter))
    return "".join(letters), name


def requested_view(kind: str, name: str, config: Config) -> ViewSpec:
    """Return the view of a page; answer 404 if it does not exist, 401 if it needs a token."""
    try:
        return resolve(kind, name, view_query(), config, bearer=bearer_token(request.environ))
    except NoSuchView as error:
        abort(404, error.args[0])
    except NeedsToken as error:
        abort(401, error.args[0])


def view_query() -> str:
    """Return the query string of the request without the parameters of the page."""
    pairs = request.args.items(multi=True)
    return urlencode([(key, value) for key, value in pairs if key not in PAGE_KEYS and value])


def list_page(
    entry_lists: EntryLists,
    spec: ViewSpec,
    kind: str,
    name: str,
    notes: tuple[str, ...] = (),
    *,
    before: int = 0,
) -> ListPage:
    """Return the requested page of a view.

    Args:
        before: As in `requested_part`.
    """
    path = _list_path(spec)
    part = requested_part(entry_lists, spec.query, path, before)
    excerpts = {}
    if spec.query.q:
        ids = [entry.id for entry in part.entries]
        excerpts = fts.passages(entry_lists.db, spec.query.q, ids)
    updated = max((entry.changed for entry in part.entries), default=None)
    items = entry_lists.items(part.entries, excerpts)
    is_static = entry_lists.config.site.static
    is_collapsed = any(item.other_reports for item in items)
    head = view_head(spec, updated, section=name if kind == "section" else "")
    if is_static and kind not in ("all", *NAMED):
        head = replace(head, feeds=())
    return ListPage(
        head=replace(head, canonical=without_secret(f"{spec.base}{path}")),
        kind=kind,
        name=_title(spec, entry_lists.config, kind, name),
        days=presenters.by_day(items),
        newer_path=part.newer_path,
        next_path=part.next_path,
        expanded_path="" if is_static or not is_collapsed else _expanded_path(path),
        is_continued=part.is_continued,
        notes=notes,
        q=request.args.get("q", ""),
        section=request.args.get("section", ""),
        sources=_section_sources(entry_lists, name) if kind == "section" else (),
    )


def _list_path(spec: ViewSpec) -> str:
    """Return the path and query string of a view's list; the page of all is the front page."""
    if spec.kind != "all":
        return spec.page_path
    return f"/stories?{spec.extra}" if spec.extra else "/stories"


def _expanded_path(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}stories=expand"


def _title(spec: ViewSpec, config: Config, kind: str, name: str) -> str:
    suffix = f" – {config.site.title}"
    return spec.title.removesuffix(suffix) if kind not in ("all", "search") else name


def _section_sources(entry_lists: EntryLists, section: str) -> tuple[tuple[str, Label], ...]:
    ids = [source.id for source in entry_lists.config.sources if section in source.sections]
    labels = sources.labels(entry_lists.db, ids)
    return tuple((id, labels[id]) for id in ids if id in labels)
