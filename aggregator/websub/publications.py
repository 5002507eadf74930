"""What our hub needs to know of our feeds; given by the web, where feeds are made.

The scheduler's process renders by the very functions that answer a GET, and does not ask its own
web server: that may be on another machine, behind a proxy or a password, and up to a fifth of a
second behind the database.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from aggregator.models.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A topic as a GET returns it now; `versions` of the scopes of change it was made from."""

    body: bytes = field(repr=False)
    content_type: str
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publications:
    """What we publish, as the web knows it.

    Args:
        render: Returns a topic, None when there is none of that URL.
        touched: Returns the URLs of all topics that the scopes of change belong to.
    """

    render: Callable[[str, Config], Rendered | None]
    touched: Callable[[Collection[str], Config], list[str]]
