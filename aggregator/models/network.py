"""The state of our own network, as the polls show it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The state of our network.

    Args:
        unreached: Hosts that failed since a batch last reached its hosts.
        last_reached: When a host was last reached, to within half a minute.
        down_since: None while it is up.
        attempts: Rounds of failures since then.
        retry_at: When the next round begins.
    """

    unreached: frozenset[str] = frozenset()
    last_reached: datetime | None = None
    down_since: datetime | None = None
    attempts: int = 0
    retry_at: datetime | None = None
