"""Views: what a query selects, read along the index that fits it best."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aggregator.models.entry import StoredEntry
from aggregator.models.query import Query, Sort, Stories
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time
from aggregator.store.entries.rows import load_stored
from aggregator.store.queries.fts import expression

SEARCH_DEPTH = 2_000
"""A search looks at this many of the latest matches; beyond, it should be narrowed."""

LAST_ID = 2**63 - 1
"""No entry has a higher id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a list, between two entries; it holds when entries are added above it."""

    sort_at: datetime
    id: int

    def __str__(self) -> str:
        """Return the form used in URLs."""
        return f"{format_time(self.sort_at)}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Return the place that `str` made into text.

        Raises:
            ValueError: when the text is of another form.
        """
        at, _, entry_id = text.partition("~")
        try:
            moment = datetime.strptime(at, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
        except OverflowError as error:
            raise ValueError(text) from error
        if abs(int(entry_id)) > LAST_ID:
            raise ValueError(text)
        return cls(sort_at=moment, id=int(entry_id))


@dataclass(frozen=True, slots=True)
class _Driver:
    """The table whose index gives the order: alias `d`, with `sort_at` and the entry's id."""

    table: str
    condition: str
    values: tuple[str, ...]
    id: str = "entry_id"
    order: str = "sort_at"


_ROWS = _Driver("entries", "", (), id="id")


def select(
    db: Connection, query: Query, *, limit: int, before: Cursor | None = None
) -> list[StoredEntry]:
    """Return the view's entries in its order, from a place on.

    The cost follows `limit` and not what is stored, where the keys of the query have an index.
    """
    ids = select_ids(db, query, limit=limit, before=before)
    places = ",".join("?" * len(ids))
    rows = db.execute(f"select * from entries where id in ({places})", ids)
    found = {row["id"]: row for row in rows}
    return [load_stored(found[entry_id]) for entry_id in ids]


def select_ids(
    db: Connection,
    query: Query,
    *,
    limit: int,
    before: Cursor | None = None,
    until_id: int = LAST_ID,
) -> list[int]:
    """Return the ids that `select` would read, of entries that came no later than one of them."""
    query = _with_variants(db, query)
    if query.q or query.exclude:
        searched = _search(db, query, limit, before, until_id)
        if searched is not None:
            return searched
    parts: list[tuple[str, int]] = []
    driver = _driver(query)
    for value in driver.values or ("",):
        parts.extend(_walk(db, query, driver, value, limit, before, until_id))
    ordered = sorted(set(parts), reverse=True)[:limit]
    return [entry_id for _, entry_id in ordered]


def _driver(query: Query) -> _Driver:
    if query.sort is Sort.UPDATED:
        return _Driver("entries", "", (), id="id", order="changed")
    if query.source:
        return _Driver("entries", "d.source_id = ?", query.source, id="id")
    if query.section:
        return _Driver("entry_section", "d.section = ?", query.section)
    if query.category:
        return _Driver("entry_category", "d.category = ?", _folded(query.category))
    if query.author:
        return _Driver("entry_author", "d.author = ?", _folded(query.author))
    if query.lang:
        return _Driver("entries", "d.language = ?", query.lang, id="id")
    if query.view:
        return _Driver("entry_view", "d.view = ?", query.view)
    if query.has in (("audio",), ("priority",), ("video",)):
        return _Driver("entries", f"d.{query.has[0]}", (), id="id")
    return _Driver("entries", "", (), id="id")


def _walk(
    db: Connection,
    query: Query,
    driver: _Driver,
    value: str,
    limit: int,
    before: Cursor | None,
    until_id: int,
) -> list[tuple[str, int]]:
    where, values = _filters(db, query, driver)
    if driver.condition:
        where.append(driver.condition)
        if value:
            values.append(value)
    if before is not None:
        where.append(f"(d.{driver.order}, d.{driver.id}) < (?, ?)")
        values += [format_time(before.sort_at), before.id]
    if until_id != LAST_ID:
        where.append(f"d.{driver.id} <= ?")
        values.append(until_id)
    join = "" if driver.table == "entries" else f" join entries e on e.id = d.{driver.id}"
    e = "d" if driver.table == "entries" else "e"
    where.append(f"{e}.hidden is null")
    if is_collapsed(query):
        member, more = of_view(db, query)
        where.append(
            "not exists (select 1 from story_members s join story_members m"
            " on m.story_id = s.story_id and m.entry_id < s.entry_id"
            f" where s.entry_id = d.{driver.id} and {member})"
        )
        values += more
    sql = (
        f"select d.{driver.order}, d.{driver.id} from {driver.table} d{join}"
        f" where {' and '.join(where).replace('@', e)}"
        f" order by d.{driver.order} desc, d.{driver.id} desc limit ?"
    )
    return [(row[0], row[1]) for row in db.execute(sql, [*values, limit])]


def is_collapsed(query: Query) -> bool:
    """Whether a view shows stories once; a source by itself has none."""
    return query.stories is Stories.COLLAPSE and len(query.source) != 1


def of_view(db: Connection, query: Query) -> tuple[str, list[object]]:
    """Return the condition that the entry of a story's member `m` is in a view."""
    query = _with_variants(db, query)
    where, values = _filters(db, query, None)
    # By each row's id: as a set, the matches of a common word would all be gathered first.
    matching = "exists (select 1 from entries_fts f where f.entries_fts match ? and f.rowid = @.id)"
    if query.q:
        where.append(matching)
        values.append(expression(query.q, query.exclude).match or '""')
    elif unwanted := expression(query.exclude).match:
        where.append(f"not {matching}")
        values.append(unwanted.replace(" AND ", " OR "))
    where += ["@.id = m.entry_id", "@.hidden is null"]
    conditions = " and ".join(where).replace("@", "o")
    return f"exists (select 1 from entries o where {conditions})", values


def _filters(
    db: Connection, query: Query, driver: _Driver | None
) -> tuple[list[str], list[object]]:
    """Return the conditions that the driver does not meet; `@` stands for the entries row."""
    where: list[str] = []
    values: list[object] = []
    used = driver.condition if driver else ""
    if query.source and "source_id" not in used:
        _one_of(where, values, "@.source_id in ({})", query.source)
    for column, wanted in (
        ("section", query.section),
        ("category", _folded(query.category)),
        ("author", _folded(query.author)),
        ("view", query.view),
    ):
        if wanted and f"d.{column} " not in used:
            _one_of(
                where,
                values,
                f"exists (select 1 from entry_{column} x where x.entry_id = @.id"
                f" and x.{column} in ({{}}))",
                wanted,
            )
    if query.lang and "language" not in used:
        _one_of(where, values, "@.language in ({})", query.lang)
    if query.has:
        columns = {kind: kind for kind in query.has} | {"image": "picture"}
        where.append("(" + " or ".join(f"@.{columns[kind]}" for kind in query.has) + ")")
    since = _since(db, query)
    if since:
        where.append("@.sort_at >= ?")
        values.append(format_time(since))
    if query.exclude and driver is not None:
        match = expression(query.exclude).match
        if match:
            where.append("@.id not in (select rowid from entries_fts where entries_fts match ?)")
            values.append(match.replace(" AND ", " OR "))
    return where, values


def _one_of(where: list[str], values: list[object], form: str, wanted: Iterable[str]) -> None:
    wanted = list(wanted)
    where.append(form.format(",".join("?" * len(wanted))))
    values += wanted


def _since(db: Connection, query: Query) -> datetime | None:
    if query.within is None:
        return query.since
    # Counted from the newest entry and not from the clock, so that the same database gives the
    # same view.
    newest = db.execute("select max(sort_at) from entries where hidden is null").fetchone()[0]
    return parse_time(newest) - query.within if newest else None


def _search(
    db: Connection, query: Query, limit: int, before: Cursor | None, until_id: int
) -> list[int] | None:
    match = expression(query.q, query.exclude).match
    if not match:
        return [] if query.q else None
    where, values = _filters(db, query, None)
    if until_id != LAST_ID:
        where.append("f.rowid <= ?")
        values.append(until_id)
    conditions = "".join(f" and {condition.replace('@', 'e')}" for condition in where)
    outer, outer_values = "", []
    if before is not None:
        outer = " where (at, id) < (?, ?)"
        outer_values = [format_time(before.sort_at), before.id]
    if is_collapsed(query):
        outer += " where " if not outer else " and "
        outer += (
            "not exists (select 1 from story_members s join story_members m"
            " on m.story_id = s.story_id and m.entry_id < s.entry_id"
            " where s.entry_id = hits.id and m.entry_id in (select id from hits))"
        )
    order = "changed" if query.sort is Sort.UPDATED else "sort_at"
    sql = (
        f"with hits as materialized (select e.id as id, e.{order} as at from entries_fts f"
        " join entries e on e.id = f.rowid"
        f" where f.entries_fts match ? and e.hidden is null{conditions}"
        f" order by f.rowid desc limit {SEARCH_DEPTH})"
        f" select id from hits{outer} order by at desc, id desc limit ?"
    )
    rows = db.execute(sql, [match, *values, *outer_values, limit])
    return [row[0] for row in rows]


def _with_variants(db: Connection, query: Query) -> Query:
    """Return the query with the variants in use of its languages: en stands for en-gb too."""
    if not query.lang:
        return query
    # Each step is one look into the index: as many as there are languages, not entries.
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
        until_id: The last id that may be among them, None for no bound.
        tail: If there are no more rows in between, they are looked at one by one; else the
            query's own index is read, which is short if so many rows brought so few of the view.
    """
    query = _with_variants(db, query)
    match = expression(query.q, query.exclude).match
    if query.q and not match:
        return []
    if until_id is None:
        (until_id,) = db.execute("select coalesce(max(id), 0) from entries").fetchone()
    driver = _driver(query)
    condition, values = "e.id > ? and e.id <= ?", list[object]([after_id, until_id])
    table, met = "entries e", None if match else driver
    if match:
        table = "entries_fts f join entries e on e.id = f.rowid"
        condition = "f.entries_fts match ? and f.rowid > ? and f.rowid <= ?"
        values.insert(0, match)
    elif until_id - after_id <= tail:
        met = _ROWS
    elif not driver.condition:
        table = "entries e indexed by entries_newest"  # the rows themselves are much larger
    else:
        either = " or ".join([driver.condition] * max(1, len(driver.values)))
        if driver.table == "entries":
            either = either.replace("d.", "e.")
        else:
            table = f"{driver.table} d join entries e on e.id = d.entry_id"
        condition += f" and ({either})"
        values += driver.values
    where, more = _filters(db, query, met)
    where = [condition, "e.hidden is null", *(part.replace("@", "e") for part in where)]
    sql = f"select distinct e.id from {table} where {' and '.join(where)} order by e.id"
    return [row[0] for row in db.execute(sql, [*values, *more])]


def withdrawn(db: Connection, query: Query, limit: int = 100) -> list[tuple[str, datetime]]:
    """Return uri and moment of entries that were taken back, newest first."""
    where, values = ["withdrawn is not null"], list[object]()
    if query.source:
        _one_of(where, values, "source_id in ({})", query.source)
    if query.section:
        _one_of(
            where,
            values,
            "source_id in (select source_id from source_sections where section in ({}))",
            query.section,
        )
    rows = db.execute(
        "select uri, withdrawn from entries indexed by entries_withdrawn"
        f" where {' and '.join(where)} order by withdrawn desc, id desc limit ?",
        [*values, limit],
    )
    return [(row[0], parse_time(row[1])) for row in rows]
