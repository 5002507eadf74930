"""From a view to what the formats render: entries, their sources, archives and tombstones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

from aggregator.formats.merged import NEVER, Item, MergedFeed, SourceInfo
from aggregator.formats.opml import Outline
from aggregator.formats.table import FORMATS
from aggregator.models.config import Config, Source
from aggregator.models.entry import StoredEntry
from aggregator.models.query import Query, Stories
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries
from aggregator.store.queries import archives, select, summaries
from aggregator.store.queries import collapse as stored_stories
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.store.sources.sources import SourceState
from aggregator.web.feeds import collapse
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.images import logo

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one document of a view holds, whatever its format.

    Args:
        stored: In the order to be shown.
        also: Other reports of the same story, by entry.
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
    also: Mapping[int, tuple[EntrySummary, ...]] = field(default_factory=dict)


def scopes(query: Query) -> tuple[str, ...]:
    """Return the scopes of change that a view depends on, the narrowest that hold."""
    if query.within is None and query.source:
        return tuple(change_log.source_scope(source) for source in query.source)
    if query.within is None and query.section:
        return tuple(change_log.section_scope(section) for section in query.section)
    return (change_log.ALL,)


def close_archives(store: Store, spec: ViewSpec) -> None:
    """Close the archives of a view that have become full; most of the time a short look."""
    with store.reading() as db:
        last = archives.newest(db, spec.key)
        waiting = len(select.arrival_ids(db, spec.query, after_id=last.last_id))
    if waiting >= archives.SIZE:
        with store.transaction() as db:
            archives.close(db, spec.key, spec.query)


def subscription(db: Connection, spec: ViewSpec, config: Config) -> Content:
    """Return what the view's own document holds.

    The newest entries, and all that are in no archive yet: who reads this document and follows
    the chain of archives misses nothing, however many entries came at once (RFC 5005 §4).
    """
    limit = spec.query.limit or DEFAULT_LIMIT
    if not spec.archived:
        return _content(db, spec, select.select_ids(db, spec.query, limit=limit), config)
    last = archives.newest(db, spec.key)
    waiting = select.arrival_ids(db, spec.query, after_id=last.last_id)
    wanted = set(select.select_ids(db, spec.query, limit=limit))
    wanted |= stored_stories.places(db, spec.query, waiting)
    lines = summaries.get_many(db, wanted).values()
    ids = [entry.id for entry in sorted(lines, key=_place, reverse=True)]
    return _content(db, spec, ids, config, previous=last.number, complete=not last.number)


def archive(db: Connection, spec: ViewSpec, number: int) -> Content | None:
    """Return what a closed archive holds now, None when it is not closed.

    Every entry stands in it by itself: it never changes, so it could not name those of a story
    that came later.
    """
    closed = archives.get(db, spec.key, number)
    if closed is None:
        return None
    ids = select.arrival_ids(db, spec.query, after_id=closed.after_id, until_id=closed.last_id)
    stored = sorted(entries.get_many(db, ids).values(), key=_place, reverse=True)
    states = sources.get_many(db, {entry.source_id for entry in stored})
    return Content(stored=tuple(stored), states=states, previous=number - 1, archive=number)


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
    choices = collapse.choose(db, query, entry_ids, config)
    leads = {one.lead for one in choices.values()} | {one.known for one in choices.values()}
    found = entries.get_many(db, leads.union(entry_ids))
    others = summaries.get_many(db, {other for one in choices.values() for other in one.others})
    stored, also = list[StoredEntry](), dict[int, tuple[EntrySummary, ...]]()
    for entry_id in entry_ids:
        entry = found[entry_id]
        if choice := choices.get(entry_id):
            entry = collapse.as_known(found[choice.lead], found[choice.known])
            also[entry.id] = tuple(others[other] for other in choice.others)
        stored.append(entry)
    wanted = {entry.source_id for entry in stored} | set(query.source)
    wanted |= {other.source_id for other in others.values()}
    # Which of the entries that were taken back a search would have found can't be told any more.
    told = _names_sources(query)
    return Content(
        stored=tuple(stored),
        also=also,
        states=sources.get_many(db, wanted),
        tombstones=tuple(select.withdrawn(db, query)) if told else (),
        previous=previous,
        complete=complete,
    )


def _names_sources(query: Query) -> bool:
    """Whether a view is all of some sources, named by themselves or by their sections."""
    named = Query(section=query.section, source=query.source)
    return replace(query, stories=named.stories, lead=named.lead) == named


def _place(entry: StoredEntry | EntrySummary) -> tuple[datetime, int]:
    return entry.sort_at, entry.id


def alternates(spec: ViewSpec, format: str, archive: int = 0) -> tuple[tuple[str, str], ...]:
    """Return media type and URL of a view, or of one of its archives, in the other formats."""
    return tuple(
        (other.media_type, spec.feed_url(other.name, archive))
        for other in FORMATS.values()
        if other.name != format
    )


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
            also=tuple(
                (infos[one.source_id].title, one.link or f"{spec.base}/entry/{one.id}")
                for one in content.also.get(entry.id, ())
            ),
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
        alternates=alternates(spec, format, content.archive),
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
    if _names_sources(query):
        return {
            state.id
            for state in states
            if (not query.source or state.id in query.source)
            and (not query.section or set(query.section) & set(state.sections))
        }
    query = replace(query, stories=Stories.EXPAND)
    found = select.select(db, query, limit=query.limit or 500)
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
