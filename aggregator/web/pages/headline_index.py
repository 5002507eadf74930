"""The search of a site of files: a script looks through an index of headlines.

/search               the page
/search/index.json    the parts of the index, the newest first
/search/12.json       one part: of each entry its id, headline, source and day
"""

from collections.abc import Callable

from flask import Blueprint, Response, abort, jsonify

from aggregator.models.config import Config
from aggregator.store.database.connection import Store
from aggregator.store.queries import static_site, summaries
from aggregator.store.sources import sources
from aggregator.web.pages.presenters import headline

PART = 1_000
"""Ids of entries that one part spans. New entries change the newest part only."""

MAX_PARTS = 20
"""Parts of the index, of which a browser loads all: some 100 kB each, a third compressed."""


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the routes, which only a site of files has."""
    routes = Blueprint("headline_index", __name__, url_prefix="/search")

    @routes.before_request
    def check() -> None:
        if not config().site.static:
            abort(404)

    @routes.get("/index.json")
    def index() -> Response:
        with store.reading() as db:
            return jsonify(parts=static_site.index_parts(db, PART)[:MAX_PARTS])

    @routes.get("/<int:number>.json")
    def part(number: int) -> Response:
        with store.reading() as db:
            ids = static_site.index_part(db, number, PART)
            by_id = summaries.get_many(db, ids)
            labels = sources.labels(db, {entry.source_id for entry in by_id.values()})
        if not ids:
            abort(404)
        listed = [by_id[id] for id in ids]
        return jsonify(
            [
                [entry.id, headline(entry), labels[entry.source_id].title, f"{entry.sort_at:%F}"]
                for entry in listed
            ]
        )

    return routes
