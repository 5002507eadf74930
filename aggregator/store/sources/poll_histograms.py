"""How long polls take and how much they receive: counts by range of values, for Prometheus."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.store.database.connection import Connection
from aggregator.store.sources.poll_log import PollRow

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BYTES = (0.0, 1_000.0, 4_000.0, 16_000.0, 64_000.0, 256_000.0, 1_000_000.0, 4_000_000.0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observed values.

    Args:
        counts: Observations by upper bound, not cumulative; the last, of infinity, are the rest.
        total: Sum of all observed values.
    """

    counts: tuple[tuple[float, int], ...]
    total: float


def add(db: Connection, rows: Sequence[PollRow]) -> None:
    """Count polls."""
    observed: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        seconds = row.milliseconds / 1000
        observed.setdefault(("seconds", bisect_left(SECONDS, seconds)), []).append(seconds)
        observed.setdefault(("bytes", bisect_left(BYTES, row.bytes)), []).append(row.bytes)
    db.executemany(
        "insert into poll_histograms values (?, ?, ?, ?) on conflict(name, bucket) do update set"
        " polls = polls + excluded.polls, total = total + excluded.total",
        [(name, at, len(values), sum(values)) for (name, at), values in observed.items()],
    )


def seconds(db: Connection) -> Histogram:
    """Return how many seconds polls took."""
    return _read(db, "seconds", SECONDS)


def received(db: Connection) -> Histogram:
    """Return how many bytes polls received."""
    return _read(db, "bytes", BYTES)


def _read(db: Connection, name: str, bounds: tuple[float, ...]) -> Histogram:
    rows = db.execute("select bucket, polls, total from poll_histograms where name = ?", (name,))
    by_bucket = {bucket: (polls, total) for bucket, polls, total in rows}
    counts = [
        (bound, by_bucket.get(at, (0, 0.0))[0]) for at, bound in enumerate((*bounds, float("inf")))
    ]
    return Histogram(tuple(counts), sum(total for _, total in by_bucket.values()))
