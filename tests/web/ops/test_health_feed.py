"""The health feed."""

from datetime import timedelta

import feedparser
import pytest

from aggregator.store.sources import incidents
from tests import validators
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import START

__all__ = ["pages"]

ENDINGS = {"atom": validators.atom, "rss": validators.rss, "json": validators.json_feed}


def opened(pages: PageSite, kind: str = "failing", detail: str = "status 500 <b>") -> None:
    with pages.sample.store.transaction() as db:
        incidents.open(db, "herald", kind, detail, START)


def test_incident_is_one_entry_updated_when_resolved(pages: PageSite) -> None:
    opened(pages)
    before = feedparser.parse(pages.text("/feeds/health.atom")).entries
    with pages.sample.store.transaction() as db:
        incidents.close(db, "herald", START + timedelta(hours=1))
    after = feedparser.parse(pages.text("/feeds/health.atom")).entries
    assert [entry.title for entry in before] == ["Herald can't be polled"]
    assert [entry.title for entry in after] == ["Herald can be polled again"]
    assert before[0].id == after[0].id
    assert before[0].published == after[0].published
    assert (before[0].updated, after[0].updated) == ("2009-06-27T21:26:00Z", "2009-06-27T22:26:00Z")
    assert after[0].link == "https://site.example/source/herald"


def test_each_incident_is_a_separate_entry(pages: PageSite) -> None:
    for kind in ("failing", "gone", "silent", "quarantined", "moved", "gap"):
        opened(pages, kind)
    feed = pages.get("/feeds/health.json").json
    assert feed is not None
    assert len({item["id"] for item in feed["items"]}) == 6
    assert all("&lt;b&gt;" in item["content_html"] for item in feed["items"])


@pytest.mark.parametrize("ending", ENDINGS)
def test_feed_without_incidents_is_valid(pages: PageSite, ending: str) -> None:
    answer = pages.get(f"/feeds/health.{ending}")
    assert answer.status_code == 200
    assert "Health" in answer.text


@pytest.mark.parametrize("ending", ENDINGS)
def test_feed_is_valid(pages: PageSite, ending: str) -> None:
    for kind in ("failing", "moved"):
        opened(pages, kind)
    assert ENDINGS[ending](pages.get(f"/feeds/health.{ending}").data) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_unchanged_feed_is_answered_with_304(pages: PageSite, ending: str) -> None:
    opened(pages)
    tag = pages.get(f"/feeds/health.{ending}").headers["ETag"]
    assert pages.get(f"/feeds/health.{ending}", If_None_Match=tag).status_code == 304


def test_status_page_links_its_feeds(pages: PageSite) -> None:
    page = pages.text("/status")
    for ending in ENDINGS:
        assert f'href="/feeds/health.{ending}"' in page


def test_unknown_formats_are_not_found(pages: PageSite) -> None:
    assert pages.get("/feeds/health.xml").status_code == 404
