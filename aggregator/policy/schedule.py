"""Decide when a source is polled next, and why, from the user's, the feed's and the server's word.

    wait       the user's `every`, else the feed's usual gap within [minimum, maximum]; longer
               while a hub pushes, doubled with each failure, a month after a 410
    bounds     never before Cache-Control or Expires, ttl, sy:updatePeriod, Retry-After
    jitter     up to 10 % later, so that feeds drift apart
    skipped    not in the hours and days of skipHours and skipDays

Each rule adds a phrase to the reason, which is stored and shown. Pure.
"""

import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from aggregator.models.poll import NextPoll

DEFAULT_INTERVAL = timedelta(hours=1)
"""The interval of a feed whose dates show no publishing pattern."""

MAX_SERVER_WAIT = timedelta(hours=24)
"""The longest max-age, ttl or update period that is obeyed, unless `maximum` is longer.

A max-age of years is a common mistake and would stop a feed (RFC 9111 §4.2.1 allows caches to cap
it).
"""

GONE_PROBE = timedelta(days=30)
"""The interval of a feed that answered 410."""

PUSH_FACTOR = 12
"""Factor by which polls of a feed are rarer while a hub pushes it."""

MAX_DOUBLINGS = 16
JITTER = 0.1
SILENCE_SHARE = 10
RECENT_TIMES = 20
ONE_PUBLICATION = timedelta(minutes=1)
CLOCK_TOLERANCE = timedelta(minutes=1)
FIRST_SPACING, MAX_SPACING, MIN_SPACING = 1.0, 60.0, 0.1
END = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)  # each poll makes one, and a frozen one takes 4 times as long
class ScheduleInputs:
    """Everything that decides a source's next poll.

    Args:
        every: The user's own interval, which may be below `minimum` or above `maximum`.
        minimum, maximum: Bounds of an interval taken from the gap; `maximum` bounds backoff too.
        usual_gap: As `current_gap` returns it.
        lifetime: Freshness left when the last response came, kept across 304s.
        ttl: RSS ttl. update_period: sy:updatePeriod over sy:updateFrequency.
        skip_hours: 0 to 23, GMT. skip_days: 0 is Monday, GMT.
        failures: Consecutive polls that brought no document; 0 after a success.
        gone: The last response was 410.
        gate: Not before this time: a Retry-After that no later response has lifted.
        gate_from: When that Retry-After was received.
        push: A WebSub subscription is verified and its lease has not ended.
        gap_boost: How many times the gap is halved because entries were missed.
    """

    every: timedelta | None = None
    minimum: timedelta = timedelta(minutes=5)
    maximum: timedelta = timedelta(hours=24)
    usual_gap: timedelta | None = None
    lifetime: timedelta | None = None
    ttl: timedelta | None = None
    update_period: timedelta | None = None
    update_base: datetime | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    failures: int = 0
    gone: bool = False
    gate: datetime | None = None
    gate_from: datetime | None = None
    push: bool = False
    gap_boost: int = 0


def next_poll(*, now: datetime, inputs: ScheduleInputs, jitter: float) -> NextPoll:
    """Return when a source is polled next.

    Args:
        now: When the last poll ended.
        inputs: The user's, the feed's and the server's word.
        jitter: Random number from 0 to 1.
    """
    interval, reasons = _interval(inputs)
    wait, why = _wait(interval, inputs, jitter)
    reasons += why
    at = _plus(now, wait)
    for bound, text in _bounds(now, inputs):
        at = max(at, bound)
        reasons.append(text)
    offset = interval * (JITTER * jitter)
    latest = _plus(now, max(inputs.maximum, interval))
    jittered = _plus(at, offset)
    at = jittered if at > latest else min(jittered, latest)
    if inputs.skip_hours or inputs.skip_days:
        at, why = _out_of_skipped(at, inputs, offset)
        reasons += why
    return _plan(at, now, "; ".join(reasons))


def _interval(inputs: ScheduleInputs) -> tuple[timedelta, list[str]]:
    """Return the interval that suits user and feed while all is well."""
    if inputs.every is not None:
        return inputs.every, [f"configured: {_every(inputs.every)}"]
    gap = (inputs.usual_gap or DEFAULT_INTERVAL) / 2**inputs.gap_boost
    interval = min(max(gap, inputs.minimum), inputs.maximum)
    if inputs.usual_gap is None:
        return interval, [f"no publishing pattern yet: {_every(interval)}"]
    reasons = [f"publishes about {_every(inputs.usual_gap)}"]
    if inputs.gap_boost:
        reasons.append(f"entries were missed, so {_every(interval)}")
    elif interval > inputs.usual_gap:
        reasons.append(f"minimum is {format_duration(interval)}")
    elif interval < inputs.usual_gap:
        reasons.append(f"maximum is {format_duration(interval)}")
    return interval, reasons


def _wait(
    interval: timedelta, inputs: ScheduleInputs, jitter: float
) -> tuple[timedelta, list[str]]:
    """Lengthen the interval after failures or a 410, or while a hub pushes."""
    if inputs.gone:
        return GONE_PROBE * (1 - JITTER + 2 * JITTER * jitter), [
            "the server says the feed is gone (410): retried monthly"
        ]
    reasons = []
    if inputs.push:
        interval = max(interval, min(interval * PUSH_FACTOR, inputs.maximum))
        reasons.append("pushed by a hub, so polls are only a backup")
    if inputs.failures:
        # The draw is over the whole range above the interval: feeds that failed together, as
        # when a host was down, must not come back together.
        ceiling = min(interval * 2 ** min(inputs.failures, MAX_DOUBLINGS), inputs.maximum)
        interval += max(ceiling - interval, timedelta(0)) * jitter
        count = "1 failure" if inputs.failures == 1 else f"{inputs.failures} failures in a row"
        reasons.append(f"{count}, retry in {format_duration(interval)}")
    return interval, reasons


def _bounds(now: datetime, inputs: ScheduleInputs) -> Iterator[tuple[datetime, str]]:
    """Yield each time before which server or feed ask us not to poll, and the reason."""
    most = max(inputs.maximum, MAX_SERVER_WAIT)

    def bound(wait: timedelta, text: str) -> tuple[datetime, str]:
        cut = f", capped at {format_duration(most)}" if wait > most else ""
        return _plus(now, min(wait, most)), text + cut

    if inputs.lifetime:
        yield bound(inputs.lifetime, f"server says max-age {inputs.lifetime.total_seconds():.0f}")
    if inputs.ttl:
        yield bound(inputs.ttl, f"feed says ttl {format_duration(inputs.ttl)}")
    if inputs.update_period:
        wait = _until_update(now, inputs.update_period, inputs.update_base)
        yield bound(wait, f"feed says it updates {_every(inputs.update_period)}")
    gate = _gate(now, inputs)
    if gate is not None and gate > now:
        received = f", received {format_time(inputs.gate_from, now)}" if inputs.gate_from else ""
        yield gate, f"not before {format_time(gate, now)} (Retry-After{received})"


def _until_update(now: datetime, period: timedelta, base: datetime | None) -> timedelta:
    """Return the time to the next update of a feed that updates each `period` from `base` on."""
    return period if base is None else period - (now - base) % period


def _gate(now: datetime, inputs: ScheduleInputs) -> datetime | None:
    """Return the gate; one received before the clock was set back starts again now."""
    if (
        inputs.gate is not None
        and inputs.gate_from is not None
        and inputs.gate_from > now + CLOCK_TOLERANCE
    ):
        return _plus(now, inputs.gate - inputs.gate_from)
    return inputs.gate


def _out_of_skipped(
    at: datetime, inputs: ScheduleInputs, offset: timedelta
) -> tuple[datetime, list[str]]:
    """Move `at` out of the hours and days that the feed asks to skip."""
    hours, days = inputs.skip_hours, inputs.skip_days
    reasons = []
    if len(hours) >= 24:
        hours = frozenset()
        reasons.append("skipHours lists every hour: ignored")
    if len(days) >= 7:
        days = frozenset()
        reasons.append("skipDays lists every day: ignored")
    moved = at
    while (moved.hour in hours or moved.weekday() in days) and moved < END:
        moved = _plus(moved.replace(minute=0, second=0, microsecond=0), timedelta(hours=1))
    if moved == at:
        return at, reasons
    reasons.append("moved past the feed's skipHours or skipDays")
    return _plus(moved, min(offset, timedelta(minutes=59))), reasons


class PublicationStats(NamedTuple):
    """The usual `gap` between a feed's publications and the `newest` of them; None if unknown."""

    gap: timedelta | None = None
    newest: datetime | None = None


def publication_stats(published: Sequence[datetime], now: datetime) -> PublicationStats:
    """Return the median of the recent gaps between publications, and the newest of them.

    Entries within a minute of each other count as one, otherwise a feed that writes ten entries a
    night would look like one that publishes every second. Dates in the future are ignored.
    """
    times: list[datetime] = []
    for at in sorted(at for at in published if at <= now):
        if not times or at - times[-1] >= ONE_PUBLICATION:
            times.append(at)
    times = times[-RECENT_TIMES - 1 :]
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    return PublicationStats(
        gap=timedelta(seconds=statistics.median(gaps)) if gaps else None,
        newest=times[-1] if times else None,
    )


def current_gap(stats: PublicationStats, now: datetime) -> timedelta | None:
    """Return how often a feed publishes at present, or None if its dates don't show it.

    A feed that has fallen silent slows down: the gap is at least a tenth of the silence.
    """
    if stats.newest is None:
        return None
    silence = (now - stats.newest) / SILENCE_SHARE
    if stats.gap is None:
        return silence if silence > DEFAULT_INTERVAL else None
    return max(stats.gap, silence)


def spread(*, now: datetime, window: timedelta, jitter: float) -> NextPoll:
    """Return a time within `window` for a source that is overdue at startup.

    Its stored time is past, so every bound is met; without this all would start at once.
    """
    reason = f"overdue at startup, spread over {format_duration(window)}"
    return _plan(_plus(now, window * jitter), now, reason)


def clock_guard(plan: NextPoll, *, planned: datetime, now: datetime) -> NextPoll:
    """Return `plan`, or one that starts now if the clock was set back since it was made.

    The full wait is kept, so no bound is shortened, a Retry-After included: how much of it had
    passed is unknown. Store the result with `now` as its new `planned`, or it is moved again.

    Args:
        plan: The stored plan.
        planned: When it was made.
        now: The present time.
    """
    if planned <= now + CLOCK_TOLERANCE:
        return plan
    at = _plus(now, max(plan.at - planned, timedelta(0)))
    return _plan(at, now, f"the clock was set back; {plan.reason}")


def host_spacing(spacing: float, *, limited: bool, least: float = 0.0) -> float:
    """Return the new minimum time between two requests to a host, in seconds.

    A 429 doubles it; each round without one reduces it by a tenth. Call it once for each round
    that sent requests to the host.

    Args:
        spacing: The present one.
        limited: Whether the host answered 429 in this round.
        least: The configured spacing, a lower bound.
    """
    if limited:
        return max(least, min(max(spacing * 2, FIRST_SPACING), MAX_SPACING))
    eased = spacing * 0.9
    return max(least, eased if eased >= MIN_SPACING else 0.0)


def in_turns(
    due: Sequence[tuple[str, str]], *, room: int, busy: Mapping[str, int], share: int
) -> list[str]:
    """Return the sources to poll now, hosts in turn, so that one with many delays no other.

    Args:
        due: `(source, host)`, longest overdue first.
        room: How many sources to return at most.
        busy: How many polls of each host are in flight.
        share: How many polls of one host may be in flight.
    """
    by_host: dict[str, list[str]] = {}
    for source, host in due:
        by_host.setdefault(host, []).append(source)
    queues = [waiting[: max(0, share - busy.get(host, 0))] for host, waiting in by_host.items()]
    taken: list[str] = []
    for turn in itertools.zip_longest(*queues):
        for source in turn:
            if source is not None:
                if len(taken) >= room:
                    return taken
                taken.append(source)
    return taken


def format_duration(span: timedelta) -> str:
    """Return a span for people, in at most two units: `50 min`, `1 h 30 min`, `3 days`."""
    return _format_seconds(round(span.total_seconds()))


@lru_cache(maxsize=1024)  # each plan names the interval of its source
def _format_seconds(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days >= 2:
        return f"{days} days" + (f" {hours} h" if hours and days < 7 else "")
    parts = ((minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def format_time(at: datetime, now: datetime) -> str:
    """Return a time in UTC as `14:35`, with its date unless that is the date of `now`."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    written = at.isoformat(" ")[:16]  # strftime takes five times as long
    return written[11:] if at.date() == now.date() else written


def _every(span: timedelta) -> str:
    return "hourly" if span == DEFAULT_INTERVAL else f"every {format_duration(span)}"


def _plan(at: datetime, now: datetime, reason: str) -> NextPoll:
    return NextPoll(at=at, reason=f"next {format_time(at, now)}: {reason}")


def _plus(at: datetime, span: timedelta) -> datetime:
    """Return `at` plus `span` in UTC, at most the last day of the calendar: servers do send it."""
    try:
        return at.astimezone(UTC) + span
    except OverflowError:
        return END
