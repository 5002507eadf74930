"""The status page, its JSON and CSV forms, and the page of requests by host."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from aggregator import __version__
from aggregator.models.config import Config
from aggregator.policy.health import HEALTHS, UNHEALTHY, is_alive
from aggregator.store.database import change_log, disk, metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import parse_time_or_none
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, network, poll_log, source_list, sources
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions
from aggregator.web.feeds.build import public_url
from aggregator.web.i18n import gettext
from aggregator.web.middleware.addresses import root
from aggregator.web.ops import health_feed, history, sparkline, status_csv
from aggregator.web.ops.status_query import ALL, StatusQuery, parse, sort_links, sort_options
from aggregator.web.ops.view_models import HostsPage, ServiceFacts, SourceRow, StatusPage
from aggregator.web.pages import presenters
from aggregator.web.pages.dates import rfc3339, rfc3339_or_none
from aggregator.web.pages.entry_lists import feed_links
from aggregator.web.pages.view_models import Head
from aggregator.websub import status_text

ROWS, CSV_ROWS, HOST_ROWS, INCIDENTS = 200, 5_000, 500, 8
"""The most sources of a page and of a CSV file, hosts, and incidents."""


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("status", __name__)
    status = Status(config, store, clock)
    routes.add_url_rule("/status", "page", status.page)
    routes.add_url_rule("/status.json", "json", status.json)
    routes.add_url_rule("/status.csv", "csv", status.csv)
    routes.add_url_rule("/status/hosts", "hosts", status.hosts)
    return routes


class Status:
    """The status of all sources and hosts."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._started = clock()
        self._disk = lru_cache(maxsize=1)(lambda minute: disk.usage(store.path))

    def page(self) -> str:
        """Show the status page."""
        config, now = self._config(), self._clock()
        query = _requested(config)
        with self._store.reading() as db:
            page = _status_page(db, config, now, query, self._service(db))
        return render_template("status.html", page=page, head=page.head, now=now)

    def csv(self) -> Response:
        """Return the sources of the status page as CSV; more than `CSV_ROWS` are further pages."""
        config = self._config()
        query = _requested(config)
        configured = {source.id: source for source in config.sources}
        with self._store.reading() as db:
            states = _states(db, query, CSV_ROWS + 1, (query.page - 1) * CSV_ROWS)
        rows = ((state, public_url(state, configured.get(state.id))) for state in states[:CSV_ROWS])
        response = Response(status_csv.render(rows), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="status.csv"'
        if len(states) > CSV_ROWS:
            further = query.address(f"{root()}/status.csv", page=query.page + 1)
            response.headers["Link"] = f'<{further}>; rel="next"'
        return response

    def _service(self, db: Connection) -> ServiceFacts:
        now = self._clock()
        tick = parse_time_or_none(metadata.get(db, "tick"))
        started = parse_time_or_none(metadata.get(db, "started"))
        return ServiceFacts(
            version=__version__,
            web_since=self._started,
            scheduler_since=started if is_alive(tick, now) else None,
            disk=self._disk(now.replace(second=0, microsecond=0)),
        )

    def json(self) -> Response:
        """Return the status as JSON."""
        config, now = self._config(), self._clock()
        configured = {source.id: source for source in config.sources}
        with self._store.reading() as db:
            today = poll_log.totals(db, _midnight(now))
            tick = parse_time_or_none(metadata.get(db, "tick"))
            service = self._service(db)
            by_source = subscriptions.by_source(db)
            body = {
                "title": config.site.title,
                "updated": rfc3339_or_none(change_log.last(db)),
                "scheduler": {
                    "alive": is_alive(tick, now),
                    "seen": rfc3339_or_none(tick),
                    "started": rfc3339_or_none(service.scheduler_since),
                    "shortage": metadata.get(db, "shortage"),
                    "network_down_since": rfc3339_or_none(network.get(db).down_since),
                },
                "version": service.version,
                "web_started": rfc3339(service.web_since),
                "disk": asdict(service.disk),
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
                    title=gettext("Requests by host") + f" – {self._config().site.title}",
                    updated=change_log.last(db, change_log.STATUS),
                ),
                rows=tuple(poll_log.hosts(db)[:HOST_ROWS]),
            )
        return render_template("hosts.html", page=page, head=page.head)


def _requested(config: Config) -> StatusQuery:
    return parse(request.args, {section.id for section in config.sections})


def _states(db: Connection, query: StatusQuery, limit: int, offset: int) -> list[SourceState]:
    """Return the requested sources in their order."""
    ids = source_list.ids(
        db,
        query.wanted,
        sort=query.order,
        descending=query.descending,
        ranks=HEALTHS,
        limit=limit,
        offset=offset,
    )
    states = sources.get_many(db, ids)
    return [states[source_id] for source_id in ids]


def _status_page(
    db: Connection, config: Config, now: datetime, query: StatusQuery, service: ServiceFacts
) -> StatusPage:
    path, wanted = f"{root()}/status", query.wanted
    counts = source_list.counts(db, wanted)
    matching = counts.get(wanted.health, 0) if wanted.health else sum(counts.values())
    pages = max(1, -(-matching // ROWS))
    number = min(query.page, pages)
    rows = _rows(db, _states(db, query, ROWS, (number - 1) * ROWS), now)
    healthy = tuple(row for row in rows if row.health not in UNHEALTHY)
    last_hour = poll_log.totals(db, now - timedelta(hours=1))
    tick = parse_time_or_none(metadata.get(db, "tick"))
    return StatusPage(
        head=_head(db, config),
        rows=tuple(row for row in rows if row.health in UNHEALTHY) if query.folds_healthy else rows,
        healthy=healthy if query.folds_healthy else (),
        folds_healthy=query.folds_healthy,
        counts=[(name, counts[name]) for name in HEALTHS if name in counts],
        matching=matching,
        total=source_list.total(db),
        wanted=wanted,
        sort=query.sort,
        is_filtered=query.is_filtered,
        unfiltered=replace(query, wanted=ALL).address(path),
        columns=sort_links(query, path),
        sorts=sort_options(query),
        page=number,
        pages=pages,
        previous=query.address(path, page=number - 1) if number > 1 else "",
        next=query.address(path, page=number + 1) if number < pages else "",
        csv=tuple(
            replace(query, period="").address(f"{root()}/status.csv", page=part)
            for part in range(1, 1 - -matching // CSV_ROWS)
        ),
        totals=poll_log.totals(db, _midnight(now)),
        polls_per_minute=last_hour.polls / (60 + now.minute),  # the log counts whole hours
        entries=entries.count(db),
        service=service,
        is_alive=is_alive(tick, now),
        tick=tick,
        config_error=metadata.get(db, "config_error"),
        insecure=tuple(each.id for each in config.sources if each.transport.insecure),
        unavailable_reason=metadata.get(db, "shortage"),
        history=history.of_site(db, request.args, now),
        incidents=tuple(incidents.recent(db, INCIDENTS)),
    )


def _head(db: Connection, config: Config) -> Head:
    return Head(
        title=gettext("Last updated") + f" – {config.site.title}",
        updated=change_log.last(db, change_log.STATUS),
        canonical=f"{config.site.url}/status",
        feeds=feed_links(health_feed.view(config)),
    )


def _rows(db: Connection, states: Sequence[SourceState], now: datetime) -> tuple[SourceRow, ...]:
    days = poll_log.days(db, [state.id for state in states], now.date() - sparkline.SPAN)
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


def _source_json(state: SourceState, url: str) -> dict[str, Any]:
    return presenters.source_fields(state) | {
        "url": url,
        "health": state.shown_health,
        "problem": state.problem,
        "error": state.error,
        "milliseconds": state.milliseconds,
    }
