"""Pages for readers: each asks the store, fills a context, renders a template."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

from flask import Blueprint, Response, abort, jsonify, render_template, request

from aggregator import __version__
from aggregator import query as queries
from aggregator.errors import QueryError
from aggregator.model import Config, Query, Sort, StoredEntry
from aggregator.store import changes, entries, listed, search, sources, views
from aggregator.store.db import Connection, Store
from aggregator.store.listed import Listed
from aggregator.store.sources import Label
from aggregator.store.views import Place
from aggregator.web import stories
from aggregator.web.contexts import Block, FrontPage, Head, ListPage, Story, StoryPage, TopicsPage
from aggregator.web.merging import MEDIA_TYPES
from aggregator.web.views import NeedsToken, NoSuchView, ViewSpec, resolve

PAGE = 40
LEAD_AMONG = 20
"""The lead is the newest story with a picture among so many; else simply the newest."""

LEAD_MARKED = timedelta(hours=12)
"""What a rule marks as important leads before that, for so long; the newest story is the clock."""

LATEST, SECTION_STORIES, MEDIA = 15, 6, 4
SEE_ALSO, OTHERS = 6, 5
TOPICS, TOPICS_SPAN = 100, timedelta(days=30)
TOPICS_KEPT = timedelta(minutes=10)
"""Counting them reads all the categories of the span, so it is not done for every reader."""

NAMES = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed"}


class Reader:
    """One request's look at the database: its entries, with the sources they came from."""

    def __init__(self, db: Connection, config: Config) -> None:
        """Look at the database as it stands; `db` is one snapshot."""
        self.db, self.config = db, config
        self._labels: dict[str, Label] = {}
        self._sections = {section.id: section.title for section in config.sections}

    def select(self, query: Query, *, limit: int, before: Place | None = None) -> list[Listed]:
        """Return the view's entries, each uri once: copies from two sources are one entry."""
        return list(_unique(listed.select(self.db, query, limit=limit, before=before)))

    def page(
        self, query: Query, *, size: int, before: Place | None
    ) -> tuple[list[Listed], Place | None]:
        """Return one page of a view, and the place where the next begins, None at the end."""
        found = listed.select(self.db, query, limit=size + 1, before=before)
        more = found[size - 1] if len(found) > size else None
        by_change = query.sort is Sort.UPDATED
        place = (
            Place(sort_at=more.changed if by_change else more.sort_at, id=more.id) if more else None
        )
        return list(_unique(found[:size])), place

    def related(self, one: Listed) -> list[Listed]:
        """Return the stories related to one."""
        weights = stories.telling_words(one)
        alike = stories.likeness(weights, search.nearest(self.db, one.id, weights))
        others = listed.get_many(self.db, alike).values()
        return stories.related(one, alike, others, SEE_ALSO)

    def tell(
        self, found: Iterable[Listed], passages: Mapping[int, tuple[str, str]] | None = None
    ) -> tuple[Story, ...]:
        """Return entries as stories."""
        found = list(found)
        missing = {one.source_id for one in found} - set(self._labels)
        if missing:
            self._labels |= sources.labels(self.db, missing)
        return tuple(
            stories.story(
                one,
                self._labels,
                sections=self._sections,
                found=(passages or {}).get(one.id),
            )
            for one in found
        )


def _unique(found: Iterable[Listed]) -> Iterator[Listed]:
    seen: set[str] = set()
    for one in found:
        if one.uri not in seen:
            seen.add(one.uri)
            yield one


def head(spec: ViewSpec, updated: datetime | None, *, section: str = "", newest: int = 0) -> Head:
    """Return what a view's page has at its top."""
    return Head(
        title=spec.title,
        description=spec.description,
        updated=updated,
        canonical=spec.page_url,
        section=section,
        newest=newest,
        feeds=feeds_of(spec),
    )


def feeds_of(spec: ViewSpec) -> tuple[tuple[str, str, str], ...]:
    """Return media type, title and path of a view's feeds."""
    return tuple(
        (MEDIA_TYPES[format], f"{spec.title} ({name})", spec.feed_path(format))
        for format, name in NAMES.items()
    )


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
        self._named: tuple[Config, str] = (config(), "")
        self._topics: tuple[datetime, tuple[tuple[str, int], ...]] | None = None

    def _tag(self, db: Connection, config: Config) -> str:
        """Name the state of a page that shows entries: program, configuration, entries, day."""
        if self._named[0] is not config or not self._named[1]:
            self._named = (config, f"{crc32(repr((__version__, config)).encode()):08x}")
        return f"{self._named[1]}-{changes.version(db)}-{self._clock():%y%m%d}"

    def front(self) -> Response | str:
        """Show the front page."""
        config = self._config()
        with self._store.reading() as db:
            tag = self._tag(db, config)
            if _is_known(tag):
                return _unchanged(tag)
            reader = Reader(db, config)
            spec = resolve("all", "", "", config)
            newest = reader.select(Query(), limit=LATEST + LEAD_AMONG)
            lead = _lead(newest, reader.select(Query(has=("priority",)), limit=1))
            shown = {lead.uri} if lead else set()
            blocks = []
            for section in config.sections:
                found = reader.select(Query(section=(section.id,)), limit=SECTION_STORIES + 3)
                found = [one for one in found if one.uri not in shown][:SECTION_STORIES]
                shown |= {one.uri for one in found}
                if found:
                    blocks.append(Block(section=section, stories=reader.tell(found)))
            media = [
                *reader.select(Query(has=("audio",)), limit=MEDIA),
                *reader.select(Query(has=("video",)), limit=MEDIA),
            ]
            media = sorted({one.id: one for one in media}.values(), key=_newest_first)[:MEDIA]
            latest = [one for one in newest if lead is None or one.id != lead.id][:LATEST]
            updated = changes.last(db, changes.ALL) if newest else None
            page = FrontPage(
                head=head(spec, updated, newest=max((one.id for one in newest), default=0)),
                lead=reader.tell([lead])[0] if lead else None,
                blocks=tuple(blocks),
                latest=reader.tell(latest),
                media=reader.tell(media),
                sources=len(config.sources),
                next_poll=sources.next_due(db),
            )
        return _tagged(render_template("front.html", page=page, head=page.head), tag)

    def list(self, kind: str, name: str) -> Response | str:
        """Show a section, saved view, category, author or language."""
        config = self._config()
        args = _narrowing()
        name = name or request.args.get("name", "")
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        try:
            bearer = bearer.strip() if scheme.lower() == "bearer" else ""
            spec = resolve(kind, name, args, config, bearer=bearer)
        except NoSuchView as error:
            abort(404, str(error))
        except NeedsToken as error:
            abort(401, str(error))
        return self._list(spec, config, kind, name)

    def _list(self, spec: ViewSpec, config: Config, kind: str, name: str) -> Response | str:
        before = place_of_request()
        with self._store.reading() as db:
            tag = self._tag(db, config)
            if _is_known(tag):
                return _unchanged(tag)
            page = self._page(db, spec, config, kind, name, before)
        made = _tagged(render_template("list.html", page=page, head=page.head), tag)
        if spec.private:
            made.headers["Cache-Control"] = "private, no-cache"
        return made

    def _page(
        self,
        db: Connection,
        spec: ViewSpec,
        config: Config,
        kind: str,
        name: str,
        before: Place | None,
        notes: tuple[str, ...] = (),
    ) -> ListPage:
        reader = Reader(db, config)
        size = spec.query.limit or PAGE
        found, more = reader.page(spec.query, size=size, before=before)
        passages = {}
        if spec.query.q:
            match = search.expression(spec.query.q, spec.query.exclude).match
            passages = search.snippets(db, match, [one.id for one in found])
        updated = max((one.changed for one in found), default=None)
        return ListPage(
            head=head(spec, updated, section=name if kind == "section" else ""),
            kind=kind,
            name=_title(spec, config, kind, name),
            days=stories.by_day(reader.tell(found, passages)),
            older=older(spec.page_path, more) if more else "",
            paged=before is not None,
            notes=notes,
            q=request.args.get("q", ""),
            section=request.args.get("section", ""),
            source=request.args.get("source", ""),
            sources=_sources_of(db, config, name) if kind == "section" else (),
        )

    def search(self) -> Response | str:
        """Show a search, or the form for one."""
        config = self._config()
        args = _narrowing()
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
            page = self._page(db, spec, config, "search", "Search", place_of_request(), notes)
        return render_template("list.html", page=page, head=page.head)

    def entry(self, entry_id: int) -> Response | str:
        """Show a story."""
        config = self._config()
        with self._store.reading() as db:
            stored = entries.get(db, entry_id)
            if stored is None:
                abort(404, "There is no such story, or it has expired.")
            reader = Reader(db, config)
            line = listed.get_many(db, [entry_id])[entry_id]
            story = reader.tell([line])[0]
            versions = entries.versions(db, entry_id)
            also = reader.related(line)
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
                clips=stories.clips(entry),
                published=entry.published,
                first_seen=stored.first_seen,
                changed=stored.changed if versions else None,
                changes=stories.changes(entry, versions),
                hidden=stored.hidden,
                reasons=stored.ruling.reasons,
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
                found = entries.top_categories(db, now - TOPICS_SPAN, TOPICS)
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
        return render_template("help.html", head=page_head, keys=queries.KEYS.values())

    def news(self) -> Response:
        """Tell how many stories are newer than one, for the front page's bar."""
        since = request.args.get("since", "0")
        if not (since.isascii() and since.isdigit() and len(since) < 19):
            raise QueryError("since is the number of an entry, as in /news.json?since=4711")
        with self._store.reading() as db:
            tag = f"{since}-{changes.version(db)}"
            if _is_known(tag):
                return _unchanged(tag)
            found = views.select_ids(db, Query(), limit=100)
            answer = jsonify(new=sum(entry_id > int(since) for entry_id in found))
        return _tagged(answer, tag)


def _lead(newest: Sequence[Listed], marked: Sequence[Listed]) -> Listed | None:
    """Return the story that the front page begins with."""
    for one in marked:
        if newest[0].sort_at - one.sort_at < LEAD_MARKED:
            return one
    pictured = (one for one in newest[:LEAD_AMONG] if one.image)
    return next(pictured, next(iter(newest), None))


def _newest_first(one: Listed) -> tuple[float, int]:
    return -one.sort_at.timestamp(), -one.id


def _narrowing() -> str:
    """Return the query string without the keys that are about the page and not the view."""
    pairs = [
        pair
        for pair in request.args.items(multi=True)
        if pair[0] not in ("before", "name", "print") and pair[1]
    ]
    return urlencode(pairs)


def place_of_request() -> Place | None:
    """Return the place in a list that the request goes on from, None for its beginning."""
    text = request.args.get("before")
    if text is None:
        return None
    try:
        return Place.parse(text)
    except ValueError:
        raise QueryError("before is a place in the list, as in the link “Older stories”") from None


def older(path: str, place: Place) -> str:
    """Return the path of the page that goes on from a place."""
    joint = "&" if "?" in path else "?"
    return f"{path}{joint}before={quote(str(place))}"


def _title(spec: ViewSpec, config: Config, kind: str, name: str) -> str:
    suffix = f" – {config.site.title}"
    return spec.title.removesuffix(suffix) if kind != "search" else name


def _sources_of(db: Connection, config: Config, section: str) -> tuple[tuple[str, str], ...]:
    ids = [source.id for source in config.sources if section in source.sections]
    states = sources.get_many(db, ids)
    return tuple((id, states[id].title) for id in ids if id in states)


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


# --- conditional requests --------------------------------------------------------------------


def _is_known(tag: str) -> bool:
    return request.if_none_match.contains_weak(tag)


def _unchanged(tag: str) -> Response:
    made = Response(status=304)
    made.set_etag(tag, weak=True)
    return made


def _tagged(body: str | Response, tag: str) -> Response:
    made = body if isinstance(body, Response) else Response(body)
    made.set_etag(tag, weak=True)
    return made
