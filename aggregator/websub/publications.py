"""The topics that our hub publishes, provided by the web.

The scheduler's process renders topics with the functions that answer a GET. It does not request
them from its own web server, which may run on another machine, behind a proxy or a password, and
up to 0.2 seconds behind the database.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from aggregator.models.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A topic as a GET returns it; `versions` maps the scopes it depends on to their versions."""

    body: bytes = field(repr=False)
    content_type: str
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publications:
    """Functions of the web that our hub calls.

    Args:
        render: Returns the topic of a URL, None when there is none.
        touched: Returns the URLs of all topics that depend on the given scopes.
    """

    render: Callable[[str, Config], Rendered | None]
    touched: Callable[[Collection[str], Config], list[str]]
