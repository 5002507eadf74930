"""Figures for Prometheus. All come from the database, so every process tells the same."""

from collections import Counter
from collections.abc import Iterable

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
from aggregator.store.sources import poll_log, sources
from aggregator.store.websub import subscribers, subscriptions

PREFIX = "aggregator"


def blueprint(store: Store) -> Blueprint:
    """Return the route of the metrics."""
    made = Blueprint("metrics", __name__)

    @made.get("/metrics")
    def metrics() -> Response:
        with store.reading() as db:
            registry = CollectorRegistry()
            registry.register(_Read(tuple(read(db))))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    return made


class _Read(Collector):
    """Metrics that were read already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def read(db: Connection) -> Iterable[Metric]:
    """Read all metrics."""
    yield _gauge("info", "The running version.", {__version__: 1}, "version")
    yield _gauge("entries", "Stored entries.", entries.count(db))
    healths = Counter(
        state.health if state.enabled else "disabled" for state in sources.all_states(db)
    )
    yield _gauge("sources", "Configured sources.", dict(healths), "health")
    tick = parse_time_or_none(metadata.get(db, "tick"))
    yield _gauge(
        "last_tick_timestamp_seconds",
        "When the scheduler was alive last, 0 for never.",
        tick.timestamp() if tick else 0,
    )
    broken = bool(metadata.get(db, "config_error"))
    yield _gauge("config_error", "1 while the configuration file has mistakes.", broken)
    yield from _totals(poll_log.totals(db))
    states = subscriptions.states(db)
    yield _gauge("websub_subscriptions", "Ours at hubs of sources.", states, "state")
    yield _gauge("websub_subscribers", "Those of our own hub.", subscribers.count(db))
    yield _gauge("websub_inbox", "Pushes that wait to be read.", subscriptions.waiting_count(db))


def _totals(ever: poll_log.Totals) -> Iterable[Metric]:
    fetched = ever.polls - ever.not_modified - ever.equal - ever.failed
    outcomes = {
        "fetched": fetched,
        "not_modified": ever.not_modified,
        "equal": ever.equal,
        "failed": ever.failed,
    }
    yield _counter("polls", "Polls, by outcome.", outcomes, "outcome")
    yield _counter("received_bytes", "Bytes received in polls.", ever.bytes)
    yield _counter("saved_bytes", "Bytes not sent thanks to conditional requests.", ever.saved)
    yield _counter("new_entries", "Entries seen for the first time.", ever.new)
    yield _counter("changed_entries", "Entries changed by their publishers.", ever.changed)


def _gauge(
    name: str, words: str, values: float | dict[str, int], label: str = ""
) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=[label] if label else [])
    for key, value in _each(values):
        made.add_metric(key, value)
    return made


def _counter(
    name: str, words: str, values: float | dict[str, int], label: str = ""
) -> CounterMetricFamily:
    made = CounterMetricFamily(f"{PREFIX}_{name}", words, labels=[label] if label else [])
    for key, value in _each(values):
        made.add_metric(key, value)
    return made


def _each(values: float | dict[str, int]) -> list[tuple[list[str], float]]:
    if isinstance(values, dict):
        return [([key], value) for key, value in sorted(values.items())]
    return [([], values)]
