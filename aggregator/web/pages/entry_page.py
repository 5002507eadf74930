"""The page of an entry: its text, the rest of its story, and the entries around it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from flask import request

from aggregator.models.config import Config, View
from aggregator.models.entry import Entry, StoredEntry
from aggregator.models.query import Query
from aggregator.store.database.connection import Connection
from aggregator.store.entries import versions
from aggregator.store.queries import static_site, summaries
from aggregator.store.queries.select import Cursor
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.feeds.views import NoSuchView, resolve
from aggregator.web.pages import diff, features, parts, presenters, profiles, reading, sharing
from aggregator.web.pages.entry_lists import EntryLists, view_head
from aggregator.web.pages.features import FeaturesCache
from aggregator.web.pages.profiles import Digest
from aggregator.web.pages.related import RelatedCache
from aggregator.web.pages.timed_cache import TimedCache
from aggregator.web.pages.view_models import EntryItem, EntryPage, Head, Neighbours

FROM_SOURCE = 5


class Found:
    """The caches that pages share."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the time from a clock."""
        self.related = RelatedCache(clock, size=2_000)
        self.views = TimedCache[int, list[View]](clock, size=2_000)
        self.features = FeaturesCache(clock, size=200)
        self.profiles = TimedCache[str, Digest](clock, size=200)


def compose(
    db: Connection, stored: StoredEntry, config: Config, found: Found, now: datetime
) -> EntryPage:
    """Return the page of an entry.

    Args:
        db: Read in one snapshot.
        found: The caches.
        now: From which views count their durations.
    """
    entry_lists = EntryLists(db, config)
    entry, summary = stored.entry, summaries.get_many(db, [stored.id])[stored.id]
    [item] = entry_lists.items([summary])
    earlier = versions.of_entry(db, stored.id)
    members = entry_lists.story_members(stored.id)
    head = _head(stored, item.title, config)
    if not stored.hidden:
        by_id = entry_lists.get_many(member.entry.id for member in members)
        reports = [(member, by_id[member.entry.id]) for member in members]
        head = replace(
            head,
            canonical=sharing.canonical(stored, members, config),
            sharing=sharing.of_entry(stored, item, reports, config),
        )
    related, from_source = list[EntrySummary](), list[EntrySummary]()
    views, featured = tuple[tuple[str, str], ...](), tuple[EntryItem, ...]()
    if not config.site.static:  # each new entry would change them on many pages
        related, from_source = _see_also(entry_lists, summary, found.related)
        views = _profiles(db, stored, config, found, now)
        shown = [item.id, *(member.entry.id for member in members)]
        shown += [other.id for other in (*related, *from_source)]
        featured = features.choose(entry_lists, shown, found.features, item.section_id)
    film, clips = reading.film(entry), presenters.clips(entry)
    picture, content = reading.picture_and_content(entry)
    return EntryPage(
        head=head,
        entry=item,
        uri=stored.uri,
        link=entry.link,
        is_continued=bool(entry.link) and reading.is_summary(entry, is_played=bool(clips or film)),
        via=entry.via,
        comments=entry.comments,
        content=reading.in_loading_order(content, has_picture_above=picture is not None),
        picture=picture,
        film=film,
        minutes=reading.minutes(entry.text),
        authors=tuple(
            author.name for author in entry.authors if author.name not in ("", item.source)
        ),
        categories=entry.categories,
        clips=clips,
        published=entry.published,
        first_seen=stored.first_seen,
        changed=stored.changed if earlier else None,
        changes=diff.changes(entry, earlier),
        hidden=stored.hidden,
        reasons=stored.ruling.reasons,
        known_by=tuple(stored.known_by.split()),
        matched=stored.matched,
        is_text_of_page=entry.text_from == "page",
        story_members=members,
        neighbours=_neighbours(entry_lists, summary, item),
        related=entry_lists.items(related),
        from_source=entry_lists.items(from_source),
        profiles=views,
        features=featured,
        printing=request.args.get("print") == "1",
        unlinked=_unlinked(db, entry) if config.site.static else frozenset(),
    )


def _profiles(
    db: Connection, stored: StoredEntry, config: Config, found: Found, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Return title and path of each saved view that the entry is in."""
    if stored.hidden:
        return ()
    views = found.views.get(stored.id, lambda: profiles.mentioning(db, stored.id, config, now))
    return profiles.links(view for view in views if view in config.views)


def _see_also(
    entry_lists: EntryLists, entry: EntrySummary, cache: RelatedCache
) -> tuple[list[EntrySummary], list[EntrySummary]]:
    """Return the related entries outside the entry's story, and others of its source."""
    related = entry_lists.related(entry, cache)
    shown = {entry.id, *(other.id for other in related)}
    latest = entry_lists.select(Query(source=(entry.source_id,)), limit=FROM_SOURCE + len(shown))
    return related, [other for other in latest if other.id not in shown][:FROM_SOURCE]


def _unlinked(db: Connection, entry: Entry) -> frozenset[str]:
    """Return the authors and categories without a page on a site of files."""
    named = [("author", author.name) for author in entry.authors]
    named += [("category", name) for name in entry.categories]
    least = parts.FEWEST_NAMED
    return frozenset(
        name
        for noun, name in named
        if not parts.has_page(name, static_site.count_named(db, noun, name, least))
    )


def _neighbours(entry_lists: EntryLists, entry: EntrySummary, item: EntryItem) -> Neighbours:
    """Return the next newer and older entries of the entry's section, else of its source."""
    if item.section_id:
        query = Query(section=(item.section_id,))
    else:
        query = Query(source=(entry.source_id,))
    place = Cursor(sort_at=entry.sort_at, id=entry.id)
    above = entry_lists.newer(query, limit=2, since=place)
    newer = entry_lists.items([other for other in above if other.id != entry.id][:1])
    older = entry_lists.items(entry_lists.select(query, limit=1, before=place))
    return Neighbours(
        name=item.section or item.source,
        newer=newer[0] if newer else None,
        older=older[0] if older else None,
    )


def _head(stored: StoredEntry, title: str, config: Config) -> Head:
    try:
        feeds = view_head(resolve("source", stored.source_id, "", config), None).feeds
    except NoSuchView:  # its source was removed from the configuration
        feeds = ()
    return Head(
        title=f"{title} – {config.site.title}",
        description=stored.entry.summary,
        updated=stored.changed,
        feeds=feeds,
    )
