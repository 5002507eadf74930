"""Charts of the polls of the site, or of a source, in the last day, month or year."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode

from aggregator.errors import QueryError
from aggregator.models.messages import N_
from aggregator.store.database.connection import Connection
from aggregator.store.sources import poll_history
from aggregator.store.sources.poll_history import PollSums
from aggregator.web.ops.view_models import Chart, History, HistoryRow

PERIODS = ("day", "month", "year")

_STEP, _BAR, _HEIGHT, _BASE = 10, 8, 60, 1
"""Sizes in units of the drawing; the bars stand on a line of `_BASE`, below `_HEIGHT`."""


def of_site(db: Connection, query: Mapping[str, str], now: datetime) -> History:
    """Return the charts of all sources together.

    Args:
        query: The request's parameters; all but `period` are kept in the links.
        now: Within the last bar.

    Raises:
        QueryError: There is no such period.
    """
    starts = _starts(period := _period(query), now)
    if period == "day":
        sums = poll_history.hours_of_site(db, starts)
    else:
        sums = poll_history.days_of_site(db, starts[0].date())
    return draw(sums, starts, period, {key: query[key] for key in query if key != "period"})


def of_source(db: Connection, source_id: str, query: Mapping[str, str], now: datetime) -> History:
    """Return the charts of one source; see `of_site`. The links keep no other parameter."""
    starts = _starts(period := _period(query), now)
    if period == "day":
        sums = poll_history.hours_of_source(db, source_id, starts)
    else:
        sums = poll_history.days_of_source(db, source_id, starts[0].date())
    return draw(sums, starts, period, {})


def _period(query: Mapping[str, str]) -> str:
    period = query.get("period") or PERIODS[0]
    if period not in PERIODS:
        raise QueryError(N_("period must be one of %(values)s", values=", ".join(PERIODS)))
    return period


def _starts(period: str, now: datetime) -> list[datetime]:
    """Return the first moments of 24 hours, 30 days or 53 weeks from Monday, the present last."""
    now = now.astimezone(UTC)
    midnight = datetime.combine(now.date(), time(), UTC)
    last, step, count = {
        "day": (midnight + timedelta(hours=now.hour), timedelta(hours=1), 24),
        "month": (midnight, timedelta(days=1), 30),
        "year": (midnight - timedelta(days=now.weekday()), timedelta(weeks=1), 53),
    }[period]
    return [last - step * back for back in range(count - 1, -1, -1)]


def draw(
    sums: Sequence[PollSums], starts: Sequence[datetime], period: str, kept: Mapping[str, str]
) -> History:
    """Return the charts of sums in spans of time.

    Args:
        sums: From the first span on; spans without any are gaps.
        starts: The first moment of each span, oldest first.
        period: day, month or year.
        kept: Parameters that the links to the other periods repeat.
    """
    rows = tuple(_row(start, parts) for start, parts in _spans(sums, starts))
    return History(
        period=period,
        links=tuple((name, f"?{urlencode({**kept, 'period': name})}#history") for name in PERIODS),
        rows=rows,
        is_empty=not sums,
        charts=(
            _chart_of_sums(N_("Polls"), "", [row.polls for row in rows]),
            _chart_of_sums(N_("Failed polls"), "", [row.failed for row in rows]),
            _chart_of_sums(N_("New entries"), "", [row.new for row in rows]),
            _chart(N_("Response time"), "ms", [row.latency for row in rows], _latency(sums)),
            _chart_of_sums(N_("Received"), "bytes", [row.bytes for row in rows]),
        ),
    )


def _spans(
    sums: Sequence[PollSums], starts: Sequence[datetime]
) -> list[tuple[datetime, list[PollSums]]]:
    ends = [*starts[1:], datetime.max.replace(tzinfo=UTC)]
    return [
        (start, [part for part in sums if start <= part.start < end])
        for start, end in zip(starts, ends, strict=True)
    ]


def _row(start: datetime, parts: Sequence[PollSums]) -> HistoryRow:
    if not parts:
        return HistoryRow(start=start)
    return HistoryRow(
        start=start,
        polls=sum(part.polls for part in parts),
        failed=sum(part.failed for part in parts),
        new=sum(part.new for part in parts),
        latency=_latency(parts),
        # without a part of it, the sum would be too low
        bytes=None if None in [part.bytes for part in parts] else _sum(p.bytes for p in parts),
    )


def _latency(parts: Sequence[PollSums]) -> float | None:
    """Return the mean milliseconds of the polls that were timed."""
    timed = [part for part in parts if part.milliseconds is not None]
    polls = sum(part.polls for part in timed)
    return _sum(part.milliseconds for part in timed) / polls if polls else None


def _sum(values: Iterable[int | None]) -> int:
    return sum(value for value in values if value is not None)


def _chart_of_sums(name: str, unit: str, values: Sequence[int | None]) -> Chart:
    return _chart(name, unit, values, _sum(values))


def _chart(name: str, unit: str, values: Sequence[float | None], total: float | None) -> Chart:
    most = max((known for known in values if known is not None), default=None)
    return Chart(
        name=name,
        unit=unit,
        total=total,
        most=most,
        bars="".join(_bar(at, known, most or 1) for at, known in enumerate(values) if known),
        base="".join(
            f"M{_STEP * at},{_HEIGHT}h{_STEP}v{_BASE}h-{_STEP}z"
            for at, known in enumerate(values)
            if known is not None
        ),
        width=_STEP * len(values),
        height=_HEIGHT + _BASE,
    )


def _bar(at: int, value: float, most: float) -> str:
    """Return the path of a bar; the least value is still seen."""
    height = max(2, _HEIGHT * value / most)
    return f"M{_STEP * at + (_STEP - _BAR) // 2},{_HEIGHT}v-{height:.4g}h{_BAR}V{_HEIGHT}z"
