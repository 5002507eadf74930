"""Cards of social networks and search engines, and the canonical URLs of pages."""

import json
from dataclasses import replace
from typing import Any

import pytest
from lxml import html

from aggregator.models.config import Media
from aggregator.models.entry import Author, Image
from aggregator.store.entries import entries
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import CONFIG, make_entry

__all__ = ["pages"]

SITE = "https://site.example"
TITLE = "Ferry with 212 on board runs aground off Skerrow"
HOSTILE = "</script><script>alert(1)</script><!--<script>&quot;'\u2028"


class Card:
    """The head of a page as a program reads it."""

    def __init__(self, page: str) -> None:
        head = html.document_fromstring(page.encode(), parser=html.HTMLParser(encoding="utf-8"))
        self.meta = {
            str(element.get("property") or element.get("name")): element.get("content", "")
            for element in head.iter("meta")
        }
        self.canonical = [link.get("href") for link in head.iter("link") if rel(link, "canonical")]
        blocks = head.xpath('//script[@type="application/ld+json"]')
        self.data: dict[str, Any] = {}
        for block in blocks:
            node = json.loads(block.text_content())
            assert node["@context"] == "https://schema.org"
            self.data[node["@type"]] = node


def rel(link: html.HtmlElement, name: str) -> bool:
    return name in link.get("rel", "").split()


@pytest.fixture
def story(pages: PageSite) -> list[int]:
    """The entries of a story, of herald, post and odd."""
    return [
        pages.sample.put(source, replace(make_entry(number), title=TITLE, summary=""))
        for number, source in enumerate(("herald", "post", "odd"), 1000)
    ]


def test_entry_is_an_article(pages: PageSite) -> None:
    picture = Image(url="https://a.example/p.jpg?a=1&b=2", caption="A view")
    entry = replace(
        make_entry(7), image=picture, authors=(Author(name="Jo Doe"),), language="en-GB"
    )
    entry_id = pages.sample.put("herald", entry)
    card = Card(pages.text(f"/entry/{entry_id}"))
    assert card.meta["og:type"] == "article"
    assert card.meta["og:title"] == "Report 7"
    assert card.meta["og:site_name"] == "The Site"
    assert card.meta["og:description"] == "Summary 7"
    assert card.meta["og:url"] == f"{SITE}/entry/{entry_id}"
    assert card.meta["og:image"] == "https://a.example/p.jpg?a=1&b=2"
    assert card.meta["og:image:alt"] == "A view"
    assert card.meta["twitter:card"] == "summary_large_image"
    assert card.meta["article:published_time"] == "2009-06-27T21:27:00Z"
    assert card.meta["article:section"] == "World"
    herald = {"@type": "Organization", "name": "Herald"}
    assert card.data["NewsArticle"] == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "Report 7",
        "description": "Summary 7",
        "url": f"{SITE}/entry/{entry_id}",
        "mainEntityOfPage": f"{SITE}/entry/{entry_id}",
        "datePublished": "2009-06-27T21:27:00Z",
        "dateModified": "2009-06-27T21:27:00Z",
        "image": ["https://a.example/p.jpg?a=1&b=2"],
        "inLanguage": "en-GB",
        "articleSection": "World",
        "author": [{"@type": "Person", "name": "Jo Doe"}],
        "publisher": herald,
        "isBasedOn": "https://news.example/7",
    }
    steps = card.data["BreadcrumbList"]["itemListElement"]
    assert [(step["position"], step["name"], step["item"]) for step in steps] == [
        (1, "The Site", f"{SITE}/"),
        (2, "World", f"{SITE}/section/world"),
        (3, "Report 7", f"{SITE}/entry/{entry_id}"),
    ]


def test_story_names_the_reports_of_all_sources(pages: PageSite, story: list[int]) -> None:
    article = Card(pages.text(f"/entry/{story[1]}")).data["NewsArticle"]
    assert [(report["publisher"]["name"], report["url"]) for report in article["isBasedOn"]] == [
        ("Herald", "https://news.example/1000"),
        ("Post", "https://news.example/1001"),
        ("https://odd.example/feed", "https://news.example/1002"),
    ]
    assert article["publisher"]["name"] == "Post"


def test_entry_of_no_section_has_a_shorter_trail(pages: PageSite) -> None:
    entry_id = pages.sample.put("odd", make_entry(8))
    card = Card(pages.text(f"/entry/{entry_id}"))
    names = [step["name"] for step in card.data["BreadcrumbList"]["itemListElement"]]
    assert names == ["The Site", "Report 8"]
    assert "article:section" not in card.meta
    assert "articleSection" not in card.data["NewsArticle"]
    assert card.meta["twitter:card"] == "summary"
    assert "og:image" not in card.meta


def test_hostile_text_stays_text(pages: PageSite) -> None:
    entry = replace(make_entry(9), title=HOSTILE, summary=HOSTILE, authors=(Author(name=HOSTILE),))
    page = pages.text(f"/entry/{pages.sample.put('herald', entry)}")
    assert "<script>alert" not in page
    card = Card(page)
    assert card.data["NewsArticle"]["headline"] == HOSTILE
    assert card.data["NewsArticle"]["author"][0]["name"] == HOSTILE
    assert card.data["BreadcrumbList"]["itemListElement"][-1]["name"] == HOSTILE
    assert card.meta["og:title"] == card.meta["og:description"] == HOSTILE


def test_front_page_is_the_site(pages: PageSite) -> None:
    picture = Image(url="https://a.example/lead.jpg", width=800, height=400)
    pages.sample.put("herald", replace(make_entry(1), image=picture))
    card = Card(pages.text("/"))
    assert card.meta["og:type"] == "website"
    assert card.meta["og:title"] == "The Site"
    assert card.meta["og:image"] == "https://a.example/lead.jpg"
    assert card.data == {
        "WebSite": {
            "@context": "https://schema.org",
            "@type": "WebSite",
            "name": "The Site",
            "description": "All the news",
            "url": f"{SITE}/",
            "inLanguage": "en",
        }
    }


def test_section_has_a_card_without_linked_data(pages: PageSite) -> None:
    card = Card(pages.text("/section/world?utm_source=x"))
    assert card.meta["og:title"] == "World – The Site"
    assert card.meta["og:description"] == "From abroad"
    assert card.meta["og:url"] == f"{SITE}/section/world"
    assert card.data == {}


@pytest.mark.parametrize("path", ["/nowhere", "/search", "/login"])
def test_page_without_an_address_of_its_own_has_no_card(pages: PageSite, path: str) -> None:
    card = Card(pages.get(path).text)
    assert card.canonical == []
    assert not any(name.startswith("og:") for name in card.meta)


def test_past_front_page_is_not_the_site(pages: PageSite) -> None:
    pages.sample.add("herald")
    card = Card(pages.text("/at/2009-06-27T21:40Z/"))
    assert card.data == {}
    assert card.meta["og:url"] == f"{SITE}/at/2009-06-27T21:40Z/"


def test_shared_picture_is_loaded_through_the_site(pages: PageSite) -> None:
    pages.sample.config = replace(CONFIG, media=Media(proxy=True))
    picture = Image(url="https://a.example/p.jpg")
    entry_id = pages.sample.put("herald", replace(make_entry(1), image=picture))
    card = Card(pages.text(f"/entry/{entry_id}"))
    assert card.meta["og:image"].startswith(f"{SITE}/picture?url=https%3A%2F%2Fa.example")


# --- canonical URLs --------------------------------------------------------------------------


def test_page_of_a_single_report_names_the_publishers_page(pages: PageSite) -> None:
    entry_id = pages.sample.put("herald", make_entry(3))
    for query in ("", "?print=1", "?utm_source=x"):
        card = Card(pages.text(f"/entry/{entry_id}{query}"))
        assert card.canonical == ["https://news.example/3"]
        assert card.meta["og:url"] == f"{SITE}/entry/{entry_id}"


def test_page_of_an_entry_without_a_link_names_itself(pages: PageSite) -> None:
    entry = replace(make_entry(3), link="", canonical_url="")
    entry_id = pages.sample.put("herald", entry, uri="urn:x")
    assert Card(pages.text(f"/entry/{entry_id}")).canonical == [f"{SITE}/entry/{entry_id}"]


def test_pages_of_a_story_name_that_of_its_first_report(pages: PageSite, story: list[int]) -> None:
    for entry_id in story:
        card = Card(pages.text(f"/entry/{entry_id}"))
        assert card.canonical == [f"{SITE}/entry/{story[0]}"]
        assert card.meta["og:url"] == f"{SITE}/entry/{entry_id}"


def test_hidden_report_is_named_by_no_page(pages: PageSite, story: list[int]) -> None:
    with pages.sample.store.transaction() as db:
        entries.hide(db, story[:1], "dropped by the rule title: x", withdrawn=None)
    card = Card(pages.text(f"/entry/{story[2]}"))
    assert card.canonical == [f"{SITE}/entry/{story[1]}"]
    assert "https://news.example/1000" not in json.dumps(card.data)
    with pages.sample.store.transaction() as db:
        entries.hide(db, story[1:2], "dropped by the rule title: x", withdrawn=None)
    assert Card(pages.text(f"/entry/{story[2]}")).canonical == ["https://news.example/1002"]
