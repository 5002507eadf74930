"""A source is never in flight twice, as a poll and as a push."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.ingest.source_update import Ingested
from aggregator.models.config import Source
from aggregator.models.poll import (
    NO_TRANSFER,
    ParsedDocument,
    PollOutcome,
    PollResult,
    Request,
    Result,
    Unchanged,
    Validators,
)
from aggregator.polling.pipeline import FetchSettings
from aggregator.polling.poller import HOST_SHARE, STORE_ENTRIES, Poller
from aggregator.store.database import site_id
from aggregator.store.database.connection import Store
from aggregator.store.sources import sync
from aggregator.store.sources.poll_plan import Due
from tests.builders import failed, make_document, make_entry
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


class Ended(Still):
    """A pipeline that has ended all polls at once."""

    def __init__(self, results: list[Result]) -> None:
        super().__init__()
        self._results = results

    def step(self) -> list[Result]:
        results, self._results = self._results, []
        return results


def _document(source_id: str, entries: int) -> ParsedDocument:
    return make_document(*(make_entry(f"{source_id}-{number}") for number in range(entries)))


@pytest.mark.parametrize(
    ("entries", "first"),
    [
        pytest.param(STORE_ENTRIES - 1, ["one", "two", "down"], id="fewer"),
        pytest.param(STORE_ENTRIES, ["one", "down"], id="as many"),
    ],
)
def test_documents_wait_for_the_next_turn_once_there_are_too_many_entries(
    store: Store, entries: int, first: list[str]
) -> None:
    outcomes: dict[str, PollOutcome] = {
        "one": _document("one", entries),
        "two": _document("two", 1),
        "down": failed(),  # never waits: one batch shows whether our own network is down
    }
    named = [Source(id=name, url=f"https://{name}.example/feed") for name in outcomes]
    config = replace(CONFIG, sources=tuple(named))
    site_id.ensure(store, "https://us.example")
    with store.transaction() as db:
        sync.apply(db, named, now=START, first_polls={})
    results: list[Result] = [
        PollResult(source_id=name, outcome=outcome) for name, outcome in outcomes.items()
    ]
    stored: list[Ingested] = []
    poller = Poller(store, config, executor=lambda *_, **__: Ended(results), report=stored.append)
    poller.turn()
    assert [ingested.source_id for ingested in stored] == first
    poller.turn()
    assert sorted(ingested.source_id for ingested in stored) == sorted(outcomes)


class Waiting(Ended):
    """A pipeline that has ended some polls and goes on with others, so nothing is stored yet."""

    pending = True


@pytest.mark.parametrize(
    ("outcome", "is_free"),
    [
        pytest.param(
            Unchanged("https://h.example/0", Validators(), NO_TRANSFER), True, id="unchanged"
        ),
        pytest.param(failed(), False, id="failed"),  # the host may be left alone once it is stored
        pytest.param(make_document(), False, id="document"),
    ],
)
def test_an_unchanged_source_makes_room_for_another_of_its_host_before_it_is_stored(
    store: Store, outcome: PollOutcome, is_free: bool
) -> None:
    due = [
        Due(source_id=str(number), host="h.example", next_poll=START)
        for number in range(HOST_SHARE + 2)
    ]
    executor = Waiting([PollResult(source_id="0", outcome=outcome)])
    poller = Poller(store, CONFIG, executor=lambda *_, **__: executor)
    assert poller.offer(due) == HOST_SHARE
    while not poller._offers.empty():  # they are begun
        poller._offers.get()
    poller.turn()
    assert poller.has("0")
    assert poller.offer(due) == is_free
    assert poller.offer(due) == 0
