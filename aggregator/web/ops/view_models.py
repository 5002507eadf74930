"""View models of the pages for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.store.sources.incidents import Incident
from aggregator.store.sources.poll_log import HostRow, PollRow, Totals
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub.delivery_log import Delivery
from aggregator.store.websub.subscribers import Subscriber
from aggregator.store.websub.subscriptions import Subscription
from aggregator.web.pages.view_models import Day, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A small bar chart with one value a day: an SVG path, and a label that says the same."""

    path: str
    width: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source on the status page."""

    state: SourceState
    health: str
    sparkline: Sparkline


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The status page.

    Args:
        counts: Number of sources by health.
        health: The requested filter, "" for all sources.
        sort: The requested order.
        is_alive: Whether the scheduler reported within the last minute.
        tick: When the scheduler last reported.
        unavailable_reason: Why a running scheduler can't poll, "" if it can.
    """

    head: Head
    rows: tuple[SourceRow, ...]
    counts: Sequence[tuple[str, int]]
    totals: Totals
    polls_per_minute: float
    entries: int
    health: str
    sort: str
    page: int
    pages: int
    is_alive: bool
    tick: datetime | None
    config_error: str
    unavailable_reason: str
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
    days: tuple[Day, ...]
    next_path: str
    incidents: tuple[Incident, ...]
    poll_requested: bool = False
    push: str = ""
