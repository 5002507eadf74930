"""Pages of entries: queued with the entry, stored once, and never a correction."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.ingest import batch, maintenance, page_fetches
from aggregator.ingest.pages import LEAST_PAUSE, MOST_WAITING
from aggregator.models.config import Content, PageRules, Rule
from aggregator.models.entry import Author, Entry, Image, SafeHtml
from aggregator.models.page import PageTask, RobotsTask
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Freshness,
    Hop,
    PageOutcome,
    PageResult,
    PageText,
    Request,
    RobotsFile,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.models.query import Query
from aggregator.policy import pages as policy
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import page_queue, versions
from aggregator.store.entries.page_queue import QueuedPage
from aggregator.store.queries import select
from aggregator.store.sources import incidents, poll_log
from tests.builders import Ingester, failed, make_document, make_entry

LONG = "All that the page says, which is much more than the feed says of it."
OK = Transfer(status=200, received=900)
ORIGIN = "https://a.example"


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    ingester = Ingester(store)
    ingester.source = replace(ingester.source, content=Content.FULL)
    yield ingester
    store.close()


def queued(ingester: Ingester, guid: str = "e1") -> QueuedPage | None:
    entry_id = ingester.entry(guid).id
    with ingester.store.reading() as db:
        return page_queue.get(db, entry_id)


def known(ingester: Ingester, guid: str = "e1") -> QueuedPage:
    page = queued(ingester, guid)
    assert page is not None
    return page


def take(ingester: Ingester, busy: tuple[str, ...] = ()) -> page_fetches.Taken:
    with ingester.store.reading() as db:
        return page_fetches.take(db, ingester.context, busy=busy, room=9)


def request(ingester: Ingester) -> Request:
    [request] = take(ingester).requests
    return request


def store(ingester: Ingester, result: PageResult) -> None:
    ingester.now += timedelta(minutes=1)
    with ingester.store.transaction() as db:
        assert batch.ingest(db, [result], ingester.context) == []


def fetched(ingester: Ingester, outcome: PageOutcome, guid: str = "e1") -> None:
    store(ingester, PageResult(task=PageTask(entry_id=ingester.entry(guid).id), outcome=outcome))


def robots(ingester: Ingester, body: bytes = b"", origin: str = ORIGIN) -> None:
    outcome = RobotsFile(body=body, transfer=OK)
    store(ingester, PageResult(task=RobotsTask(origin=origin), outcome=outcome))


def make_text(text: str = LONG, url: str = f"{ORIGIN}/e1", **fields: object) -> PageText:
    return PageText(
        url=url,
        content=SafeHtml(f"<p>{text}</p>"),
        text=text,
        summary=text,
        validators=Validators(etag='"p"'),
        transfer=OK,
        **fields,  # type: ignore[arg-type]
    )


def poll(ingester: Ingester, *found: Entry) -> None:
    ingester.poll(make_document(*found))


# --- the queue -------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [Content.FEED, Content.EXCERPT, Content.LINK])
def test_other_content_queues_nothing(ingester: Ingester, content: Content) -> None:
    ingester.source = replace(ingester.source, content=content)
    poll(ingester, make_entry("e1"))
    assert queued(ingester) is None


def test_new_entry_is_queued_with_it(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    page = known(ingester)
    assert page.url == f"{ORIGIN}/e1"
    assert page.due == ingester.now
    assert ingester.entry("e1").entry.text_from == ""
    poll(ingester, make_entry("e1"), make_entry("e2"))
    assert known(ingester).due == page.due  # a known one is not queued again


def test_entry_without_page_or_out_of_sight_is_not_queued(ingester: Ingester) -> None:
    drop = (Rule(action="drop", field="title", pattern="hide me"),)
    ingester.source = replace(ingester.source, rules=drop)
    poll(
        ingester,
        replace(make_entry("e1"), link="", canonical_url=""),
        make_entry("e2", title="hide me"),
    )
    assert queued(ingester, "e1") is None
    assert queued(ingester, "e2") is None


def test_queue_of_a_source_is_bounded(ingester: Ingester) -> None:
    poll(ingester, *(make_entry(f"e{n}") for n in range(MOST_WAITING + 5)))
    with ingester.store.reading() as db:
        assert page_queue.count_due(db, "a") == MOST_WAITING


def test_expired_entry_leaves_the_queue(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    entry_id = ingester.entry("e1").id
    with ingester.store.transaction() as db:
        db.execute("delete from entries where id = ?", (entry_id,))
        assert page_queue.get(db, entry_id) is None
    store(ingester, PageResult(task=PageTask(entry_id=entry_id), outcome=make_text()))


def test_source_that_no_longer_asks_for_pages_has_none_due(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    ingester.source = replace(ingester.source, content=Content.FEED)
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    assert known(ingester).due is None


# --- requests --------------------------------------------------------------------------------


def test_robots_txt_comes_first_and_is_kept(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"), make_entry("e2"))
    first = request(ingester)
    assert first.task == RobotsTask(origin=ORIGIN)
    assert first.url == f"{ORIGIN}/robots.txt"
    robots(ingester)
    page = request(ingester)
    assert isinstance(page.task, PageTask)
    assert page.hosts == {"a.example"}
    assert take(ingester, busy=("a.example",)).requests == []  # one page of a host at a time
    ingester.now += page_fetches.ROBOTS_KEPT
    assert isinstance(request(ingester).task, RobotsTask)


def test_forbidden_page_is_given_up_without_a_request(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    robots(ingester, b"User-agent: *\nDisallow: /e1")
    taken = take(ingester)
    assert taken.requests == []
    [(result, host)] = taken.results
    assert host == "a.example"
    store(ingester, result)
    page = known(ingester)
    assert page.due is None
    assert page.outcome == "robots"
    assert "robots.txt forbids it" in page.status


@pytest.mark.parametrize(
    ("status", "body"), [(404, ""), (403, ""), (429, None), (500, None), (503, None), (0, None)]
)
def test_without_a_robots_txt(ingester: Ingester, status: int, body: str | None) -> None:
    """RFC 9309 §2.3.1: all is allowed without one, nothing while it can't be reached."""
    poll(ingester, make_entry("e1"))
    outcome = failed(FailureKind.HTTP_STATUS, status=status)
    store(ingester, PageResult(task=RobotsTask(origin=ORIGIN), outcome=outcome))
    taken = take(ingester)
    if body is None:
        [(result, _)] = taken.results
        store(ingester, result)
        due = known(ingester).due
        assert due is not None
        assert due > ingester.now
    else:
        assert isinstance(taken.requests[0].task, PageTask)


def test_unreachable_robots_txt_leaves_the_earlier_one_in_force(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    robots(ingester, b"User-agent: *\nDisallow: /e1")
    ingester.now += page_fetches.ROBOTS_KEPT
    outcome = failed(FailureKind.TIMEOUT)
    store(ingester, PageResult(task=RobotsTask(origin=ORIGIN), outcome=outcome))
    [(result, _)] = take(ingester).results
    assert isinstance(result.outcome, Failed)
    assert result.outcome.kind is FailureKind.ROBOTS


def test_headers_of_the_source_go_to_its_own_origin_only(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, headers={"Authorization": "Bearer secret"})
    elsewhere = replace(
        make_entry("e2"), link="https://b.example/e2", canonical_url="https://b.example/e2"
    )
    poll(ingester, make_entry("e1"), elsewhere)
    robots(ingester)
    robots(ingester, origin="https://b.example")
    headers = {each.url: dict(each.headers) for each in take(ingester).requests}
    assert headers == {
        f"{ORIGIN}/e1": {"Authorization": "Bearer secret"},
        "https://b.example/e2": {},
    }


def test_host_that_asked_to_wait_is_asked_nothing(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    robots(ingester)
    transfer = {"status": 429, "freshness": Freshness(retry_after=timedelta(hours=5))}
    fetched(ingester, failed(FailureKind.RATE_LIMITED, **transfer))
    poll(ingester, make_entry("e1"), make_entry("e2"))
    assert take(ingester).requests == []
    ingester.now += timedelta(hours=5)
    assert len(take(ingester).requests) == 1
    with ingester.store.reading() as db:
        [host] = [row for row in poll_log.hosts(db) if row.host == "a.example"]
    assert host.requests == 4  # two polls, the robots.txt and the page
    assert host.spacing > 0
    assert host.early == 0


def test_page_of_two_sources_is_fetched_once(ingester: Ingester) -> None:
    other = replace(ingester.others[0], content=Content.FULL)
    ingester.others[0] = other
    poll(ingester, make_entry("e1"))
    robots(ingester)
    fetched(ingester, make_text(authors=(Author(name="Ann"),)))
    ingester.poll(make_document(replace(make_entry("x1"), link=f"{ORIGIN}/e1",
                                        canonical_url=f"{ORIGIN}/e1")), other.id)  # fmt: skip
    taken = take(ingester)
    assert taken.requests == []
    [(result, _)] = taken.results
    store(ingester, result)
    assert ingester.entry("x1").entry.text == LONG
    assert ingester.entry("x1").entry.text_from == "page"


def test_other_rules_make_it_another_text(ingester: Ingester) -> None:
    rules = PageRules(select="main")
    other = replace(ingester.others[0], content=Content.FULL, page_rules=rules)
    ingester.others[0] = other
    poll(ingester, make_entry("e1"))
    robots(ingester)
    fetched(ingester, make_text())
    ingester.poll(make_document(replace(make_entry("x1"), link=f"{ORIGIN}/e1",
                                        canonical_url=f"{ORIGIN}/e1")), other.id)  # fmt: skip
    assert len(take(ingester).requests) == 1


# --- results ---------------------------------------------------------------------------------


def test_text_replaces_the_feeds_and_is_no_correction(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    before, scopes = ingester.entry("e1"), ingester.versions()
    fetched(ingester, make_text())
    after = ingester.entry("e1")
    assert after.entry.text_from == "page"
    assert after.entry.text == LONG
    assert after.entry.content == f"<p>{LONG}</p>"
    assert (after.updated, after.changed) == (before.updated, before.changed)
    assert after.entry.fingerprint == before.entry.fingerprint
    with ingester.store.reading() as db:
        assert versions.of_entry(db, after.id) == []
        assert [found.id for found in select.select(db, Query(q="page says"), limit=9)] == [
            after.id
        ]
    for scope in (change_log.ALL, "source:a", "section:world"):
        assert ingester.versions()[scope] > scopes[scope]
    assert known(ingester).due is None


def test_second_result_of_a_page_changes_nothing(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    fetched(ingester, make_text())
    after, scopes = ingester.entry("e1"), ingester.versions()
    fetched(ingester, make_text())
    assert ingester.entry("e1") == after
    assert ingester.versions() == scopes


@pytest.mark.parametrize("extra", [0, 1])
def test_shorter_page_leaves_the_feeds_text(ingester: Ingester, extra: int) -> None:
    feed = replace(make_entry("e1"), text="x" * 100)
    poll(ingester, feed)
    fetched(ingester, make_text("y" * (100 + extra)))
    assert ingester.entry("e1").entry.text_from == ("page" if extra else "")
    assert known(ingester).outcome == ("page" if extra else "shorter")


def test_page_fills_what_the_feed_lacks(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    published = datetime(2009, 6, 20, tzinfo=UTC)
    image, author = Image(url="https://a.example/i.jpg"), Author(name="Ann")
    fetched(ingester, make_text(image=image, authors=(author,), published=published))
    stored = ingester.entry("e1")
    assert stored.entry.image == image
    assert stored.entry.authors == (author,)
    assert stored.entry.published == stored.sort_at == published
    with ingester.store.reading() as db:
        assert len(list(select.select(db, Query(author=("ann",)), limit=9))) == 1


def test_page_overrides_nothing_that_the_feed_has(ingester: Ingester) -> None:
    feed = replace(
        make_entry("e1", published=ingester.now),
        image=Image(url="https://a.example/feed.jpg"),
        authors=(Author(name="Bo"),),
        summary="The feed's summary",
    )
    poll(ingester, feed)
    fetched(
        ingester,
        make_text(
            image=Image(url="https://a.example/i.jpg"),
            authors=(Author(name="Ann"),),
            published=datetime(2001, 1, 1, tzinfo=UTC),
        ),
    )
    entry = ingester.entry("e1").entry
    assert (entry.image, entry.authors, entry.published, entry.summary) == (
        feed.image, feed.authors, feed.published, feed.summary,
    )  # fmt: skip


def test_polls_leave_the_text_of_the_page(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    image = Image(url="https://a.example/i.jpg")
    fetched(ingester, make_text(image=image, authors=(Author(name="Ann"),)))
    after, scopes = ingester.entry("e1"), ingester.versions()
    # Another item, with an unchanged text: the item is read again.
    poll(ingester, replace(make_entry("e1"), item_hash=b"other".ljust(16, b".")))
    assert ingester.entry("e1").entry == after.entry
    assert ingester.versions()["source:a"] == scopes["source:a"]
    assert known(ingester).due is None


def test_correction_of_the_feed_fetches_the_page_again(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    fetched(ingester, make_text())
    poll(ingester, make_entry("e1", title="Corrected"))
    stored = ingester.entry("e1")
    assert stored.entry.title == "Corrected"
    assert stored.changed == ingester.now
    assert stored.entry.text == LONG
    assert known(ingester).due == ingester.now + LEAST_PAUSE
    robots(ingester)
    ingester.now += LEAST_PAUSE
    again = request(ingester)
    assert again.validators.etag == '"p"'
    assert again.validators_url == f"{ORIGIN}/e1"
    unchanged = Unchanged(url=again.url, validators=again.validators, transfer=Transfer(status=304))
    fetched(ingester, unchanged)
    assert ingester.entry("e1").entry.text == LONG
    assert known(ingester).due is None


def test_longer_text_of_the_feed_wins(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    fetched(ingester, make_text())
    longer = replace(make_entry("e1", title="Corrected"), text=LONG * 2)
    poll(ingester, longer)
    stored = ingester.entry("e1").entry
    assert stored.text == LONG * 2
    assert stored.text_from == ""


def test_rules_see_the_text_of_the_page(ingester: Ingester) -> None:
    drop = (Rule(action="drop", field="content", pattern="much more"),)
    ingester.source = replace(ingester.source, rules=drop)
    poll(ingester, make_entry("e1"))
    assert ingester.visible_guids() == ["e1"]
    fetched(ingester, make_text())
    assert ingester.visible_guids() == []


def test_redirect_to_another_host_asks_its_robots_txt(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    robots(ingester)
    hops = (Hop(status=301, url="https://b.example/e1"),)
    moved = failed(FailureKind.ELSEWHERE, status=301, hops=hops)
    fetched(ingester, moved)
    assert request(ingester).task == RobotsTask(origin="https://b.example")
    robots(ingester, origin="https://b.example")
    assert request(ingester).url == "https://b.example/e1"
    for _ in range(policy.MOST_MOVES):
        fetched(ingester, moved)
    assert known(ingester).due is None
    assert known(ingester).outcome == "redirects"


def test_text_is_not_used_from_a_path_that_robots_txt_forbids(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    robots(ingester, b"User-agent: *\nDisallow: /members")
    fetched(ingester, make_text(url=f"{ORIGIN}/members/e1"))
    assert ingester.entry("e1").entry.text_from == ""
    assert known(ingester).outcome == "robots"


def test_failures_are_tried_again_and_then_given_up(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    for _ in range(policy.MOST_ATTEMPTS - 1):
        fetched(ingester, failed(FailureKind.TIMEOUT))
        due = known(ingester).due
        assert due is not None
        assert due > ingester.now
    fetched(ingester, failed(FailureKind.TIMEOUT))
    page = known(ingester)
    assert page.due is None
    assert page.outcome == "timeout"
    assert ingester.entry("e1").entry.text_from == ""


def test_cancelled_page_stays_due(ingester: Ingester) -> None:
    poll(ingester, make_entry("e1"))
    due = known(ingester).due
    fetched(ingester, failed(FailureKind.CANCELLED))
    assert known(ingester).due == due
    assert known(ingester).attempts == 0


def test_pages_without_text_are_an_incident_of_the_source(ingester: Ingester) -> None:
    names = [f"e{n}" for n in range(policy.FAILED_PAGES + 1)]
    poll(ingester, *map(make_entry, names))

    def is_open() -> bool:
        with ingester.store.reading() as db:
            found = incidents.recent(db, source_id="a")
        return any(each.kind == "unreadable" and each.closed is None for each in found)

    for name in names[: policy.FAILED_PAGES - 1]:
        fetched(ingester, failed(FailureKind.PARSE), name)
    assert not is_open()
    fetched(ingester, failed(FailureKind.PARSE), names[policy.FAILED_PAGES - 1])
    assert is_open()
    poll(ingester, *map(make_entry, names))  # a good poll does not close it
    assert is_open()
    fetched(ingester, make_text(), names[-1])
    assert not is_open()


# --- excerpt and link ------------------------------------------------------------------------


FULL = replace(
    make_entry("e1"),
    summary="The first words…",
    content=SafeHtml("<p>The first words and all the others.</p>"),
    text="The first words and all the others.",
    image=Image(url="https://a.example/i.jpg"),
)


def test_excerpt_keeps_the_first_words_only(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, content=Content.EXCERPT)
    poll(ingester, FULL)
    entry = ingester.entry("e1").entry
    assert entry.content == "<p>The first words…</p>"
    assert entry.text == entry.summary == "The first words…"
    assert entry.image == FULL.image


def test_link_keeps_title_and_link_only(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, content=Content.LINK)
    poll(ingester, FULL)
    entry = ingester.entry("e1").entry
    assert (entry.title, entry.link) == (FULL.title, FULL.link)
    assert (entry.content, entry.text, entry.summary, entry.image) == ("", "", "", None)


@pytest.mark.parametrize("content", [Content.EXCERPT, Content.LINK])
def test_rules_match_what_is_not_shown(ingester: Ingester, content: Content) -> None:
    drop = (Rule(action="drop", field="content", pattern="all the others"),)
    ingester.source = replace(ingester.source, content=content, rules=drop)
    poll(ingester, FULL)
    assert ingester.visible_guids() == []


@pytest.mark.parametrize("content", [Content.EXCERPT, Content.LINK, Content.FEED])
def test_change_of_what_is_not_shown_is_no_correction(ingester: Ingester, content: Content) -> None:
    ingester.source = replace(ingester.source, content=content)
    poll(ingester, FULL)
    edited = replace(
        FULL,
        content=SafeHtml("<p>The first words and none.</p>"),
        text="The first words and none.",
        fingerprint=b"other",
        item_hash=b"other".ljust(16, b"."),
    )
    poll(ingester, edited)
    stored = ingester.entry("e1")
    assert (stored.changed > stored.first_seen) is (content is Content.FEED)
    poll(ingester, replace(edited, item_hash=b"third".ljust(16, b".")))
    assert ingester.entry("e1").changed == stored.changed
