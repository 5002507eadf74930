"""A source is never in flight twice, as a poll and as a push."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from aggregator.models.poll import Request, Result
from aggregator.polling.pipeline import FetchSettings
from aggregator.polling.poller import HOST_SHARE, Poller
from aggregator.store.database.connection import Store
from aggregator.store.sources.poll_plan import Due
from tests.web.sample_store import CONFIG, START

DUE = Due(source_id="herald", host="herald.example", next_poll=START)
PUSH = Request(source_id="herald", url="https://herald.example/feed", push=1)


class Still:
    """A pipeline that returns no results."""

    capacity, unavailable_reason, pending = 400, "", False

    def __init__(self, *_: FetchSettings, **__: object) -> None:
        self.added: list[Request] = []

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Do nothing."""

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        self.added += requests

    def step(self) -> list[Result]:
        return []

    def stop(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(str(tmp_path / "news.db"))
    yield store
    store.close()


def test_push_of_a_source_in_flight_waits_and_takes_no_slot_of_its_host(store: Store) -> None:
    executor = Still()
    poller = Poller(store, CONFIG, executor=lambda *_, **__: executor)
    for _ in range(HOST_SHARE + 1):
        assert poller.offer([DUE]) == 1, "its host has all its places"
        poller.take([PUSH])  # read from the inbox before the poll was offered
        assert executor.added == []
        poller.turn()  # the source is in no database, and let go
        assert poller.idle
    poller.take([PUSH])
    assert executor.added == [PUSH]
    assert poller.offer([DUE]) == 0
