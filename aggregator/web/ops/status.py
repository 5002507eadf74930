"""The status page, its JSON form, and the page of requests by host."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from aggregator.errors import QueryError
from aggregator.models.config import Config
from aggregator.models.numbers import parse_number
from aggregator.policy.health import HEALTHS, is_alive
from aggregator.store.database import change_log, metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import parse_time_or_none
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, network, poll_log, sources
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions
from aggregator.web.feeds.build import public_url
from aggregator.web.ops import health_feed, sparkline
from aggregator.web.ops.view_models import HostsPage, SourceRow, StatusPage
from aggregator.web.pages import presenters
from aggregator.web.pages.dates import rfc3339_or_none
from aggregator.web.pages.entry_lists import feed_links
from aggregator.web.pages.view_models import Head
from aggregator.websub import status_text

ROWS, HOST_ROWS, INCIDENTS = 200, 500, 8

SORTS = ("order", "health", "checked", "changed", "next", "entries", "latency")


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("status", __name__)
    status = Status(config, store, clock)
    routes.add_url_rule("/status", "page", status.page)
    routes.add_url_rule("/status.json", "json", status.json)
    routes.add_url_rule("/status/hosts", "hosts", status.hosts)
    return routes


class Status:
    """The status of all sources and hosts."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock

    def page(self) -> str:
        """Show the status page."""
        config, now = self._config(), self._clock()
        health = _choice("health", HEALTHS, "")
        sort = _choice("sort", SORTS, "order")
        number = _page_number()
        with self._store.reading() as db:
            page = _status_page(db, config, now, health=health, sort=sort, number=number)
        return render_template("status.html", page=page, head=page.head, now=now, sorts=SORTS)

    def json(self) -> Response:
        """Return the status as JSON."""
        config, now = self._config(), self._clock()
        configured = {source.id: source for source in config.sources}
        with self._store.reading() as db:
            today = poll_log.totals(db, _midnight(now))
            tick = parse_time_or_none(metadata.get(db, "tick"))
            by_source = subscriptions.by_source(db)
            body = {
                "title": config.site.title,
                "updated": rfc3339_or_none(change_log.last(db)),
                "scheduler": {
                    "alive": is_alive(tick, now),
                    "seen": rfc3339_or_none(tick),
                    "shortage": metadata.get(db, "shortage"),
                    "network_down_since": rfc3339_or_none(network.get(db).down_since),
                },
                "config_error": metadata.get(db, "config_error"),
                "entries": entries.count(db),
                "today": {name: getattr(today, name) for name in today.__dataclass_fields__},
                "sources": [
                    _source_json(state, public_url(state, configured.get(state.id)))
                    | {
                        "push": status_text.of_source(
                            config, state.feed, by_source.get(state.id, ())
                        )
                    }
                    for state in sources.all_states(db)
                ],
            }
        return jsonify(body)

    def hosts(self) -> str:
        """Show the requests to each host."""
        with self._store.reading() as db:
            page = HostsPage(
                head=Head(
                    title=f"Requests by host – {self._config().site.title}",
                    updated=change_log.last(db, change_log.STATUS),
                ),
                rows=tuple(poll_log.hosts(db)[:HOST_ROWS]),
            )
        return render_template("hosts.html", page=page, head=page.head)


def _status_page(
    db: Connection, config: Config, now: datetime, *, health: str, sort: str, number: int
) -> StatusPage:
    states = sources.all_states(db)
    counts = Counter(state.shown_health for state in states)
    matching = [state for state in states if not health or state.shown_health == health]
    matching.sort(key=_SORT_KEYS[sort])
    pages = max(1, -(-len(matching) // ROWS))
    number = min(number, pages)
    last_hour = poll_log.totals(db, now - timedelta(hours=1))
    tick = parse_time_or_none(metadata.get(db, "tick"))
    return StatusPage(
        head=Head(
            title=f"Last updated – {config.site.title}",
            updated=change_log.last(db, change_log.STATUS),
            canonical=f"{config.site.url}/status",
            feeds=feed_links(health_feed.view(config)),
        ),
        rows=_rows(db, matching[(number - 1) * ROWS : number * ROWS], now),
        counts=[(name, counts[name]) for name in HEALTHS if counts[name]],
        totals=poll_log.totals(db, _midnight(now)),
        polls_per_minute=last_hour.polls / (60 + now.minute),  # the log counts whole hours
        entries=entries.count(db),
        health=health,
        sort=sort,
        page=number,
        pages=pages,
        is_alive=is_alive(tick, now),
        tick=tick,
        config_error=metadata.get(db, "config_error"),
        unavailable_reason=metadata.get(db, "shortage"),
        incidents=tuple(incidents.recent(db, INCIDENTS)),
    )


def _rows(db: Connection, states: Sequence[SourceState], now: datetime) -> tuple[SourceRow, ...]:
    days = poll_log.days(db, now.date() - sparkline.SPAN)
    return tuple(
        SourceRow(
            state=state,
            health=state.shown_health,
            sparkline=sparkline.draw(days.get(state.id, ()), now),
        )
        for state in states
    )


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0


_SORT_KEYS: Mapping[str, Callable[[SourceState], Any]] = {
    "order": lambda state: state.position,
    "health": lambda state: (HEALTHS.index(state.shown_health), state.position),
    "checked": lambda state: (-_seconds(state.last_poll), state.position),
    "changed": lambda state: (-_seconds(state.last_change), state.position),
    "next": lambda state: (_seconds(state.next_poll), state.position),
    "entries": lambda state: (-state.entries, state.position),
    "latency": lambda state: (-state.milliseconds, state.position),
}


def _choice(name: str, allowed: Sequence[str], default: str) -> str:
    value = request.args.get(name, default) or default
    if value not in allowed and value != default:
        raise QueryError(f"{name} must be one of {', '.join(allowed)}")
    return value


def _page_number() -> int:
    number = parse_number(request.args.get("page", "1"), least=1, most=999_999)
    if number is None:
        raise QueryError("page must be a number, 1 or more")
    return number


def _source_json(state: SourceState, url: str) -> dict[str, Any]:
    return presenters.source_fields(state) | {
        "url": url,
        "health": state.shown_health,
        "problem": state.problem,
        "error": state.error,
        "milliseconds": state.milliseconds,
    }
