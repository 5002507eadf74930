"""When a machine counts as offline."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.ingest.reachability import OFFLINE_HOSTS, Reachability
from aggregator.models.poll import FailureKind, Transfer
from aggregator.store.database.connection import Store
from tests.builders import Desk, failed, make_document

UNREACHABLE = failed(FailureKind.CONNECT)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store)
    store.close()


def lose(reachability: Reachability, hosts: int, failures: int = 0) -> list[bool]:
    return [
        reachability.observe(f"{number}.example", UNREACHABLE, failures=failures)
        for number in range(hosts)
    ]


def test_the_third_host_that_stops_answering_shows_that_we_are_offline() -> None:
    reachability = Reachability()
    assert lose(reachability, OFFLINE_HOSTS) == [False, False, True]
    assert reachability.is_offline


def test_many_feeds_of_two_hosts_do_not() -> None:
    reachability = Reachability()
    lose(reachability, OFFLINE_HOSTS - 1)
    assert lose(reachability, OFFLINE_HOSTS - 1) == [False, False]


def test_hosts_that_have_been_down_for_long_do_not() -> None:
    reachability = Reachability()
    assert not any(lose(reachability, 10, failures=1))


@pytest.mark.parametrize("status", [200, 304, 404, 503])
def test_any_answer_shows_that_we_are_online(status: int) -> None:
    reachability = Reachability()
    lose(reachability, OFFLINE_HOSTS)
    assert not reachability.observe("a.example", failed(status=status), failures=0)
    assert not reachability.is_offline
    assert lose(reachability, 1) == [False]


@pytest.mark.parametrize("kind", [FailureKind.REFUSED_ADDRESS, FailureKind.TLS])
def test_a_failure_that_does_not_depend_on_the_network_is_no_sign(kind: FailureKind) -> None:
    reachability = Reachability()
    lose(reachability, OFFLINE_HOSTS - 1)
    assert not reachability.observe("z.example", failed(kind), failures=0)
    assert not reachability.is_offline


def test_a_source_that_fails_while_we_are_offline_is_not_blamed(desk: Desk) -> None:
    lose(desk.reachability, OFFLINE_HOSTS)
    for _ in range(5):
        desk.poll(UNREACHABLE)
    state = desk.state()
    assert (state.failures, state.health, state.error) == (0, "fine", "it failed")
    assert "no host answers, retry in 15 min" in state.next_poll_reason
    desk.poll(make_document(transfer=Transfer(status=200)))
    desk.poll(UNREACHABLE)
    assert desk.state().failures == 1
