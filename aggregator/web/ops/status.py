"""Pages and endpoints for operators: when everything was last updated, and whether it is well."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for

from aggregator.errors import QueryError, StoreError
from aggregator.models.config import Config
from aggregator.models.numbers import parse_number
from aggregator.models.query import Query
from aggregator.store.database import change_log, metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import parse_time_or_none
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, poll_log, sources
from aggregator.store.sources.poll_log import Day
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions
from aggregator.web.feeds.build import public_url
from aggregator.web.feeds.views import NoSuchView, resolve
from aggregator.web.middleware.auth import Authenticator
from aggregator.web.middleware.csrf import same_origin
from aggregator.web.ops import health_feed
from aggregator.web.pages import presenters
from aggregator.web.pages.dates import machine
from aggregator.web.pages.entry_lists import PAGE, Reader, feeds_of, head, older, place_of_request
from aggregator.web.pages.view_models import (
    Head,
    HostsPage,
    SourcePage,
    SourceRow,
    Spark,
    StatusPage,
)
from aggregator.websub import status_text

SPARK_DAYS = 14
ROWS = 200
ALIVE = timedelta(seconds=60)
"""The scheduler says every few seconds that it lives; silent for longer, it is not ready."""

HEALTHS = ("failing", "gone", "quarantined", "silent", "slow", "new", "fine", "disabled")
"""Worst first."""

SORTS = ("order", "health", "checked", "changed", "next", "entries", "latency")
_LONG_AGO = 0.0


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime], guard: Authenticator
) -> Blueprint:
    """Return the pages for operators."""
    made = Blueprint("ops", __name__)
    ops = Ops(config, store, clock, guard)
    made.add_url_rule("/status", "status", ops.status)
    made.add_url_rule("/status.json", "status_json", ops.status_json)
    made.add_url_rule("/status/hosts", "hosts", ops.hosts)
    made.add_url_rule("/source/<source_id>", "source", ops.source)
    made.add_url_rule("/source/<source_id>/poll", "poll", ops.poll, methods=["POST"])
    made.add_url_rule("/healthz", "healthz", ops.healthz)
    made.add_url_rule("/readyz", "readyz", ops.readyz)
    return made


class Ops:
    """The pages, over a store."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: Store,
        clock: Callable[[], datetime],
        guard: Authenticator,
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock, self._guard = config, store, clock, guard

    def status(self) -> str:
        """Show the "last updated" page."""
        config, now = self._config(), self._clock()
        health = _choice("health", HEALTHS, "")
        sort = _choice("sort", SORTS, "order")
        with self._store.reading() as db:
            states = sources.all_states(db)
            counts = Counter(map(_health, states))
            matching = [state for state in states if not health or _health(state) == health]
            matching.sort(key=_ORDER[sort])
            pages = max(1, -(-len(matching) // ROWS))
            page = min(_page_number(), pages)
            rows = matching[(page - 1) * ROWS : page * ROWS]
            days = poll_log.days(db, now.date() - timedelta(days=SPARK_DAYS - 1))
            hour = poll_log.totals(db, now - timedelta(hours=1))
            tick = parse_time_or_none(metadata.get(db, "tick"))
            shown = StatusPage(
                head=Head(
                    title=f"Last updated – {config.site.title}",
                    updated=change_log.last(db, change_log.STATUS),
                    canonical=f"{config.site.base_url}/status",
                    feeds=feeds_of(health_feed.view(config)),
                ),
                rows=tuple(
                    SourceRow(state=state, spark=spark(days.get(state.id, ()), now))
                    for state in rows
                ),
                counts=[(name, counts[name]) for name in HEALTHS if counts[name]],
                totals=poll_log.totals(db, now.replace(hour=0, minute=0, second=0, microsecond=0)),
                polls_per_minute=hour.polls / (60 + now.minute),
                entries=entries.count(db),
                health=health,
                sort=sort,
                page=page,
                pages=pages,
                alive=_alive(tick, now),
                tick=tick,
                config_error=metadata.get(db, "config_error"),
                shortage=metadata.get(db, "shortage"),
                incidents=tuple(incidents.recent(db, 8)),
            )
        return render_template(
            "status.html", page=shown, head=shown.head, now=now, sorts=SORTS, health_of=_health
        )

    def status_json(self) -> Response:
        """Tell the same to programs."""
        config, now = self._config(), self._clock()
        configured = {source.id: source for source in config.sources}
        with self._store.reading() as db:
            today = poll_log.totals(db, now.replace(hour=0, minute=0, second=0, microsecond=0))
            tick = parse_time_or_none(metadata.get(db, "tick"))
            known = subscriptions.by_source(db)
            body = {
                "title": config.site.title,
                "updated": _machine(change_log.last(db)),
                "scheduler": {
                    "alive": _alive(tick, now),
                    "seen": _machine(tick),
                    "shortage": metadata.get(db, "shortage"),
                },
                "config_error": metadata.get(db, "config_error"),
                "entries": entries.count(db),
                "today": {name: getattr(today, name) for name in today.__dataclass_fields__},
                "sources": [
                    _as_json(state, public_url(state, configured.get(state.id)))
                    | {"push": status_text.of_source(config, state.feed, known.get(state.id, ()))}
                    for state in sources.all_states(db)
                ],
            }
        return jsonify(body)

    def hosts(self) -> str:
        """Show how politely each host was treated."""
        config = self._config()
        with self._store.reading() as db:
            page = HostsPage(
                head=Head(
                    title=f"Politeness – {config.site.title}",
                    updated=change_log.last(db, change_log.STATUS),
                ),
                rows=tuple(poll_log.hosts(db)[:500]),
            )
        return render_template("hosts.html", page=page, head=page.head)

    def source(self, source_id: str) -> str:
        """Show everything known of a source."""
        config, now = self._config(), self._clock()
        source = next((one for one in config.sources if one.id == source_id), None)
        with self._store.reading() as db:
            state = sources.get(db, source_id)
            if state is None:
                abort(404, f"There is no source {source_id}.")
            days = poll_log.days(db, now.date() - timedelta(days=SPARK_DAYS - 1))
            listed, more = self._stories(db, config, source_id)
            page = SourcePage(
                head=_source_head(config, state),
                state=state,
                yaml=source.yaml if source else "",
                line=source.line if source else 0,
                url=public_url(state, source),
                polls=tuple(poll_log.recent(db, source_id)),
                spark=spark(days.get(source_id, ()), now),
                days=listed,
                older=more,
                incidents=tuple(incidents.recent(db, 10, source_id)),
                asked=request.args.get("asked") == "1",
                push=status_text.of_source(config, state.feed, subscriptions.all_of(db, source_id)),
            )
        return render_template("source.html", page=page, head=page.head, now=now)

    def _stories(
        self, db: Connection, config: Config, source_id: str
    ) -> tuple[tuple[Any, ...], str]:
        reader = Reader(db, config)
        query = Query(source=(source_id,))
        found, more = reader.page(query, size=PAGE, before=place_of_request())
        path = older(f"/source/{source_id}", more) if more else ""
        return presenters.by_day(reader.tell(found)), path

    def poll(self, source_id: str) -> Response:
        """Make a source due now; the scheduler does the rest."""
        if not self._guard.admits(request.environ):
            return redirect(url_for("login.form", next=f"/source/{source_id}"), 303)  # type: ignore[return-value]
        base_url = self._config().site.base_url
        if not (self._guard.has_bearer(request.environ) or same_origin(base_url)):
            abort(403, "This came from another site. Use the button on the source's page.")
        with self._store.transaction() as db:
            state = sources.get(db, source_id)
            if state is None:
                abort(404, f"There is no source {source_id}.")
            if not sources.poll_now(db, source_id, self._clock()):
                abort(409, f"The server asked to wait until {state.gate_until:%H:%M} GMT.")
        target = url_for("ops.source", source_id=source_id, asked=1)
        return redirect(target, 303)  # type: ignore[return-value]  # werkzeug's base class

    def healthz(self) -> Response:
        """Answer 200 when the database can be read."""
        try:
            with self._store.reading() as db:
                change_log.version(db)
        except StoreError as error:
            return Response(f"{error}\n", 503, mimetype="text/plain")
        return Response("ok\n", mimetype="text/plain")

    def readyz(self) -> Response:
        """Answer 200 when the scheduler is alive too."""
        with self._store.reading() as db:
            tick = parse_time_or_none(metadata.get(db, "tick"))
        if _alive(tick, self._clock()):
            return Response("ready\n", mimetype="text/plain")
        seen = f"seen last at {machine(tick)}" if tick else "never seen"
        return Response(f"the scheduler does not poll: {seen}\n", 503, mimetype="text/plain")


def spark(days: Sequence[Day], now: datetime) -> Spark:
    """Return a source's new entries of each of the last days."""
    by_day = {day.day: day.new for day in days}
    wanted = [now.date() - timedelta(days=back) for back in range(SPARK_DAYS - 1, -1, -1)]
    values = [by_day.get(day, 0) for day in wanted]
    top = max(*values, 1)
    heights = [1 + 18 * value / top for value in values]
    return Spark(
        path="".join(f"M{6 * at},20v-{height:.4g}h5V20z" for at, height in enumerate(heights)),
        width=6 * SPARK_DAYS,
        words=f"{sum(values)} new in {SPARK_DAYS} days, {values[-1]} today, at most {max(values)}",
    )


def _source_head(config: Config, state: SourceState) -> Head:
    try:
        return head(resolve("source", state.id, "", config), state.last_change)
    except NoSuchView:  # no longer in the configuration; its entries are
        return Head(title=f"{state.title} – {config.site.title}", updated=state.last_change)


def _health(state: SourceState) -> str:
    return state.health if state.enabled else "disabled"


def _seconds(value: datetime | None) -> float:
    return value.timestamp() if value else _LONG_AGO


_ORDER: Mapping[str, Callable[[SourceState], Any]] = {
    "order": lambda state: state.position,
    "health": lambda state: (HEALTHS.index(_health(state)), state.position),
    "checked": lambda state: (-_seconds(state.last_poll), state.position),
    "changed": lambda state: (-_seconds(state.last_change), state.position),
    "next": lambda state: (_seconds(state.next_poll), state.position),
    "entries": lambda state: (-state.entries, state.position),
    "latency": lambda state: (-state.milliseconds, state.position),
}


def _choice(name: str, allowed: Sequence[str], default: str) -> str:
    value = request.args.get(name, default) or default
    if value not in allowed and value != default:
        raise QueryError(f"{name} is one of: {', '.join(allowed)}")
    return value


def _page_number() -> int:
    number = parse_number(request.args.get("page", "1"), least=1, most=999_999)
    if number is None:
        raise QueryError("page is a number from 1")
    return number


def _alive(tick: datetime | None, now: datetime) -> bool:
    return tick is not None and abs(now - tick) < ALIVE


def _machine(value: datetime | None) -> str | None:
    return machine(value) if value else None


def _as_json(state: SourceState, url: str) -> dict[str, Any]:
    return {
        "id": state.id,
        "title": state.title,
        "url": url,
        "sections": list(state.sections),
        "health": _health(state),
        "last_poll": _machine(state.last_poll),
        "last_ok": _machine(state.last_ok),
        "last_change": _machine(state.last_change),
        "next_poll": _machine(state.next_poll),
        "next_poll_reason": state.next_poll_reason,
        "failures": state.failures,
        "error": state.error,
        "entries": state.entries,
        "milliseconds": state.milliseconds,
    }
