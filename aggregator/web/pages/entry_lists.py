"""One request's look at the database, and what pages that list entries have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from flask import request

from aggregator.errors import QueryError
from aggregator.formats.table import FORMATS
from aggregator.models.config import Config
from aggregator.models.query import Query, Sort
from aggregator.store.database.connection import Connection
from aggregator.store.entries import stories as stored
from aggregator.store.queries import fts, summaries
from aggregator.store.queries.select import Cursor
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.store.sources.sources import Label
from aggregator.web.feeds import collapse
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.pages import presenters
from aggregator.web.pages.view_models import Head, Story, StoryMember

PAGE = 40
SEE_ALSO = 6
COVERED, COVERED_LEAST, COVERED_SPAN = 5, 2, timedelta(days=2)
"""So many stories count as most covered, each told by so many sources, within so long."""


class Reader:
    """One request's look at the database: its entries, with the sources they came from."""

    collapses = True
    """Whether what several sources tell is shown once."""

    def __init__(self, db: Connection, config: Config) -> None:
        """Look at the database as it stands; `db` is one snapshot."""
        self.db, self.config = db, config
        self._labels: dict[str, Label] = {}
        self._also: dict[int, tuple[EntrySummary, ...]] = {}
        self._sections = {section.id: section.title for section in config.sections}

    def select(
        self, query: Query, *, limit: int, before: Cursor | None = None
    ) -> list[EntrySummary]:
        """Return the view's entries, or the leads of its stories."""
        return self._leads(query, self._listed(query, limit, before))

    def page(
        self, query: Query, *, size: int, before: Cursor | None
    ) -> tuple[list[EntrySummary], Cursor | None]:
        """Return one page of a view, and the place where the next begins, None at the end."""
        found = self._listed(query, size + 1, before)
        more = found[size - 1] if len(found) > size else None
        by_change = query.sort is Sort.UPDATED
        place = (
            Cursor(sort_at=more.changed if by_change else more.sort_at, id=more.id)
            if more
            else None
        )
        return self._leads(query, found[:size]), place

    def _listed(self, query: Query, limit: int, before: Cursor | None) -> list[EntrySummary]:
        return summaries.select(self.db, query, limit=limit, before=before)

    def _leads(self, query: Query, found: list[EntrySummary]) -> list[EntrySummary]:
        """Return what is shown of entries, and remember what stands behind each."""
        if not self.collapses:
            return found
        choices = collapse.choose(self.db, query, [one.id for one in found], self.config)
        if not choices:
            return found
        wanted = {other for one in choices.values() for other in (one.lead, *one.others)}
        lines = summaries.get_many(self.db, wanted)
        leads = []
        for one in found:
            if choice := choices.get(one.id):
                one = replace(lines[choice.lead], sort_at=one.sort_at)
                self._also[one.id] = tuple(lines[other] for other in choice.others)
            leads.append(one)
        return leads

    def most_covered(self) -> list[EntrySummary]:
        """Return the stories of the last days that most sources tell, by their first report."""
        if not self.collapses:
            return []
        wanted = stored.most_covered(self.db, COVERED_SPAN, COVERED, COVERED_LEAST)
        ids: dict[int, list[int]] = {story: [] for story in wanted}
        for member in stored.members(self.db, wanted, shown=True):
            ids[member.story].append(member.entry_id)
        lines = summaries.get_many(self.db, [one for members in ids.values() for one in members])
        firsts = []
        for first, *others in ids.values():
            self._also[first] = tuple(lines[other] for other in others)
            firsts.append(lines[first])
        return firsts

    def story_members(self, entry_id: int) -> tuple[StoryMember, ...]:
        """Return all reports of an entry's story that readers may see, itself among them."""
        members = stored.of_entry(self.db, entry_id)
        lines = summaries.get_many(self.db, [one.entry_id for one in members])
        members = [one for one in members if not lines[one.entry_id].hidden]
        told = self.tell(lines[one.entry_id] for one in members)
        return tuple(
            StoryMember(story=story, reason=one.reason, similarity=round(100 * one.similarity))
            for story, one in zip(told, members, strict=True)
        )

    def stories_of(self, found: Iterable[EntrySummary]) -> dict[int, int]:
        """Return the story of each entry; one that stands alone is its own."""
        ids = [one.id for one in found]
        return {entry_id: entry_id for entry_id in ids} | stored.of_entries(self.db, ids)

    def lines(self, entry_ids: Iterable[int]) -> dict[int, EntrySummary]:
        """Return entries by id."""
        return summaries.get_many(self.db, entry_ids)

    def related(self, one: EntrySummary) -> list[EntrySummary]:
        """Return the stories related to one."""
        weights = presenters.telling_words(one)
        alike = presenters.likeness(weights, fts.nearest(self.db, one.id, weights))
        others = summaries.get_many(self.db, alike).values()
        return presenters.related(one, alike, others, SEE_ALSO)

    def tell(
        self, found: Iterable[EntrySummary], passages: Mapping[int, tuple[str, str]] | None = None
    ) -> tuple[Story, ...]:
        """Return entries as stories."""
        found = list(found)
        others = (other for one in found for other in self._also.get(one.id, ()))
        missing = {one.source_id for one in (*found, *others)} - set(self._labels)
        if missing:
            self._labels |= sources.labels(self.db, missing)
        return tuple(
            presenters.story(
                one,
                self._labels,
                sections=self._sections,
                found=(passages or {}).get(one.id),
                also=self._also.get(one.id, ()),
            )
            for one in found
        )


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
        (format.media_type, f"{spec.title} ({format.label})", spec.feed_path(format.name))
        for format in FORMATS.values()
    )


def place_of_request() -> Cursor | None:
    """Return the place in a list that the request goes on from, None for its beginning."""
    text = request.args.get("before")
    if text is None:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        raise QueryError("before is a place in the list, as in the link “Older stories”") from None


def older(path: str, place: Cursor) -> str:
    """Return the path of the page that goes on from a place."""
    joint = "&" if "?" in path else "?"
    return f"{path}{joint}before={quote(str(place))}"
