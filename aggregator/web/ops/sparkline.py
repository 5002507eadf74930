"""Sparklines: the new entries of a source, day by day; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aggregator.models.messages import N_
from aggregator.store.sources.poll_log import DayCounts
from aggregator.web.ops.view_models import Sparkline

DAYS = 14
SPAN = timedelta(days=DAYS - 1)
_BAR, _STEP, _HEIGHT = 5, 6, 20


def draw(days: Sequence[DayCounts], now: datetime) -> Sparkline:
    """Return the chart of a source's new entries in the last `DAYS` days.

    Args:
        days: The log of the source; days without polls may be missing.
        now: The last day of the chart.
    """
    new = {day.day: day.new for day in days}
    dates = [now.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    values = [new.get(date, 0) for date in dates]
    scale = (_HEIGHT - 2) / max(*values, 1)
    bars = (
        f"M{_STEP * at},{_HEIGHT}v-{1 + scale * value:.4g}h{_BAR}V{_HEIGHT}z"
        for at, value in enumerate(values)
    )
    return Sparkline(
        path="".join(bars),
        width=_STEP * DAYS,
        label=N_(
            "%(new)s new in %(days)s days, %(today)s today, at most %(most)s a day",
            new=sum(values),
            days=DAYS,
            today=values[-1],
            most=max(values),
        ),
    )
