"""Assess a source's health from the results of its polls. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILING = 3
"""Consecutive failures from which a source counts as failing; one or two may be transient."""

SLOW = 10_000
"""Milliseconds of a fetch from which a source counts as slow."""

SILENT = timedelta(days=30)
SILENT_GAPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A source's health (fine, slow, failing, gone, silent, quarantined) and the reason to show."""

    state: str
    reason: str = ""


def assess(
    *,
    now: datetime,
    failures: int,
    gone: bool,
    error: str,
    quarantine: str,
    milliseconds: int,
    newest: datetime | None,
    usual_gap: timedelta | None,
) -> Health:
    """Return a source's health after a poll.

    Args:
        failures: Consecutive failures.
        newest: When its latest entry was published.
        usual_gap: How often it published, ignoring its present silence.
    """
    if gone:
        return Health(state="gone", reason=error)
    if failures >= FAILING:
        return Health(state="failing", reason=error)
    if quarantine:
        return Health(state="quarantined", reason=quarantine)
    if newest is not None and now - newest > max(SILENT, (usual_gap or SILENT) * SILENT_GAPS):
        return Health(state="silent", reason=f"no new entries since {newest:%d %B %Y}")
    if milliseconds > SLOW:
        return Health(state="slow", reason=f"last fetch took {milliseconds / 1000:.0f} s")
    return Health(state="fine")
