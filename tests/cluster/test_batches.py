"""Batches for workers: a host is polled by one worker at a time, with its spacing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.cluster.batches import SIZE, Batch, Batches
from aggregator.models.config import Limits, PerHost
from aggregator.models.listing import PageListing
from aggregator.models.poll import Fetched, Request
from aggregator.polling.pipeline import FetchSettings

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def requests(host: str, count: int = 1, validators_url: str = "") -> list[Request]:
    return [
        Request(source_id=f"{host}-{n}", url=f"https://{host}/{n}", validators_url=validators_url)
        for n in range(count)
    ]


def waiting(*several: list[Request], spacing: dict[str, float] | None = None) -> Batches:
    batches = Batches(FetchSettings(user_agent="test"), lease=15)
    batches.add([request for one in several for request in one], spacing or {})
    return batches


def take(batches: Batches, worker: str = "one", moment: float = 0.0) -> Batch:
    batch = batches.take(worker, moment, NOW)
    assert batch is not None
    return batch


def nothing(batches: Batches, worker: str = "one", moment: float = 0.0) -> bool:
    return batches.take(worker, moment, NOW) is None


def done(batches: Batches, batch: Batch, moment: float = 0.0) -> None:
    for request in batch.requests:
        batches.mark_done(request, moment)


def ids(batch: Batch) -> list[str]:
    return [request.source_id for request in batch.requests]


def test_hosts_share_a_batch_and_none_is_with_two_workers() -> None:
    batches = waiting(requests("a", SIZE + 4), requests("b", 2))
    first = take(batches, "one")
    assert len(first.requests) == SIZE
    assert ids(take(batches, "two")) == ["b-0", "b-1"]
    assert nothing(batches, "two")
    assert ids(take(batches, "one")) == [f"a-{n}" for n in range(SIZE, SIZE + 4)]
    assert len(batches) == 0


def led_elsewhere(batches: Batches, number: int) -> bool:
    """Whether a request that was redirected to another host is queued again."""
    batch = take(batches)
    done(batches, batch)
    return batches.requeue(batch.requests[0], url=f"https://host-{number}.example/")


def test_a_source_that_redirects_to_ever_new_hosts_is_given_up_until_its_next_poll() -> None:
    batches = waiting(requests("a"))
    most = Limits().redirects
    assert all(led_elsewhere(batches, number) for number in range(most))
    assert not led_elsewhere(batches, most)
    assert nothing(batches)
    batches.add(requests("a"), {})
    assert led_elsewhere(batches, 0)


def test_a_page_is_sent_with_its_own_hosts_only() -> None:
    [request] = requests("a", validators_url="https://b/0")
    request = replace(request, listing=PageListing(items="li"), hosts=frozenset({"a"}))
    batch = take(waiting([request]))
    assert batch.requests == (request,)


def test_hosts_of_earlier_redirects_are_forgotten() -> None:
    batches = waiting()
    for number in range(100):
        batches.add(requests("a"), {})
        assert led_elsewhere(batches, number)
        [request] = batches.drain()
        assert len(request.hosts) <= Limits().redirects + 1


def test_a_host_is_free_when_its_last_request_has_ended() -> None:
    batches = waiting(requests("a", 3))
    first = take(batches, "one")
    batches.add([Request(source_id="late", url="https://a/late")], {})
    for request in first.requests:
        assert nothing(batches, "two")
        batches.mark_done(request, 0)
    assert ids(take(batches, "two")) == ["late"]


def test_a_host_with_spacing_gets_one_request_and_then_waits() -> None:
    batches = waiting(requests("a", 2), requests("b"), spacing={"a": 5.0, "z": 1.0})
    first = take(batches)
    assert ids(first) == ["a-0", "b-0"]
    assert first.spacing == {"a": 5.0}
    assert nothing(batches)
    done(batches, first, 100)
    assert nothing(batches, moment=104.9)
    assert ids(take(batches, moment=105)) == ["a-1"]


def test_spacing_of_the_configuration_holds_for_every_host() -> None:
    batches = waiting(requests("a", 2))
    per_host = PerHost(spacing=timedelta(seconds=3))
    batches.fetch_settings = FetchSettings(user_agent="test", per_host=per_host)
    done(batches, take(batches), 10)
    assert nothing(batches, moment=12)
    assert ids(take(batches, moment=13)) == ["a-1"]


def test_a_feed_that_redirects_to_another_host_then_waits_for_both() -> None:
    batches = waiting(requests("a"), requests("b"))
    first = take(batches, "one")
    batches.mark_done(first.requests[0], 0)
    batches.requeue(first.requests[0], url="https://b/feed")
    assert nothing(batches, "two")
    batches.mark_done(first.requests[1], 0)
    [request] = take(batches, "two").requests
    assert request.hosts == {"a", "b"}
    batches.mark_done(request, 0)
    batches.add(requests("a"), {})
    assert take(batches).requests[0].hosts == {"a", "b"}


def test_the_host_of_the_last_redirect_is_waited_for_at_once() -> None:
    batches = waiting(requests("a", validators_url="https://b/feed"))
    assert take(batches).requests[0].hosts == {"a", "b"}


def test_a_pushed_document_waits_for_no_host_and_changes_no_spacing() -> None:
    batches = waiting(requests("a", 2), spacing={"a": 5.0})
    first = take(batches, "one")
    document = Fetched(url="https://a/", body=b"<rss/>", content_type="")
    batches.add([Request(source_id="pushed", url="https://a/", document=document)], {})
    assert ids(take(batches, "two")) == ["pushed"]
    done(batches, first, 100)
    assert nothing(batches, moment=104)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz!")), max_size=60))
def test_no_host_is_ever_with_two_workers_and_nothing_is_lost(steps: list[tuple[str, str]]) -> None:
    batches, in_flight, taken = waiting(), list[tuple[str, Batch]](), list[str]()
    for number, (host, worker) in enumerate(steps):
        batches.add([Request(source_id=str(number), url=f"https://{host}/")], {})
        if worker == "!" and in_flight:
            done(batches, in_flight.pop(0)[1])
        elif batch := batches.take(worker, 0, NOW):
            in_flight.append((worker, batch))
            taken += ids(batch)
        places = {(request.url, place) for place, one in in_flight for request in one.requests}
        assert len({url for url, _ in places}) == len(places)
    for _, batch in in_flight:
        done(batches, batch)
    while last := batches.take("x", 0, NOW):
        taken += ids(last)
    assert sorted(taken) == sorted(str(number) for number in range(len(steps)))
