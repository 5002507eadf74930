"""The logs of polls by host."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
