"""Assess a source's health from the results of its polls. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.models import health_text

FAILING = 3
"""Consecutive failures from which a good source counts as failing; one or two may be transient."""

FAILING_TIME = timedelta(days=1)
"""Time since the first failure after which a good source counts as failing: the rarer its polls,
the longer three failures take."""

SLOW = 10_000
"""Milliseconds of a fetch from which a source counts as slow."""

SILENT = timedelta(days=30)
SILENT_GAPS = 10


MAX_TICK_AGE = timedelta(seconds=60)
"""The scheduler reports every few seconds; after this time without a report it is not running."""

HEALTHS = (
    "failing", "gone", "waiting", "quarantined", "retrying", "silent", "slow", "new", "fine",
    "disabled",
)  # fmt: skip
"""All states of health, worst first; `disabled` is a source that the configuration disables."""

UNHEALTHY = frozenset({"failing", "gone", "waiting", "quarantined", "retrying"})
"""States in which a source may bring nothing, or not all that it publishes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A source's health, one of `HEALTHS`, and the reason to show."""

    state: str
    reason: str = ""


_FINE = Health(state="fine")


def assess(
    *,
    now: datetime,
    failures: int,
    has_succeeded: bool,
    failing_since: datetime | None,
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
        has_succeeded: Whether any poll of its present URL succeeded.
        failing_since: When the first of the failures occurred, None for now.
        waiting: As `waiting_reason` returns it.
        newest: When its latest entry was published.
        usual_gap: How often it published, ignoring its present silence.
    """
    if gone:
        return Health(state="gone", reason=error)
    if failures:
        is_long = waiting or now - (failing_since or now) >= FAILING_TIME
        if not has_succeeded or failures >= FAILING or is_long:
            return Health(state="failing", reason="; ".join(filter(None, (error, waiting))))
    if waiting:
        return Health(state="waiting", reason=waiting)
    if quarantine:
        return Health(state="quarantined", reason=quarantine)
    if failures:
        return Health(state="retrying", reason=error)
    if not has_succeeded:
        return Health(state="new")
    if newest is not None and now - newest > max(SILENT, (usual_gap or SILENT) * SILENT_GAPS):
        return Health(state="silent", reason=health_text.silent(newest))
    if milliseconds > SLOW:
        return Health(state="slow", reason=health_text.slow(milliseconds))
    return _FINE


def waiting_reason(*, now: datetime, gate: datetime | None, longest: timedelta) -> str:
    """Return why a source is not polled for longer than usual, "" if it is.

    Args:
        gate: Not before this time: a Retry-After.
        longest: The longest interval that the configuration allows.
    """
    if gate is None or gate - now <= longest:
        return ""
    return health_text.waiting(gate)


def is_alive(tick: datetime | None, now: datetime) -> bool:
    """Return whether the scheduler reported recently enough.

    Args:
        tick: When the scheduler last reported, None if never.
        now: The current time.
    """
    return tick is not None and abs(now - tick) < MAX_TICK_AGE


def reason_not_polling(tick: datetime | None, unavailable_reason: str, now: datetime) -> str:
    """Return why no source is polled, "" while sources are.

    Args:
        tick: When the scheduler last reported, None if never.
        unavailable_reason: Why it has paused, "" while it polls.
        now: The current time.
    """
    if not is_alive(tick, now):
        last_seen = f"last seen at {tick:%Y-%m-%dT%H:%M:%SZ}" if tick else "never seen"
        return f"the scheduler is not running: {last_seen}"
    return f"polling is paused: {unavailable_reason}" if unavailable_reason else ""
