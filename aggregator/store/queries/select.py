"""Views: the entries that a query selects, read along the index that fits it best."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.models.entry import StoredEntry
from aggregator.models.query import Query, Sort, Stories
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time
from aggregator.store.entries.rows import load_stored
from aggregator.store.queries import conditions
from aggregator.store.queries.conditions import Condition, statement
from aggregator.store.queries.fts import any_term, expression

SEARCH_DEPTH = 2_000
"""Latest matches that a search looks at; older ones need a narrower search."""

LAST_ID = 2**63 - 1
"""No entry has a higher id."""

CURSOR_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z~-?[0-9]{1,19}"
"""Regular expression of cursors as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a list, between two entries; it stays valid when entries are added above."""

    sort_at: datetime
    id: int

    def __str__(self) -> str:
        """Return the form used in URLs."""
        return f"{format_time(self.sort_at)}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Return the cursor of a text that `str` returned.

        Raises:
            ValueError: The text has another form.
        """
        at, _, entry_id = text.partition("~")
        if not re.fullmatch(CURSOR_PATTERN, text) or abs(int(entry_id)) > LAST_ID:
            raise ValueError(text)
        return cls(sort_at=parse_time(at), id=int(entry_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A stretch of a list: so many entries from a place on.

    Args:
        place: None for the top of the list.
        until_id: The highest id in it.
        upwards: Whether it runs from the place to newer entries, the one at the place included.
    """

    limit: int
    place: Cursor | None = None
    until_id: int = LAST_ID
    upwards: bool = False

    def conditions(self, order: str, entry_id: str) -> list[Condition]:
        """Return the condition that a row lies beyond the place, none without a place."""
        if self.place is None:
            return []
        within = conditions.at_or_above if self.upwards else conditions.before
        return [within(order, entry_id, self.place.sort_at, self.place.id)]

    def tail(self, order: str, entry_id: str) -> str:
        """Return the order and the limit of a statement."""
        direction = "asc" if self.upwards else "desc"
        return f"order by {order} {direction}, {entry_id} {direction} limit ?"


@dataclass(frozen=True, slots=True)
class _Driver:
    """The table with the index that gives the order, read as `d`.

    Args:
        meets: The field of the query that it meets, "" for none.
        column: Has one of `values`; without values it is a flag, "" for no condition.
    """

    table: str = "entries"
    meets: str = ""
    column: str = ""
    values: tuple[str, ...] = ()
    order: str = "sort_at"

    @property
    def id(self) -> str:
        """The column with the entry's id."""
        return "d.id" if self.table == "entries" else "d.entry_id"

    @property
    def e(self) -> str:
        """The alias of the row of `entries`."""
        return "d" if self.table == "entries" else "e"

    @property
    def tables(self) -> str:
        """The tables to read."""
        join = "" if self.table == "entries" else " join entries e on e.id = d.entry_id"
        return f"{self.table} d{join}"

    def conditions(self) -> list[Condition]:
        """Return a condition for each value: the driver is read once for each."""
        if not self.column:
            return []
        if not self.values:
            return [Condition(f"d.{self.column}")]
        return [conditions.equals(f"d.{self.column}", value) for value in self.values]


_NO_DRIVER = _Driver()


def select(
    db: Connection, query: Query, *, limit: int, before: Cursor | None = None
) -> list[StoredEntry]:
    """Return the view's entries in its order, from a place on.

    The cost depends on `limit`, not on the number of stored entries, for keys with an index.
    """
    ids = select_ids(db, query, limit=limit, before=before)
    places = ",".join("?" * len(ids))
    rows = db.execute(f"select * from entries where id in ({places})", ids)
    by_id = {row["id"]: row for row in rows}
    return [load_stored(by_id[entry_id]) for entry_id in ids]


def select_ids(
    db: Connection,
    query: Query,
    *,
    limit: int,
    before: Cursor | None = None,
    until_id: int = LAST_ID,
) -> list[int]:
    """Return the ids of the entries that `select` returns.

    Args:
        until_id: The highest id to return.
    """
    return _ids(db, query, _Span(limit=limit, place=before, until_id=until_id))


def newer_ids(db: Connection, query: Query, *, limit: int, since: Cursor) -> list[int]:
    """Return the ids of the entries at and above a place in the view, from the place upwards."""
    return _ids(db, query, _Span(limit=limit, place=since, upwards=True))


def _ids(db: Connection, query: Query, span: _Span) -> list[int]:
    query = _with_variants(db, query)
    if query.q or query.exclude:
        searched = _search(db, query, span)
        if searched is not None:
            return searched
    driver = _driver(query)
    if query.exclude and len(driver.values) > 1:
        driver = _NO_DRIVER  # one walk: each would gather the matches of the excluded words again
    matches: set[tuple[str, int]] = set()
    for condition in driver.conditions() or [Condition("true")]:
        matches |= _walk(db, query, driver, condition, span)
    return [entry_id for _, entry_id in sorted(matches, reverse=not span.upwards)[: span.limit]]


def _driver(query: Query) -> _Driver:
    if query.sort is Sort.UPDATED:
        return _Driver(order="changed")
    if query.source:
        return _Driver(meets="source", column="source_id", values=query.source)
    if query.section:
        return _list_driver("section", query.section)
    if query.category:
        return _list_driver("category", _folded(query.category))
    if query.author:
        return _list_driver("author", _folded(query.author))
    if query.lang:
        return _Driver(meets="lang", column="language", values=query.lang)
    if query.view:
        return _list_driver("view", query.view)
    if query.has in (("audio",), ("priority",), ("video",)):
        return _Driver(meets="has", column=query.has[0])
    return _NO_DRIVER


def _list_driver(noun: str, values: tuple[str, ...]) -> _Driver:
    return _Driver(table=f"entry_{noun}", meets=noun, column=noun, values=values)


def _walk(
    db: Connection,
    query: Query,
    driver: _Driver,
    condition: Condition,
    span: _Span,
) -> set[tuple[str, int]]:
    order = f"d.{driver.order}"
    where = [condition, *_filters(db, query, driver.e, meets=driver.meets)]
    where += span.conditions(order, driver.id)
    if span.until_id != LAST_ID:
        where.append(conditions.until(driver.id, span.until_id))
    where.append(conditions.is_shown(driver.e))
    if is_collapsed(query):
        where.append(conditions.is_first_of_story(driver.id, member_in_view(db, query)))
    rows = db.execute(
        *statement(
            f"{order}, {driver.id}",
            driver.tables,
            where,
            span.tail(order, driver.id),
            span.limit,
        )
    )
    return {(row[0], row[1]) for row in rows}


def is_collapsed(query: Query) -> bool:
    """Return whether a view shows each story once; a view of one source has none."""
    return query.stories is Stories.COLLAPSE and len(query.source) != 1


def member_in_view(db: Connection, query: Query) -> Condition:
    """Return the condition that the entry of the row `m` of `story_members` is in a view."""
    query = _with_variants(db, query)
    where = _filters(db, replace(query, exclude="") if query.exclude else query, "o")
    if query.q:
        where.append(conditions.is_match("o", expression(query.q, query.exclude).match or '""'))
    elif query.exclude and (excluded := any_term(query.exclude)):
        where.append(conditions.negated(conditions.is_match("o", excluded)))
    where += [Condition("o.id = m.entry_id"), conditions.is_shown("o")]
    inner = conditions.all_of(where)
    return Condition(f"exists (select 1 from entries o where {inner.sql})", inner.values)


def contains(db: Connection, query: Query, entry_id: int) -> bool:
    """Return whether a view shows an entry, alone or as a report of a story."""
    query = _with_variants(db, query)
    match = expression(query.q, query.exclude).match
    if query.q and not match:
        return False
    where = [Condition("e.id = ?", (entry_id,)), conditions.is_shown("e")]
    where += _filters(db, replace(query, exclude=""), "e")
    if match:
        where.append(conditions.has_match(entry_id, match))
    elif query.exclude and (excluded := any_term(query.exclude)):
        where.append(conditions.negated(conditions.has_match(entry_id, excluded)))
    return db.execute(*statement("1", "entries e", where, "")).fetchone() is not None


def _filters(db: Connection, query: Query, e: str, *, meets: str = "") -> list[Condition]:
    """Return the conditions of a query's fields but `q` and the one that a driver meets."""
    where: list[Condition] = []
    if query.source and meets != "source":
        where.append(conditions.one_of(f"{e}.source_id", query.source))
    for noun, wanted in (
        ("section", query.section),
        ("category", _folded(query.category)),
        ("author", _folded(query.author)),
        ("view", query.view),
    ):
        if wanted and meets != noun:
            where.append(conditions.is_listed(e, noun, wanted))
    if query.lang and meets != "lang":
        where.append(conditions.one_of(f"{e}.language", query.lang))
    if query.has and meets != "has":
        where.append(conditions.has_kind(e, query.has))
    if query.within is not None:
        raise ValueError("a duration has no beginning yet: call query.at first")
    if query.since is not None:
        where.append(conditions.is_since(e, query.since))
    if query.exclude and (excluded := any_term(query.exclude)):
        where.append(conditions.negated(conditions.is_match(e, excluded)))
    return where


def _search(db: Connection, query: Query, span: _Span) -> list[int] | None:
    match = expression(query.q, query.exclude).match
    if not match:
        return [] if query.q else None
    where = [
        Condition("f.entries_fts match ?", (match,)),
        conditions.is_shown("e"),
        *_filters(db, replace(query, exclude=""), "e"),
    ]
    if span.until_id != LAST_ID:
        where.append(conditions.until("f.rowid", span.until_id))
    order = "changed" if query.sort is Sort.UPDATED else "sort_at"
    hits = statement(
        f"e.id as id, e.{order} as at",
        "entries_fts f join entries e on e.id = f.rowid",
        where,
        "order by f.rowid desc limit ?",
        SEARCH_DEPTH,
    )
    outer = [Condition("true"), *span.conditions("at", "id")]
    if is_collapsed(query):
        member = Condition("m.entry_id in (select id from hits)")
        outer.append(conditions.is_first_of_story("hits.id", member))
    chosen = statement("id", "hits", outer, span.tail("at", "id"), span.limit)
    sql = f"with hits as materialized ({hits.sql}) {chosen.sql}"
    return [row[0] for row in db.execute(sql, [*hits.values, *chosen.values])]


def _with_variants(db: Connection, query: Query) -> Query:
    """Return the query with the stored variants of its languages: en includes en-gb."""
    if not query.lang:
        return query
    # Each step is one index lookup: the cost depends on the number of languages.
    rows = db.execute(
        "with recursive used(tag) as (select min(language) from entries union all"
        " select (select min(language) from entries where language > tag) from used"
        " where tag is not null) select tag from used where tag is not null"
    )
    used = [row[0] for row in rows]
    wanted = [tag for tag in used if any(f"{tag}-".startswith(f"{own}-") for own in query.lang)]
    return replace(query, lang=tuple(wanted) or query.lang)


def _folded(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.casefold() for value in values)


def arrival_ids(
    db: Connection,
    query: Query,
    *,
    after_id: int,
    until_id: int | None = None,
    tail: int = 20_000,
) -> list[int]:
    """Return the ids of the view's entries in order of arrival, after an id; for archives.

    Args:
        until_id: The highest id to return, None for no limit.
        tail: With at most this many rows in between, they are scanned; with more, the query's
            index is read, which is short if so many rows contained so few entries of the view.
    """
    query = _with_variants(db, query)
    match = expression(query.q, query.exclude).match
    if query.q and not match:
        return []
    if until_id is None:
        (until_id,) = db.execute("select coalesce(max(id), 0) from entries").fetchone()
    if match:
        read = _read_search(db, query, match)
    elif until_id - after_id <= tail:
        read = _Read("entries e", "e", _filters(db, query, "e"))
    else:
        read = _read_index(db, query)
    where = [
        *read.where,
        conditions.is_shown(read.e),
        conditions.after(read.id, after_id),
        conditions.until(read.id, until_id),
    ]
    rows = db.execute(*statement(f"distinct {read.id}", read.tables, where, f"order by {read.id}"))
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class _Read:
    """The tables of a statement, the alias of the row of `entries` in them, and conditions."""

    tables: str
    e: str
    where: list[Condition]
    rowid: str = ""

    @property
    def id(self) -> str:
        """The column with the entry's id that an index orders."""
        return self.rowid or f"{self.e}.id"


def _read_search(db: Connection, query: Query, match: str) -> _Read:
    where = [Condition("f.entries_fts match ?", (match,))]
    where += _filters(db, replace(query, exclude=""), "e")
    return _Read("entries_fts f join entries e on e.id = f.rowid", "e", where, "f.rowid")


def _read_index(db: Connection, query: Query) -> _Read:
    driver = _driver(query)
    if not driver.column:  # an index of all, since the rows are much larger
        where = _filters(db, query, "e", meets=driver.meets)
        return _Read("entries e indexed by entries_newest", "e", where)
    where = [conditions.any_of(driver.conditions())]
    where += _filters(db, query, driver.e, meets=driver.meets)
    return _Read(driver.tables, driver.e, where)


def withdrawn(db: Connection, query: Query, limit: int = 100) -> list[tuple[str, datetime]]:
    """Return uri and time of entries that were withdrawn, newest first."""
    where = [Condition("e.withdrawn is not null")]
    if query.source:
        where.append(conditions.one_of("e.source_id", query.source))
    if query.section:
        where.append(conditions.is_in_sections_of_source("e", query.section))
    rows = db.execute(
        *statement(
            "e.uri, e.withdrawn",
            "entries e indexed by entries_withdrawn",
            where,
            "order by e.withdrawn desc, e.id desc limit ?",
            limit,
        )
    )
    return [(row[0], parse_time(row[1])) for row in rows]
