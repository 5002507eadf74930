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
from tests.builders import START, URL, Ingester, failed, make_document, make_entry


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


A = make_entry("a")


def test_failure_keeps_entries_and_validators(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    ingester.poll(failed(status=500))
    state = ingester.state()
    assert state.validators.etag == '"1"'
    assert state.failures == 1
    assert state.error == "it failed"
    assert ingester.visible_guids() == ["a"]


def test_success_ends_a_run_of_failures(ingester: Ingester) -> None:
    for _ in range(3):
        ingester.poll(failed(status=500))
    assert ingester.state().health == "failing"
    ingester.poll(make_document(A))
    state = ingester.state()
    assert (state.failures, state.error) == (0, "")
    with ingester.store.reading() as db:
        [incident] = [one for one in incidents.recent(db) if one.kind == "failing"]
    assert incident.closed == ingester.now


def test_source_that_never_succeeded_is_failing_after_its_first_error(ingester: Ingester) -> None:
    assert ingester.state().health == "new"
    ingester.poll(failed(status=404))
    assert (ingester.state().health, open_incidents(ingester)) == ("failing", ["failing"])


def test_good_source_is_retrying_for_two_failures_within_a_day(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    for health in ("retrying", "retrying", "failing"):
        ingester.poll(failed(status=500))
        assert ingester.state().health == health


def test_good_source_is_failing_after_a_day_without_a_success(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    ingester.poll(failed(status=500))
    ingester.now += timedelta(days=1)
    ingester.poll(failed(status=500))
    assert ingester.state().health == "failing"


def test_open_incident_outlasts_a_transient_failure(ingester: Ingester) -> None:
    ingester.poll(make_document(make_entry("a", published=START)))
    ingester.now += timedelta(days=301)
    ingester.poll(Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304)))
    ingester.poll(failed(status=500))
    assert (ingester.state().health, open_incidents(ingester)) == ("retrying", ["silent"])


def test_feed_found_on_a_page_is_new_until_it_is_polled(ingester: Ingester) -> None:
    ingester.poll(failed(FailureKind.NOT_A_FEED, status=200), discovered="https://a.example/rss")
    assert (ingester.state().health, open_incidents(ingester)) == ("new", [])


def test_unexpected_304_deletes_the_validators(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    ingester.poll(failed(FailureKind.FALSE_304, status=304))
    assert ingester.state().validators == Validators()


def test_cancelled_poll_changes_nothing(ingester: Ingester) -> None:
    before = ingester.state()
    assert ingester.poll(failed(FailureKind.CANCELLED)) is None
    assert ingester.state() == before


def moved(status: int = 301, url: str = "https://b.example/feed") -> Transfer:
    return Transfer(status=200, hops=(Hop(status=status, url=url),))


@pytest.mark.parametrize("status", [301, 308])
def test_permanent_redirect_moves_a_source_after_a_day(ingester: Ingester, status: int) -> None:
    for _ in range(3):
        ingester.poll(make_document(A, transfer=moved(status)))
    assert ingester.state().moved_to == ""
    ingester.now += timedelta(days=1)
    ingester.poll(make_document(A, transfer=moved(status)))
    state = ingester.state()
    assert state.poll_url == "https://b.example/feed"
    assert state.url == URL


@pytest.mark.parametrize("status", [302, 303, 307])
def test_temporary_redirect_never_moves_a_source(ingester: Ingester, status: int) -> None:
    for _ in range(5):
        ingester.now += timedelta(days=1)
        ingester.poll(make_document(A, transfer=moved(status)))
    assert ingester.state().moved_to == ""


def test_redirects_to_changing_urls_never_move_a_source(ingester: Ingester) -> None:
    for number in range(6):
        ingester.now += timedelta(days=1)
        url = f"https://b.example/{number % 2}"
        ingester.poll(make_document(A, transfer=moved(url=url)))
    assert ingester.state().moved_to == ""


def test_source_returns_to_its_configured_url_when_the_adopted_one_dies(ingester: Ingester) -> None:
    for _ in range(3):
        ingester.now += timedelta(days=1)
        ingester.poll(make_document(A, transfer=moved()))
    assert ingester.state().moved_to
    for _ in range(3):
        ingester.poll(failed(status=404))
    assert ingester.state().poll_url == URL


LIMITED = {"status": 429, "freshness": Freshness(retry_after=timedelta(hours=2))}


def test_retry_after_is_never_shortened(ingester: Ingester) -> None:
    ingester.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    asked = ingester.now + timedelta(hours=2)
    assert ingester.state().gate_until == asked
    shorter = {"status": 429, "freshness": Freshness(retry_after=timedelta(seconds=5))}
    ingester.poll(failed(FailureKind.RATE_LIMITED, **shorter))
    assert ingester.state().gate_until == asked
    assert ingester.state().next_poll >= asked


def test_one_limited_feed_does_not_silence_its_host(ingester: Ingester) -> None:
    ingester.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    assert ingester.state("b0").gate_until is None


def test_host_that_limits_several_feeds_is_gated(ingester: Ingester) -> None:
    for source_id in ("a", "b0", "b1"):
        ingester.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    assert ingester.state("b2").next_poll >= ingester.now + timedelta(hours=2)


def test_limits_of_a_redirect_target_gate_no_other_feed_of_the_first_host(
    ingester: Ingester,
) -> None:
    hops = (Hop(status=302, url="https://other.example/feed"),)
    for source_id in ("a", "b0", "b1"):
        ingester.poll(failed(FailureKind.RATE_LIMITED, hops=hops, **LIMITED), source_id)
    assert ingester.state("a").gate_until is not None
    assert ingester.state("b2").gate_until is None
    with ingester.store.reading() as db:
        assert poll_log.spacings(db) == {}


def test_retry_after_of_one_source_can_stay_its_own(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, retry_after_scope="source")
    ingester.others = [replace(one, retry_after_scope="source") for one in ingester.others]
    for source_id in ("a", "b0", "b1"):
        ingester.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    assert ingester.state("b2").gate_until is None


def limited(days: float) -> Failed:
    freshness = Freshness(retry_after=timedelta(days=days))
    return failed(FailureKind.RATE_LIMITED, status=429, freshness=freshness)


def open_incidents(ingester: Ingester, source_id: str = "a") -> list[str]:
    with ingester.store.reading() as db:
        found = incidents.recent(db, source_id=source_id)
    return [one.kind for one in found if one.closed is None]


def test_wait_longer_than_the_longest_interval_is_an_incident(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    ingester.poll(limited(days=1))
    assert (ingester.state().health, open_incidents(ingester)) == ("retrying", [])
    ingester.poll(limited(days=1.1))
    assert (ingester.state().health, open_incidents(ingester)) == ("failing", ["failing"])
    ingester.now += timedelta(days=2)
    ingester.poll(make_document(A))
    assert (ingester.state().health, open_incidents(ingester)) == ("fine", [])


def test_wait_within_the_users_own_interval_is_none(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, every=timedelta(days=7))
    ingester.poll(make_document(A))
    ingester.poll(limited(days=7))
    assert open_incidents(ingester) == []


def test_long_wait_of_a_host_is_an_incident_of_each_source_of_it(ingester: Ingester) -> None:
    for source_id in ("a", "b0", "b1"):
        ingester.poll(limited(days=5), source_id)
    assert (ingester.state("b2").health, open_incidents(ingester, "b2")) == ("waiting", ["waiting"])
    [detail] = [one.detail for one in recent(ingester, "b2")]
    assert "no request before" in detail
    ingester.now += timedelta(days=6)
    ingester.poll(make_document(A), "b2")
    assert (ingester.state("b2").health, open_incidents(ingester, "b2")) == ("fine", [])


def recent(ingester: Ingester, source_id: str) -> list[incidents.Incident]:
    with ingester.store.reading() as db:
        return incidents.recent(db, source_id=source_id)


def synchronise(ingester: Ingester) -> None:
    with ingester.store.transaction() as db:
        sync.apply(db, [ingester.source, *ingester.others], now=ingester.now, first_polls={})


@pytest.mark.parametrize(
    ("url", "gated"),
    [
        ("https://a.example:443/2", True),
        ("https://a.example:8443/2", False),
        ("http://a.example/2", False),
    ],
)
def test_a_gate_is_for_one_port_of_a_host(ingester: Ingester, url: str, *, gated: bool) -> None:
    ingester.others[2] = replace(ingester.others[2], url=url)
    synchronise(ingester)
    for source_id in ("a", "b0", "b1"):
        ingester.poll(limited(days=1), source_id)
    assert (ingester.state("b2").gate_until is not None) is gated
    assert (ingester.state("b2").next_poll > ingester.now) is gated


def test_new_url_drops_the_wait_of_the_old_one(ingester: Ingester) -> None:
    ingester.poll(limited(days=5))
    ingester.source = replace(ingester.source, url="https://a.example/new")
    synchronise(ingester)
    state = ingester.state()
    assert (state.gate_from, state.gate_until, state.next_poll) == (None, None, ingester.now)
    ingester.poll(make_document(A))
    assert ingester.state().next_poll < ingester.now + timedelta(days=2)


def test_named_source_is_polled_in_spite_of_a_retry_after(ingester: Ingester) -> None:
    ingester.poll(limited(days=5))
    with ingester.store.transaction() as db:
        poll_plan.force(db, ingester.now)
    assert ingester.state().next_poll > ingester.now
    with ingester.store.transaction() as db:
        poll_plan.request(db, ingester.now, ["a"])
    assert (ingester.state().next_poll, ingester.state().gate_until) == (ingester.now, None)
    ingester.poll(make_document(A))
    assert ingester.state().next_poll < ingester.now + timedelta(days=2)
    assert open_incidents(ingester) == []


def test_gone_source_is_polled_monthly_and_not_by_force(ingester: Ingester) -> None:
    ingester.poll(failed(FailureKind.GONE, status=410))
    state = ingester.state()
    assert state.health == "gone"
    assert timedelta(days=26) < state.next_poll - ingester.now < timedelta(days=34)
    with ingester.store.transaction() as db:
        poll_plan.force(db, ingester.now)
    assert ingester.state().next_poll == state.next_poll
    with ingester.store.transaction() as db:
        poll_plan.request(db, ingester.now, ["a"])
    assert ingester.state().next_poll == ingester.now


def test_feed_found_on_a_page_is_polled_at_once(ingester: Ingester) -> None:
    found = "https://a.example/real"
    ingester.poll(failed(FailureKind.NOT_A_FEED, status=200), discovered=found)
    state = ingester.state()
    assert state.poll_url == found
    assert state.next_poll <= ingester.now
    assert state.failures == 0


def test_lifetime_is_kept_across_304(ingester: Ingester) -> None:
    hour = Transfer(status=200, freshness=Freshness(lifetime=timedelta(hours=1)))
    ingester.poll(make_document(A, transfer=hour))
    ingester.poll(
        Unchanged(url=URL, validators=Validators(etag='"2"'), transfer=hour._replace(status=304))
    )
    state = ingester.state()
    assert state.validators.etag == '"2"'
    assert state.next_poll >= ingester.now + timedelta(hours=1)


def test_log_of_polls_is_bounded(ingester: Ingester) -> None:
    for _ in range(poll_log.POLLS_KEPT + 7):
        ingester.poll(failed(status=500))
    with ingester.store.reading() as db:
        rows = poll_log.recent(db, "a", 1000)
    assert len(rows) == poll_log.POLLS_KEPT
    assert rows[0].at == ingester.now


def test_ledger_counts_requests_of_a_host(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    conditional = Transfer(status=304, received=100, conditional=True)
    ingester.poll(Unchanged(url=URL, validators=Validators(etag='"1"'), transfer=conditional))
    ingester.poll(make_document(A, transfer=Transfer(status=200, received=1000)))
    with ingester.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert (host.host, host.requests, host.not_modified, host.early) == ("a.example", 3, 1, 0)
    assert host.saved == 900
    assert host.unconditional == 1


def test_ledger_notices_a_request_before_its_time(ingester: Ingester) -> None:
    ingester.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    ingester.poll(make_document(A))
    with ingester.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert host.early == 1


def test_source_that_was_found_on_a_page_moves_too(ingester: Ingester) -> None:
    ingester.poll(failed(FailureKind.NOT_A_FEED), discovered="https://a.example/real")
    for _ in range(3):
        ingester.now += timedelta(days=1)
        ingester.poll(make_document(A, transfer=moved()))
    assert ingester.state().poll_url == "https://b.example/feed"
    with ingester.store.reading() as db:
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
def test_secrets_are_sent_to_their_origin_only(ingester: Ingester, found: str, sent: bool) -> None:
    ingester.source = replace(ingester.source, headers={"Authorization": "Bearer x"})
    assert ingester.request().headers
    ingester.poll(failed(FailureKind.NOT_A_FEED), discovered=found)
    assert bool(ingester.request().headers) is sent


def test_lifetime_stays_after_a_304_without_one(ingester: Ingester) -> None:
    hours = Freshness(lifetime=timedelta(hours=5))
    ingester.poll(make_document(A, transfer=Transfer(status=200, freshness=hours)))
    silent = Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304))
    ingester.poll(silent)
    assert ingester.state().lifetime == timedelta(hours=5)
    assert ingester.state().next_poll >= ingester.now + timedelta(hours=5)
    ingester.poll(make_document(A, transfer=Transfer(status=200)))
    assert ingester.state().lifetime is None


def test_gate_of_a_host_holds_for_the_rest_of_its_batch(ingester: Ingester) -> None:
    """Later results of the batch were fetched before the gate, but are planned after it."""
    limited = failed(FailureKind.RATE_LIMITED, **LIMITED)
    results = [PollResult(source_id=name, outcome=limited) for name in ("a", "b0", "b1")]
    results.append(PollResult(source_id="b2", outcome=make_document(A)))
    ingester.now += timedelta(minutes=1)
    with ingester.store.transaction() as db:
        batch.ingest(db, results, ingester.context)
    gate = ingester.now + timedelta(hours=2)
    assert ingester.state("b2").gate_until == gate
    assert ingester.state("b2").next_poll >= gate


def test_request_that_was_under_way_when_its_host_was_gated_is_not_early(
    ingester: Ingester,
) -> None:
    for source_id in ("a", "b0", "b1"):
        ingester.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    ingester.poll(make_document(A, transfer=Transfer(status=200, seconds=180)), "b2")
    with ingester.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert host.early == 0


NOTHING = Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304))


def test_quarantine_is_shown_after_a_failure_too(ingester: Ingester) -> None:
    for name in "abc":
        ingester.poll(
            make_document(*(make_entry(f"{name}{n}", published=START) for n in range(12)))
        )
        ingester.now += timedelta(days=9)
    words = ingester.state().error
    assert "held back" in words
    for _ in range(3):
        ingester.poll(failed(status=500))
    assert ingester.state().health == "failing"
    ingester.poll(NOTHING)
    assert (ingester.state().health, ingester.state().error) == ("quarantined", words)


def test_source_that_stopped_publishing_is_silent(ingester: Ingester) -> None:
    days = [make_entry(f"a{n}", published=START - timedelta(days=n)) for n in range(9)]
    ingester.poll(make_document(*days))
    ingester.now += timedelta(days=20)
    ingester.poll(NOTHING)
    assert ingester.state().health == "fine"
    ingester.now += timedelta(days=20)
    ingester.poll(NOTHING)
    assert ingester.state().health == "silent"
    with ingester.store.reading() as db:
        [incident] = incidents.recent(db)
    assert (incident.kind, incident.closed) == ("silent", None)
    ingester.poll(make_document(make_entry("new", published=ingester.now)))
    assert ingester.state().health == "fine"


def test_request_without_stored_validators_is_not_counted_as_unconditional(
    ingester: Ingester,
) -> None:
    for _ in range(3):
        ingester.poll(make_document(A, validators=Validators()))
    with ingester.store.reading() as db:
        [host] = poll_log.hosts(db)
    assert host.unconditional == 0
