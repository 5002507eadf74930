"""One request's look at the database, and what pages that list entries have in common."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from flask import request

from aggregator.errors import QueryError
from aggregator.model import Config, Query, Sort
from aggregator.store import listed, search, sources
from aggregator.store.db import Connection
from aggregator.store.listed import Listed
from aggregator.store.sources import Label
from aggregator.store.views import Place
from aggregator.web import stories
from aggregator.web.contexts import Head, Story
from aggregator.web.merging import MEDIA_TYPES
from aggregator.web.views import ViewSpec

PAGE = 40
SEE_ALSO = 6

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
        return list(_unique(self._listed(query, limit, before)))

    def page(
        self, query: Query, *, size: int, before: Place | None
    ) -> tuple[list[Listed], Place | None]:
        """Return one page of a view, and the place where the next begins, None at the end."""
        found = self._listed(query, size + 1, before)
        more = found[size - 1] if len(found) > size else None
        by_change = query.sort is Sort.UPDATED
        place = (
            Place(sort_at=more.changed if by_change else more.sort_at, id=more.id) if more else None
        )
        return list(_unique(found[:size])), place

    def _listed(self, query: Query, limit: int, before: Place | None) -> list[Listed]:
        return listed.select(self.db, query, limit=limit, before=before)

    def lines(self, entry_ids: Iterable[int]) -> dict[int, Listed]:
        """Return entries by id."""
        return listed.get_many(self.db, entry_ids)

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
