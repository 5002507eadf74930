"""When our own network counts as down, and the effect on a source."""

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.models.network import Network
from aggregator.models.poll import Failed, FailureKind, Hop, Transfer
from aggregator.policy import network

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
HOSTS = [f"{number}.example" for number in range(100)]


UP = Network()


def observe(
    state: Network = UP, *, reached: int = 0, unreached: int = 0, hosts: int = 50,
    now: datetime = NOW,
) -> Network:  # fmt: skip
    return network.observe(
        state,
        reached=set(HOSTS[50 : 50 + reached]),
        unreached=set(HOSTS[:unreached]),
        hosts=hosts,
        now=now,
    )


def outcome(kind: FailureKind, **transfer: object) -> Failed:
    return Failed(kind=kind, detail="", transfer=Transfer(**transfer))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failed", "reached"),
    [
        (outcome(FailureKind.DNS), False),
        (outcome(FailureKind.CONNECT), False),
        (outcome(FailureKind.TIMEOUT), False),
        (outcome(FailureKind.TIMEOUT, received=1), True),
        (outcome(FailureKind.CONNECT, hops=(Hop(status=301, url=""),)), True),
        (outcome(FailureKind.HTTP_STATUS, status=404), True),
        (outcome(FailureKind.TLS), None),
        (outcome(FailureKind.REFUSED_ADDRESS), None),
        (outcome(FailureKind.CANCELLED), None),
    ],
)
def test_is_reached(failed: Failed, reached: bool | None) -> None:
    assert network.is_reached(failed) is reached


@pytest.mark.parametrize(
    ("reached", "unreached", "hosts", "is_down"),
    [
        pytest.param(0, 2, 50, False, id="two of many hosts"),
        pytest.param(0, 3, 50, True, id="three of many hosts"),
        pytest.param(0, 2, 2, True, id="both hosts"),
        pytest.param(0, 1, 2, False, id="one of two hosts"),
        pytest.param(0, 1, 1, False, id="the only host may itself be down"),
        pytest.param(1, 9, 50, True, id="one of ten is nearly none"),
        pytest.param(1, 8, 50, False, id="one of nine is some"),
    ],
)
def test_network_is_down(reached: int, unreached: int, hosts: int, is_down: bool) -> None:
    state = observe(reached=reached, unreached=unreached, hosts=hosts)
    assert (state.down_since is not None) is is_down


def test_hosts_that_fail_one_by_one_show_it_unless_another_is_reached_in_between() -> None:
    state = Network()
    for host in HOSTS[:2]:
        state = network.observe(state, reached=set(), unreached={host}, hosts=50, now=NOW)
    third = {HOSTS[2]}
    alone = network.observe(state, reached=set(), unreached=third, hosts=50, now=NOW)
    assert alone.down_since == NOW
    state = observe(state, reached=1)
    assert not network.observe(state, reached=set(), unreached=third, hosts=50, now=NOW).down_since


def test_rounds_are_30_seconds_then_1_2_and_5_minutes_apart() -> None:
    state, now, waits = Network(), NOW, []
    for _ in range(5):
        state = observe(state, unreached=5, now=now)
        assert state.retry_at is not None
        assert observe(state, unreached=1, now=state.retry_at - timedelta(seconds=1)) == state
        waits.append((state.retry_at - now).total_seconds())
        now = state.retry_at
    assert waits == [30, 60, 120, 300, 300]
    assert state.down_since == NOW


def test_canaries_are_polled_every_minute() -> None:
    state = Network(down_since=NOW, retry_at=NOW + timedelta(minutes=5))
    assert network.retry_at(state, NOW, canary=False) == NOW + timedelta(minutes=5)
    assert network.retry_at(state, NOW, canary=True) == NOW + timedelta(minutes=1)
    late = NOW + timedelta(minutes=4, seconds=59)
    assert network.retry_at(state, late, canary=True) == late + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("after", "good", "excused"),
    [
        pytest.param(Network(down_since=NOW), False, True, id="the network is down"),
        pytest.param(Network(), True, True, id="a good source, and no other evidence"),
        pytest.param(Network(), False, False, id="a source that never succeeded"),
        pytest.param(
            Network(last_reached=NOW - timedelta(seconds=59)), True, False, id="it works now"
        ),
        pytest.param(
            Network(last_reached=NOW - timedelta(seconds=60)), True, True, id="it worked then"
        ),
    ],
)
def test_is_excused(after: Network, good: bool, excused: bool) -> None:
    before = Network()
    assert network.is_excused(before, after, "a.example", good=good, now=NOW) is excused


def test_second_failure_of_a_host_is_not_excused() -> None:
    before = Network(unreached=frozenset({"a.example"}))
    assert not network.is_excused(before, before, "a.example", good=True, now=NOW)


@pytest.mark.parametrize(
    ("failed", "is_possible"),
    [
        (outcome(FailureKind.DNS), True),
        (outcome(FailureKind.CONNECT), True),
        (outcome(FailureKind.CONNECT, received=1), False),
        (outcome(FailureKind.TIMEOUT), False),
        (outcome(FailureKind.HTTP_STATUS, status=503), False),
    ],
)
def test_failure_of_the_only_host_may_be_ours(failed: Failed, is_possible: bool) -> None:
    assert network.may_be_ours(failed) is is_possible
