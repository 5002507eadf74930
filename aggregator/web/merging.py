"""From a view to what the formats render: entries, their sources, archives and tombstones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

from aggregator.formats.merged import NEVER, Item, MergedFeed, SourceInfo
from aggregator.formats.opml import Outline
from aggregator.model import Config, Query, Source, StoredEntry
from aggregator.store import archives, changes, entries, sources, views
from aggregator.store.db import Connection, Store
from aggregator.store.sources import SourceState
from aggregator.web import logo
from aggregator.web.views import ViewSpec

DEFAULT_LIMIT = 50

MEDIA_TYPES = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one document of a view holds, whatever its format.

    Args:
        stored: In the order to be shown.
        previous: Number of the archive before this document, 0 when there is none.
        archive: Number of this document when it is an archive, else 0.
        complete: The document holds all of the view.
    """

    stored: tuple[StoredEntry, ...]
    states: dict[str, SourceState]
    tombstones: tuple[tuple[str, datetime], ...] = ()
    previous: int = 0
    archive: int = 0
    complete: bool = False


def scopes(query: Query) -> tuple[str, ...]:
    """Return the scopes of change that a view depends on, the narrowest that hold."""
    if query.within is None and query.source:
        return tuple(changes.source_scope(source) for source in query.source)
    if query.within is None and query.section:
        return tuple(changes.section_scope(section) for section in query.section)
    return (changes.ALL,)


def close_archives(store: Store, spec: ViewSpec) -> None:
    """Close the archives of a view that have become full; most of the time a short look."""
    with store.reading() as db:
        last = archives.newest(db, spec.key)
        waiting = len(views.arrival_ids(db, spec.query, after_id=last.last_id))
    if waiting >= archives.SIZE:
        with store.transaction() as db:
            archives.close(db, spec.key, spec.query)


def subscription(db: Connection, spec: ViewSpec) -> Content:
    """Return what the view's own document holds.

    The newest entries, and all that are in no archive yet: who reads this document and follows
    the chain of archives misses nothing, however many entries came at once (RFC 5005 §4).
    """
    limit = spec.query.limit or DEFAULT_LIMIT
    if not spec.archived:
        stored = views.select(db, spec.query, limit=limit)
        return _content(db, spec, stored)
    last = archives.newest(db, spec.key)
    waiting = views.arrival_ids(db, spec.query, after_id=last.last_id)
    wanted = set(views.select_ids(db, spec.query, limit=limit)) | set(waiting)
    stored = _newest_first(entries.get_many(db, wanted).values())
    return _content(db, spec, stored, previous=last.number, complete=not last.number)


def archive(db: Connection, spec: ViewSpec, number: int) -> Content | None:
    """Return what a closed archive holds now, None when it is not closed."""
    closed = archives.get(db, spec.key, number)
    if closed is None:
        return None
    ids = views.arrival_ids(db, spec.query, after_id=closed.after_id, until_id=closed.last_id)
    stored = _newest_first(entries.get_many(db, ids).values())
    states = sources.get_many(db, {entry.source_id for entry in stored})
    return Content(stored=tuple(stored), states=states, previous=number - 1, archive=number)


def _content(
    db: Connection,
    spec: ViewSpec,
    stored: Sequence[StoredEntry],
    *,
    previous: int = 0,
    complete: bool = False,
) -> Content:
    wanted = {entry.source_id for entry in stored} | set(spec.query.source)
    # Which of the entries that were taken back a search would have found can't be told any more.
    told = spec.query == Query(section=spec.query.section, source=spec.query.source)
    return Content(
        stored=tuple(stored),
        states=sources.get_many(db, wanted),
        tombstones=tuple(views.withdrawn(db, spec.query)) if told else (),
        previous=previous,
        complete=complete,
    )


def _newest_first(stored: Iterable[StoredEntry]) -> list[StoredEntry]:
    return sorted(stored, key=lambda entry: (entry.sort_at, entry.id), reverse=True)


def merged(spec: ViewSpec, content: Content, config: Config, format: str) -> MergedFeed:
    """Return the feed to be rendered in a format."""
    configured = {source.id: source for source in config.sources}
    infos = {
        state.id: source_info(state, configured.get(state.id), content.stored, spec.base)
        for state in content.states.values()
    }
    items = tuple(
        Item(
            entry=entry,
            source=infos[entry.source_id],
            sections=content.states[entry.source_id].sections,
            page_url=f"{spec.base}/entry/{entry.id}",
        )
        for entry in content.stored
    )
    own = infos.get(spec.id) if spec.kind == "source" else None
    moments = [item.updated for item in items] + [when for _, when in content.tombstones]
    site = config.site
    return MergedFeed(
        id=spec.feed_id,
        title=f"{own.title} – {site.title}" if own and not spec.extra else spec.title,
        subtitle=spec.description,
        author=site.title,
        page_url=spec.page_url,
        self_url=spec.feed_url(format, content.archive),
        # Of the entries' languages nothing is known but what they say themselves.
        language=spec.query.lang[0] if len(spec.query.lang) == 1 else "",
        icon=urljoin(site.base_url, logo.url(site)) if site.logo else "",
        alternates=tuple(
            (media_type, spec.feed_url(other, content.archive))
            for other, media_type in MEDIA_TYPES.items()
            if other != format
        ),
        updated=max(moments, default=NEVER),
        previous_archive=spec.feed_url(format, content.previous) if content.previous else "",
        current=spec.feed_url(format) if content.archive else "",
        complete=content.complete,
        archive=bool(content.archive),
        items=items,
        tombstones=content.tombstones,
    )


def source_info(
    state: SourceState, source: Source | None, shown: Sequence[StoredEntry], base: str
) -> SourceInfo:
    """Return what the formats say of a source.

    Its date is that of its newest change among the entries shown. The feed's own date is no help:
    many feeds set it anew at each request, and our bytes would change with nothing new in them.
    """
    feed = state.feed
    changed = [entry.changed for entry in shown if entry.source_id == state.id]
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
    """Return the URL of the source's feed that may be shown to everybody.

    What came from the environment, or holds a password, is a secret. Then the feed's own word on
    its address is used, else the address without the parts that may be secret.
    """
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
    """Return the sources behind a view; those of `all` nested by section."""
    configured = {source.id: source for source in config.sources}
    states = [state for state in sources.all_states(db) if state.id in configured]
    made = {state.id: _outline(state, configured[state.id]) for state in states}
    if spec.kind == "all" and not spec.extra:
        return _by_section(made, config)
    behind = _behind(db, spec.query, states)
    return tuple(made[state.id] for state in states if state.id in behind)


def _by_section(made: dict[str, Outline], config: Config) -> tuple[Outline, ...]:
    folders = []
    for section in config.sections:
        inside = [s.id for s in config.sources if section.id in s.sections and s.id in made]
        if inside:
            children = tuple(made[id] for id in inside)
            folders.append(
                Outline(text=section.title, description=section.description, children=children)
            )
    loose = [made[s.id] for s in config.sources if not s.sections and s.id in made]
    return (*folders, *loose)


def _behind(db: Connection, query: Query, states: Iterable[SourceState]) -> set[str]:
    if query == Query(section=query.section, source=query.source):
        return {
            state.id
            for state in states
            if (not query.source or state.id in query.source)
            and (not query.section or set(query.section) & set(state.sections))
        }
    found = views.select(db, query, limit=query.limit or 500)
    return {entry.source_id for entry in found}


def _outline(state: SourceState, source: Source) -> Outline:
    info = source_info(state, source, (), "")
    return Outline(
        text=info.title,
        url=info.url,
        link=info.link,
        description=state.feed.subtitle,
        language=info.language,
        categories=source.sections,
    )
