"""Decide when the page of an entry is fetched again, and when its source is in trouble. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from aggregator.models.poll import Failed, FailureKind

FIRST_RETRY = timedelta(minutes=5)
RETRY_FACTOR = 3
MOST_ATTEMPTS = 6
"""Failed fetches after which a page is given up: within 10 to 30 hours."""

MOST_MOVES = 5
"""Redirects to other hosts that a page may have."""

FAILED_PAGES = 5
"""Pages in a row without a text from which the pages of a source have an incident."""

_TEMPORARY = frozenset(
    {
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.TLS,
        FailureKind.TIMEOUT,
        FailureKind.TRUNCATED,
        FailureKind.RATE_LIMITED,
    }
)
_TEMPORARY_STATUSES = frozenset({408, 425, 429})


def retry_delay(failed: Failed, attempts: int, jitter: float) -> timedelta | None:
    """Return how long to wait before the next fetch of a page, None to give it up.

    Args:
        failed: The outcome of the last fetch.
        attempts: Earlier failed fetches in a row.
        jitter: A number in 0..1.
    """
    status = failed.transfer.status
    is_temporary = failed.kind in _TEMPORARY or (
        failed.kind is FailureKind.HTTP_STATUS and (status >= 500 or status in _TEMPORARY_STATUSES)
    )
    if not is_temporary or attempts + 1 >= MOST_ATTEMPTS:
        return None
    factor: int = RETRY_FACTOR**attempts
    delay = FIRST_RETRY * factor * (0.5 + jitter)
    return max(delay, failed.transfer.freshness.retry_after or delay)


def is_unreadable(outcomes: Sequence[str], good: frozenset[str]) -> bool:
    """Return whether none of the last pages of a source gave a text.

    Args:
        outcomes: Of its last fetches, latest first.
        good: The outcomes with a text.
    """
    return len(outcomes) >= FAILED_PAGES and good.isdisjoint(outcomes[:FAILED_PAGES])
