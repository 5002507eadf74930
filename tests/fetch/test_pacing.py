"""The order of requests: pacing alone, and with a client."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch.client import Client, affordable
from aggregator.fetch.pacing import Pacing
from aggregator.models.config import PerHost
from aggregator.models.poll import FailureKind, Fetched, Request
from tests.effort import effort
from tests.feedserver import HOSTS, FeedServer
from tests.fetch.conftest import failed


def _pacing(spacing: float = 0, connections: int = 2) -> Pacing[int]:
    return Pacing[int](connections=connections, spacing=spacing)


def test_hosts_take_turns() -> None:
    pacing = _pacing(connections=9)
    for item in range(4):
        pacing.add("many", item, 0)
    pacing.add("one", 10, 0)
    assert [pacing.take(0) for _ in range(6)] == [0, 10, 1, 2, 3, None]


def test_a_host_has_its_connections_and_no_more() -> None:
    pacing = _pacing()
    for item in range(4):
        pacing.add("a", item, 0)
    assert [pacing.take(0), pacing.take(0), pacing.take(0)] == [0, 1, None]
    assert pacing.pause(0) is None
    pacing.mark_done("a", 0)
    assert [pacing.take(0), pacing.take(0)] == [2, None]
    assert len(pacing) == 1


def test_a_host_waits_for_its_spacing_and_others_do_not() -> None:
    pacing = Pacing[int](connections=9, spacing=1)
    pacing.set_spacing({"slow": 5.0}, 0)
    for item in range(2):
        pacing.add("slow", item, 0)
        pacing.add("quick", 10 + item, 0)
    assert [pacing.take(0) for _ in range(3)] == [0, 10, None]
    assert pacing.pause(0.25) == 0.75
    assert [pacing.take(1), pacing.take(1)] == [11, None]
    assert pacing.pause(1) == 4
    assert pacing.take(4.99) is None
    assert pacing.take(5) == 1
    assert pacing.pause(5) is None


def test_spacing_holds_from_one_batch_to_the_next() -> None:
    pacing = _pacing(spacing=10)
    pacing.add("a", 1, 0)
    assert pacing.take(0) == 1
    pacing.mark_done("a", 1)
    pacing.set_spacing({}, 4)
    pacing.add("a", 2, 4)
    assert pacing.take(4) is None
    assert pacing.take(10) == 2


def test_a_host_at_rest_is_forgotten_at_last() -> None:
    pacing = _pacing(spacing=10_000)
    pacing.add("a", 1, 0)
    assert pacing.take(0) == 1
    pacing.mark_done("a", 1)
    pacing.set_spacing({}, 3_601)
    pacing.add("a", 2, 3_601)
    assert pacing.take(3_601) == 2


def test_requests_added_ahead_go_first() -> None:
    pacing = _pacing()
    for item in range(3):
        pacing.add("a", item, 0)
    pacing.add("a", 9, 0, ahead=True)
    assert pacing.take(0) == 9


def test_drained_requests_do_not_start() -> None:
    pacing = _pacing()
    for item in range(3):
        pacing.add("a", item, 0)
    pacing.take(0)
    assert pacing.drain() == [1, 2]
    assert pacing.take(0) is None
    assert len(pacing) == 0
    pacing.mark_done("a", 0)
    pacing.add("a", 7, 0)
    assert pacing.take(0) == 7


HOST = st.sampled_from("abc")


@given(
    st.lists(HOST, max_size=30),
    st.dictionaries(HOST, st.floats(0, 3)),
    st.integers(1, 3),
    st.randoms(),
)
def test_all_start_within_their_limits(
    hosts: list[str], spacing: dict[str, float], connections: int, chance: Random
) -> None:
    pacing = Pacing[str](connections=connections, spacing=0.5)
    pacing.set_spacing(spacing, 0)
    for host in hosts:
        pacing.add(host, host, 0)
    now, running, left = 0.0, Counter[str](), Counter(hosts)
    last: dict[str, float] = {}
    while left.total():
        if started := pacing.take(now):
            running[started] += 1
            left[started] -= 1
            assert running[started] <= connections
            assert now - last.get(started, -9) >= max(0.5, spacing.get(started, 0)) - 1e-9
            last[started] = now
        elif running.total() and (pacing.pause(now) is None or chance.random() < 0.5):
            done = chance.choice([host for host in running if running[host]])
            running[done] -= 1
            pacing.mark_done(done, now)
        else:
            pause = pacing.pause(now)
            assert pause is not None, "nothing runs and nothing may start"
            now += pause + 1e-9


def test_ten_thousand_of_one_host_cost_little() -> None:
    pacing = _pacing()
    with effort() as spent:
        for item in range(10_000):
            pacing.add("a", item, 0)
        for item in range(10_000):
            assert pacing.take(0) == item
            pacing.mark_done("a", 0)
    assert spent.times < 50


# --- the client ------------------------------------------------------------------------------


def _requests(server: FeedServer, host: str, count: int) -> list[Request]:
    return [
        Request(source_id=f"{host}/{number}", url=server.url(f"/feed?{number}", host))
        for number in range(count)
    ]


def test_a_host_with_many_feeds_starves_no_other(feed_server: FeedServer, client: Client) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss/>", delay=0.02)
    requests = _requests(feed_server, HOSTS[0], 60) + _requests(feed_server, HOSTS[1], 2)
    order = [request.source_id for request, _ in client.fetch(requests)]
    assert len(order) == 62
    assert max(order.index(f"{HOSTS[1]}/{number}") for number in range(2)) < 10
    assert feed_server.peak == {HOSTS[0]: 2, HOSTS[1]: 2}


def test_no_more_transfers_at_once_than_allowed(feed_server: FeedServer) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss/>", delay=0.02)
    client = Client(
        user_agent="t", allow=("127.0.0.0/8",), per_host=PerHost(connections=50), concurrency=3
    )
    outcomes = list(client.fetch(_requests(feed_server, HOSTS[0], 20)))
    client.close()
    assert all(isinstance(outcome, Fetched) for _, outcome in outcomes)
    assert feed_server.peak[HOSTS[0]] == 3


@pytest.mark.parametrize("learnt", [False, True])
def test_requests_to_one_host_keep_their_distance(learnt: bool, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss/>")
    feed_server.redirect("/away", feed_server.url("/feed", HOSTS[0]))
    spacing = timedelta(0) if learnt else timedelta(seconds=0.3)
    client = Client(user_agent="t", allow=("127.0.0.0/8",), per_host=PerHost(spacing=spacing))
    requests = [
        *_requests(feed_server, HOSTS[0], 3),
        Request(source_id="b", url=feed_server.url("/away", HOSTS[1])),
    ]
    list(client.fetch(requests, spacing={HOSTS[0]: 0.3} if learnt else {}))
    client.close()
    starts = [request.at for request in feed_server.requests if request.host == HOSTS[0]]
    assert len(starts) == 4
    assert starts[-1] - starts[0] > 0.6  # of 0.9, for a server that is slow to note the first


def test_a_slow_host_holds_up_no_other(feed_server: FeedServer, client: Client) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss/>")
    requests = _requests(feed_server, HOSTS[0], 2) + _requests(feed_server, HOSTS[1], 30)
    order = [request.source_id for request, _ in client.fetch(requests, spacing={HOSTS[0]: 1.0})]
    assert len(order) == 32
    assert order[-1] == f"{HOSTS[0]}/1"


def test_outcomes_of_thousands_of_requests_come_as_they_end(
    feed_server: FeedServer, client: Client
) -> None:
    feed_server.feed("/feed", b"<rss/>")
    feed_server.script("/hang", 60.0)
    requests = [request for host in HOSTS for request in _requests(feed_server, host, 500)]
    hanging = Request(source_id="hang", url=feed_server.url("/hang"))
    outcomes = client.fetch([hanging, *requests, Request(source_id="bad", url="x:")])
    seen = Counter(next(outcomes)[0].source_id for _ in range(len(requests) + 1))
    assert len(seen) == len(requests) + 1
    assert "hang" not in seen
    client.stop()
    [(request, outcome)] = outcomes
    assert request is hanging
    failed(outcome, FailureKind.CANCELLED)


@pytest.mark.parametrize(
    ("files", "transfers"),
    [(1024, 100), (444, 100), (443, 99), (64, 5), (52, 2), (51, 1), (10, 1), (-1, 100)],
)
def test_transfers_at_once_follow_from_the_limit_of_open_files(files: int, transfers: int) -> None:
    assert affordable(100, files) == transfers
