"""The JSON API: what the pages show, for programs; it only reads.

    /api/v1/entries?section=europe&q=nato    /api/v1/entries/4711
    /api/v1/stories    /api/v1/stories/4700
    /api/v1/sources    /api/v1/sources/ID    /api/v1/sources/ID/polls    /api/v1/sections

Lists come in pages: `next` is the address of the page that goes on, null at the end. It holds
however many entries are added meanwhile. Errors are problem details (RFC 9457).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, request

from aggregator.errors import QueryError
from aggregator.models.config import Config
from aggregator.models.entry import StoredEntry
from aggregator.models.numbers import parse_number
from aggregator.models.query import Stories
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries, versions
from aggregator.store.entries import stories as stored_stories
from aggregator.store.entries.stories import Member
from aggregator.store.queries import summaries
from aggregator.store.queries.select import Cursor
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import poll_log, sources
from aggregator.store.sources.poll_log import PollRow
from aggregator.store.sources.sources import Label, SourceState
from aggregator.web.api import openapi
from aggregator.web.feeds.build import public_url
from aggregator.web.feeds.views import resolve
from aggregator.web.pages import presenters
from aggregator.web.pages.dates import rfc3339
from aggregator.web.pages.entry_lists import EntryLists, requested_cursor

ROOT = "/api/v1"
PAGE, MOST = 50, 500
_OWN = ("before", "after")


def problem(status: int, title: str, detail: str) -> Response:
    """Return an error as problem details."""
    body = jsonify(type="about:blank", title=title, status=status, detail=detail)
    body.status_code, body.mimetype = status, "application/problem+json"
    return body


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the routes of the API."""
    made = Blueprint("api", __name__, url_prefix=ROOT)
    api = Api(config, store)
    made.add_url_rule("/openapi.json", "openapi", lambda: _answer(openapi.document(config())))
    made.add_url_rule("/entries", "entries", api.entries)
    made.add_url_rule("/entries/<int:entry_id>", "entry", api.entry)
    made.add_url_rule("/stories", "stories", api.stories)
    made.add_url_rule("/stories/<int:story_id>", "story", api.story)
    made.add_url_rule("/sources", "sources", api.sources)
    made.add_url_rule("/sources/<source_id>", "source", api.source)
    made.add_url_rule("/sources/<source_id>/polls", "polls", api.polls)
    made.add_url_rule("/sections", "sections", api.sections)
    return made


class Api:
    """The resources, over a store."""

    def __init__(self, config: Callable[[], Config], store: Store) -> None:
        """Serve a store."""
        self._config, self._store = config, store

    def entries(self) -> Response:
        """List the entries of a view, newest first; each by itself, unless asked otherwise."""
        config, before = self._config(), requested_cursor()
        asked = [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN]
        query = resolve("all", "", urlencode(asked), config).query
        if "stories" not in request.args:
            query = replace(query, stories=Stories.EXPAND)
        with self._store.reading() as db:
            lists = EntryLists(db, config)
            found, more = lists.page(query, size=query.limit or PAGE, before=before)
            whole = entries.get_many(db, [one.id for one in found])
            states = sources.get_many(db, {one.source_id for one in found})
        data = [_entry(whole[one.id], states.get(one.source_id), config) for one in found]
        return _answer({"data": data, "next": self._next("/entries", asked, before=more)})

    def entry(self, entry_id: int) -> Response:
        """Tell all of one entry."""
        config = self._config()
        with self._store.reading() as db:
            stored = entries.get(db, entry_id)
            if stored is None:
                abort(404, f"There is no entry {entry_id}.")
            state = sources.get(db, stored.source_id)
            earlier = versions.of_entry(db, entry_id)
            story = stored_stories.of_entries(db, [entry_id]).get(entry_id)
        body = _entry(stored, state, config) | {
            "content": stored.entry.content,
            "hidden": stored.hidden or None,
            "rules": list(stored.ruling.reasons),
            "known_by": stored.known_by.split(),
            "story": story,
            "versions": [
                {"until": rfc3339(one.until), "title": one.title, "content": one.content}
                for one in earlier
            ],
        }
        return _answer(body)

    def stories(self) -> Response:
        """List stories, newest first, each with its reports."""
        config, size, before = self._config(), _limit(), requested_cursor()
        place = (before.sort_at, before.id) if before else None
        with self._store.reading() as db:
            found = stored_stories.latest(db, limit=size + 1, before=place)
            data = _stories(db, [story for story, _ in found[:size]], config)
        last = found[size - 1] if len(found) > size else None
        more = Cursor(sort_at=last[1], id=last[0]) if last else None
        asked = [("limit", request.args["limit"])] if "limit" in request.args else []
        return _answer({"data": data, "next": self._next("/stories", asked, before=more)})

    def story(self, story_id: int) -> Response:
        """Tell all reports of one story."""
        with self._store.reading() as db:
            found = _stories(db, [story_id], self._config())
        if not found:
            abort(404, f"There is no story {story_id}.")
        return _answer(found[0])

    def sources(self) -> Response:
        """List the sources in the order of the configuration."""
        config, after, size = self._config(), request.args.get("after", ""), _limit()
        configured = {source.id: source for source in config.sources}
        with self._store.reading() as db:
            states = sources.all_states(db)
        ids = [state.id for state in states]
        if after and after not in ids:
            raise QueryError("after is the id of a source, as in the address under “next”")
        start = ids.index(after) + 1 if after else 0
        shown = states[start : start + size]
        more = shown[-1].id if start + size < len(states) else None
        data = [_source(state, public_url(state, configured.get(state.id))) for state in shown]
        asked = [("limit", request.args["limit"])] if "limit" in request.args else []
        return _answer({"data": data, "next": self._next("/sources", asked, after=more)})

    def source(self, source_id: str) -> Response:
        """Tell all of one source."""
        config = self._config()
        configured = {source.id: source for source in config.sources}
        state = self._state(source_id)
        return _answer(_source(state, public_url(state, configured.get(state.id))))

    def polls(self, source_id: str) -> Response:
        """List the last polls of a source, newest first; no more are kept."""
        self._state(source_id)
        with self._store.reading() as db:
            found = poll_log.recent(db, source_id)
        return _answer({"data": [_poll(row) for row in found], "next": None})

    def sections(self) -> Response:
        """List the sections in the order of the configuration."""
        config = self._config()
        data = [
            asdict(section)
            | {
                "url": f"{config.site.base_url}/section/{section.id}",
                "sources": [s.id for s in config.sources if section.id in s.sections],
            }
            for section in config.sections
        ]
        return _answer({"data": data, "next": None})

    def _state(self, source_id: str) -> SourceState:
        with self._store.reading() as db:
            state = sources.get(db, source_id)
        if state is None:
            abort(404, f"There is no source {source_id}.")
        return state

    def _next(self, path: str, asked: list[tuple[str, str]], **place: object) -> str | None:
        [(key, value)] = place.items()
        if value is None:
            return None
        return (
            f"{self._config().site.base_url}{ROOT}{path}?{urlencode([*asked, (key, str(value))])}"
        )


def _limit() -> int:
    number = parse_number(request.args.get("limit", str(PAGE)), least=1, most=MOST)
    if number is None:
        raise QueryError(f"limit is a number from 1 to {MOST}")
    return number


def _answer(body: Mapping[str, Any]) -> Response:
    made = jsonify(body)
    made.add_etag(weak=True)
    made.make_conditional(request)
    return made


def _moment(value: datetime | None) -> str | None:
    return rfc3339(value) if value else None


def _entry(stored: StoredEntry, state: SourceState | None, config: Config) -> dict[str, Any]:
    entry, base = stored.entry, config.site.base_url
    return {
        "id": stored.id,
        "uri": stored.uri,
        "url": f"{base}/entry/{stored.id}",
        "link": entry.link or None,
        "title": presenters.headline(entry),
        "summary": entry.summary,
        "authors": [author.name for author in entry.authors if author.name],
        "categories": list(entry.categories),
        "language": entry.language or None,
        "source": {
            "id": stored.source_id,
            "title": state.title if state else stored.source_id,
            "url": f"{base}/source/{stored.source_id}",
        },
        "sections": list(state.sections) if state else [],
        "image": asdict(entry.image) if entry.image else None,
        "enclosures": [asdict(enclosure) for enclosure in entry.enclosures],
        "published": _moment(entry.published),
        "first_seen": rfc3339(stored.first_seen),
        "changed": rfc3339(stored.changed),
        "withdrawn": _moment(stored.withdrawn),
    }


def _stories(db: Connection, stories: Sequence[int], config: Config) -> list[dict[str, Any]]:
    members = stored_stories.members(db, stories, shown=True)
    lines = summaries.get_many(db, [one.entry_id for one in members])
    labels = sources.labels(db, {one.source_id for one in members})
    reports: dict[int, list[dict[str, Any]]] = {}
    for one in members:
        told = _report(one, lines[one.entry_id], labels.get(one.source_id), config)
        reports.setdefault(one.story, []).append(told)
    return [
        {"id": story, "began": reports[story][0]["at"], "title": reports[story][0]["title"],
         "reports": reports[story]}
        for story in stories
        if story in reports
    ]  # fmt: skip


def _report(one: Member, line: EntrySummary, label: Label | None, config: Config) -> dict[str, Any]:
    base = config.site.base_url
    return {
        "entry": one.entry_id,
        "uri": line.uri,
        "url": f"{base}/entry/{one.entry_id}",
        "link": line.link or None,
        "title": presenters.headline(line),
        "at": rfc3339(one.at),
        "source": {
            "id": one.source_id,
            "title": label.title if label else one.source_id,
            "url": f"{base}/source/{one.source_id}",
        },
        "reason": one.reason or None,
        "similarity": one.similarity,
    }


def _source(state: SourceState, feed_url: str) -> dict[str, Any]:
    return {
        "id": state.id,
        "title": state.title,
        "feed_url": feed_url,
        "site_url": state.link or None,
        "sections": list(state.sections),
        "enabled": state.enabled,
        "health": state.health,
        "health_since": _moment(state.health_since),
        "error": state.error or None,
        "failures": state.failures,
        "last_poll": _moment(state.last_poll),
        "last_ok": _moment(state.last_ok),
        "last_change": _moment(state.last_change),
        "next_poll": rfc3339(state.next_poll),
        "next_poll_reason": state.next_poll_reason,
        "entries": state.entries,
    }


def _poll(row: PollRow) -> dict[str, Any]:
    return {
        "at": rfc3339(row.at),
        "outcome": row.outcome,
        "status": row.status or None,
        "milliseconds": row.milliseconds,
        "bytes": row.bytes,
        "conditional": row.conditional,
        "new": row.new,
        "changed": row.changed,
        "error": row.detail or None,
        "next_poll": rfc3339(row.next_poll),
        "reason": row.reason,
    }
