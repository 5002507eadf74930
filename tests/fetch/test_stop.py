"""A running fetch can be stopped by its caller and from another thread."""

import socket
import threading
import time

import pytest

from aggregator.fetch.client import Client
from aggregator.models.poll import FailureKind, FetchOutcome, Request
from tests.feedserver import HOSTS, FeedServer
from tests.fetch.conftest import failed, fetched


def _hanging(server: FeedServer, count: int) -> list[Request]:
    return [
        Request(source_id=str(number), url=server.url("/hang", HOSTS[number % 2]))
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "spacing"),
    [
        pytest.param(10, {}, id="some run, some wait"),
        pytest.param(2, {HOSTS[0]: 60.0, HOSTS[1]: 60.0}, id="all wait for their time"),
    ],
)
def test_stop_cancels_running_and_waiting_requests(
    count: int, spacing: dict[str, float], feed_server: FeedServer, client: Client
) -> None:
    if spacing:  # a first request of each, so that the second has to wait
        list(client.fetch(_hanging(feed_server, 2)))
    feed_server.script("/hang", 60.0)
    timer = threading.Timer(0.2, client.stop)
    timer.start()
    start = time.monotonic()
    outcomes = list(client.fetch(_hanging(feed_server, count), spacing=spacing))
    assert time.monotonic() - start < 5
    timer.join()
    assert {request.source_id for request, _ in outcomes} == {str(n) for n in range(count)}
    for _, outcome in outcomes:
        failed(outcome, FailureKind.CANCELLED)


def test_no_request_starts_after_stop(feed_server: FeedServer, client: Client) -> None:
    client.stop()
    request = Request(source_id="a", url=feed_server.url("/feed"))
    failed(client.fetch_one(request), FailureKind.CANCELLED)
    assert feed_server.connections == 0


def test_an_abandoned_iterator_leaves_no_transfers(feed_server: FeedServer, client: Client) -> None:
    feed_server.script("/hang", 60.0)
    feed_server.reply("/feed", 200, {}, b"<rss/>")
    request = Request(source_id="a", url=feed_server.url("/feed"))
    outcomes = client.fetch([request, *_hanging(feed_server, 5)])
    fetched(next(outcomes)[1])
    outcomes.close()  # type: ignore[attr-defined]
    fetched(client.fetch_one(request))


def test_a_callers_loop_steps_through_its_requests(feed_server: FeedServer, client: Client) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss/>")
    urls = {str(number): feed_server.url(f"/feed?{number}") for number in range(6)}
    seen = []
    for source_id, url in urls.items():  # more come while the first are under way
        client.add([Request(source_id=source_id, url=url), Request(source_id="bad", url="x:")])
        seen += client.step()
    while client.pending:
        seen += client.step()
    assert sorted(request.source_id for request, _ in seen) == sorted([*urls, *["bad"] * 6])
    assert client.step() == []


def test_nothing_to_fetch_is_no_work(client: Client) -> None:
    assert list(client.fetch([])) == []


def test_a_descriptor_ends_the_wait(
    feed_server: FeedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_server.reply("/hang", 200, {}, b"<rss/>", delay=0.5)
    client.add(_hanging(feed_server, 1))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        monkeypatch.setattr("aggregator.fetch.client._SLICE", 600.0)
        theirs.send(b"answer")
        for _ in range(20):
            assert client.step(ours.fileno()) == []
        ours.recv(100)
        outcomes: list[tuple[Request, FetchOutcome]] = []
        while not outcomes:
            outcomes = client.step(ours.fileno())
        fetched(outcomes[0][1])
