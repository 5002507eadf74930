"""The query parameters of the status page: filters, order and page; pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aggregator.errors import QueryError
from aggregator.models.messages import N_
from aggregator.models.numbers import parse_number
from aggregator.policy.health import HEALTHS
from aggregator.store.sources.source_list import SourceFilter
from aggregator.web.ops.view_models import SortLink

ALL = SourceFilter()

MAX_TEXT = 200
"""Characters of the text to search for."""

DEFAULT_SORT = "health"

SORTS = {
    "health": (N_("unhealthy first"), N_("healthy first")),
    "order": (N_("as configured"), N_("as configured, last first")),
    "title": (N_("by name"), N_("by name, Z first")),
    "checked": (N_("last polled"), N_("longest not polled")),
    "changed": (N_("last changed"), N_("longest unchanged")),
    "next": (N_("next poll"), N_("latest next poll")),
    "entries": (N_("most entries"), N_("fewest entries")),
    "latency": (N_("slowest"), N_("fastest")),
}
"""The orders, each with the label of the order and of its reverse (`-` before the name)."""

DESCENDING = frozenset({"checked", "changed", "entries", "latency"})
"""The orders that begin with the largest value."""

COLUMNS = (
    ("title", N_("Source")),
    ("health", N_("Health")),
    ("checked", N_("Last poll")),
    ("changed", N_("Last change")),
    ("next", N_("Next poll")),
    ("entries", N_("Entries")),
    ("", N_("14 days")),
    ("latency", "ms"),
)
"""The columns of the table, each with its order, "" for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuery:
    """A request for a part of the table.

    Args:
        sort: A name of `SORTS`, with `-` before it for the reverse.
        page: The page, from 1.
        period: Of the charts, "" for the default.
    """

    wanted: SourceFilter = ALL
    sort: str = DEFAULT_SORT
    page: int = 1
    period: str = ""

    @property
    def order(self) -> str:
        """The name of the order, without a direction."""
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Whether the largest value comes first."""
        return (self.order in DESCENDING) != self.sort.startswith("-")

    @property
    def is_filtered(self) -> bool:
        """Whether not all sources are requested."""
        return self.wanted != ALL

    @property
    def folds_healthy(self) -> bool:
        """Whether small screens fold healthy sources: not if they were asked for."""
        return self.sort == DEFAULT_SORT and not (self.wanted.text or self.wanted.health)

    def address(self, path: str, *, sort: str = "", page: int = 1) -> str:
        """Return a path with these parameters, those that have their default left out.

        Args:
            path: The path.
            sort: Another order, "" for this one.
            page: The page.
        """
        sort = sort or self.sort
        parameters = {
            "text": self.wanted.text,
            "section": self.wanted.section,
            "health": self.wanted.health,
            "sort": "" if sort == DEFAULT_SORT else sort,
            "period": self.period,
            "page": "" if page == 1 else str(page),
        }
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{path}?{query}" if query else path


def parse(parameters: Mapping[str, str], sections: Collection[str]) -> StatusQuery:
    """Return the query of a request; unknown parameters are ignored.

    Args:
        parameters: The first value of each parameter.
        sections: The ids of the configured sections.

    Raises:
        QueryError: A value is not allowed.
    """
    text = " ".join(parameters.get("text", "").split())
    if len(text) > MAX_TEXT:
        raise QueryError(N_("text must have at most %(most)s characters", most=MAX_TEXT))
    section = parameters.get("section", "")
    if section and section not in sections:
        raise QueryError(N_("there is no section “%(id)s”", id=section[:MAX_TEXT]))
    health = parameters.get("health", "")
    if health and health not in HEALTHS:
        raise QueryError(N_("health must be one of %(values)s", values=", ".join(HEALTHS)))
    sort = parameters.get("sort", "") or DEFAULT_SORT
    if sort.removeprefix("-") not in SORTS:
        raise QueryError(
            N_(
                "sort must be one of %(values)s, or one of these after - for the reverse",
                values=", ".join(SORTS),
            )
        )
    page = parse_number(parameters.get("page", "") or "1", least=1, most=999_999)
    if page is None:
        raise QueryError(N_("page must be a number, 1 or more"))
    wanted = SourceFilter(text=text, section=section, health=health)
    period = parameters.get("period", "")
    return StatusQuery(wanted=wanted, sort=sort, page=page, period=period)


def sort_options(query: StatusQuery) -> tuple[tuple[str, str], ...]:
    """Return the orders to choose from as `(value, label)`: all, and a reverse one in force."""
    options = [(name, labels[0]) for name, labels in SORTS.items()]
    if query.sort.startswith("-"):
        options.append((query.sort, SORTS[query.order][1]))
    return tuple(options)


def sort_links(query: StatusQuery, path: str) -> tuple[SortLink, ...]:
    """Return the heads of the columns; the one in force links to its reverse."""
    return tuple(_sort_link(query, path, name, label) for name, label in COLUMNS)


def _sort_link(query: StatusQuery, path: str, name: str, label: str) -> SortLink:
    if not name:
        return SortLink(name=name, label=label)
    is_current = query.order == name
    reverse = is_current and not query.sort.startswith("-")
    direction = "descending" if query.descending else "ascending"
    return SortLink(
        name=name,
        label=label,
        address=query.address(path, sort=f"-{name}" if reverse else name),
        next_order=SORTS[name][reverse],
        direction=direction if is_current else "",
    )
