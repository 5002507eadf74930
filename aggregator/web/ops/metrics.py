"""Metrics for Prometheus, read from the database: every process reports the same values."""

from collections import Counter
from collections.abc import Iterable, Mapping

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from aggregator import __version__
from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import parse_time_or_none
from aggregator.store.entries import entries
from aggregator.store.sources import network, poll_log, sources
from aggregator.store.websub import inbox, subscribers, subscriptions

PREFIX = "aggregator"


def blueprint(store: Store) -> Blueprint:
    """Return the route of the metrics."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        with store.reading() as db:
            registry = CollectorRegistry()
            registry.register(_FixedCollector(tuple(collect(db))))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    return routes


class _FixedCollector(Collector):
    """Returns metrics that were read before."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def collect(db: Connection) -> Iterable[Metric]:
    """Yield all metrics."""
    yield _gauge("info", "Version of the running program.", {__version__: 1}, "version")
    yield _gauge("entries", "Stored entries.", entries.count(db))
    healths = Counter(state.shown_health for state in sources.all_states(db))
    yield _gauge("sources", "Configured sources, by health.", healths, "health")
    tick = parse_time_or_none(metadata.get(db, "tick"))
    yield _gauge(
        "last_tick_timestamp_seconds",
        "Unix time of the scheduler's last report, 0 if there is none.",
        tick.timestamp() if tick else 0,
    )
    yield _gauge(
        "network_down",
        "1 if this server's network seems to be down, else 0.",
        bool(network.get(db).down_since),
    )
    has_error = bool(metadata.get(db, "config_error"))
    yield _gauge("config_error", "1 if the configuration file has errors, else 0.", has_error)
    yield from _poll_counters(poll_log.totals(db))
    yield _gauge(
        "websub_subscriptions",
        "Subscriptions to the hubs of sources, by state.",
        subscriptions.states(db),
        "state",
    )
    yield _gauge("websub_subscribers", "Subscribers of this site's hub.", subscribers.count(db))
    waiting = inbox.count(db)
    yield _gauge("websub_inbox", "Pushes received and not yet processed.", waiting)


def _poll_counters(totals: poll_log.Totals) -> Iterable[Metric]:
    outcomes = {
        "fetched": totals.polls - totals.not_modified - totals.equal - totals.failed,
        "not_modified": totals.not_modified,
        "equal": totals.equal,
        "failed": totals.failed,
    }
    yield _counter("polls", "Polls, by outcome.", outcomes, "outcome")
    yield _counter("received_bytes", "Bytes received in polls.", totals.bytes)
    yield _counter("saved_bytes", "Estimated bytes saved by conditional requests.", totals.saved)
    yield _counter("new_entries", "New entries.", totals.new)
    yield _counter("changed_entries", "Changes of entries by their publishers.", totals.changed)


def _gauge(
    name: str, help: str, values: float | Mapping[str, int], label: str = ""
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", help, labels=[label] if label else [])
    for labels, value in _samples(values):
        family.add_metric(labels, value)
    return family


def _counter(
    name: str, help: str, values: float | Mapping[str, int], label: str = ""
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"{PREFIX}_{name}", help, labels=[label] if label else [])
    for labels, value in _samples(values):
        family.add_metric(labels, value)
    return family


def _samples(values: float | Mapping[str, int]) -> list[tuple[list[str], float]]:
    if isinstance(values, Mapping):
        return [([label], value) for label, value in sorted(values.items())]
    return [([], values)]
