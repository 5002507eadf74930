"""What polls brought, stored: entries, validators, schedule and logs move together."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from aggregator import ingest, jobs
from aggregator.ingest import Context, Ingested
from aggregator.model import (
    Config,
    Entry,
    Failed,
    FailureKind,
    Feed,
    Freshness,
    Hop,
    PollResult,
    Query,
    Reading,
    Request,
    Rule,
    SafeHtml,
    Site,
    Source,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.store import changes, entries, incidents, log, sources, views
from aggregator.store.db import Store
from aggregator.store.sources import SourceState

URL = "https://a.example/feed"
START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def make_entry(name: str, *, title: str = "", published: datetime | None = None) -> Entry:
    page = f"https://a.example/{name}"
    return Entry(
        guid=name,
        link=page,
        canonical_url=page,
        title=title or f"Title {name}",
        summary="",
        content=SafeHtml(f"<p>{name}</p>"),
        text=name,
        published=published,
        updated=None,
        fingerprint=(title or name).encode(),
        item_hash=f"{name}|{title}".encode().ljust(16, b".")[:16],
    )


def make_reading(*found: Entry, **fields: Any) -> Reading:
    made: dict[str, Any] = {
        "url": URL,
        "feed": Feed(title="A", link="https://a.example/"),
        "entries": found,
        "body_hash": b"body",
        "item_hashes": b"".join(one.item_hash for one in found),
        "validators": Validators(etag='"1"', last_modified="then"),
        "transfer": Transfer(status=200, received=1000),
    }
    return Reading(**made | fields)


def failed(kind: FailureKind = FailureKind.HTTP_STATUS, **transfer: Any) -> Failed:
    return Failed(kind=kind, detail="it failed", transfer=Transfer(**transfer))


class Desk:
    """A store with a source, and the time; each poll is one transaction a minute later."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, START
        self.source = Source(id="a", url=URL, sections=("world",))
        self.others = [
            Source(id=f"b{n}", url=f"https://a.example/{n}") for n in range(ingest.HOST_LIMITED)
        ]
        with store.transaction() as db:
            sources.sync(db, [self.source, *self.others], now=self.now, first_polls={})

    @property
    def context(self) -> Context:
        named = {source.id: source for source in [self.source, *self.others]}
        config = Config(
            path="",
            site=Site(base_url="https://us.example"),
            storage="",
            sources=tuple(named.values()),
        )
        return Context(config=config, sources=named, now=self.now, draw=lambda: 0.5)

    def poll(
        self, outcome: Reading | Unchanged | Failed, source_id: str = "a", discovered: str = ""
    ) -> Ingested | None:
        self.now += timedelta(minutes=1)
        result = PollResult(source_id=source_id, outcome=outcome, discovered=discovered)
        with self.store.transaction() as db:
            done = ingest.ingest(db, [result], self.context)
        return done[0] if done else None

    def state(self, source_id: str = "a") -> SourceState:
        with self.store.reading() as db:
            found = sources.get(db, source_id)
        assert found is not None
        return found

    def shown(self) -> list[str]:
        with self.store.reading() as db:
            return [one.entry.guid for one in views.select(db, Query(section=("world",)), limit=99)]

    def versions(self) -> dict[str, int]:
        with self.store.reading() as db:
            return changes.versions(db)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store)
    store.close()


A, B = make_entry("a"), make_entry("b")


def test_new_entries_are_stored_with_validators_and_schedule(desk: Desk) -> None:
    done = desk.poll(make_reading(B, A))
    assert done is not None
    assert len(done.new) == 2
    assert desk.shown() == ["b", "a"]
    state = desk.state()
    assert state.validators == Validators(etag='"1"', last_modified="then")
    assert state.validators_url == URL
    assert state.next_poll > desk.now
    assert state.entries == 2
    assert state.title == "A"


def test_same_document_again_changes_nothing(desk: Desk) -> None:
    desk.poll(make_reading(A))
    before = desk.versions()
    done = desk.poll(make_reading(A, body_hash=b"other"))
    assert done is not None
    assert (done.new, done.changed) == ((), ())
    assert desk.versions() | {"status": 0} == before | {"status": 0}


def test_edit_keeps_the_earlier_wording_and_the_place(desk: Desk) -> None:
    first = desk.poll(make_reading(A))
    desk.poll(make_reading(make_entry("a", title="Edited")))
    assert first is not None
    with desk.store.reading() as db:
        stored = entries.get(db, first.new[0])
        [version] = entries.versions(db, first.new[0])
    assert stored is not None
    assert stored.entry.title == "Edited"
    assert version.title == "Title a"
    assert stored.sort_at == stored.first_seen < stored.changed


def test_noise_rewrites_nothing(desk: Desk) -> None:
    desk.poll(make_reading(A))
    before = desk.versions()
    noise = replace(A, link=f"{A.link}?utm_source=x", updated=desk.now, item_hash=b"n" * 16)
    desk.poll(make_reading(noise))
    with desk.store.reading() as db:
        [stored] = views.select(db, Query(), limit=9)
    assert stored.entry.link == A.link
    assert desk.versions()[changes.ALL] == before[changes.ALL]


def test_new_title_of_a_feed_makes_its_views_new(desk: Desk) -> None:
    desk.poll(make_reading(A))
    before = desk.versions()
    desk.poll(make_reading(A, feed=Feed(title="Renamed")))
    after = desk.versions()
    for scope in (changes.ALL, "source:a", "section:world"):
        assert after[scope] > before[scope]


def test_fault_in_the_middle_leaves_all_as_it_was(desk: Desk) -> None:
    desk.poll(make_reading(A))
    before = desk.state()
    broken = make_reading(
        B, replace(make_entry("c"), title=cast("str", None)), validators=Validators(etag='"2"')
    )
    with pytest.raises(Exception, match="title"):
        desk.poll(broken)
    assert desk.state() == before
    assert desk.shown() == ["a"]


def test_validators_are_not_kept_when_the_server_says_no_store(desk: Desk) -> None:
    desk.poll(make_reading(A, transfer=Transfer(status=200, freshness=Freshness(no_store=True))))
    assert desk.state().validators == Validators()


def test_failure_keeps_entries_and_validators(desk: Desk) -> None:
    desk.poll(make_reading(A))
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
    desk.poll(make_reading(A))
    state = desk.state()
    assert (state.failures, state.error) == (0, "")
    with desk.store.reading() as db:
        [incident] = [one for one in incidents.recent(db) if one.kind == "failing"]
    assert incident.closed == desk.now


def test_304_nobody_asked_for_forgets_the_validators(desk: Desk) -> None:
    desk.poll(make_reading(A))
    desk.poll(failed(FailureKind.FALSE_304, status=304))
    assert desk.state().validators == Validators()


def test_cancelled_poll_leaves_no_trace(desk: Desk) -> None:
    before = desk.state()
    assert desk.poll(failed(FailureKind.CANCELLED)) is None
    assert desk.state() == before


def moved(status: int = 301, url: str = "https://b.example/feed") -> Transfer:
    return Transfer(status=200, hops=(Hop(status=status, url=url),))


@pytest.mark.parametrize("status", [301, 308])
def test_permanent_redirect_moves_a_source_after_a_day(desk: Desk, status: int) -> None:
    for _ in range(3):
        desk.poll(make_reading(A, transfer=moved(status)))
    assert desk.state().moved_to == ""
    desk.now += timedelta(days=1)
    desk.poll(make_reading(A, transfer=moved(status)))
    state = desk.state()
    assert state.poll_url == "https://b.example/feed"
    assert state.url == URL


@pytest.mark.parametrize("status", [302, 303, 307])
def test_temporary_redirect_never_moves_a_source(desk: Desk, status: int) -> None:
    for _ in range(5):
        desk.now += timedelta(days=1)
        desk.poll(make_reading(A, transfer=moved(status)))
    assert desk.state().moved_to == ""


def test_redirects_to_changing_places_never_move_a_source(desk: Desk) -> None:
    for number in range(6):
        desk.now += timedelta(days=1)
        url = f"https://b.example/{number % 2}"
        desk.poll(make_reading(A, transfer=moved(url=url)))
    assert desk.state().moved_to == ""


def test_address_that_dies_after_a_move_gives_way_to_the_configured_one(desk: Desk) -> None:
    for _ in range(3):
        desk.now += timedelta(days=1)
        desk.poll(make_reading(A, transfer=moved()))
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


def test_source_can_keep_its_retry_after_to_itself(desk: Desk) -> None:
    desk.source = replace(desk.source, retry_after_scope="source")
    desk.others = [replace(one, retry_after_scope="source") for one in desk.others]
    for source_id in ("a", "b0", "b1"):
        desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED), source_id)
    assert desk.state("b2").gate_until is None


def test_gone_is_asked_again_once_a_month_and_not_by_force(desk: Desk) -> None:
    desk.poll(failed(FailureKind.GONE, status=410))
    state = desk.state()
    assert state.health == "gone"
    assert timedelta(days=26) < state.next_poll - desk.now < timedelta(days=34)
    with desk.store.transaction() as db:
        sources.force(db, desk.now)
    assert desk.state().next_poll == state.next_poll
    with desk.store.transaction() as db:
        sources.force(db, desk.now, ["a"])
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
    desk.poll(make_reading(A, transfer=hour))
    desk.poll(
        Unchanged(url=URL, validators=Validators(etag='"2"'), transfer=replace(hour, status=304))
    )
    state = desk.state()
    assert state.validators.etag == '"2"'
    assert state.next_poll >= desk.now + timedelta(hours=1)


def requests_of(desk: Desk) -> Request:
    with desk.store.reading() as db:
        [request] = ingest.requests(db, ["a"], desk.context)
    return request


def test_request_carries_what_the_last_document_said(desk: Desk) -> None:
    assert requests_of(desk).validators == Validators()
    desk.poll(make_reading(A, B))
    request = requests_of(desk)
    assert request.validators == Validators(etag='"1"', last_modified="then")
    assert request.body_hash == b"body"
    assert request.item_hashes == A.item_hash + B.item_hash


def test_database_that_lost_its_entries_asks_unconditionally(desk: Desk) -> None:
    desk.poll(make_reading(A))
    with desk.store.transaction() as db:
        db.execute("delete from entry_section")
        db.execute("delete from entries")
    request = requests_of(desk)
    assert request.validators == Validators()
    assert request.item_hashes == b""


def last_seen(desk: Desk, guid: str) -> str | None:
    with desk.store.reading() as db:
        return db.execute("select last_seen from entries where guid = ?", (guid,)).fetchone()[0]  # type: ignore[no-any-return]


def test_entry_is_last_seen_when_it_leaves_the_document(desk: Desk) -> None:
    desk.poll(make_reading(A, B))
    desk.poll(make_reading(B, entries=(), item_hashes=B.item_hash))
    assert last_seen(desk, "a") is not None
    assert last_seen(desk, "b") is None
    desk.poll(make_reading(A, item_hashes=A.item_hash + B.item_hash))
    assert last_seen(desk, "a") is None


def test_partial_document_does_not_say_what_has_left(desk: Desk) -> None:
    desk.poll(make_reading(A))
    desk.poll(make_reading(B, whole=False, item_hashes=b"", body_hash=b""))
    assert last_seen(desk, "a") is None
    assert sorted(desk.shown()) == ["a", "b"]


def test_expired_entry_does_not_come_back(desk: Desk) -> None:
    desk.poll(make_reading(A, B))
    desk.poll(make_reading(B, entries=(), item_hashes=B.item_hash))
    with desk.store.transaction() as db:
        assert entries.expire(db, desk.now + timedelta(days=1)) == 1
    desk.poll(make_reading(A, item_hashes=A.item_hash + B.item_hash))
    assert desk.shown() == ["b"]


def test_rule_hides_an_entry_and_says_why(desk: Desk) -> None:
    rule = Rule(action="drop", field="title", pattern="sport")
    desk.source = replace(desk.source, rules=(rule,))
    done = desk.poll(make_reading(A, make_entry("s", title="Sports news")))
    assert desk.shown() == ["a"]
    assert done is not None
    with desk.store.reading() as db:
        hidden = [one.hidden for one in entries.get_many(db, done.new).values() if one.hidden]
    assert hidden == ["dropped by the rule title: sport"]


def test_keep_rule_hides_all_else(desk: Desk) -> None:
    desk.source = replace(
        desk.source, rules=(Rule(action="keep", field="title", pattern="^Title b$"),)
    )
    desk.poll(make_reading(A, B))
    assert desk.shown() == ["b"]


def test_flood_is_held_back_until_it_is_released(desk: Desk) -> None:
    desk.poll(make_reading(*(make_entry(f"a{n}", published=START) for n in range(12))))
    desk.now += timedelta(days=9)
    desk.poll(make_reading(*(make_entry(f"b{n}", published=START) for n in range(12))))
    desk.now += timedelta(days=9)
    old = make_reading(*(make_entry(f"c{n}", published=START) for n in range(12)))
    desk.poll(old)
    assert desk.state().health == "quarantined"
    assert not any(guid.startswith("c") for guid in desk.shown())
    with desk.store.transaction() as db:
        assert jobs.release(db, desk.state(), desk.now) >= 12
    assert any(guid.startswith("c") for guid in desk.shown())
    assert desk.state().health == "fine"


def test_entry_keeps_the_publishers_id_where_it_is_one(desk: Desk) -> None:
    named = replace(make_entry("n"), guid="urn:uuid:1", item_hash=b"1" * 16)
    unnamed = replace(make_entry("u"), guid="no iri", item_hash=b"2" * 16)
    desk.poll(make_reading(named, unnamed))
    with desk.store.reading() as db:
        uris = {one.entry.guid: one.uri for one in views.select(db, Query(), limit=9)}
    assert uris["urn:uuid:1"] == "urn:uuid:1"
    assert uris["no iri"].startswith("tag:us.example,2009-06-27:a/")


def test_log_of_polls_is_bounded(desk: Desk) -> None:
    for _ in range(log.POLLS_KEPT + 7):
        desk.poll(failed(status=500))
    with desk.store.reading() as db:
        rows = log.recent(db, "a", 1000)
    assert len(rows) == log.POLLS_KEPT
    assert rows[0].at == desk.now


def test_ledger_counts_requests_of_a_host(desk: Desk) -> None:
    desk.poll(make_reading(A))
    conditional = Transfer(status=304, received=100, conditional=True)
    desk.poll(Unchanged(url=URL, validators=Validators(etag='"1"'), transfer=conditional))
    desk.poll(make_reading(A, transfer=Transfer(status=200, received=1000)))
    with desk.store.reading() as db:
        [host] = log.hosts(db)
    assert (host.host, host.requests, host.not_modified, host.early) == ("a.example", 3, 1, 0)
    assert host.saved == 900
    assert host.unconditional == 1


def test_ledger_notices_a_request_before_its_time(desk: Desk) -> None:
    desk.poll(failed(FailureKind.RATE_LIMITED, **LIMITED))
    desk.poll(make_reading(A))
    with desk.store.reading() as db:
        [host] = log.hosts(db)
    assert host.early == 1


def test_result_of_a_source_that_is_gone_from_the_database_is_passed_over(desk: Desk) -> None:
    assert desk.poll(make_reading(A), "unknown") is None
