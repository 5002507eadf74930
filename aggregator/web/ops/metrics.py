"""Metrics for Prometheus.

All but the counts of requests are read from the database, so that every process reports the same;
`prometheus_client` adds up the requests of all processes in the folder that `SHARED` names.
"""

import os
from collections.abc import Collection, Iterable, Mapping

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from aggregator import __version__
from aggregator.policy.health import HEALTHS
from aggregator.store.database import disk, metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import parse_time_or_none
from aggregator.store.entries import entries
from aggregator.store.sources import network, poll_histograms, poll_log, source_list, sources
from aggregator.store.sources.source_list import SourceFilter
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import inbox, subscribers, subscriptions

MAX_SOURCES = 1_000
"""Sources with series of their own, the unhealthiest first."""

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which several processes count; read by prometheus_client."""

PREFIX = "aggregator"


def blueprint(store: Store, requests: CollectorRegistry) -> Blueprint:
    """Return the route of the metrics.

    Args:
        store: The database.
        requests: Holds the counts of this process's requests.
    """
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        with store.reading() as db:
            stored = tuple(collect(db))
        registry = CollectorRegistry()
        registry.register(_FixedCollector((*stored, *_disk_usage(store.path))))
        if SHARED in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(_FixedCollector(requests.collect()))
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
    healths = source_list.counts(db, SourceFilter())
    yield _gauge("sources", "Configured sources, by health.", healths, "health")
    shown = _unhealthiest(db)
    yield from _source_gauges(shown)
    yield _gauge(
        "sources_without_series",
        f"Sources beyond the {MAX_SOURCES:,} unhealthiest, which have no series of their own.",
        sum(healths.values()) - len(shown),
    )
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
    yield _histogram(
        "poll_duration_seconds", "Seconds that polls took.", poll_histograms.seconds(db)
    )
    yield _histogram(
        "poll_received_size_bytes", "Bytes that polls received.", poll_histograms.received(db)
    )
    yield _gauge(
        "websub_subscriptions",
        "Subscriptions to the hubs of sources, by state.",
        subscriptions.states(db),
        "state",
    )
    yield _gauge("websub_subscribers", "Subscribers of this site's hub.", subscribers.count(db))
    waiting = inbox.count(db)
    yield _gauge("websub_inbox", "Pushes received and not yet processed.", waiting)


def _unhealthiest(db: Connection) -> Collection[SourceState]:
    """Return the sources that have series of their own."""
    ids = source_list.ids(
        db, SourceFilter(), sort="health", descending=False, ranks=HEALTHS,
        limit=MAX_SOURCES, offset=0,
    )  # fmt: skip
    return sources.get_many(db, ids).values()


def _source_gauges(shown: Collection[SourceState]) -> Iterable[Metric]:
    """Yield the series of single sources."""
    health = GaugeMetricFamily(
        f"{PREFIX}_source_health",
        "1 for the health of a source.",
        labels=["source", "health"],
    )
    for state in shown:
        health.add_metric([state.id, state.shown_health], 1)
    yield health
    yield _gauge(
        "source_failures",
        "Failed polls in a row.",
        {state.id: state.failures for state in shown},
        "source",
    )
    yield _gauge(
        "source_last_success_timestamp_seconds",
        "Unix time of the last successful poll, 0 if there is none.",
        {state.id: state.last_ok.timestamp() if state.last_ok else 0 for state in shown},
        "source",
    )
    yield _gauge(
        "source_next_poll_timestamp_seconds",
        "Unix time of the next poll.",
        {state.id: state.next_poll.timestamp() for state in shown},
        "source",
    )
    yield _gauge(
        "source_last_poll_duration_seconds",
        "Seconds that the last poll took.",
        {state.id: state.milliseconds / 1000 for state in shown},
        "source",
    )
    yield _gauge(
        "source_entries",
        "Stored entries of a source.",
        {state.id: state.entries for state in shown},
        "source",
    )


def _disk_usage(path: str) -> Iterable[Metric]:
    """Return the sizes of the database's files and the space left."""
    usage = disk.usage(path)
    parts = {"database": usage.database, "wal": usage.wal}
    return (
        _gauge("database_size_bytes", "Size of the database, by file.", parts, "file"),
        _gauge("disk_free_bytes", "Free space on the disk of the database.", usage.free),
    )


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
    name: str, help: str, values: float | Mapping[str, float], label: str = ""
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", help, labels=[label] if label else [])
    for labels, value in _samples(values):
        family.add_metric(labels, value)
    return family


def _counter(
    name: str, help: str, values: float | Mapping[str, float], label: str = ""
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"{PREFIX}_{name}", help, labels=[label] if label else [])
    for labels, value in _samples(values):
        family.add_metric(labels, value)
    return family


def _histogram(name: str, help: str, values: poll_histograms.Histogram) -> HistogramMetricFamily:
    buckets, sum_up_to = [], 0
    for bound, count in values.counts:
        sum_up_to += count
        buckets.append((str(bound).replace("inf", "+Inf"), sum_up_to))
    return HistogramMetricFamily(f"{PREFIX}_{name}", help, buckets, values.total)


def _samples(values: float | Mapping[str, float]) -> list[tuple[list[str], float]]:
    if isinstance(values, Mapping):
        return [([label], value) for label, value in sorted(values.items())]
    return [([], values)]
