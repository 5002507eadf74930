"""Corrections as a page and as feeds."""

from dataclasses import replace
from datetime import timedelta

import feedparser
import pytest

from aggregator.models.entry import Entry
from aggregator.store.entries import entries
from aggregator.store.queries import revisions
from tests import validators
from tests.effort import effort
from tests.web.pages.test_pages import NASTY, PageSite, headlines, pages
from tests.web.sample_store import make_entry

__all__ = ["pages"]

ENDINGS = {"atom": validators.atom, "rss": validators.rss, "json": validators.json_feed}


def revise(pages: PageSite, entry_id: int, *, changed: bool = True, **fields: object) -> None:
    """Change an entry as a poll does, a minute later."""
    sample = pages.sample
    sample.now += timedelta(minutes=1)
    with sample.store.transaction() as db:
        stored = entries.get(db, entry_id)
        assert stored is not None
        entry: Entry = replace(stored.entry, **fields)  # type: ignore[arg-type]
        entries.revise(db, entry_id, entry, now=sample.now, changed=changed, sections=("world",))
        sample._bump(db, "herald")


def test_page_marks_removed_and_added_words(pages: PageSite) -> None:
    pages.sample.put("herald", replace(make_entry(1), title="12 hurt in Rome", text="All is well."))
    revise(pages, 1, title="14 hurt in Rome")
    revise(pages, 1, text="All is not well.")
    page = pages.text("/corrections")
    assert headlines(page) == ["14 hurt in Rome", "14 hurt in Rome"]
    assert page.index("Text changed") < page.index("Headline changed")
    assert "<del>12 </del><ins>14 </ins>hurt in Rome" in page
    assert "All is <ins>not </ins>well." in page


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        (False, {"title": "Report  1"}),
        (False, {"text": "Content of 1 (12 comments)"}),
        (True, {"link": "https://news.example/elsewhere"}),
        (True, {"text": "Content of 1 rain Advertisement"}),
    ],
    ids=["spaces, as a poll sees them", "a counter", "another link", "an advert beside it"],
)
def test_changed_counter_is_not_a_correction(
    pages: PageSite, changed: bool, fields: dict[str, object]
) -> None:
    pages.sample.add("herald")
    revise(pages, 1, changed=changed, **fields)
    assert headlines(pages.text("/corrections")) == []


def test_comparing_long_hostile_texts_is_bounded(pages: PageSite) -> None:
    for entry_id in range(1, 7):
        pages.sample.put("herald", replace(make_entry(entry_id), text="12:30 " * 60_000))
        revise(pages, entry_id, title="Other", text="13:30 " * 60_000)
    with effort() as spent:
        assert headlines(pages.text("/corrections")) == ["Other"] * 6
    assert spent.times < 300


def test_hidden_entry_has_no_correction(pages: PageSite) -> None:
    pages.sample.add("herald")
    revise(pages, 1, title="Other")
    pages.sample.withdraw(1)
    assert headlines(pages.text("/corrections")) == []


def test_next_page_shows_older_corrections(pages: PageSite) -> None:
    pages.sample.add("herald", 50)
    for entry_id in range(1, 51):
        revise(pages, entry_id, title=f"Other {entry_id}")
    first = pages.text("/corrections")
    link = first.partition('rel="next" href="')[2].partition('"')[0]
    titles = headlines(first) + headlines(pages.text(link))
    assert titles == [f"Other {entry_id}" for entry_id in range(50, 0, -1)]


def test_latest_corrections_are_read_by_an_index(pages: PageSite) -> None:
    statements: list[str] = []
    with pages.sample.store.reading() as db:
        db.set_trace_callback(statements.append)
        revisions.recent(db, 9)
        db.set_trace_callback(None)
        steps = [row["detail"] for row in db.execute(f"explain query plan {statements[0]}")]
    assert "SEARCH v USING INDEX versions_until ((until,entry_id)<(?,?))" in steps
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps)


@pytest.mark.parametrize("ending", ENDINGS)
def test_feed_is_valid(pages: PageSite, ending: str) -> None:
    pages.sample.add("herald", 2)
    revise(pages, 1, title=NASTY)
    revise(pages, 2, title="Other", text=f"{NASTY} & more")
    assert ENDINGS[ending](pages.get(f"/feeds/corrections.{ending}").data) == []


def test_each_correction_is_a_separate_stable_entry(pages: PageSite) -> None:
    pages.sample.add("herald")
    revise(pages, 1, title="Other")
    [entry] = feedparser.parse(pages.text("/feeds/corrections.atom")).entries
    assert entry.title == "Headline changed: Other"
    assert entry.link == "https://site.example/entry/1#changes"
    assert "<del>Report 1</del><ins>Other</ins>" in entry.content[0].value
    assert entry.author == "Herald"
    revise(pages, 1, text="Other")
    ids = [entry.id for entry in feedparser.parse(pages.text("/feeds/corrections.atom")).entries]
    assert len(set(ids)) == 2
    assert ids[1] == entry.id


def test_unchanged_feed_is_answered_with_304(pages: PageSite) -> None:
    pages.sample.add("herald")
    revise(pages, 1, title="Other")
    for path in ("/feeds/corrections.rss", "/corrections"):
        tag = pages.get(path).headers["ETag"]
        assert pages.get(path, If_None_Match=tag).status_code == 304


def test_pages_link_to_corrections(pages: PageSite) -> None:
    pages.sample.add("herald")
    assert 'href="/corrections"' in pages.text("/")
    revise(pages, 1, title="Other")
    assert '<a href="/corrections">All corrections</a>' in pages.text("/entry/1")
    for ending in ENDINGS:
        assert f'href="/feeds/corrections.{ending}"' in pages.text("/corrections")
    assert pages.get("/feeds/corrections.xml").status_code == 404
