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
    """A source's health and the reason to show.

    It is fine, slow, failing, gone, waiting, silent or quarantined.
    """

    state: str
    reason: str = ""


def assess(
    *,
    now: datetime,
    failures: int,
    gone: bool,
    error: str,
    waiting: str,
    quarantine: str,
    milliseconds: int,
    newest: datetime | None,
    usual_gap: timedelta | None,
) -> Health:
    """Return a source's health after a poll.

    Args:
        failures: Consecutive failures.
        waiting: As `waiting_reason` returns it.
        newest: When its latest entry was published.
        usual_gap: How often it published, ignoring its present silence.
    """
    if gone:
        return Health(state="gone", reason=error)
    if failures >= FAILING:
        return Health(state="failing", reason=error)
    if waiting:
        return Health(state="waiting", reason=waiting)
    if quarantine:
        return Health(state="quarantined", reason=quarantine)
    if newest is not None and now - newest > max(SILENT, (usual_gap or SILENT) * SILENT_GAPS):
        return Health(state="silent", reason=f"no new entries since {newest:%d %B %Y}")
    if milliseconds > SLOW:
        return Health(state="slow", reason=f"last fetch took {milliseconds / 1000:.0f} s")
    return Health(state="fine")


def waiting_reason(*, now: datetime, gate: datetime | None, longest: timedelta) -> str:
    """Return why a source is not polled for longer than usual, "" if it is.

    Args:
        gate: Not before this time: a Retry-After.
        longest: The longest interval that the configuration allows.
    """
    if gate is None or gate - now <= longest:
        return ""
    return f"the server allows no request before {gate:%d %B %Y %H:%M} UTC (Retry-After)"
