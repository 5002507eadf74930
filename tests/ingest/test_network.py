"""A network that is down: no source is charged, and all are polled once it is back."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.ingest import batch
from aggregator.ingest.source_update import Ingested
from aggregator.models.config import Source
from aggregator.models.poll import FailureKind, PollOutcome, PollResult
from aggregator.store.database.connection import Store
from aggregator.store.sources import incidents, network, poll_log, sync
from tests.builders import Ingester, failed, make_document, make_entry

HOSTS = 5
UNREACHED = failed(FailureKind.DNS)


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    ingester = Ingester(store)
    ingester.others = [Source(id=f"s{n}", url=f"https://{n}.example/") for n in range(HOSTS)]
    with store.transaction() as db:
        sync.apply(db, ingester.others, now=ingester.now, first_polls={})
    yield ingester
    store.close()


def poll(ingester: Ingester, outcomes: Sequence[PollOutcome]) -> list[Ingested]:
    ingester.now += timedelta(minutes=1)
    results = [PollResult(source_id=f"s{n}", outcome=one) for n, one in enumerate(outcomes)]
    with ingester.store.transaction() as db:
        return batch.ingest(db, results, ingester.context)


def test_no_source_is_charged(ingester: Ingester) -> None:
    poll(ingester, [make_document(make_entry("a"))] * HOSTS)
    before = [ingester.state(f"s{n}") for n in range(HOSTS)]
    ingester.now += timedelta(hours=1)
    done = poll(ingester, [UNREACHED] * HOSTS)
    assert {ingested.result for ingested in done} == {"offline"}
    for n, state in enumerate(before):
        after = ingester.state(f"s{n}")
        assert (after.failures, after.health, after.error) == (0, "fine", "")
        assert after.next_poll == ingester.now + timedelta(seconds=30)
        assert "network seems to be down, retry in 30 s" in after.next_poll_reason
        assert after.polls == state.polls
    with ingester.store.reading() as db:
        assert incidents.recent(db) == []
        assert poll_log.totals(db).failed == 0
        assert network.get(db).down_since == ingester.now


def test_source_that_failed_before_is_not_charged_either(ingester: Ingester) -> None:
    poll(ingester, [failed(status=500)])
    ingester.now += timedelta(hours=1)
    poll(ingester, [UNREACHED] * HOSTS)
    assert ingester.state("s0").failures == 1


def test_all_sources_are_due_once_one_is_reached(ingester: Ingester) -> None:
    for _ in range(4):
        poll(ingester, [UNREACHED] * HOSTS)
        ingester.now += timedelta(minutes=5)
    assert ingester.state("s4").next_poll > ingester.now - timedelta(minutes=1)
    ingester.now -= timedelta(minutes=4)
    assert [ingester.state(f"s{n}").next_poll <= ingester.now for n in (0, 4)] == [True, False]
    poll(ingester, [make_document(make_entry("a"))])
    assert all(ingester.state(f"s{n}").next_poll <= ingester.now for n in range(1, HOSTS))
    with ingester.store.reading() as db:
        assert network.get(db).down_since is None


def test_one_dead_host_of_many_is_charged(ingester: Ingester) -> None:
    poll(ingester, [*[make_document(make_entry("a"))] * (HOSTS - 1), UNREACHED])
    assert ingester.state("s4").health == "failing"


def test_good_source_is_charged_at_its_second_failure_if_nothing_else_is_known(
    ingester: Ingester,
) -> None:
    poll(ingester, [make_document(make_entry("a"))])
    ingester.now += timedelta(hours=1)
    poll(ingester, [UNREACHED])
    assert ingester.state("s0").failures == 0
    poll(ingester, [UNREACHED])
    assert (ingester.state("s0").failures, ingester.state("s0").health) == (1, "retrying")


def test_hosts_that_are_down_for_long_are_no_sign(ingester: Ingester) -> None:
    poll(ingester, [failed(status=500)] * HOSTS)
    ingester.now += timedelta(hours=1)
    poll(ingester, [UNREACHED] * HOSTS)
    with ingester.store.reading() as db:
        assert network.get(db).down_since is None


def test_response_of_a_single_host_is_enough(ingester: Ingester) -> None:
    poll(ingester, [failed(FailureKind.HTTP_STATUS, status=503)] + [UNREACHED] * 4)
    assert [ingester.state(f"s{n}").health for n in (0, 4)] == ["failing", "failing"]
    assert ingester.state("s1").failures == 1


@pytest.mark.parametrize(
    ("kind", "hosts", "minutes"),
    [
        pytest.param(FailureKind.DNS, 1, 1, id="the only host is polled every minute"),
        pytest.param(FailureKind.TIMEOUT, 1, 93, id="an overloaded host is not"),
        pytest.param(FailureKind.DNS, 2, 93, id="one of two hosts is not"),
    ],
)
def test_only_host_is_charged_and_polled_again_soon(
    ingester: Ingester, kind: FailureKind, hosts: int, minutes: int
) -> None:
    with ingester.store.transaction() as db:
        sync.apply(db, ingester.others[:hosts], now=ingester.now, first_polls={})
    poll(ingester, [failed(kind)])
    state = ingester.state("s0")
    assert (state.failures, state.health) == (1, "failing")
    wait = state.next_poll - ingester.now
    assert wait.total_seconds() // 60 == minutes
    assert ("only host" in state.next_poll_reason) is (minutes == 1)
