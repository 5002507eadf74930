"""Which requests may go: a host is in one batch at a time, and rests when it wants to."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.cluster.batches import SIZE, Batch, Batches
from aggregator.model import PerHost, Request
from aggregator.pipeline import Manners

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
MANNERS = Manners(user_agent="test")


def requests(host: str, count: int = 1, **fields: str) -> list[Request]:
    return [
        Request(source_id=f"{host}-{n}", url=f"https://{host}/{n}", **fields)  # type: ignore[arg-type]
        for n in range(count)
    ]


def waiting(*several: list[Request], spacing: dict[str, float] | None = None) -> Batches:
    batches = Batches(MANNERS)
    batches.add([request for one in several for request in one], spacing or {})
    return batches


def take(batches: Batches, moment: float = 0.0) -> Batch:
    batch = batches.take(moment, NOW)
    assert batch is not None
    return batch


def ids(batch: Batch) -> list[str]:
    return [request.source_id for request in batch.requests]


def test_hosts_share_a_batch_and_none_is_in_two() -> None:
    batches = waiting(requests("a", 20), requests("b", 2), requests("c", 2))
    first = take(batches)
    assert len(first.requests) == SIZE
    second = take(batches)
    assert ids(second) == ["b-0", "b-1", "c-0", "c-1"]
    assert batches.take(0, NOW) is None
    batches.done(first, 1)
    assert ids(take(batches, 1)) == ["a-16", "a-17", "a-18", "a-19"]
    assert len(batches) == 0


def test_a_host_that_wants_spacing_gives_one_request_and_rests() -> None:
    batches = waiting(requests("a", 2), requests("b"), spacing={"a": 5.0, "z": 1.0})
    first = take(batches)
    assert ids(first) == ["a-0", "b-0"]
    assert first.spacing == {"a": 5.0}
    batches.done(first, 100)
    assert batches.take(104.9, NOW) is None
    assert ids(take(batches, 105)) == ["a-1"]


def test_spacing_of_the_configuration_holds_for_every_host() -> None:
    batches = waiting(requests("a", 2))
    batches.manners = Manners(
        user_agent="test", per_host=PerHost(connections=2, spacing=timedelta(seconds=3))
    )
    batches.done(take(batches), 10)
    assert batches.take(12, NOW) is None
    assert ids(take(batches, 13)) == ["a-1"]


def test_a_feed_that_leads_to_another_host_holds_both_from_then_on() -> None:
    batches = waiting(requests("a"))
    [request] = take(batches).requests
    batches.done(Batch(requests=(), manners=MANNERS, now=NOW, hosts=request.hosts, seconds=1), 0)
    batches.reroute(request, "https://b/feed")
    batches.add(requests("b"), {})
    assert take(batches).hosts == {"a", "b"}
    batches.done(Batch(requests=(), manners=MANNERS, now=NOW, hosts=frozenset("ab"), seconds=1), 0)
    batches.add(requests("a"), {})
    assert take(batches).hosts == {"a", "b"}


def test_where_a_feed_led_the_last_time_is_held_without_asking() -> None:
    batches = waiting(requests("a", validators_url="https://b/feed"))
    assert take(batches).requests[0].hosts == {"a", "b"}


def test_what_may_have_done_harm_goes_alone() -> None:
    batches = waiting(requests("a"), requests("b"), requests("c"))
    first = take(batches)
    batches.done(first, 0)
    batches.back(first.requests[:2], alone=True)
    batches.back(first.requests[2:])
    assert sorted([ids(take(batches)), ids(take(batches)), ids(take(batches))]) == [
        ["a-0"],
        ["b-0"],
        ["c-0"],
    ]


def test_a_batch_has_the_time_that_its_busiest_host_needs() -> None:
    alone = take(waiting(requests("a"))).seconds
    assert take(waiting(requests("a", 2), requests("b"))).seconds == alone
    assert take(waiting(requests("a", 5), requests("b"))).seconds == alone + 60


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=60))
def test_no_host_is_ever_in_two_batches_and_nothing_is_lost(steps: list[tuple[str, bool]]) -> None:
    batches, flying, added, taken = Batches(MANNERS), list[Batch](), set[str](), list[str]()
    for number, (host, end) in enumerate(steps):
        [request] = requests(host)
        batches.add([Request(source_id=str(number), url=request.url)], {})
        added.add(str(number))
        if end and flying:
            batches.done(flying.pop(0), number)
        elif batch := batches.take(number, NOW):
            assert all(batch.hosts.isdisjoint(other.hosts) for other in flying)
            flying.append(batch)
            taken += ids(batch)
    for batch in flying:
        batches.done(batch, 0)
    while last := batches.take(0, NOW):
        batches.done(last, 0)
        taken += ids(last)
    assert sorted(taken) == sorted(added)
