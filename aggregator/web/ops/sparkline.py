"""Sparklines: the new entries of a source, day by day; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aggregator.models.messages import N_
from aggregator.store.sources.poll_log import DayCounts
from aggregator.web.pages import bars
from aggregator.web.pages.view_models import Sparkline

DAYS = 14
SPAN = timedelta(days=DAYS - 1)


def draw(days: Sequence[DayCounts], now: datetime) -> Sparkline:
    """Return the chart of a source's new entries in the last `DAYS` days.

    Args:
        days: The log of the source; days without polls may be missing.
        now: The last day of the chart.
    """
    new = {day.day: day.new for day in days}
    dates = [now.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    values = [new.get(date, 0) for date in dates]
    return bars.draw(
        values,
        N_(
            "%(new)s new in %(days)s days, %(today)s today, at most %(most)s a day",
            new=sum(values),
            days=DAYS,
            today=values[-1],
            most=max(values),
        ),
    )
