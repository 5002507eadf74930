"""The state of a source after polls: its URL, gates, validators and health."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.ingest import batch
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Freshness,
    Hop,
    PollResult,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.store.database.connection import Store
from aggregator.store.sources import incidents, poll_log, poll_plan, sync
from tests.builders import START, URL, Desk, failed, make_document, make_entry


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store)
    store.close()


A = make_entry("a")


def test_failure_keeps_entries_and_validators(desk: Desk) -> None:
    desk.poll(make_document(A))
    desk.poll(failed(status=500))
    state = desk.state()
    assert state.validators.etag == '"1"'
    assert state.failures == 1
    assert state.error == "it failed"
    assert desk.shown() == ["a"]


def test_success_ends_a_run_of_failures(desk: Desk) -> None:
    for _ in range(3):
        desk.poll(failed(status=500))
    assert desk.state().health == "failing"
    desk.poll(make_document(A))
    state = desk.state()
    assert (state.failures, state.error) == (0, "")
    with desk.store.reading() as db:
        [incident] = [one for one in incidents.recent(db) if one.kind == "failing"]
    assert incident.closed == desk.now


def test_source_that_never_succeeded_is_failing_after_its_first_error(desk: Desk) -> None:
    assert desk.state().health == "new"
    desk.poll(failed(status=404))
    assert (desk.state().health, open_incidents(desk)) == ("failing", ["failing"])


def test_good_source_is_retrying_for_two_failures_within_a_day(desk: Desk) -> None:
    desk.poll(make_document(A))
    for health in ("retrying", "retrying", "failing"):
        desk.poll(failed(status=500))
        assert desk.state().health == health


def test_good_source_is_failing_after_a_day_without_a_success(desk: Desk) -> None:
    desk.poll(make_document(A))
    desk.poll(failed(status=500))
    desk.now += timedelta(days=1)
    desk.poll(failed(status=500))
    assert desk.state().health == "failing"


def test_open_incident_outlasts_a_transient_failure(desk: Desk) -> None:
    desk.poll(make_document(make_entry("a", published=START)))
    desk.now += timedelta(days=301)
    desk.poll(Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304)))
    desk.poll(failed(status=500))
    assert (desk.state().health, open_incidents(desk)) == ("retrying", ["silent"])


def test_feed_found_on_a_page_is_new_until_it_is_polled(desk: Desk) -> None:
    desk.poll(failed(FailureKind.NOT_A_FEED, status=200), discovered="https://a.example/rss")
    assert (desk.state().health, open_incidents(desk)) == ("new", [])


def test_unexpected_304_deletes_the_validators(desk: Desk) -> None:
    desk.poll(make_document(A))
    desk.poll(failed(FailureKind.FALSE_304, status=304))
    assert desk.state().validators == Validators()


def test_cancelled_poll_changes_nothing(desk: Desk) -> None:
    before = desk.state()
    assert desk.poll(failed(FailureKind.CANCELLED)) is None
    assert desk.state() == before


def moved(status: int = 301, url: str = "https://b.example/feed") -> Transfer:
    return Transfer(status=200, hops=(Hop(status=status, url=url),))


@pytest.mark.parametrize("status", [301, 308])
def test_permanent_redirect_moves_a_source_after_a_day(desk: Desk, status: int) -> None:
    for _ in range(3):
        desk.poll(make_document(A, transfer=moved(status)))
    assert desk.state().moved_to == ""
    desk.now += timedelta(days=1)
    desk.poll(make_document(A, transfer=moved(status)))
    state = desk.state()
    assert state.poll_url == "https://b.example/feed"
    assert state.url == URL


@pytest.mark.parametrize("status", [302, 303, 307])
def test_temporary_redirect_never_moves_a_source(desk: Desk, status: int) -> None:
    for _ in range(5):
        desk.now += timedelta(days=1)
        desk.poll(make_document(A, transfer=moved(status)))
    assert desk.state().moved_to == ""


def test_redirects_to_changing_places_never_move_a_source(desk: Desk) -> None:
    for number in range(6):
        desk.now += timedelta(days=1)
        url = f"https://b.example/{number % 2}"
        desk.poll(make_document(A, transfer=moved(url=url)))
    assert desk.state().moved_to == ""


def test_address_that_dies_after_a_move_gives_way_to_the_configured_one(desk: Desk) -> None:
    for _ in range(3):
        desk.now += timedelta(days=1)
        desk.poll(make_document(A, transfer=moved()))
    assert desk.state().moved_to
    for _ in range(3):
        desk.poll(failed(status=404))
    assert desk.state().poll_url == URL


LIMITED = {"status": 429, "freshness": Freshness(retry_after=timedelta(hours=2))}


def test_retry_after_is_never_shortened(desk: Desk) -> None:
    desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    asked = desk.now + timedelta(hours=2)
    assert desk.state().gate_until == asked
    shorter = {"status": 429, "freshness": Freshness(retry_after=timedelta(seconds=5))}
    desk.poll(failed(FailureKind.RATE_LIMITED, **shorter))
    assert desk.state().gate_until == asked
    assert desk.state().next_poll >= asked


def test_one_limited_feed_does_not_silence_its_host(desk: Desk) -> None:
    desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    assert desk.state("b0").gate_until is None


def test_host_that_limits_feed_after_feed_is_left_alone(desk: Desk) -> None:
    for source_id in ("a", "b0", "b1"):
        desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    assert desk.state("b2").next_poll >= desk.now + timedelta(hours=2)


def test_host_that_feeds_lead_to_speaks_for_no_other_feed_of_theirs(desk: Desk) -> None:
    hops = (Hop(status=302, url="https://other.example/feed"),)
    for source_id in ("a", "b0", "b1"):
        desk.poll(failed(FailureKind.RATE_LIMITED, hops=hops, **LIMITED), source_id)
    assert desk.state("a").gate_until is not None
    assert desk.state("b2").gate_until is None
    with desk.store.reading() as db:
        assert poll_log.spacings(db) == {}


def test_source_can_keep_its_retry_after_to_itself(desk: Desk) -> None:
    desk.source = replace(desk.source, retry_after_scope="source")
    desk.others = [replace(one, retry_after_scope="source") for one in desk.others]
    for source_id in ("a", "b0", "b1"):
        desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    assert desk.state("b2").gate_until is None


def limited(days: float) -> Failed:
    freshness = Freshness(retry_after=timedelta(days=days))
    return failed(FailureKind.RATE_LIMITED, status=429, freshness=freshness)


def open_incidents(desk: Desk, source_id: str = "a") -> list[str]:
    with desk.store.reading() as db:
        found = incidents.recent(db, source_id=source_id)
    return [one.kind for one in found if one.closed is None]


def test_wait_longer_than_the_longest_interval_is_an_incident(desk: Desk) -> None:
    desk.poll(make_document(A))
    desk.poll(limited(days=1))
    assert (desk.state().health, open_incidents(desk)) == ("retrying", [])
    desk.poll(limited(days=1.1))
    assert (desk.state().health, open_incidents(desk)) == ("failing", ["failing"])
    desk.now += timedelta(days=2)
    desk.poll(make_document(A))
    assert (desk.state().health, open_incidents(desk)) == ("fine", [])


def test_wait_within_the_users_own_interval_is_none(desk: Desk) -> None:
    desk.source = replace(desk.source, every=timedelta(days=7))
    desk.poll(make_document(A))
    desk.poll(limited(days=7))
    assert open_incidents(desk) == []


def test_long_wait_of_a_host_is_an_incident_of_each_source_of_it(desk: Desk) -> None:
    for source_id in ("a", "b0", "b1"):
        desk.poll(limited(days=5), source_id)
    assert (desk.state("b2").health, open_incidents(desk, "b2")) == ("waiting", ["waiting"])
    [detail] = [one.detail for one in recent(desk, "b2")]
    assert "no request before" in detail
    desk.now += timedelta(days=6)
    desk.poll(make_document(A), "b2")
    assert (desk.state("b2").health, open_incidents(desk, "b2")) == ("fine", [])


def recent(desk: Desk, source_id: str) -> list[incidents.Incident]:
    with desk.store.reading() as db:
        return incidents.recent(db, source_id=source_id)


def synchronise(desk: Desk) -> None:
    with desk.store.transaction() as db:
        sync.apply(db, [desk.source, *desk.others], now=desk.now, first_polls={})


@pytest.mark.parametrize(
    ("url", "gated"),
    [
        ("https://a.example:443/2", True),
        ("https://a.example:8443/2", False),
        ("http://a.example/2", False),
    ],
)
def test_host_that_limits_its_feeds_speaks_for_one_port(
    desk: Desk, url: str, *, gated: bool
) -> None:
    desk.others[2] = replace(desk.others[2], url=url)
    synchronise(desk)
    for source_id in ("a", "b0", "b1"):
        desk.poll(limited(days=1), source_id)
    assert (desk.state("b2").gate_until is not None) is gated
    assert (desk.state("b2").next_poll > desk.now) is gated


def test_new_url_drops_the_wait_of_the_old_one(desk: Desk) -> None:
    desk.poll(limited(days=5))
    desk.source = replace(desk.source, url="https://a.example/new")
    synchronise(desk)
    state = desk.state()
    assert (state.gate_from, state.gate_until, state.next_poll) == (None, None, desk.now)
    desk.poll(make_document(A))
    assert desk.state().next_poll < desk.now + timedelta(days=2)


def test_source_that_the_user_names_is_polled_in_spite_of_a_wait(desk: Desk) -> None:
    desk.poll(limited(days=5))
    with desk.store.transaction() as db:
        poll_plan.force(db, desk.now)
    assert desk.state().next_poll > desk.now
    with desk.store.transaction() as db:
        poll_plan.request(db, desk.now, ["a"])
    assert (desk.state().next_poll, desk.state().gate_until) == (desk.now, None)
    desk.poll(make_document(A))
    assert desk.state().next_poll < desk.now + timedelta(days=2)
    assert open_incidents(desk) == []


def test_gone_source_is_polled_monthly_and_not_by_force(desk: Desk) -> None:
    desk.poll(failed(FailureKind.GONE, status=410))
    state = desk.state()
    assert state.health == "gone"
    assert timedelta(days=26) < state.next_poll - desk.now < timedelta(days=34)
    with desk.store.transaction() as db:
        poll_plan.force(db, desk.now)
    assert desk.state().next_poll == state.next_poll
    with desk.store.transaction() as db:
        poll_plan.request(db, desk.now, ["a"])
    assert desk.state().next_poll == desk.now


def test_feed_found_on_a_page_is_polled_at_once(desk: Desk) -> None:
    found = "https://a.example/real"
    desk.poll(failed(FailureKind.NOT_A_FEED, status=200), discovered=found)
    state = desk.state()
    assert state.poll_url == found
    assert state.next_poll <= desk.now
    assert state.failures == 0


def test_lifetime_is_kept_across_304(desk: Desk) -> None:
    hour = Transfer(status=200, freshness=Freshness(lifetime=timedelta(hours=1)))
    desk.poll(make_document(A, transfer=hour))
    desk.poll(
        Unchanged(url=URL, validators=Validators(etag='"2"'), transfer=replace(hour, status=304))
    )
    state = desk.state()
    assert state.validators.etag == '"2"'
    assert state.next_poll >= desk.now + timedelta(hours=1)


def test_log_of_polls_is_bounded(desk: Desk) -> None:
    for _ in range(poll_log.POLLS_KEPT + 7):
        desk.poll(failed(status=500))
    with desk.store.reading() as db:
        rows = poll_log.recent(db, "a", 1000)
    assert len(rows) == poll_log.POLLS_KEPT
    assert rows[0].at == desk.now


def test_ledger_counts_requests_of_a_host(desk: Desk) -> None:
    desk.poll(make_document(A))
    conditional = Transfer(status=304, received=100, conditional=True)
    desk.poll(Unchanged(url=URL, validators=Validators(etag='"1"'), transfer=conditional))
    desk.poll(make_document(A, transfer=Transfer(status=200, received=1000)))
    with desk.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert (host.host, host.requests, host.not_modified, host.early) == ("a.example", 3, 1, 0)
    assert host.saved == 900
    assert host.unconditional == 1


def test_ledger_notices_a_request_before_its_time(desk: Desk) -> None:
    desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    desk.poll(make_document(A))
    with desk.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert host.early == 1


def test_source_that_was_found_on_a_page_moves_too(desk: Desk) -> None:
    desk.poll(failed(FailureKind.NOT_A_FEED), discovered="https://a.example/real")
    for _ in range(3):
        desk.now += timedelta(days=1)
        desk.poll(make_document(A, transfer=moved()))
    assert desk.state().poll_url == "https://b.example/feed"
    with desk.store.reading() as db:
        assert [one.kind for one in incidents.recent(db)] == ["moved"]


@pytest.mark.parametrize(
    ("found", "sent"),
    [
        pytest.param("https://a.example/real", True, id="a feed of the same origin"),
        pytest.param("https://a.example:443/real", True, id="with its port named"),
        pytest.param("https://evil.example/feed", False, id="another host"),
        pytest.param("http://a.example/real", False, id="in the clear"),
        pytest.param("https://a.example:8443/real", False, id="another port"),
        pytest.param("https://a.example:99999/real", False, id="no URL at all"),
        pytest.param("https://a.example@evil.example/", False, id="a name that looks like it"),
    ],
)
def test_secrets_go_to_the_origin_they_were_meant_for(desk: Desk, found: str, sent: bool) -> None:
    desk.source = replace(desk.source, headers={"Authorization": "Bearer x"})
    assert desk.request().headers
    desk.poll(failed(FailureKind.NOT_A_FEED), discovered=found)
    assert bool(desk.request().headers) is sent


def test_lifetime_stays_when_a_304_says_nothing_of_it(desk: Desk) -> None:
    hours = Freshness(lifetime=timedelta(hours=5))
    desk.poll(make_document(A, transfer=Transfer(status=200, freshness=hours)))
    silent = Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304))
    desk.poll(silent)
    assert desk.state().lifetime == timedelta(hours=5)
    assert desk.state().next_poll >= desk.now + timedelta(hours=5)
    desk.poll(make_document(A, transfer=Transfer(status=200)))
    assert desk.state().lifetime is None


def test_gate_of_a_host_holds_for_the_rest_of_its_batch(desk: Desk) -> None:
    """Later results of the batch were fetched before the gate, but are planned after it."""
    limited = failed(FailureKind.RATE_LIMITED, **LIMITED)
    results = [PollResult(source_id=name, outcome=limited) for name in ("a", "b0", "b1")]
    results.append(PollResult(source_id="b2", outcome=make_document(A)))
    desk.now += timedelta(minutes=1)
    with desk.store.transaction() as db:
        batch.ingest(db, results, desk.context)
    gate = desk.now + timedelta(hours=2)
    assert desk.state("b2").gate_until == gate
    assert desk.state("b2").next_poll >= gate


def test_request_that_was_under_way_when_its_host_was_gated_is_not_early(desk: Desk) -> None:
    for source_id in ("a", "b0", "b1"):
        desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    desk.poll(make_document(A, transfer=Transfer(status=200, seconds=180)), "b2")
    with desk.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert host.early == 0


NOTHING = Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304))


def test_quarantine_is_shown_after_a_failure_too(desk: Desk) -> None:
    for name in "abc":
        desk.poll(make_document(*(make_entry(f"{name}{n}", published=START) for n in range(12))))
        desk.now += timedelta(days=9)
    words = desk.state().error
    assert "held back" in words
    for _ in range(3):
        desk.poll(failed(status=500))
    assert desk.state().health == "failing"
    desk.poll(NOTHING)
    assert (desk.state().health, desk.state().error) == ("quarantined", words)


def test_source_that_publishes_no_more_is_silent(desk: Desk) -> None:
    days = [make_entry(f"a{n}", published=START - timedelta(days=n)) for n in range(9)]
    desk.poll(make_document(*days))
    desk.now += timedelta(days=20)
    desk.poll(NOTHING)
    assert desk.state().health == "fine"
    desk.now += timedelta(days=20)
    desk.poll(NOTHING)
    assert desk.state().health == "silent"
    with desk.store.reading() as db:
        [incident] = incidents.recent(db)
    assert (incident.kind, incident.closed) == ("silent", None)
    desk.poll(make_document(make_entry("new", published=desk.now)))
    assert desk.state().health == "fine"


def test_unconditional_request_is_none_when_there_was_nothing_to_name(desk: Desk) -> None:
    for _ in range(3):
        desk.poll(make_document(A, validators=Validators()))
    with desk.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert host.unconditional == 0
