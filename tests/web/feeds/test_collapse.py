"""Stories in feeds: one entry each, with the id of the first report, naming the others."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from aggregator.models.config import Source
from aggregator.models.entry import Entry, SafeHtml
from aggregator.models.query import parse
from tests import validators
from tests.web.conftest import FeedSite
from tests.web.sample_store import CONFIG, make_entry

ATOM = "{http://www.w3.org/2005/Atom}"
TITLE = "Ferry with 212 on board runs aground off Skerrow"


def report(number: int, **fields: Any) -> Entry:
    return replace(make_entry(number), title=TITLE, **fields)


@pytest.fixture
def three(site: FeedSite) -> list[int]:
    """A story of herald, post and odd; post is in two sections, odd in none."""
    long = SafeHtml("<p>All passengers were taken off by lifeboats.</p>")
    return [
        site.sample.put("herald", report(1)),
        site.sample.put("post", report(2, content=long, text="passengers " * 20)),
        site.sample.put("odd", report(3)),
    ]


def items(site: FeedSite, path: str) -> list[dict[str, Any]]:
    site.later()
    return list(json.loads(site.get(path).data)["items"])


@pytest.mark.usefixtures("three")
def test_a_story_is_one_entry_that_names_the_others(site: FeedSite) -> None:
    body = site.get("/feeds/all.atom").data
    assert validators.atom(body) == []
    [entry] = ElementTree.fromstring(body).iter(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == "https://news.example/1"
    links = [link.attrib for link in entry.iter(f"{ATOM}link") if link.get("rel") == "related"]
    assert links == [
        {"rel": "related", "title": "Post", "href": "https://news.example/2"},
        {"rel": "related", "title": "odd", "href": "https://news.example/3"},
    ]
    content = entry.findtext(f"{ATOM}content") or ""
    assert content.startswith("<p>From Herald</p><p>Content of 1</p><p>Also reported by ")
    assert '<a href="https://news.example/2">Post</a>, ' in content


@pytest.mark.usefixtures("three")
def test_all_formats_name_the_others(site: FeedSite) -> None:
    rss = site.get("/feeds/all.rss").data
    assert validators.rss(rss) == []
    assert rss.count(b"<item>") == 1
    assert b"Also reported by" in rss
    assert b'<atom:link rel="related" title="Post" href="https://news.example/2"/>' in rss
    [item] = items(site, "/feeds/all.json")
    assert [one["title"] for one in item["_aggregator"]["also_reported_by"]] == [
        "Post", "odd",
    ]  # fmt: skip
    assert "Also reported by" in item["content_html"]


def test_a_later_report_does_not_make_the_story_new(site: FeedSite) -> None:
    site.sample.put("herald", report(1))
    before = site.get("/feeds/all.json")
    [first] = json.loads(before.data)["items"]
    site.sample.put("post", report(2))
    site.later()
    after = site.get("/feeds/all.json", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    [grown] = json.loads(after.data)["items"]
    for name in ("id", "date_published", "date_modified", "url"):
        assert grown[name] == first[name]
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]
    headers = {"If-None-Match": before.headers["ETag"], "A-IM": "feed"}
    delta = site.get("/feeds/all.json", headers=headers)
    assert delta.status_code == 226
    assert json.loads(delta.data)["items"] == []


def test_only_a_change_of_the_lead_changes_the_story(site: FeedSite, three: list[int]) -> None:
    [before] = items(site, "/feeds/all.json")
    site.sample.revise(three[1], "Ferry aground, says the Post")
    [same] = items(site, "/feeds/all.json")
    assert same["date_modified"] == before["date_modified"]
    site.sample.revise(three[0], "Ferry aground, says the Herald")
    [changed] = items(site, "/feeds/all.json")
    assert changed["date_modified"] > before["date_modified"]


@pytest.mark.usefixtures("three")
def test_an_expanded_view_has_each_report(site: FeedSite) -> None:
    found = items(site, "/feeds/all.json?stories=expand")
    assert [item["id"] for item in found] == [f"https://news.example/{n}" for n in (3, 2, 1)]
    assert not any("also_reported_by" in item["_aggregator"] for item in found)


@pytest.mark.usefixtures("three")
def test_a_view_collapses_its_own_entries_only(site: FeedSite) -> None:
    [item] = items(site, "/feeds/section/local.json")
    assert item["id"] == "https://news.example/2"
    assert "also_reported_by" not in item["_aggregator"]
    [item] = items(site, "/feeds/section/world.json")
    assert [one["title"] for one in item["_aggregator"]["also_reported_by"]] == ["Post"]
    [item] = items(site, "/feeds/source/post.json")
    assert item["id"] == "https://news.example/2"


@pytest.mark.parametrize(
    ("lead", "number"),
    [
        pytest.param("first", 1, id="the first"),
        pytest.param("longest", 2, id="the longest"),
        pytest.param("priority", 3, id="the preferred source's"),
    ],
)
@pytest.mark.usefixtures("three")
def test_the_content_is_of_the_lead_and_the_id_of_the_first(
    site: FeedSite, lead: str, number: int
) -> None:
    preferred = Source(id="odd", url="https://odd.example/feed", priority=5)
    site.config = replace(CONFIG, sources=(*CONFIG.sources[:2], preferred))
    [first] = items(site, "/feeds/all.json?lead=first")
    [item] = items(site, f"/feeds/all.json?lead={lead}")
    assert item["url"] == f"https://news.example/{number}"
    for name in ("id", "date_published", "date_modified"):
        assert item[name] == first[name]
    assert len(item["_aggregator"]["also_reported_by"]) == 2


def test_archives_have_every_report(site: FeedSite) -> None:
    for number, source in enumerate(("herald", "post", "odd"), 1000):
        site.sample.put(source, report(number))
    site.sample.add("herald", 60)
    current = items(site, "/feeds/all.json")
    archived = items(site, "/feeds/all/archive/1.json")
    assert len(archived) == 50
    assert {f"https://news.example/{n}" for n in (1000, 1001, 1002)} <= {
        item["id"] for item in archived
    }
    assert len({item["id"] for item in (*current, *archived)}) == 63


def test_a_report_after_the_archive_was_closed_is_named_too(
    site: FeedSite,
) -> None:
    site.sample.put("herald", report(1000))
    site.sample.add("herald", 60)
    items(site, "/feeds/all.json")
    site.sample.put("post", report(1001))
    [story] = [i for i in items(site, "/feeds/all.json") if i["title"] == TITLE]
    assert story["id"] == "https://news.example/1000"
    assert [one["title"] for one in story["_aggregator"]["also_reported_by"]] == ["Post"]


def test_a_story_continues_when_its_first_report_is_withdrawn(
    site: FeedSite, three: list[int]
) -> None:
    site.sample.withdraw(three[0])
    site.later()
    body = site.get("/feeds/all.atom").data
    [entry] = ElementTree.fromstring(body).iter(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == "https://news.example/2"
    assert b'ref="https://news.example/1"' in body


def test_a_story_keeps_its_id_when_its_first_report_leaves_a_moving_view(
    site: FeedSite,
) -> None:
    site.sample.put("herald", report(1, published=site.sample.now))
    site.sample.now += timedelta(hours=2)
    site.sample.put("post", report(2, published=site.sample.now))
    site.now = site.sample.now
    [item] = items(site, "/feeds/all.json?since=1h")
    assert (item["id"], item["url"]) == ("https://news.example/1", "https://news.example/2")


@pytest.mark.usefixtures("three")
def test_saved_view_may_expand(site: FeedSite) -> None:
    view = replace(CONFIG.views[0], query=parse("stories=expand"))
    site.config = replace(CONFIG, views=(view,))
    assert len(items(site, "/feeds/view/rain.json")) == 3


def test_of_entries_with_one_id_the_first_names_the_others(site: FeedSite) -> None:
    site.sample.put("herald", replace(make_entry(1), title="One"), uri="urn:x:1")
    site.sample.put("post", replace(make_entry(2), title="Another"), uri="urn:x:1")
    [item] = items(site, "/feeds/all.json")
    assert item["title"] == "One"
    [other] = item["_aggregator"]["also_reported_by"]
    assert other == {"title": "Post", "url": "https://news.example/2"}
