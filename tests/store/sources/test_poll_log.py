"""The logs of polls by host."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.store.database.connection import Store
from aggregator.store.sources import poll_log
from aggregator.store.sources.poll_log import HostRequest


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "test.db"))
    yield opened
    opened.close()


def request(host: str, spacing: float | None) -> HostRequest:
    return HostRequest(
        host=host,
        not_modified=True,
        received=100,
        saved=900,
        unconditional=False,
        early=False,
        failed=False,
        spacing=spacing,
        limited=False,
        gate_until=None,
    )


def test_hosts_with_a_spacing_are_found_without_reading_the_others(store: Store) -> None:
    with store.transaction() as db:
        poll_log.count_hosts(db, [request("fine.example", None), request("slow.example", 2.0)])
        poll_log.count_hosts(db, [request("slow.example", None), request("eased.example", 1.0)])
        poll_log.count_hosts(db, [request("eased.example", 0.0)])
        statements: list[str] = []
        db.set_trace_callback(statements.append)
        assert poll_log.spacings(db) == {"slow.example": 2.0}
        db.set_trace_callback(None)
        plan = [row["detail"] for row in db.execute(f"explain query plan {statements[0]}")]
    assert plan == ["SCAN hosts USING COVERING INDEX hosts_spaced"]


requests = st.builds(
    HostRequest,
    host=st.sampled_from(["a.example", "b.example"]),
    not_modified=st.booleans(),
    received=st.integers(0, 9),
    saved=st.integers(0, 9),
    unconditional=st.booleans(),
    early=st.booleans(),
    failed=st.booleans(),
    spacing=st.none() | st.floats(0, 9),
    limited=st.booleans(),
    gate_until=st.none() | st.datetimes(datetime(2026, 1, 1), timezones=st.just(UTC)),
)


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    opened = Store(":memory:")
    yield opened
    opened.close()


def host_sums(store: Store, batches: Sequence[Sequence[HostRequest]]) -> list[tuple[object, ...]]:
    with store.transaction() as db:
        db.execute("delete from hosts")
        for batch in batches:
            poll_log.count_hosts(db, batch)
        return [tuple(row) for row in db.execute("select * from hosts order by host")]


@given(responses=st.lists(requests, max_size=12))
def test_requests_of_a_batch_count_as_one_after_another(
    memory: Store, responses: list[HostRequest]
) -> None:
    one_by_one = [[response] for response in responses]
    assert host_sums(memory, [responses]) == host_sums(memory, one_by_one)


def limited(store: Store, *responses: tuple[bool, bool]) -> int:
    """Return the limited responses in a row after responses that were `(limited, failed)`."""
    rows = [
        request("a.example", None)._replace(limited=limited, failed=failed)
        for limited, failed in responses
    ]
    host_sums(store, [rows])
    with store.reading() as db:
        return poll_log.limited(db, "a.example")


def test_a_success_ends_the_row_of_limited_responses_another_failure_does_not(
    store: Store,
) -> None:
    assert limited(store, (True, True), (False, True), (True, True)) == 2
    assert limited(store, (True, True), (False, False), (True, True)) == 1
    assert limited(store, (True, True), (False, False)) == 0


def test_the_polls_of_a_source_are_found_without_reading_those_of_others(store: Store) -> None:
    statements: list[str] = []
    with store.reading() as db:
        db.set_trace_callback(statements.append)
        poll_log.recent(db, "a")
        db.set_trace_callback(None)
        plan = [row["detail"] for row in db.execute(f"explain query plan {statements[0]}")]
    assert plan[0] == "SEARCH polls USING PRIMARY KEY (slot=? AND source_id=?)"
