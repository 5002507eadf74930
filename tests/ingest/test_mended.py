"""Changed settings: the sources they concern are due at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.ingest import maintenance
from aggregator.models.config import Config, Cookie, Transport
from aggregator.models.poll import FailureKind, Freshness
from aggregator.models.query import Query
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.queries import select
from tests.builders import URL, Ingester, failed, make_document, make_entry

DAY = timedelta(days=1)


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    ingester = Ingester(store)
    ingester.source = replace(ingester.source, every=DAY)
    maintenance.synchronise(store, ingester.config, ingester.now)
    yield ingester
    store.close()


def synchronise(
    ingester: Ingester, change: Callable[[Config], Config] = lambda config: config
) -> datetime:
    """Synchronise a minute later; return when the source is due."""
    ingester.now += timedelta(minutes=1)
    maintenance.synchronise(ingester.store, change(ingester.config), ingester.now)
    return ingester.state().next_poll


def test_unchanged_settings_leave_the_plan(ingester: Ingester) -> None:
    ingester.poll(make_document())
    planned = ingester.state().next_poll
    assert synchronise(ingester) == planned


@pytest.mark.parametrize(("seconds", "is_due"), [(-1, True), (1, False)], ids=["shorter", "longer"])
def test_a_shorter_interval_polls_at_once(ingester: Ingester, seconds: int, is_due: bool) -> None:
    ingester.poll(make_document())
    ingester.source = replace(ingester.source, every=DAY + timedelta(seconds=seconds))
    assert (synchronise(ingester) == ingester.now) is is_due


def test_a_shorter_default_interval_polls_at_once(ingester: Ingester) -> None:
    ingester.poll(make_document())
    ingester.source = replace(ingester.source, every=None)
    planned = synchronise(ingester)
    assert planned > ingester.now

    def hourly(config: Config) -> Config:
        return replace(config, defaults=replace(config.defaults, every=timedelta(hours=1)))

    assert synchronise(ingester, hourly) == ingester.now


def test_new_headers_poll_at_once(ingester: Ingester) -> None:
    ingester.poll(failed(status=401))
    ingester.source = replace(ingester.source, headers={"Authorization": "Bearer token"})
    assert synchronise(ingester) == ingester.now
    assert ingester.state().next_poll_reason == "its settings were changed"


def test_a_retry_after_stays_in_force(ingester: Ingester) -> None:
    wait = Freshness(retry_after=timedelta(hours=5))
    ingester.poll(failed(FailureKind.RATE_LIMITED, status=429, freshness=wait))
    ingester.source = replace(ingester.source, headers={"A": "b"})
    assert synchronise(ingester) >= ingester.now + timedelta(hours=4)


def test_a_new_url_forgets_a_retry_after_and_polls_at_once(ingester: Ingester) -> None:
    ingester.poll(make_document())
    wait = Freshness(retry_after=timedelta(hours=5))
    ingester.poll(failed(FailureKind.RATE_LIMITED, status=429, freshness=wait))
    ingester.source = replace(ingester.source, url="https://c.example/feed")
    assert synchronise(ingester) == ingester.now
    assert ingester.state().gate_until is None
    ingester.poll(failed(status=404))
    assert ingester.state().health == "failing", "the new URL never succeeded"


@pytest.mark.parametrize("fails", [True, False])
def test_a_new_network_setting_polls_sources_that_fail(ingester: Ingester, fails: bool) -> None:
    ingester.poll(failed(FailureKind.REFUSED_ADDRESS) if fails else make_document())
    due = synchronise(ingester, lambda config: replace(config, allow=("10.0.0.0/8",)))
    assert (due == ingester.now) is fails


def test_entries_move_to_the_new_section_and_its_cached_views_are_old(ingester: Ingester) -> None:
    ingester.poll(make_document(make_entry("a")))
    scopes = [change_log.section_scope(name) for name in ("world", "europe")]

    def versions() -> list[int]:
        with ingester.store.reading() as db:
            return [change_log.version(db, scope) for scope in scopes]

    def listed(section: str) -> int:
        with ingester.store.reading() as db:
            return len(select.select(db, Query(section=(section,)), limit=9))

    before = versions()
    ingester.source = replace(ingester.source, sections=("europe",))
    synchronise(ingester)
    assert (listed("world"), listed("europe")) == (0, 1)
    assert all(new > old for new, old in zip(versions(), before, strict=True))
    assert ingester.state().url == URL


@pytest.mark.parametrize(
    "transport",
    [
        Transport(proxy="http://proxy.lan:3128"),
        Transport(user_agent="Reader/1.0"),
        Transport(cookies=(Cookie(domain="a.example", name="a", value="1"),)),
        Transport(insecure=True),
    ],
)
def test_other_options_of_requests_poll_at_once(ingester: Ingester, transport: Transport) -> None:
    ingester.poll(make_document())
    ingester.source = replace(ingester.source, transport=transport)
    assert synchronise(ingester) == ingester.now
    ingester.poll(make_document())
    planned = ingester.state().next_poll
    assert synchronise(ingester) == planned
