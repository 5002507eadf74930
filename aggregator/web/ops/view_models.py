"""View models of the pages for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.store.database.disk import DiskUsage
from aggregator.store.sources.incidents import Incident
from aggregator.store.sources.poll_log import HostRow, PollRow, Totals
from aggregator.store.sources.source_list import SourceFilter
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub.delivery_log import Delivery
from aggregator.store.websub.subscribers import Subscriber
from aggregator.store.websub.subscriptions import Subscription
from aggregator.web.pages.view_models import Day, Head, Sparkline


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """The polls of an hour, a day or a week; None stands for none, or not recorded.

    Args:
        start: Its first moment (UTC).
        latency: Mean milliseconds of a response.
        bytes: Received on the wire.
    """

    start: datetime
    polls: int | None = None
    failed: int | None = None
    new: int | None = None
    latency: float | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A bar chart of one value over time.

    Args:
        unit: "", ms or bytes.
        total: The sum of the values; of milliseconds, the mean of all polls.
        most: The greatest value, as high as the drawing; None if no value is known.
        bars: SVG path of the bars.
        base: SVG path of the line below each known value; where it is interrupted, none is.
    """

    name: str
    unit: str
    total: float | None
    most: float | None
    bars: str
    base: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Charts of the polls in a period, and their values as a table.

    Args:
        period: day, month or year.
        links: Name and relative reference of each period.
        rows: One for each bar, oldest first.
        is_empty: Whether the period has no poll.
    """

    period: str
    links: tuple[tuple[str, str], ...]
    rows: tuple[HistoryRow, ...]
    charts: tuple[Chart, ...]
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source on the status page."""

    state: SourceState
    health: str
    sparkline: Sparkline


@dataclass(frozen=True, slots=True, kw_only=True)
class SortLink:
    """The head of a column of the status page.

    Args:
        name: The order, "" for a column that can't be sorted.
        address: The page in the order that a click asks for.
        next_order: That order in words.
        direction: "ascending" or "descending" if the table is sorted by this column, else "".
    """

    name: str
    label: str
    address: str = ""
    next_order: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """The running program and its disk.

    Args:
        web_since, scheduler_since: When this web process and the scheduler started; None if the
            scheduler is not running.
        disk: Sizes, up to a minute old.
    """

    version: str
    web_since: datetime
    scheduler_since: datetime | None
    disk: DiskUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The status page.

    Args:
        rows: The requested page of sources; with `folds_healthy`, only the unhealthy ones.
        healthy: With `folds_healthy`, the other sources of the page, which small screens fold.
        counts: Number of sources by health that match the other filters.
        matching: Number of sources that match all filters.
        total: Number of configured sources.
        columns: The heads of the table.
        sorts: The orders to choose from, as `(value, label)`.
        previous, next: Addresses of the neighbouring pages, "" for none.
        csv: The addresses of the same sources as CSV, in parts if there are many.
        is_alive: Whether the scheduler reported within the last minute.
        tick: When the scheduler last reported.
        unavailable_reason: Why a running scheduler can't poll, "" if it can.
        insecure: Ids of the sources whose certificates are not checked.
    """

    head: Head
    rows: tuple[SourceRow, ...]
    healthy: tuple[SourceRow, ...]
    folds_healthy: bool
    counts: Sequence[tuple[str, int]]
    matching: int
    total: int
    wanted: SourceFilter
    sort: str
    is_filtered: bool
    unfiltered: str
    columns: tuple[SortLink, ...]
    sorts: Sequence[tuple[str, str]]
    page: int
    pages: int
    previous: str
    next: str
    csv: tuple[str, ...]
    totals: Totals
    polls_per_minute: float
    entries: int
    service: ServiceFacts
    is_alive: bool
    tick: datetime | None
    insecure: tuple[str, ...]
    config_error: str
    unavailable_reason: str
    history: History
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsPage:
    """Requests by host."""

    head: Head
    rows: tuple[HostRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSubPage:
    """WebSub in both directions.

    Args:
        disabled_reason: Why no hub is asked to push, "" if hubs are asked.
        hub: The hub that our feeds name, "" for none.
        total: Number of subscribers, of which `subscribers` are the first.
    """

    head: Head
    disabled_reason: str
    hub: str
    subscriptions: tuple[Subscription, ...]
    subscribers: tuple[Subscriber, ...]
    total: int
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """The page of a source.

    Args:
        yaml: The source as configured, "" if it was removed from the configuration.
        line: Its line in the configuration file.
        poll_requested: Whether the reader has just pressed "Poll now".
        push: The state of its WebSub subscription.
    """

    head: Head
    state: SourceState
    yaml: str
    line: int
    url: str
    polls: tuple[PollRow, ...]
    sparkline: Sparkline
    history: History
    days: tuple[Day, ...]
    newer_path: str
    next_path: str
    incidents: tuple[Incident, ...]
    poll_requested: bool = False
    push: str = ""
