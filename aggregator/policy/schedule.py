"""When a source is polled next, and why: pure rules on what user, feed and server said.

    wait       the user's `every`, else the feed's rhythm within [minimum, maximum]; longer
               while a hub pushes, doubled with each failure, a month after a 410
    bounds     never before Cache-Control or Expires, ttl, sy:updatePeriod, Retry-After
    jitter     up to 10 % later, so that feeds drift apart
    skipped    out of the hours and days of skipHours and skipDays

Every rule adds its words to the reason, which is stored and shown.
"""

import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aggregator.models.poll import NextPoll

UNKNOWN_RHYTHM = timedelta(hours=1)
"""The interval of a feed whose dates don't tell its rhythm."""

HEEDED = timedelta(hours=24)
"""What a max-age, ttl or update period can ask for at least; above it, `maximum` is the bound.

Years of max-age are common mistakes and would strand a feed (RFC 9111 §4.2.1 lets caches doubt).
"""

GONE_PROBE = timedelta(days=30)
"""How often a feed that answered 410 is asked again."""

PUSH_FACTOR = 12
"""How many times slower a feed is polled while a hub pushes its changes."""

MOST_DOUBLINGS = 16
JITTER = 0.1
SILENCE_SHARE = 10
RECENT_MOMENTS = 20
ONE_PUBLICATION = timedelta(minutes=1)
SLEW = timedelta(minutes=1)
FIRST_SPACING, MOST_SPACING, FORGOTTEN_SPACING = 1.0, 60.0, 0.1
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInputs:
    """All that is known of a source for its next poll.

    Args:
        every: The user's own interval, which may go below `minimum` or above `maximum`.
        minimum, maximum: Bounds of an interval taken from the rhythm; `maximum` bounds backoff too.
        rhythm: As `rhythm()` gives it.
        lifetime: Freshness left at the moment of the last answer, kept across 304s.
        ttl: RSS ttl. update_period: sy:updatePeriod over sy:updateFrequency.
        skip_hours: 0 to 23, GMT. skip_days: 0 is Monday, GMT.
        failures: Polls in a row that brought no document; 0 after a success.
        gone: The last answer was 410.
        gate: Not before this moment: a Retry-After that no later answer has lifted.
        gate_from: When that Retry-After was given.
        push: A WebSub subscription is verified and its lease runs.
        hurry: How many times the rhythm is halved, since entries were missed.
    """

    every: timedelta | None = None
    minimum: timedelta = timedelta(minutes=5)
    maximum: timedelta = timedelta(hours=24)
    rhythm: timedelta | None = None
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
    hurry: int = 0


def next_poll(*, now: datetime, facts: ScheduleInputs, jitter: float) -> NextPoll:
    """Decide when a source is polled next.

    Args:
        now: The moment of the poll that just ended.
        facts: What the user, the feed and the server said.
        jitter: 0 to 1, drawn by the caller.
    """
    interval, reasons = _interval(facts)
    wait, why = _wait(interval, facts, jitter)
    reasons += why
    at = _plus(now, wait)
    for bound, text in _bounds(now, facts):
        at = max(at, bound)
        reasons.append(text)
    slack = interval * JITTER
    latest = _plus(now, max(facts.maximum, interval))
    jittered = _plus(at, slack * jitter)
    at = jittered if at > latest else min(jittered, latest)
    at, why = _out_of_skipped(at, facts, slack * jitter)
    reasons += why
    return _plan(at, now, "; ".join(reasons))


def _interval(facts: ScheduleInputs) -> tuple[timedelta, list[str]]:
    """Choose the interval that suits user and feed while all is well."""
    if facts.every is not None:
        return facts.every, [f"you ask for every {duration(facts.every)}"]
    rhythm = (facts.rhythm or UNKNOWN_RHYTHM) / 2**facts.hurry
    interval = min(max(rhythm, facts.minimum), facts.maximum)
    if facts.rhythm is None:
        return interval, [f"its rhythm is not known yet, so every {duration(interval)}"]
    reasons = [f"publishes about every {duration(facts.rhythm)}"]
    if facts.hurry:
        reasons.append(f"entries were missed, so every {duration(interval)}")
    elif interval > facts.rhythm:
        reasons.append(f"your minimum is {duration(interval)}")
    elif interval < facts.rhythm:
        reasons.append(f"your maximum is {duration(interval)}")
    return interval, reasons


def _wait(interval: timedelta, facts: ScheduleInputs, jitter: float) -> tuple[timedelta, list[str]]:
    """Stretch the interval for failures, a hub or a 410."""
    if facts.gone:
        return GONE_PROBE * (1 - JITTER + 2 * JITTER * jitter), [
            "the server says that it is gone (410), asked again once a month"
        ]
    reasons = []
    if facts.push:
        interval = max(interval, min(interval * PUSH_FACTOR, facts.maximum))
        reasons.append("its hub pushes, so polls are only a backup")
    if facts.failures:
        # The draw is over the whole range above the interval: feeds that failed together, as
        # when a host was down, must not come back together.
        ceiling = min(interval * 2 ** min(facts.failures, MOST_DOUBLINGS), facts.maximum)
        interval += max(ceiling - interval, timedelta(0)) * jitter
        times = "once" if facts.failures == 1 else f"{facts.failures} times in a row"
        reasons.append(f"failed {times}, so it waits {duration(interval)}")
    return interval, reasons


def _bounds(now: datetime, facts: ScheduleInputs) -> Iterator[tuple[datetime, str]]:
    """Each moment that the server or the feed asks us to wait for, with its words."""
    most = max(facts.maximum, HEEDED)

    def bound(asked: timedelta, text: str) -> tuple[datetime, str]:
        cut = f", heeded up to {duration(most)}" if asked > most else ""
        return _plus(now, min(asked, most)), text + cut

    if facts.lifetime:
        yield bound(facts.lifetime, f"server says max-age {facts.lifetime.total_seconds():.0f}")
    if facts.ttl:
        yield bound(facts.ttl, f"feed says ttl {duration(facts.ttl)}")
    if facts.update_period:
        wait = _until_update(now, facts.update_period, facts.update_base)
        yield bound(wait, f"feed says that it updates every {duration(facts.update_period)}")
    gate = _gate(now, facts)
    if gate is not None and gate > now:
        given = f" from {moment(facts.gate_from, now)}" if facts.gate_from else ""
        yield gate, f"not before {moment(gate, now)} because of Retry-After{given}"


def _until_update(now: datetime, period: timedelta, base: datetime | None) -> timedelta:
    """Time to the next update of a feed that updates each `period`, counted from `base`."""
    return period if base is None else period - (now - base) % period


def _gate(now: datetime, facts: ScheduleInputs) -> datetime | None:
    """Find the gate; one given in our future, before the clock was set back, starts anew."""
    if facts.gate is not None and facts.gate_from is not None and facts.gate_from > now + SLEW:
        return _plus(now, facts.gate - facts.gate_from)
    return facts.gate


def _out_of_skipped(
    at: datetime, facts: ScheduleInputs, offset: timedelta
) -> tuple[datetime, list[str]]:
    """Move `at` out of the hours and days that the feed asks to skip."""
    hours, days = facts.skip_hours, facts.skip_days
    reasons = []
    if len(hours) >= 24:
        hours = frozenset()
        reasons.append("its skipHours name every hour and are ignored")
    if len(days) >= 7:
        days = frozenset()
        reasons.append("its skipDays name every day and are ignored")
    moved = at
    while (moved.hour in hours or moved.weekday() in days) and moved < END:
        moved = _plus(moved.replace(minute=0, second=0, microsecond=0), timedelta(hours=1))
    if moved == at:
        return at, reasons
    reasons.append("moved out of the feed's skipHours or skipDays")
    return _plus(moved, min(offset, timedelta(minutes=59))), reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationStats:
    """What a feed's dates tell: the usual `gap` between publications, and the `newest` of them.

    None where there are too few.
    """

    gap: timedelta | None = None
    newest: datetime | None = None


def pace(published: Sequence[datetime], now: datetime) -> PublicationStats:
    """Return what dates tell; it holds until there are others.

    The median of the recent gaps between publications; entries within a minute of each other
    count as one, else a feed that writes ten entries a night would look like one of seconds.
    """
    moments: list[datetime] = []
    for at in sorted(at for at in published if at <= now):
        if not moments or at - moments[-1] >= ONE_PUBLICATION:
            moments.append(at)
    moments = moments[-RECENT_MOMENTS - 1 :]
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]
    return PublicationStats(
        gap=timedelta(seconds=statistics.median(gaps)) if gaps else None,
        newest=moments[-1] if moments else None,
    )


def rhythm(pace: PublicationStats, now: datetime) -> timedelta | None:
    """Return how often a feed publishes, or None when its dates don't tell.

    A feed that has fallen silent slows down: it is at least a tenth of the silence.
    """
    if pace.newest is None:
        return None
    silence = (now - pace.newest) / SILENCE_SHARE
    if pace.gap is None:
        return silence if silence > UNKNOWN_RHYTHM else None
    return max(pace.gap, silence)


def spread(*, now: datetime, window: timedelta, jitter: float) -> NextPoll:
    """Return a moment within `window` for a source found overdue at start-up.

    Its stored time is past, so every bound is met; without this all would start at once.
    """
    words = f"was overdue at start-up, spread over {duration(window)}"
    return _plan(_plus(now, window * jitter), now, words)


def clock_guard(plan: NextPoll, *, planned: datetime, now: datetime) -> NextPoll:
    """Return `plan`, or one from now when the clock was set back since it was made.

    The wait is kept, so no bound is shortened, a Retry-After included: how much of it had passed
    can't be known. Store the result with `now` as its new `planned`, else it is moved again.

    Args:
        plan: As stored.
        planned: When it was made.
        now: The present moment.
    """
    if planned <= now + SLEW:
        return plan
    at = _plus(now, max(plan.at - planned, timedelta(0)))
    return _plan(at, now, f"the clock was set back; {plan.reason}")


def host_spacing(spacing: float, *, limited: bool, least: float = 0.0) -> float:
    """Return the new least time between two requests to a host, in seconds.

    Doubled by a 429 and slowly taken back; call it once for each round that asked the host.

    Args:
        spacing: The present one.
        limited: Whether the host answered 429 in this round.
        least: The configured spacing, never gone below.
    """
    if limited:
        return max(least, min(max(spacing * 2, FIRST_SPACING), MOST_SPACING))
    eased = spacing * 0.9
    return max(least, eased if eased >= FORGOTTEN_SPACING else 0.0)


def in_turns(
    due: Sequence[tuple[str, str]], *, room: int, busy: Mapping[str, int], share: int
) -> list[str]:
    """Choose which sources to take now, hosts in turn, so that none with many starves others.

    Args:
        due: `(source, host)`, longest overdue first.
        room: How many may be taken.
        busy: How many of a host are under way already.
        share: How many of one host may be under way at most.
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


def duration(span: timedelta) -> str:
    """Return a span in words of at most two units: `50 min`, `1 h 30 min`, `3 days`."""
    seconds = round(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days >= 2:
        return f"{days} days" + (f" {hours} h" if hours and days < 7 else "")
    parts = ((minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def moment(at: datetime, now: datetime) -> str:
    """Return a moment in UTC as `14:35`, with its date when that is not the day of `now`."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    written = at.isoformat(" ")[:16]  # strftime takes five times as long
    return written[11:] if at.date() == now.date() else written


def _plan(at: datetime, now: datetime, words: str) -> NextPoll:
    return NextPoll(at=at, reason=f"next {moment(at, now)}: {words}")


def _plus(at: datetime, span: timedelta) -> datetime:
    """`at` plus `span` in UTC, ending with the calendar: servers do say 31 Dec 9999."""
    at = at.astimezone(UTC)
    return END if span > END - at else at + span
