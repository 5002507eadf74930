"""The configured sources as lists show them: filtered, counted, sorted and paged by SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.store.database.connection import Connection

_SHOWN_HEALTH = "case when enabled then health else 'disabled' end"
"""As `SourceState.shown_health`."""

_ORDERS = {
    "health": f"instr(:ranks, ',' || {_SHOWN_HEALTH} || ',')",
    "order": "position",
    "title": "casefold(coalesce(nullif(title, ''), nullif(feed_title, ''), url))",
    "checked": "last_poll_at",
    "changed": "last_change_at",
    "next": "case when enabled then next_poll_at end",
    "entries": "entries",
    "latency": "milliseconds",
}

SORTS = tuple(_ORDERS)
"""The values that sources can be sorted by."""

# The URL is not searched: it may contain a password, which could be guessed letter by letter.
_MATCHES = (
    "configured"
    " and (:text = '' or instr(casefold(id || char(10) || title || char(10)"
    " || coalesce(feed_title, '') || char(10) || host), :text))"
    " and (:section = '' or exists (select 1 from source_sections"
    " where source_id = sources.id and section = :section))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFilter:
    """The sources to list, "" for no condition.

    Args:
        text: Part of the id, title or host, in upper or lower case.
        section: The id of a section.
        health: A health as `SourceState.shown_health` returns it.
    """

    text: str = ""
    section: str = ""
    health: str = ""


def total(db: Connection) -> int:
    """Return how many sources the configuration names."""
    return int(db.execute("select count(*) from sources where configured").fetchone()[0])


def progress(db: Connection) -> tuple[int, int, int]:
    """Return the numbers of enabled sources, of never polled ones, and of failing ones."""
    row: tuple[int, int, int] = db.execute(
        "select count(*), count(*) filter (where health = 'new'),"
        " count(*) filter (where failures > 0) from sources where configured and enabled"
    ).fetchone()
    return row


def counts(db: Connection, wanted: SourceFilter) -> dict[str, int]:
    """Return how many sources match text and section, by health."""
    rows = db.execute(
        f"select {_SHOWN_HEALTH}, count(*) from sources where {_MATCHES} group by 1",
        _values(wanted),
    )
    return {row[0]: row[1] for row in rows}


def ids(
    db: Connection,
    wanted: SourceFilter,
    *,
    sort: str,
    descending: bool,
    ranks: Sequence[str],
    limit: int,
    offset: int,
) -> list[str]:
    """Return a page of the matching sources, in the order of the configuration where equal.

    Args:
        sort: One of `SORTS`. Sources without the value are last; those never polled or never
            changed count as oldest.
        descending: Whether the largest value is first.
        ranks: All states of health, in the order for `sort="health"`.
        limit: The most ids to return.
        offset: How many ids to skip.
    """
    direction = "desc" if descending else "asc"
    nulls = " nulls last" if sort == "next" else ""
    rows = db.execute(
        f"select id from sources where {_MATCHES}"
        f" and (:health = '' or {_SHOWN_HEALTH} = :health)"
        f" order by {_ORDERS[sort]} {direction}{nulls}, position, id limit :limit offset :offset",
        _values(wanted) | {"ranks": f",{','.join(ranks)},", "limit": limit, "offset": offset},
    )
    return [row[0] for row in rows]


def _values(wanted: SourceFilter) -> dict[str, object]:
    return {
        "text": wanted.text.casefold(),
        "section": wanted.section,
        "health": wanted.health,
    }
