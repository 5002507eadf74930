"""A request that somebody must make, and what is written down when its answer has come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aggregator.models.poll import FetchOutcome, Request
from aggregator.store.database.connection import Connection

Settle = Callable[[Connection, FetchOutcome, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """A request to be made; `settle` writes its outcome down in a transaction of the courier's.

    Args:
        key: No two with the same key are under way at once.
    """

    key: str
    request: Request
    settle: Settle = field(repr=False)
