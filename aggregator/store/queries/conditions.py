"""Conditions of queries: SQL text together with the values that it binds.

Each named condition takes `e`, the alias of the row of `entries` that it is about. A statement is
built from its parts, and the values bind in the order in which the parts are written:

    statement("d.entry_id", "entry_section d", [equals("d.section", "world"), ...],
              "order by d.sort_at desc limit ?", limit)
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from aggregator.store.database.times import format_time


class Condition(NamedTuple):
    """A condition in SQL, and the values of its placeholders."""

    sql: str
    values: tuple[object, ...] = ()


class Statement(NamedTuple):
    """A statement, and the values of its placeholders; `db.execute(*statement)` runs it."""

    sql: str
    values: tuple[object, ...]


def statement(
    columns: str, tables: str, where: Iterable[Condition], tail: str, *values: object
) -> Statement:
    """Return a select statement.

    Args:
        tail: The text after the conditions: order and limit.
        values: Those that the tail binds.
    """
    condition = all_of(where)
    sql = f"select {columns} from {tables} where {condition.sql} {tail}"
    return Statement(sql, (*condition.values, *values))


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that all hold."""
    return _joined(" and ", conditions)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that at least one holds."""
    joined = _joined(" or ", conditions)
    return Condition(f"({joined.sql})", joined.values)


def _joined(word: str, conditions: Iterable[Condition]) -> Condition:
    parts = list(conditions)
    values = tuple(value for condition in parts for value in condition.values)
    return Condition(word.join(condition.sql for condition in parts), values)


def negated(condition: Condition) -> Condition:
    """Return the condition that another does not hold."""
    return Condition(f"not ({condition.sql})", condition.values)


def equals(column: str, value: object) -> Condition:
    """Return the condition that a column has a value."""
    return Condition(f"{column} = ?", (value,))


def one_of(column: str, wanted: Sequence[object]) -> Condition:
    """Return the condition that a column has one of the values."""
    return Condition(f"{column} in ({', '.join('?' * len(wanted))})", tuple(wanted))


def after(column: str, value: object) -> Condition:
    """Return the condition that a column is greater than a value."""
    return Condition(f"{column} > ?", (value,))


def until(column: str, value: object) -> Condition:
    """Return the condition that a column is at most a value."""
    return Condition(f"{column} <= ?", (value,))


def before(order: str, entry_id: str, at: datetime, last_id: int) -> Condition:
    """Return the condition that a row comes after a place in a list that runs backwards in time."""
    return Condition(f"({order}, {entry_id}) < (?, ?)", (format_time(at), last_id))


def at_or_above(order: str, entry_id: str, at: datetime, last_id: int) -> Condition:
    """Return the condition that a row is at a place in such a list, or comes before it."""
    return Condition(f"({order}, {entry_id}) >= (?, ?)", (format_time(at), last_id))


def is_shown(e: str) -> Condition:
    """Return the condition that views may show an entry."""
    return Condition(f"{e}.hidden is null")


def is_listed(e: str, noun: str, wanted: Sequence[str]) -> Condition:
    """Return the condition that an entry is in a list: of a section, category, author or view."""
    listed = one_of(f"x.{noun}", wanted)
    return Condition(
        f"exists (select 1 from entry_{noun} x where x.entry_id = {e}.id and {listed.sql})",
        listed.values,
    )


def is_in_sections_of_source(e: str, sections: Sequence[str]) -> Condition:
    """Return the condition that an entry's source is in a section, for entries in no list."""
    named = one_of("section", sections)
    return Condition(
        f"{e}.source_id in (select source_id from source_sections where {named.sql})", named.values
    )


def has_kind(e: str, kinds: Sequence[str]) -> Condition:
    """Return the condition that an entry is of a kind: audio, video, image or priority."""
    columns = ("picture" if kind == "image" else kind for kind in kinds)
    return any_of(Condition(f"{e}.{column}") for column in columns)


def is_since(e: str, since: datetime) -> Condition:
    """Return the condition that an entry is dated at or after a time."""
    return Condition(f"{e}.sort_at >= ?", (format_time(since),))


def is_match(e: str, match: str) -> Condition:
    """Return the condition that an entry is among the matches of a search, gathered as a set."""
    return Condition(
        f"{e}.id in (select rowid from entries_fts where entries_fts match ?)", (match,)
    )


def has_match(entry_id: int, match: str) -> Condition:
    """Return the condition that one entry is among the matches of a search."""
    return Condition(
        "exists (select 1 from entries_fts where entries_fts match ? and rowid = ?)",
        (match, entry_id),
    )


def is_first_of_story(entry_id: str, member: Condition) -> Condition:
    """Return the condition that no earlier entry of an entry's story meets `member`.

    Args:
        entry_id: The column with the entry's id.
        member: A condition about the row `m` of `story_members`.
    """
    return Condition(
        "not exists (select 1 from story_members s join story_members m"
        " on m.story_id = s.story_id and m.entry_id < s.entry_id"
        f" where s.entry_id = {entry_id} and {member.sql})",
        member.values,
    )
