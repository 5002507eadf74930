"""The JSON API: entries, stories, sources and sections for programs; read-only.

    /api/v1/entries?section=europe&q=nato    /api/v1/entries/4711
    /api/v1/stories    /api/v1/stories/4700
    /api/v1/sources    /api/v1/sources/ID    /api/v1/sources/ID/polls    /api/v1/sections

Lists are paged: `next` is the URL of the next page, null at the end. It stays valid while entries
are added. Errors are problem details (RFC 9457).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, request

from aggregator.errors import QueryError
from aggregator.models.config import Config
from aggregator.models.numbers import parse_number
from aggregator.models.query import MAX_ENTRIES, Stories, parse
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, versions
from aggregator.store.entries import stories as stored_stories
from aggregator.store.queries.select import Cursor
from aggregator.store.sources import poll_log, sources
from aggregator.store.sources.sources import SourceState
from aggregator.web.api import openapi, resources
from aggregator.web.feeds.build import public_url
from aggregator.web.feeds.views import resolve
from aggregator.web.middleware.addresses import see_other
from aggregator.web.middleware.auth import Authenticator
from aggregator.web.pages.entry_lists import EntryLists, requested_cursor, requested_entry

ROOT = "/api/v1"
Arguments = list[tuple[str, str]]
DEFAULT_LIMIT = 50
_PAGING = ("before", "after")


def problem(status: int, title: str, detail: str) -> Response:
    """Return an error as problem details."""
    response = jsonify(type="about:blank", title=title, status=status, detail=detail)
    response.status_code, response.mimetype = status, "application/problem+json"
    return response


def blueprint(
    config: Callable[[], Config],
    store: Store,
    clock: Callable[[], datetime],
    authenticator: Authenticator,
) -> Blueprint:
    """Return the routes of the API."""
    routes = Blueprint("api", __name__, url_prefix=ROOT)
    api = Api(config, store, clock, authenticator)
    routes.add_url_rule("", "root", lambda: see_other(f"{ROOT}/openapi.json"))
    routes.add_url_rule("/openapi.json", "openapi", lambda: _json(openapi.document(config())))
    routes.add_url_rule("/entries", "entries", api.entries)
    routes.add_url_rule("/entries/<int:entry_id>", "entry", api.entry)
    routes.add_url_rule("/stories", "stories", api.stories)
    routes.add_url_rule("/stories/<int:story_id>", "story", api.story)
    routes.add_url_rule("/sources", "sources", api.sources)
    routes.add_url_rule("/sources/<source_id>", "source", api.source)
    routes.add_url_rule("/sources/<source_id>/polls", "polls", api.polls)
    routes.add_url_rule("/sections", "sections", api.sections)
    return routes


class Api:
    """The routes of the API."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: Store,
        clock: Callable[[], datetime],
        authenticator: Authenticator,
    ) -> None:
        """Serve the entries of a store."""
        self._config, self._store, self._clock = config, store, clock
        self._authenticator = authenticator

    def entries(self) -> Response:
        """List the entries of a view, newest first; by default each entry of a story."""
        config, before = self._config(), requested_cursor()
        arguments = [pair for pair in request.args.items(multi=True) if pair[0] not in _PAGING]
        parse(urlencode(arguments))  # other than pages and feeds, the API refuses unknown keys
        query = resolve("all", "", urlencode(arguments), config).at(self._clock()).query
        if "stories" not in request.args:
            query = replace(query, stories=Stories.EXPAND)
        with self._store.reading() as db:
            lists = EntryLists(db, config)
            page, following = lists.page(query, size=query.limit or DEFAULT_LIMIT, before=before)
            stored = entries.get_many(db, [line.id for line in page])
            states = sources.get_many(db, {line.source_id for line in page})
        data = [
            resources.entry(stored[line.id], states.get(line.source_id), config) for line in page
        ]
        return _json({"data": data, "next": self._next("/entries", arguments, before=following)})

    def entry(self, entry_id: int) -> Response:
        """Return an entry with its content and history."""
        config = self._config()
        is_signed_in = self._authenticator.is_signed_in(request.environ)
        with self._store.reading() as db:
            stored = requested_entry(db, entry_id, is_signed_in=is_signed_in)
            state = sources.get(db, stored.source_id)
            earlier = versions.of_entry(db, entry_id)
            story = stored_stories.of_entries(db, [entry_id]).get(entry_id)
        return _json(resources.whole_entry(stored, state, config, story=story, earlier=earlier))

    def stories(self) -> Response:
        """List stories, newest first, with their reports."""
        config, size, before = self._config(), _limit(), requested_cursor()
        place = (before.sort_at, before.id) if before else None
        with self._store.reading() as db:
            latest = stored_stories.latest(db, limit=size + 1, before=place)
            data = resources.stories(db, [story for story, _ in latest[:size]], config)
        last = latest[size - 1] if len(latest) > size else None
        following = Cursor(sort_at=last[1], id=last[0]) if last else None
        return _json({"data": data, "next": self._next("/stories", _limits(), before=following)})

    def story(self, story_id: int) -> Response:
        """Return a story with its reports."""
        with self._store.reading() as db:
            stories = resources.stories(db, [story_id], self._config())
        if not stories:
            abort(404, f"There is no story {story_id}.")
        return _json(stories[0])

    def sources(self) -> Response:
        """List the sources in the order of the configuration."""
        config, after, size = self._config(), request.args.get("after", ""), _limit()
        configured = {source.id: source for source in config.sources}
        with self._store.reading() as db:
            states = list(sources.all_states(db))
        ids = [state.id for state in states]
        if after and after not in ids:
            raise QueryError("after must be the id of a source, as in the URL of `next`")
        start = ids.index(after) + 1 if after else 0
        page = states[start : start + size]
        following = page[-1].id if start + size < len(states) else None
        data = [
            resources.source(state, public_url(state, configured.get(state.id))) for state in page
        ]
        return _json({"data": data, "next": self._next("/sources", _limits(), after=following)})

    def source(self, source_id: str) -> Response:
        """Return a source."""
        config = self._config()
        configured = {source.id: source for source in config.sources}
        state = self._state(source_id)
        return _json(resources.source(state, public_url(state, configured.get(state.id))))

    def polls(self, source_id: str) -> Response:
        """List the polls of a source in the log, newest first."""
        self._state(source_id)
        with self._store.reading() as db:
            rows = poll_log.recent(db, source_id)
        return _json({"data": [resources.poll(row) for row in rows], "next": None})

    def sections(self) -> Response:
        """List the sections in the order of the configuration."""
        config = self._config()
        data = [resources.section(section, config) for section in config.sections]
        return _json({"data": data, "next": None})

    def _state(self, source_id: str) -> SourceState:
        with self._store.reading() as db:
            state = sources.get(db, source_id)
        if state is None:
            abort(404, f"There is no source {source_id}.")
        return state

    def _next(self, path: str, arguments: Arguments, **place: object) -> str | None:
        """Return the URL of the next page, None if `place` has no value."""
        [(key, value)] = place.items()
        if value is None:
            return None
        query = urlencode([*arguments, (key, str(value))])
        return f"{self._config().site.url}{ROOT}{path}?{query}"


def _limit() -> int:
    number = parse_number(request.args.get("limit", str(DEFAULT_LIMIT)), least=1, most=MAX_ENTRIES)
    if number is None:
        raise QueryError(f"limit must be a number from 1 to {MAX_ENTRIES}")
    return number


def _limits() -> Arguments:
    return [("limit", request.args["limit"])] if "limit" in request.args else []


def _json(body: Mapping[str, Any]) -> Response:
    response = jsonify(body)
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response
