"""New entries that join stories."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.ingest import batch
from aggregator.ingest import stories as storylines
from aggregator.models.config import Source
from aggregator.models.entry import Entry, Origin
from aggregator.models.poll import PollResult
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, stories
from aggregator.store.entries.retention import Cutoffs, expire
from tests.builders import START, URL, Ingester, make_document, make_entry

TITLE = "Ferry with 212 on board runs aground off Skerrow"
OTHER_TITLE = "Lifeboats save passengers off Lady Maud"
LEAD = (
    "The ferry Lady Maud ran aground off Skerrow on Sunday with 212 people on board. All passengers"
    " were taken off by lifeboats, the coast guard said."
)


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def report(name: str, **fields: object) -> Entry:
    made = {"title": TITLE, "summary": LEAD, "fingerprint": name.encode()} | fields
    return replace(make_entry(name), **made)  # type: ignore[arg-type]  # fields of Entry


def bring(ingester: Ingester, source_id: str, *report: Entry) -> tuple[int, ...]:
    done = ingester.poll(make_document(*report, body_hash=source_id.encode()), source_id)
    assert done is not None
    return done.new


def members(ingester: Ingester, entry_id: int) -> list[tuple[int, str, str]]:
    with ingester.store.reading() as db:
        found = stories.of_entry(db, entry_id)
    return [(one.entry_id, one.source_id, one.reason) for one in found]


def test_story_has_the_id_of_its_first_entry_and_grows(ingester: Ingester) -> None:
    [first] = bring(ingester, "a", report("one"))
    assert members(ingester, first) == []
    [second] = bring(ingester, "b0", report("two"))
    [third] = bring(ingester, "b1", report("three", title=OTHER_TITLE))
    same = "same title"
    text = "nearly the same opening text"
    expected = [(first, "a", ""), (second, "b0", same), (third, "b1", text)]
    assert members(ingester, first) == members(ingester, third) == expected


def test_entries_that_came_in_one_batch_find_each_other(ingester: Ingester) -> None:
    results = [
        PollResult(source_id=source, outcome=make_document(report(source)))
        for source in ("a", "b0", "b1")
    ]
    with ingester.store.transaction() as db:
        done = batch.ingest(db, results, ingester.context)
    first = done[0].new[0]
    assert [source for _, source, _ in members(ingester, first)] == ["a", "b0", "b1"]


def test_entries_of_one_source_are_never_one_story(ingester: Ingester) -> None:
    first, second = bring(ingester, "a", report("one"), report("two"))
    assert members(ingester, first) == members(ingester, second) == []
    [third] = bring(ingester, "b0", report("three", canonical_url="https://b.example/3"))
    assert third
    bring(ingester, "a", report("one"), report("two"), report("four"))
    sources = [source for _, source, _ in members(ingester, third)]
    assert len(sources) == len(set(sources))


def test_later_report_is_compared_with_the_first_only(ingester: Ingester) -> None:
    [first] = bring(ingester, "a", report("one"))
    [second] = bring(ingester, "b0", report("two", title=OTHER_TITLE))
    like_second = report("three", title=OTHER_TITLE, summary="Short.")
    [third] = bring(ingester, "b1", like_second)
    assert [entry_id for entry_id, _, _ in members(ingester, first)] == [first, second]
    assert members(ingester, third) == []


def test_page_of_any_member_is_evidence(ingester: Ingester) -> None:
    page = "https://wire.example/ferry"
    [first] = bring(ingester, "a", report("one"))
    bring(ingester, "b0", report("two", canonical_url=page))
    [third] = bring(ingester, "b1", report("three", title="Ferry", summary="", canonical_url=page))
    assert members(ingester, first)[2] == (third, "b1", "links to the same page")


def test_page_that_a_source_reuses_is_no_evidence(ingester: Ingester) -> None:
    page = "https://shop.example/all"
    names = ("Honey", "Wax", "Candles")
    bring(ingester, "a", *(report(n, title=n, summary="", canonical_url=page) for n in names))
    [other] = bring(ingester, "b0", report("x", title="Soap", summary="", canonical_url=page))
    assert members(ingester, other) == []


def test_title_that_a_source_has_used_before_is_no_evidence(ingester: Ingester) -> None:
    title = "Seven stories to read this morning before breakfast"
    bring(ingester, "a", report("monday", title=title, summary=""))
    bring(ingester, "a", report("tuesday", title=title, summary=""), report("monday", title=title))
    [other] = bring(ingester, "b0", report("x", title=title, summary=""))
    assert members(ingester, other) == []


def test_via_and_equal_ids_are_hints(ingester: Ingester) -> None:
    [first] = bring(ingester, "a", report("one", guid="tag:wire.example,2009:1"))
    short = {"title": "Ferry aground off Skerrow", "summary": ""}
    [second] = bring(
        ingester, "b0", report("two", via="http://www.a.example/one?utm_source=x", **short)
    )
    [third] = bring(ingester, "b1", report("three", guid="tag:wire.example,2009:1", **short))
    assert [entry_id for entry_id, _, _ in members(ingester, first)] == [first, second, third]


def test_origin_feed_of_a_copy_is_a_hint(ingester: Ingester) -> None:
    short = {"title": "Weekly update", "summary": ""}
    [first] = bring(ingester, "a", report("one", **short))
    [other] = bring(
        ingester, "b0", report("two", origin=Origin(url="https://x.example/feed"), **short)
    )
    [copy] = bring(ingester, "b1", report("three", origin=Origin(title="A", url=URL), **short))
    assert [entry_id for entry_id, _, _ in members(ingester, first)] == [first, copy]
    assert members(ingester, other) == []


def test_reports_days_apart_are_no_story(ingester: Ingester) -> None:
    [first] = bring(ingester, "a", report("one"))
    ingester.now += timedelta(days=4)
    bring(ingester, "b0", report("two"))
    assert members(ingester, first) == []


@pytest.mark.parametrize(("days", "found"), [(13, True), (15, False)])
def test_backlog_is_not_looked_up_by_its_text(
    ingester: Ingester, days: int, *, found: bool
) -> None:
    at = START - timedelta(days=days)
    [first] = bring(ingester, "a", report("one", published=at))
    [other] = bring(ingester, "b0", report("two", published=at, title=OTHER_TITLE))
    [same] = bring(ingester, "b1", report("three", published=at))
    expected = [first, other, same] if found else [first, same]
    assert [entry_id for entry_id, _, _ in members(ingester, first)] == expected


def test_entry_in_quarantine_is_not_looked_at_and_a_dropped_one_is(ingester: Ingester) -> None:
    with ingester.store.transaction() as db:
        for source, hidden in (("a", "quarantine: many"), ("b0", "dropped by a rule")):
            fresh = entries.NewEntry(entry=report(source), uri=source, sort_at=START, hidden=hidden)
            entries.insert(db, source, [fresh], first_seen=START, sections=())
        assert storylines.follow(db, [1, 2], START) == 0
    [third] = bring(ingester, "b1", report("three"))
    assert [entry_id for entry_id, _, _ in members(ingester, third)] == [2, third]


def test_expired_member_leaves_its_story(ingester: Ingester) -> None:
    [first] = bring(ingester, "a", report("one"))
    [second] = bring(ingester, "b0", report("two"))
    with ingester.store.transaction() as db:
        entries.mark_left(db, [first], START)
        assert expire(db, Cutoffs(default=START + timedelta(days=1))).count == 1
    assert [entry_id for entry_id, _, _ in members(ingester, second)] == [second]
    [third] = bring(ingester, "b1", report("three"))
    assert members(ingester, third) == []


def test_index_is_bounded_and_forgets(ingester: Ingester) -> None:
    with ingester.store.transaction() as db:
        for number in range(40):
            source = Source(id=f"s{number}", url=f"https://s.example/{number}")
            db.execute(
                "insert into sources(id, url, host, next_poll_at) values (?, ?, '', '')",
                (source.id, source.url),
            )
            entry = report(f"n{number}", title="Rain", summary="")
            fresh = entries.NewEntry(entry=entry, uri=f"n{number}", sort_at=START)
            entries.insert(db, source.id, [fresh], first_seen=START, sections=())
        storylines.follow(db, range(1, 41), START)
        most = db.execute("select max(n) from (select count(*) as n from story_keys group by key)")
        assert most.fetchone()[0] == stories.SLOTS
        assert stories.forget(db, START.toordinal() + 3) == 0
        stories.forget(db, START.toordinal() + 31)
        assert db.execute("select count(*) from story_keys").fetchone()[0] == 0


def test_sources_of_stories_are_looked_up_among_some(ingester: Ingester) -> None:
    [first] = bring(ingester, "a", report("one"))
    bring(ingester, "b0", report("two"))
    bring(ingester, "b1", report("three"))
    with ingester.store.reading() as db:
        assert stories.sources_of(db, {first, 99}, {"a", "b1", "c"}) == {
            first: {"a", "b1"},
            99: set(),
        }
        [two] = [id for id, source, _ in members(ingester, first) if source == "b0"]
        assert [source for source, _ in stories.origins(db, [two, 99]).values()] == ["b0"]
