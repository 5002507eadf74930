"""How a source fares, from what its polls brought; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILING = 3
"""Failures in a row from which a source counts as failing; one or two are weather."""

SLOW = 10_000
"""Milliseconds of a fetch from which a source counts as slow."""

SILENT = timedelta(days=30)
SILENT_RHYTHMS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A source's health: fine, slow, failing, gone, silent, quarantined; and why, in words."""

    state: str
    words: str = ""


def assess(
    *,
    now: datetime,
    failures: int,
    gone: bool,
    error: str,
    quarantine: str,
    milliseconds: int,
    newest: datetime | None,
    rhythm: timedelta | None,
) -> Health:
    """Return a source's health after a poll.

    Args:
        failures: In a row.
        newest: When its latest entry was published.
        rhythm: How often it published, its present silence left out.
    """
    if gone:
        return Health(state="gone", words=error)
    if failures >= FAILING:
        return Health(state="failing", words=error)
    if quarantine:
        return Health(state="quarantined", words=quarantine)
    if newest is not None and now - newest > max(SILENT, (rhythm or SILENT) * SILENT_RHYTHMS):
        return Health(state="silent", words=f"nothing new since {newest:%d %B %Y}")
    if milliseconds > SLOW:
        return Health(state="slow", words=f"took {milliseconds / 1000:.0f} s to answer")
    return Health(state="fine")
