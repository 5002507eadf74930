"""Lists of entries for pages: read from one snapshot, collapsed by story, as view models."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from flask import request
from werkzeug.exceptions import Gone, HTTPException, NotFound

from aggregator.errors import QueryError
from aggregator.formats.table import FORMATS
from aggregator.models import evidence
from aggregator.models.config import Config
from aggregator.models.entry import StoredEntry
from aggregator.models.messages import N_
from aggregator.models.query import Query, Sort, Stories
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, stories
from aggregator.store.queries import fts, select, summaries
from aggregator.store.queries.select import LAST_ID, Cursor, select_ids
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.store.sources.sources import Label
from aggregator.web.feeds import collapse
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.pages import parts, presenters, related
from aggregator.web.pages.view_models import EntryItem, FeedLink, Head, StoryMember

PAGE_SIZE = 40
MAX_RELATED = 5

OWN_ENTRIES = 100
"""Entries of a source in which its own phrases show."""

EMBEDDABLE = ("all", "section", "source", "view", "category")
"""Kinds of views whose lists other sites may show in a frame."""

MOST_COVERED, MIN_SOURCES, COVERED_SPAN = 5, 2, timedelta(days=2)
"""The most covered: so many stories, each from at least so many sources, within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPart:
    """The requested page of a list, with the paths of the pages above and below, "" for none."""

    entries: list[EntrySummary]
    newer_path: str
    next_path: str
    is_continued: bool


class EntryLists:
    """The lists of entries that one request shows."""

    collapses = True
    """Whether a story of several sources is one entry of a list."""

    def __init__(self, db: Connection, config: Config) -> None:
        """Read from a connection; the caller keeps it in one snapshot."""
        self.db, self.config = db, config
        self._labels: dict[str, Label] = {}
        self._other_reports: dict[int, tuple[EntrySummary, ...]] = {}
        self._sections = {section.id: section.title for section in config.sections}

    def select(
        self, query: Query, *, limit: int, before: Cursor | None = None
    ) -> list[EntrySummary]:
        """Return the entries of a view, of each story its lead."""
        return self._collapsed(query, self._entries(query, limit, before))

    def page(
        self, query: Query, *, size: int, before: Cursor | None
    ) -> tuple[list[EntrySummary], Cursor | None]:
        """Return one page of a view, and the cursor of the next page, None at the end."""
        entries = self._entries(query, size + 1, before)
        cursor = None
        if len(entries) > size:
            cursor = _cursor(query, entries[size - 1])
        return self._collapsed(query, entries[:size]), cursor

    def static_page(
        self, query: Query, before: Cursor | None
    ) -> tuple[list[EntrySummary], int | None]:
        """Return one page of a view as `parts` splits it, and the id after which the next begins.

        The id is None at the end.
        """
        limit, count, entries = 2 * parts.SIZE, None, list[EntrySummary]()
        while count is None:
            limit *= 2
            entries = self._entries(query, limit, before)
            count = parts.end([entry.id for entry in entries], is_first=before is None)
            if len(entries) < limit:
                break
        last = None if count in (None, len(entries)) else entries[(count or 0) - 1].id
        return self._collapsed(query, entries[:count]), last

    def newer_static_page(self, query: Query, before: Cursor) -> int:
        """Return the id that the page above one begins after, 0 for the first page."""
        limit = 2 * parts.SIZE
        while True:
            above = select.newer_ids(self.db, query, limit=limit, since=before)
            found = parts.newer([id for id in above if id != before.id])
            if found or len(above) < limit:
                return found
            limit *= 2

    def newer(self, query: Query, *, limit: int, since: Cursor) -> list[EntrySummary]:
        """Return the entries of a view at and above a place, from the place upwards."""
        return self._collapsed(query, summaries.newer(self.db, query, limit=limit, since=since))

    def newer_page(self, query: Query, *, size: int, before: Cursor) -> Cursor | None:
        """Return the cursor of the page above a page, None for the top of the list."""
        above = summaries.newer(self.db, query, limit=size + 1, since=before)
        return _cursor(query, above[size]) if len(above) > size else None

    def _entries(self, query: Query, limit: int, before: Cursor | None) -> list[EntrySummary]:
        return summaries.select(self.db, query, limit=limit, before=before)

    def _collapsed(self, query: Query, entries: list[EntrySummary]) -> list[EntrySummary]:
        """Return the leads of the entries' stories; keep the other reports for `items`."""
        if not self.collapses:
            return entries
        choices = collapse.collapse(self.db, query, [entry.id for entry in entries], self.config)
        if not choices:
            return entries
        ids = {id for choice in choices.values() for id in (choice.lead, *choice.others)}
        by_id = summaries.get_many(self.db, ids)
        leads = []
        for entry in entries:
            lead = entry
            if choice := choices.get(entry.id):
                lead = replace(by_id[choice.lead], sort_at=entry.sort_at)
                self._other_reports[lead.id] = tuple(by_id[other] for other in choice.others)
            leads.append(lead)
        return leads

    def most_covered(self) -> list[EntrySummary]:
        """Return the first entry of each of the recent stories that most sources report."""
        if not self.collapses:
            return []
        story_ids = stories.most_covered(self.db, COVERED_SPAN, MOST_COVERED, MIN_SOURCES)
        entry_ids: dict[int, list[int]] = {story: [] for story in story_ids}
        for member in stories.members(self.db, story_ids, shown=True):
            entry_ids[member.story].append(member.entry_id)
        by_id = summaries.get_many(self.db, [id for ids in entry_ids.values() for id in ids])
        firsts = []
        for first, *others in entry_ids.values():
            self._other_reports[first] = tuple(by_id[other] for other in others)
            firsts.append(by_id[first])
        return firsts

    def story_members(self, entry_id: int) -> tuple[StoryMember, ...]:
        """Return the visible entries of an entry's story, itself included."""
        members = stories.of_entry(self.db, entry_id)
        by_id = summaries.get_many(self.db, [member.entry_id for member in members])
        visible = [member for member in members if not by_id[member.entry_id].hidden]
        items = self.items(by_id[member.entry_id] for member in visible)
        return tuple(
            StoryMember(
                entry=item,
                reason=member.reason,
                similarity=round(100 * member.similarity),
                agreements=tuple(evidence.sentences(member.evidence)) if member.evidence else (),
            )
            for item, member in zip(items, visible, strict=True)
        )

    def story_ids(self, entries: Iterable[EntrySummary]) -> dict[int, int]:
        """Return the story of each entry, by entry id; its own id if it has none."""
        ids = [entry.id for entry in entries]
        return {id: id for id in ids} | stories.of_entries(self.db, ids)

    def get_many(self, entry_ids: Iterable[int]) -> dict[int, EntrySummary]:
        """Return entries by id."""
        return summaries.get_many(self.db, entry_ids)

    def related(self, entry: EntrySummary, cache: related.RelatedCache) -> list[EntrySummary]:
        """Return entries of other stories that are about the same subject."""
        ids = cache.get(entry.id, lambda: self._related_ids(entry))
        by_id = summaries.get_many(self.db, ids)
        ranked = [by_id[id] for id in ids if id in by_id]
        story_ids = self.story_ids([entry, *ranked])
        return related.choose(entry, ranked, story_ids, MAX_RELATED)

    def _related_ids(self, entry: EntrySummary) -> list[int]:
        found = fts.nearest(self.db, entry.id, related.terms(entry))
        own = Query(source=(entry.source_id,), stories=Stories.EXPAND)
        place = Cursor(sort_at=entry.sort_at, id=LAST_ID)
        own_ids = select_ids(self.db, own, limit=OWN_ENTRIES, before=place)
        rarity = related.rarity(found, frozenset(own_ids))
        ids = related.candidates(found, rarity)
        ranked = related.rank(entry, summaries.get_many(self.db, ids).values(), rarity)
        return [other.id for other in ranked]

    def items(
        self,
        entries: Iterable[EntrySummary],
        excerpts: Mapping[int, str] | None = None,
    ) -> tuple[EntryItem, ...]:
        """Return entries as items of a list.

        Args:
            excerpts: Of a search, by id: the passage with the matches marked.
        """
        entries = list(entries)
        reports = (report for entry in entries for report in self._other_reports.get(entry.id, ()))
        missing = {entry.source_id for entry in (*entries, *reports)} - set(self._labels)
        if missing:
            self._labels |= sources.labels(self.db, missing)
        return tuple(
            presenters.entry_item(
                entry,
                self._labels,
                sections=self._sections,
                excerpt=(excerpts or {}).get(entry.id, ""),
                other_reports=self._other_reports.get(entry.id, ()),
            )
            for entry in entries
        )


def _cursor(query: Query, entry: EntrySummary) -> Cursor:
    at = entry.changed if query.sort is Sort.UPDATED else entry.sort_at
    return Cursor(sort_at=at, id=entry.id)


def view_head(
    spec: ViewSpec, updated: datetime | None, *, section: str = "", newest_id: int = 0
) -> Head:
    """Return the head of a view's page."""
    return Head(
        title=spec.title,
        description=spec.description,
        updated=updated,
        canonical=spec.page_url,
        section=section,
        newest_id=newest_id,
        embed=_oembed_url(spec),
        feeds=feed_links(spec),
    )


def embed_path(spec: ViewSpec) -> str:
    """Return the path and query string of a view's list for frames."""
    if spec.kind == "all":
        return f"/embed?{spec.extra}" if spec.extra else "/embed"
    return f"/embed{spec.page_path}"


def _oembed_url(spec: ViewSpec) -> str:
    if spec.private or spec.kind not in EMBEDDABLE:
        return ""
    page = f"{spec.base}/stories?{spec.extra}" if spec.kind == "all" and spec.extra else ""
    return f"{spec.base}/oembed?{urlencode({'url': page or spec.page_url})}"


def feed_links(spec: ViewSpec) -> tuple[FeedLink, ...]:
    """Return the feeds of a view, one for each format."""
    return tuple(
        FeedLink(
            type=format.media_type,
            title=f"{spec.title} ({format.label})",
            path=spec.feed_path(format.name),
            label=format.label,
            hint=format.hint,
        )
        for format in FORMATS.values()
    )


def requested_entry(db: Connection, entry_id: int, *, is_signed_in: bool) -> StoredEntry:
    """Return an entry for its page.

    Args:
        is_signed_in: Whether to return entries that rules hide.

    Raises:
        Gone: It was deleted or taken down.
        NotFound: It never existed, or no view shows it.
    """
    stored = entries.get(db, entry_id)
    if stored is None:
        raise _missing_entry(db, entry_id)
    if stored.is_taken_down:
        if is_signed_in:
            raise Gone(
                N_(
                    "Entry %(id)s was removed from this site (%(reason)s).",
                    id=entry_id,
                    reason=stored.hidden,
                )
            )
        raise Gone(N_("Entry %(id)s was removed from this site.", id=entry_id))
    if stored.hidden and not is_signed_in:
        raise NotFound(N_("There is no entry %(id)s.", id=entry_id))
    return stored


def _missing_entry(db: Connection, entry_id: int) -> HTTPException:
    """Return the error for an entry that is not stored: 410 if it was, else 404."""
    if entries.is_deleted(db, entry_id):
        return Gone(N_("Entry %(id)s has expired and was deleted.", id=entry_id))
    return NotFound(N_("There is no entry %(id)s.", id=entry_id))


def requested_cursor() -> Cursor | None:
    """Return the cursor in the request's `before`, None on the first page."""
    text = request.args.get("before")
    if text is None:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        raise QueryError(
            N_("before is not a position in this list: use the link to the next page")
        ) from None


def requested_part(lists: EntryLists, query: Query, path: str, before_id: int) -> ListPart:
    """Return the requested page of a list.

    Args:
        path: Of the list.
        before_id: On a site of files, the id after which the page begins; 0 for the first page.
    """
    if lists.config.site.static:
        return _static_part(lists, query, path, before_id)
    if before_id:
        raise NotFound
    before = requested_cursor()
    entries, cursor = lists.page(query, size=query.limit or PAGE_SIZE, before=before)
    return ListPart(
        entries=entries,
        newer_path=newer_page_path(lists, query, path, before) if before else "",
        next_path=next_page_path(path, cursor) if cursor else "",
        is_continued=before is not None,
    )


def _static_part(lists: EntryLists, query: Query, path: str, before_id: int) -> ListPart:
    before = None
    if before_id:
        entry = lists.get_many([before_id]).get(before_id)
        if entry is None:
            raise NotFound(f"No page of this list begins after entry {before_id}.")
        before = _cursor(query, entry)
    entries, next_id = lists.static_page(query, before)
    newer = parts.path(path, lists.newer_static_page(query, before)) if before else ""
    return ListPart(
        entries=entries,
        newer_path=newer,
        next_path=parts.path(path, next_id) if next_id else "",
        is_continued=before is not None,
    )


def next_page_path(path: str, cursor: Cursor) -> str:
    """Return the path of the page that begins after a cursor."""
    separator = "&" if "?" in path else "?"
    return f"{path}{separator}before={quote(str(cursor))}"


def newer_page_path(lists: EntryLists, query: Query, path: str, before: Cursor) -> str:
    """Return the path of the page above the one that begins after a cursor."""
    above = lists.newer_page(query, size=query.limit or PAGE_SIZE, before=before)
    return next_page_path(path, above) if above else path
