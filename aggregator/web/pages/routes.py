"""Pages for readers: each asks the store, fills a context, renders a template."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, render_template, request

from aggregator.errors import QueryError
from aggregator.formats.table import FORMATS
from aggregator.models import query as queries
from aggregator.models.config import Config
from aggregator.models.entry import StoredEntry
from aggregator.models.numbers import parse_number
from aggregator.models.query import Query
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, lists, versions
from aggregator.store.queries import fts as search
from aggregator.store.queries import select, summaries
from aggregator.store.sources import sources
from aggregator.web.feeds.views import NeedsToken, NoSuchView, ViewSpec, resolve
from aggregator.web.middleware.etags import Tags, is_known, tagged, unchanged
from aggregator.web.pages import front, presenters
from aggregator.web.pages.entry_lists import PAGE, Reader, head, older, place_of_request
from aggregator.web.pages.view_models import Head, ListPage, StoryPage, TopicsPage

OTHERS = 5
TOPICS, TOPICS_SPAN = 100, timedelta(days=30)
TOPICS_KEPT = timedelta(minutes=10)
"""Counting them reads all the categories of the span, so it is not done for every reader."""


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the pages for readers."""
    made = Blueprint("pages", __name__)
    pages = Pages(config, store, clock)
    made.add_url_rule("/", "front", pages.front)
    made.add_url_rule("/search", "search", pages.search)
    made.add_url_rule("/entry/<int:entry_id>", "entry", pages.entry)
    made.add_url_rule("/topics", "topics", pages.topics)
    made.add_url_rule("/help", "help", pages.help)
    made.add_url_rule("/news.json", "news", pages.news)
    for kind in ("section", "view", "category", "author", "lang"):
        rule = f"/{kind}/<path:name>"
        made.add_url_rule(rule, kind, pages.list, defaults={"kind": kind})
    for kind in ("category", "author"):
        rule = f"/{kind}"
        made.add_url_rule(rule, f"{kind}_named", pages.list, defaults={"kind": kind, "name": ""})
    return made


class Pages:
    """The pages, over a store."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._tags = Tags(clock)
        self._topics: tuple[datetime, tuple[tuple[str, int], ...]] | None = None

    def front(self) -> Response | str:
        """Show the front page."""
        config = self._config()
        with self._store.reading() as db:
            tag = self._tags.of(db, config)
            if is_known(tag):
                return unchanged(tag)
            updated = change_log.last(db, change_log.ALL)
            page = front.compose(Reader(db, config), updated)
        return tagged(render_template("front.html", page=page, head=page.head), tag)

    def list(self, kind: str, name: str) -> Response | str:
        """Show a section, saved view, category, author or language."""
        config = self._config()
        name = name or request.args.get("name", "")
        spec = asked_for(kind, name, config)
        return self._list(spec, config, kind, name)

    def _list(self, spec: ViewSpec, config: Config, kind: str, name: str) -> Response | str:
        with self._store.reading() as db:
            tag = self._tags.of(db, config)
            if is_known(tag):
                return unchanged(tag)
            page = list_page(Reader(db, config), spec, kind, name)
        made = tagged(render_template("list.html", page=page, head=page.head), tag)
        if spec.private:
            made.headers["Cache-Control"] = "private, no-cache"
        return made

    def search(self) -> Response | str:
        """Show a search, or the form for one."""
        config = self._config()
        args = narrowing()
        try:
            spec = resolve("search", "", args, config)
        except QueryError as error:
            wanted = bool(args)
            page = ListPage(
                head=Head(title=f"Search – {config.site.title}", updated=None),
                kind="search",
                name="Search",
                days=(),
                notes=(str(error),) if wanted else (),
                q=request.args.get("q", ""),
            )
            body = render_template("list.html", page=page, head=page.head, fresh=not wanted)
            return Response(body, 400 if wanted else 200)
        ignored = search.expression(spec.query.q, spec.query.exclude).ignored
        notes = tuple(f"“{term}” has no letters or digits to look for" for term in ignored)
        with self._store.reading() as db:
            page = list_page(Reader(db, config), spec, "search", "Search", notes)
        return render_template("list.html", page=page, head=page.head)

    def entry(self, entry_id: int) -> Response | str:
        """Show a story."""
        config = self._config()
        with self._store.reading() as db:
            stored = entries.get(db, entry_id)
            if stored is None:
                abort(404, "There is no such story, or it has expired.")
            reader = Reader(db, config)
            line = summaries.get_many(db, [entry_id])[entry_id]
            story = reader.tell([line])[0]
            earlier = versions.of_entry(db, entry_id)
            story_members = reader.story_members(entry_id)
            told = {one.story.id for one in story_members}
            also = [one for one in reader.related(line) if one.id not in told]
            others = reader.select(Query(source=(stored.source_id,)), limit=12)
            others = [one for one in others if one.id not in {entry_id, *(a.id for a in also)}]
            entry = stored.entry
            page = StoryPage(
                head=Head(
                    title=f"{story.title} – {config.site.title}",
                    description=entry.summary,
                    updated=stored.changed,
                    canonical=f"{config.site.base_url}/entry/{entry_id}",
                    feeds=_source_feeds(config, stored.source_id),
                ),
                story=story,
                uri=stored.uri,
                link=entry.link,
                via=entry.via,
                comments=entry.comments,
                content=entry.content,
                picture=_picture(stored),
                authors=tuple(author.name for author in entry.authors if author.name),
                categories=entry.categories,
                clips=presenters.clips(entry),
                published=entry.published,
                first_seen=stored.first_seen,
                changed=stored.changed if earlier else None,
                changes=presenters.changes(entry, earlier),
                hidden=stored.hidden,
                reasons=stored.ruling.reasons,
                known_by=tuple(stored.known_by.split()),
                matched=stored.matched,
                story_members=story_members,
                also=reader.tell(also),
                others=reader.tell(others[:OTHERS]),
                printing=request.args.get("print") == "1",
            )
        return render_template("entry.html", page=page, head=page.head)

    def topics(self) -> str:
        """Show the categories of the last days, most used first."""
        config, now = self._config(), self._clock()
        if self._topics is None or now - self._topics[0] > TOPICS_KEPT:
            with self._store.reading() as db:
                found = lists.top_categories(db, now - TOPICS_SPAN, TOPICS)
            self._topics = now, tuple(found)
        page_head = Head(
            title=f"Topics – {config.site.title}",
            updated=self._topics[0],
            canonical=f"{config.site.base_url}/topics",
        )
        page = TopicsPage(head=page_head, topics=self._topics[1], days=TOPICS_SPAN.days)
        return render_template("topics.html", head=page_head, page=page)

    def help(self) -> str:
        """Show how to subscribe, and the words of views."""
        config = self._config()
        page_head = Head(title=f"Help – {config.site.title}", updated=None)
        return render_template(
            "help.html", head=page_head, keys=queries.KEYS.values(), formats=FORMATS.values()
        )

    def news(self) -> Response:
        """Tell how many stories are newer than one, for the front page's bar."""
        since = parse_number(request.args.get("since", "0"))
        if since is None:
            raise QueryError("since is the number of an entry, as in /news.json?since=4711")
        with self._store.reading() as db:
            tag = f"{since}-{change_log.version(db)}"
            if is_known(tag):
                return unchanged(tag)
            found = select.select_ids(db, Query(), limit=100)
            answer = jsonify(new=sum(entry_id > since for entry_id in found))
        return tagged(answer, tag)


def asked_for(kind: str, name: str, config: Config) -> ViewSpec:
    """Return the view of a page; answer 404 or 401 when there is none for who asks."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    try:
        bearer = bearer.strip() if scheme.lower() == "bearer" else ""
        return resolve(kind, name, narrowing(), config, bearer=bearer)
    except NoSuchView as error:
        abort(404, str(error))
    except NeedsToken as error:
        abort(401, str(error))


def list_page(
    reader: Reader, spec: ViewSpec, kind: str, name: str, notes: tuple[str, ...] = ()
) -> ListPage:
    """Return one page of a view, from the place on that the request names."""
    before = place_of_request()
    size = spec.query.limit or PAGE
    found, more = reader.page(spec.query, size=size, before=before)
    passages = {}
    if spec.query.q:
        match = search.expression(spec.query.q, spec.query.exclude).match
        passages = search.snippets(reader.db, match, [one.id for one in found])
    updated = max((one.changed for one in found), default=None)
    told = reader.tell(found, passages)
    return ListPage(
        head=head(spec, updated, section=name if kind == "section" else ""),
        kind=kind,
        name=_title(spec, reader.config, kind, name),
        days=presenters.by_day(told),
        older=older(spec.page_path, more) if more else "",
        expanded=_expanded(spec.page_path) if any(one.also for one in told) else "",
        paged=before is not None,
        notes=notes,
        q=request.args.get("q", ""),
        section=request.args.get("section", ""),
        source=request.args.get("source", ""),
        sources=_sources_of(reader, name) if kind == "section" else (),
    )


def _expanded(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}stories=expand"


def narrowing() -> str:
    """Return the query string without the keys that are about the page and not the view."""
    pairs = [
        pair
        for pair in request.args.items(multi=True)
        if pair[0] not in ("before", "name", "print") and pair[1]
    ]
    return urlencode(pairs)


def _title(spec: ViewSpec, config: Config, kind: str, name: str) -> str:
    suffix = f" – {config.site.title}"
    return spec.title.removesuffix(suffix) if kind != "search" else name


def _sources_of(reader: Reader, section: str) -> tuple[tuple[str, str], ...]:
    ids = [source.id for source in reader.config.sources if section in source.sections]
    labels = sources.labels(reader.db, ids)
    return tuple((id, labels[id].title) for id in ids if id in labels)


def _source_feeds(config: Config, source_id: str) -> tuple[tuple[str, str, str], ...]:
    try:
        return head(resolve("source", source_id, "", config), None).feeds
    except NoSuchView:
        return ()


def _picture(stored: StoredEntry) -> Any:
    """Return the story's picture, unless its content shows it already."""
    image = stored.entry.image
    if image is None or image.url.replace("&", "&amp;") in stored.entry.content:
        return None
    return image
