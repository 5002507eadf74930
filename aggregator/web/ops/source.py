"""The page of a source, and its "Poll now" button."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from flask import Blueprint, Response, abort, render_template, request

from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.models.query import Query
from aggregator.store.database.connection import Connection, Store
from aggregator.store.sources import incidents, poll_log, poll_plan, renames, sources
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions
from aggregator.web.feeds.build import public_url
from aggregator.web.feeds.views import NoSuchView, resolve
from aggregator.web.middleware.addresses import moved_permanently, see_other
from aggregator.web.middleware.auth import Authenticator
from aggregator.web.middleware.csrf import same_origin
from aggregator.web.ops import history, sparkline
from aggregator.web.ops.view_models import SourcePage
from aggregator.web.pages import presenters
from aggregator.web.pages.entry_lists import EntryLists, requested_part, view_head
from aggregator.web.pages.view_models import Day, Head
from aggregator.websub import status_text

INCIDENTS = 10


def blueprint(
    config: Callable[[], Config],
    store: Store,
    clock: Callable[[], datetime],
    authenticator: Authenticator,
) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("source", __name__)
    pages = SourcePages(config, store, clock, authenticator)
    routes.add_url_rule("/source/<source_id>", "page", pages.page)
    routes.add_url_rule("/source/<source_id>/before/<int:before>", "part", pages.page)
    routes.add_url_rule("/source/<source_id>/poll", "poll", pages.poll, methods=["POST"])
    return routes


class SourcePages:
    """The pages of sources."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: Store,
        clock: Callable[[], datetime],
        authenticator: Authenticator,
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._authenticator = authenticator

    def page(self, source_id: str, before: int = 0) -> str | Response:
        """Show a source: its state, polls, incidents, configuration and entries.

        Args:
            before: As in `requested_part`.
        """
        config, now = self._config(), self._clock()
        with self._store.reading() as db:
            if new_id := renames.current_id(db, source_id):
                return moved_permanently(f"/source/{quote(new_id)}")
            page = _source_page(db, _state(db, source_id), config, now, before)
        return render_template("source.html", page=page, head=page.head, now=now)

    def poll(self, source_id: str) -> Response:
        """Make a source due now; the scheduler polls it within a few seconds."""
        if not self._authenticator.admits(request.environ):
            return see_other(f"/login?next={quote(f'/source/{source_id}')}")
        base_url = self._config().site.url
        if not (self._authenticator.has_bearer(request.environ) or same_origin(base_url)):
            abort(
                403, N_("This request came from another site. Use the button on the source’s page.")
            )
        with self._store.transaction() as db:
            _state(db, source_id)
            poll_plan.request(db, self._clock(), [source_id])
        return see_other(f"/source/{quote(source_id)}?asked=1")


def _state(db: Connection, source_id: str) -> SourceState:
    state = sources.get(db, source_id)
    if state is None:
        abort(404, N_("There is no source “%(id)s”.", id=source_id))
    return state


def _source_page(
    db: Connection, state: SourceState, config: Config, now: datetime, before: int
) -> SourcePage:
    source = next((source for source in config.sources if source.id == state.id), None)
    days = poll_log.days(db, [state.id], now.date() - sparkline.SPAN)
    entries, newer_path, next_path = _entries(db, config, state.id, before)
    known = subscriptions.all_of(db, state.id)
    return SourcePage(
        head=_head(config, state),
        state=state,
        yaml=source.yaml if source else "",
        line=source.line if source else 0,
        url=public_url(state, source),
        polls=tuple(poll_log.recent(db, state.id)),
        sparkline=sparkline.draw(days.get(state.id, ()), now),
        history=history.of_source(db, state.id, request.args, now),
        days=entries,
        newer_path=newer_path,
        next_path=next_path,
        incidents=tuple(incidents.recent(db, INCIDENTS, state.id)),
        poll_requested=request.args.get("asked") == "1",
        push=status_text.of_source(config, state.feed, known),
    )


def _entries(
    db: Connection, config: Config, source_id: str, before: int
) -> tuple[tuple[Day, ...], str, str]:
    """Return the requested page of a source's entries, and the paths of the newer and older."""
    lists, query = EntryLists(db, config), Query(source=(source_id,))
    part = requested_part(lists, query, f"/source/{source_id}", before)
    return presenters.by_day(lists.items(part.entries)), part.newer_path, part.next_path


def _head(config: Config, state: SourceState) -> Head:
    try:
        return view_head(resolve("source", state.id, "", config), state.last_change)
    except NoSuchView:  # the source was removed from the configuration; its entries are kept
        return Head(title=f"{state.title} – {config.site.title}", updated=state.last_change)
