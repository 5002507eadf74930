"""An HTTP request that WebSub has to make, and the write that follows its outcome."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aggregator.models.poll import FetchOutcome, Request
from aggregator.store.database.connection import Connection

Settle = Callable[[Connection, FetchOutcome, datetime], None]


class TaskKind(StrEnum):
    """The purpose of an outbound request."""

    SUBSCRIBE = "subscribe"
    VERIFY = "verify"
    DELIVER = "deliver"
    PING = "ping"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """A request to send; `settle` stores its outcome in the worker's transaction.

    Args:
        row: The row it is made for: a pending subscription (VERIFY) or a subscriber (DELIVER);
            0 for other kinds. No two requests of one kind and row are in flight together.
    """

    kind: TaskKind
    row: int = 0
    request: Request
    settle: Settle = field(repr=False)
