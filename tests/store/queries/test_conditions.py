"""Conditions keep their values in the order of their placeholders."""

import sqlite3
from collections.abc import Iterator

import pytest

from aggregator.store.queries import conditions
from aggregator.store.queries.conditions import Condition, statement


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t(n integer, name text)")
    rows = [(1, "a"), (2, "b"), (3, "a"), (4, "c")]
    connection.executemany("insert into t values (?, ?)", rows)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (conditions.equals("n", 2), [2]),
        (conditions.one_of("name", ["a", "c"]), [1, 3, 4]),
        (conditions.one_of("name", []), []),
        (conditions.after("n", 3), [4]),
        (conditions.until("n", 3), [1, 2, 3]),
        (conditions.negated(conditions.any_of([Condition("n = 1"), Condition("n = 2")])), [3, 4]),
        (
            conditions.all_of(
                [
                    conditions.any_of([conditions.equals("n", 1), conditions.equals("n", 2)]),
                    conditions.equals("name", "a"),
                ]
            ),
            [1],
        ),
    ],
)
def test_condition_selects(
    db: sqlite3.Connection, condition: Condition, expected: list[int]
) -> None:
    rows = db.execute(*statement("n", "t", [condition], "order by n"))
    assert [row[0] for row in rows] == expected


def test_values_bind_in_the_order_of_the_parts(db: sqlite3.Connection) -> None:
    where = [conditions.one_of("name", ["a", "b"]), conditions.after("n", 1)]
    rows = db.execute(*statement("n", "t", where, "order by n desc limit ? offset ?", 1, 1))
    assert [row[0] for row in rows] == [2]
