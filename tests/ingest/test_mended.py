"""Changed settings: the sources they concern are due at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.ingest import maintenance
from aggregator.models.config import Config
from aggregator.models.poll import FailureKind, Freshness
from aggregator.models.query import Query
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.queries import select
from tests.builders import URL, Desk, failed, make_document, make_entry

DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    desk = Desk(store)
    desk.source = replace(desk.source, every=DAY)
    maintenance.synchronise(store, desk.config, desk.now)
    yield desk
    store.close()


def synchronise(desk: Desk, change: Callable[[Config], Config] = lambda config: config) -> datetime:
    """Synchronise a minute later; return when the source is due."""
    desk.now += timedelta(minutes=1)
    maintenance.synchronise(desk.store, change(desk.config), desk.now)
    return desk.state().next_poll


def test_unchanged_settings_leave_the_plan(desk: Desk) -> None:
    desk.poll(make_document())
    planned = desk.state().next_poll
    assert synchronise(desk) == planned


@pytest.mark.parametrize(("seconds", "is_due"), [(-1, True), (1, False)], ids=["shorter", "longer"])
def test_a_shorter_interval_polls_at_once(desk: Desk, seconds: int, is_due: bool) -> None:
    desk.poll(make_document())
    desk.source = replace(desk.source, every=DAY + timedelta(seconds=seconds))
    assert (synchronise(desk) == desk.now) is is_due


def test_a_shorter_default_interval_polls_at_once(desk: Desk) -> None:
    desk.poll(make_document())
    desk.source = replace(desk.source, every=None)
    planned = synchronise(desk)
    assert planned > desk.now

    def hourly(config: Config) -> Config:
        return replace(config, defaults=replace(config.defaults, every=timedelta(hours=1)))

    assert synchronise(desk, hourly) == desk.now


def test_new_headers_poll_at_once(desk: Desk) -> None:
    desk.poll(failed(status=401))
    desk.source = replace(desk.source, headers={"Authorization": "Bearer token"})
    assert synchronise(desk) == desk.now
    assert desk.state().next_poll_reason == "its settings were changed"


def test_a_retry_after_stays_in_force(desk: Desk) -> None:
    wait = Freshness(retry_after=timedelta(hours=5))
    desk.poll(failed(FailureKind.RATE_LIMITED, status=429, freshness=wait))
    desk.source = replace(desk.source, headers={"A": "b"})
    assert synchronise(desk) >= desk.now + timedelta(hours=4)


def test_a_new_url_forgets_a_retry_after_and_polls_at_once(desk: Desk) -> None:
    desk.poll(make_document())
    wait = Freshness(retry_after=timedelta(hours=5))
    desk.poll(failed(FailureKind.RATE_LIMITED, status=429, freshness=wait))
    desk.source = replace(desk.source, url="https://c.example/feed")
    assert synchronise(desk) == desk.now
    assert desk.state().gate_until is None
    desk.poll(failed(status=404))
    assert desk.state().health == "failing", "the new URL never succeeded"


@pytest.mark.parametrize("fails", [True, False])
def test_a_new_network_setting_polls_sources_that_fail(desk: Desk, fails: bool) -> None:
    desk.poll(failed(FailureKind.REFUSED_ADDRESS) if fails else make_document())
    due = synchronise(desk, lambda config: replace(config, allow=("10.0.0.0/8",)))
    assert (due == desk.now) is fails


def test_entries_move_to_the_new_section_and_its_cached_views_are_old(desk: Desk) -> None:
    desk.poll(make_document(make_entry("a")))
    scopes = [change_log.section_scope(name) for name in ("world", "europe")]

    def versions() -> list[int]:
        with desk.store.reading() as db:
            return [change_log.version(db, scope) for scope in scopes]

    def listed(section: str) -> int:
        with desk.store.reading() as db:
            return len(select.select(db, Query(section=(section,)), limit=9))

    before = versions()
    desk.source = replace(desk.source, sections=("europe",))
    synchronise(desk)
    assert (listed("world"), listed("europe")) == (0, 1)
    assert all(new > old for new, old in zip(versions(), before, strict=True))
    assert desk.state().url == URL
