"""Builds the feeds of views: entries with their sources, archives and tombstones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from aggregator.errors import StoreError
from aggregator.formats.merged import NEVER, Credits, Item, MergedFeed, SourceInfo
from aggregator.formats.opml import Outline
from aggregator.formats.table import FORMATS
from aggregator.models.config import Config, Source
from aggregator.models.entry import StoredEntry
from aggregator.models.query import MAX_ENTRIES, Query, Stories
from aggregator.models.urls import source_feed
from aggregator.store.database import change_log, site_id
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries
from aggregator.store.queries import archives, select, summaries
from aggregator.store.queries import collapse as stored_stories
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.store.sources.sources import SourceState
from aggregator.web.feeds import collapse
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.i18n import gettext
from aggregator.web.images import logo

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The entries of one document of a view, in no format yet.

    Args:
        stored: In the order in which they are listed.
        states: Their sources, by id.
        tombstones: `(id, time)` of withdrawn entries.
        previous: Number of the archive before this document, 0 without one.
        archive: Number of this document if it is an archive, else 0.
        complete: Whether the document holds the whole view.
        also: Other entries of the same story, by entry.
    """

    site_id: str
    stored: tuple[StoredEntry, ...]
    states: dict[str, SourceState]
    tombstones: tuple[tuple[str, datetime], ...] = ()
    previous: int = 0
    archive: int = 0
    complete: bool = False
    also: Mapping[int, tuple[EntrySummary, ...]] = field(default_factory=dict)


MAX_WAITING = 10 * archives.SIZE
"""Entries in no archive yet that a document holds. A first poll can bring thousands while it keeps
the database busy; all of them could exhaust memory."""

BUSY_SECONDS = 0.2
"""How long a request waits for another process's transaction before it leaves an archive open."""


def scopes(query: Query) -> tuple[str, ...]:
    """Return the scopes of change that a view depends on, as narrow as possible."""
    if query.source:
        return tuple(change_log.source_scope(source) for source in query.source)
    if query.section:
        return tuple(change_log.section_scope(section) for section in query.section)
    return (change_log.ALL,)


def close_archives(store: Store, spec: ViewSpec) -> None:
    """Close the archives of a view that are full; usually this costs two short queries.

    They stay open while the database can't be written: the view's main document then has more
    entries, and is still complete.
    """
    with store.reading() as db:
        last = archives.newest(db, spec.key)
        waiting = len(select.arrival_ids(db, spec.query, after_id=last.last_id))
    if waiting < archives.SIZE:
        return
    with suppress(StoreError), store.transaction(busy_seconds=BUSY_SECONDS) as db:
        archives.close(db, spec.key, spec.query)


def latest(db: Connection, spec: ViewSpec, config: Config) -> Content:
    """Return the contents of the view's main document.

    These are the newest entries, and those that are in no archive yet: a client that follows the
    links to the archives misses nothing, however many entries came at once (RFC 5005 §4). Of more
    than `MAX_WAITING`, it finds the oldest by the links of a later document.
    """
    limit = spec.query.limit or DEFAULT_LIMIT
    if not spec.archived:
        return _content(db, spec, select.select_ids(db, spec.query, limit=limit), config)
    last = archives.newest(db, spec.key)
    waiting = select.arrival_ids(db, spec.query, after_id=last.last_id)
    shown = set(select.select_ids(db, spec.query, limit=limit))
    shown |= stored_stories.places(db, spec.query, waiting[-MAX_WAITING:])
    lines = summaries.get_many(db, shown).values()
    ids = [entry.id for entry in sorted(lines, key=_position, reverse=True)]
    complete = not last.number and len(waiting) <= MAX_WAITING
    return _content(db, spec, ids, config, previous=last.number, complete=complete)


def archive(db: Connection, spec: ViewSpec, number: int) -> Content | None:
    """Return the contents of a closed archive, None when there is no such archive.

    It has every entry of a story: the document is stored, so it could not name later ones.
    """
    closed = archives.get(db, spec.key, number)
    if closed is None:
        return None
    ids = select.arrival_ids(db, spec.query, after_id=closed.after_id, until_id=closed.last_id)
    stored = sorted(entries.get_many(db, ids).values(), key=_position, reverse=True)
    states = sources.get_many(db, {entry.source_id for entry in stored})
    return Content(
        site_id=site_id.get(db),
        stored=tuple(stored),
        states=states,
        previous=number - 1,
        archive=number,
    )


def _content(
    db: Connection,
    spec: ViewSpec,
    entry_ids: Sequence[int],
    config: Config,
    *,
    previous: int = 0,
    complete: bool = False,
) -> Content:
    query = spec.query
    collapsed = collapse.collapse(db, query, entry_ids, config)
    leads = {id for story in collapsed.values() for id in (story.lead, story.identity)}
    by_id = entries.get_many(db, leads.union(entry_ids))
    others = summaries.get_many(db, {id for story in collapsed.values() for id in story.others})
    stored, also = list[StoredEntry](), dict[int, tuple[EntrySummary, ...]]()
    for entry_id in entry_ids:
        entry = by_id[entry_id]
        if story := collapsed.get(entry_id):
            entry = collapse.with_identity(by_id[story.lead], by_id[story.identity])
            also[entry.id] = tuple(others[other] for other in story.others)
        stored.append(entry)
    named = {entry.source_id for entry in stored} | set(query.source)
    named |= {other.source_id for other in others.values()}
    # The texts of withdrawn entries are gone: other queries can't be applied to them.
    has_tombstones = _selects_sources(query)
    return Content(
        site_id=site_id.get(db),
        stored=tuple(stored),
        also=also,
        states=sources.get_many(db, named),
        tombstones=tuple(select.withdrawn(db, query)) if has_tombstones else (),
        previous=previous,
        complete=complete,
    )


def _selects_sources(query: Query) -> bool:
    """Return whether a query selects all entries of some sources or sections."""
    plain = Query(section=query.section, source=query.source)
    return replace(query, stories=plain.stories, lead=plain.lead) == plain


def _position(entry: StoredEntry | EntrySummary) -> tuple[datetime, int]:
    return entry.sort_at, entry.id


def alternates(spec: ViewSpec, format: str, archive: int = 0) -> tuple[tuple[str, str], ...]:
    """Return `(media type, URL)` of a view, or of one of its archives, in the other formats."""
    return tuple(
        (other.media_type, spec.feed_url(other.name, archive))
        for other in FORMATS.values()
        if other.name != format
    )


def merged(spec: ViewSpec, content: Content, config: Config, format: str) -> MergedFeed:
    """Return the feed of a view for a format to render."""
    configured = {source.id: source for source in config.sources}
    infos = {
        state.id: source_info(state, configured.get(state.id), content.stored, spec.base)
        for state in content.states.values()
    }
    items = tuple(_items(content, infos, spec.base))
    source = infos.get(spec.id) if spec.kind == "source" else None
    changes = [item.modified for item in items] + [time for _, time in content.tombstones]
    site = config.site
    return MergedFeed(
        id=spec.feed_id(content.site_id),
        title=f"{source.title} – {site.title}" if source and not spec.extra else spec.title,
        subtitle=spec.description,
        author=site.title,
        page_url=spec.page_url,
        self_url=spec.feed_url(format, content.archive),
        # Without `lang` in the query, entries may be in any language.
        language=spec.query.lang[0] if len(spec.query.lang) == 1 else "",
        icon=logo.url(site, site.url),
        artwork=source.icon if source else "",
        alternates=alternates(spec, format, content.archive),
        updated=max(changes, default=NEVER),
        previous_archive=spec.feed_url(format, content.previous) if content.previous else "",
        current=spec.feed_url(format) if content.archive else "",
        complete=content.complete,
        archive=bool(content.archive),
        items=items,
        tombstones=content.tombstones,
        attribution=None if source else site.feeds.attribution,
        credits=Credits(
            source=gettext("From %(source)s", source="{}"),
            other_reports=gettext("Also reported by %(sources)s.", sources="{}"),
        ),
    )


def _items(content: Content, infos: Mapping[str, SourceInfo], base: str) -> Iterator[Item]:
    for entry in content.stored:
        also = tuple(
            (infos[other.source_id].title, other.link or f"{base}/entry/{other.id}")
            for other in content.also.get(entry.id, ())
        )
        yield Item(
            entry=entry,
            source=infos[entry.source_id],
            sections=content.states[entry.source_id].sections,
            also=also,
            page_url=f"{base}/entry/{entry.id}",
        )


def source_info(
    state: SourceState, source: Source | None, shown: Sequence[StoredEntry], base: str
) -> SourceInfo:
    """Return a source as the formats name it.

    Its date is the newest change among the entries shown. The date in its feed is not used: many
    servers set it at each request, and the output would change without any news.
    """
    feed = state.feed
    changed = [entry.updated for entry in shown if entry.source_id == state.id]
    return SourceInfo(
        id=state.id,
        title=state.title if state.title != state.url else feed.title or state.id,
        url=public_url(state, source),
        link=state.link,
        feed_id=feed.id if ":" in feed.id else "",
        updated=max(changed, default=None),
        authors=feed.authors,
        language=feed.language,
        icon=feed.image,
        page_url=f"{base}/source/{state.id}",
    )


def public_url(state: SourceState, source: Source | None) -> str:
    """Return the URL of the source's feed without secrets.

    A URL with a password, or with a query from the environment, is secret. The feed's rel=self
    URL is returned then, else the URL without those parts.
    """
    if "@" not in state.url and "?" not in state.url:
        return state.url
    parts = urlsplit(state.url)
    filled = source is None or ("${" in source.yaml and state.url not in source.yaml)
    if parts.username is None and not (filled and parts.query):
        return state.url
    if state.feed.self_url and urlsplit(state.feed.self_url).username is None:
        return state.feed.self_url
    host = parts.netloc.rpartition("@")[2]
    query = "" if filled else parts.query
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def outlines(db: Connection, spec: ViewSpec, config: Config) -> tuple[Outline, ...]:
    """Return the sources of a view as OPML outlines; those of `all` are nested by section."""
    configured = {source.id: source for source in config.sources}
    known = (state for state in sources.all_states(db) if state.id in configured)
    if spec.kind == "all" and not spec.extra:
        by_id = {state.id: _outline(state, configured[state.id], spec.base) for state in known}
        return _by_section(by_id, config)
    states = list(known)
    selected = _selected_sources(db, spec.query, states)
    return tuple(
        _outline(state, configured[state.id], spec.base) for state in states if state.id in selected
    )


def _by_section(by_id: dict[str, Outline], config: Config) -> tuple[Outline, ...]:
    folders = []
    for section in config.sections:
        inside = [s.id for s in config.sources if section.id in s.sections and s.id in by_id]
        if inside:
            children = tuple(by_id[id] for id in inside)
            folders.append(
                Outline(
                    text=section.title,
                    description=section.description,
                    categories=(section.id,),
                    children=children,
                )
            )
    loose = [by_id[s.id] for s in config.sources if not s.sections and s.id in by_id]
    return (*folders, *loose)


def _selected_sources(db: Connection, query: Query, states: Iterable[SourceState]) -> set[str]:
    if _selects_sources(query):
        return {
            state.id
            for state in states
            if (not query.source or state.id in query.source)
            and (not query.section or set(query.section) & set(state.sections))
        }
    query = replace(query, stories=Stories.EXPAND)
    selected = select.select(db, query, limit=query.limit or MAX_ENTRIES)
    return {entry.source_id for entry in selected}


def _outline(state: SourceState, source: Source, base: str) -> Outline:
    info = source_info(state, source, (), base)
    # Other readers can't read a page or an API as we do, so they are given our feed of it.
    own = source_feed(base, state.id) if source.listing else ""
    return Outline(
        text=info.title,
        url=own or info.url,
        link=info.link or (info.url if own else ""),
        description=state.feed.subtitle,
        language=info.language,
        categories=source.sections,
    )
