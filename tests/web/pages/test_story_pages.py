"""Stories on pages: told once, with who else reports them; on each report's page, all and why."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.models.entry import Image
from tests.web.pages.test_pages import PageSite, headlines, pages
from tests.web.stock import make_entry

__all__ = ["pages"]

TITLE = "Ferry with 212 on board runs aground off Skerrow"


@pytest.fixture
def told(pages: PageSite) -> list[int]:
    """A story as herald, post and odd tell it, and another that the post alone has."""
    ids = [
        pages.stock.put(source, replace(make_entry(number), title=TITLE, summary=""))
        for number, source in enumerate(("herald", "post", "odd"), 1000)
    ]
    pages.stock.add("post")
    return ids


def test_list_shows_a_story_once_and_names_the_others(pages: PageSite, told: list[int]) -> None:
    page = pages.text("/section/world")
    assert headlines(page).count(TITLE) == 1
    others = page[page.index('class="others"') :].partition("</p>")[0]
    assert f'<a href="/entry/{told[1]}" dir="auto">Post</a>' in others
    assert "odd" not in others  # is in no section
    [path] = re.findall(r'<a href="([^"]+)">Show each report</a>', page)
    expanded = pages.text(path)
    assert headlines(expanded).count(TITLE) == 2
    assert 'class="others"' not in expanded
    assert "Show each report" not in expanded


def test_search_shows_a_story_once(pages: PageSite, told: list[int]) -> None:
    assert headlines(pages.text("/search?q=skerrow")).count(TITLE) == 1
    assert headlines(pages.text("/search?q=skerrow&stories=expand")).count(TITLE) == len(told)


@pytest.mark.parametrize("lead", ["first", "longest"])
def test_page_after_page_no_story_is_lost_or_told_again(pages: PageSite, lead: str) -> None:
    pages.stock.put("herald", replace(make_entry(1000), title=TITLE, summary=""))
    pages.stock.add("post")
    long = replace(make_entry(1001), title=TITLE, summary="", text="long " * 50)
    assert pages.stock.put("post", long) == 3
    found, path = list[str](), f"/section/world?limit=1&lead={lead}"
    while path:
        page = pages.text(path)
        found += headlines(page[page.index("<main") :])
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert found == ["Report 1", TITLE]


def test_front_page_shows_what_most_sources_report(pages: PageSite, told: list[int]) -> None:
    two = replace(make_entry(2000), title="Parliament passes the budget after a long night")
    pages.stock.put("herald", two)
    pages.stock.put("post", replace(two, guid="x", canonical_url="https://post.example/2"))
    page = pages.text("/")
    covered = page[page.index('id="covered"') :].partition("</ol>")[0]
    assert headlines(covered) == [TITLE, two.title]
    assert re.findall(r"(\d+) sources", covered) == ["3", "2"]
    pages.stock.withdraw(told[2])
    pages.stock.withdraw(told[1])
    assert TITLE not in pages.text("/").partition('id="covered"')[2].partition("</ol>")[0]


def test_no_section_of_the_front_page_tells_what_leads_it(pages: PageSite) -> None:
    lead = replace(make_entry(1), title=TITLE, image=Image(url="https://a.example/p.jpg"))
    pages.stock.put("odd", lead)
    pages.stock.put("post", replace(make_entry(2), title=TITLE))
    page = pages.text("/")
    assert 'class="block"' not in page
    assert pages.text("/section/local").count(TITLE) > 0


def test_page_of_each_report_leads_to_all_others(pages: PageSite, told: list[int]) -> None:
    for entry_id in told:
        page = pages.text(f"/entry/{entry_id}")
        reports = page[page.index('id="reports"') :].partition("</section>")[0]
        assert re.findall(r'class="story" href="/entry/(\d+)"', reports) == [
            str(other) for other in told if other != entry_id
        ]


def test_page_says_why_a_report_is_one_of_the_story(pages: PageSite, told: list[int]) -> None:
    page = pages.text(f"/entry/{told[1]}")
    why = page[page.index('class="why"') :].partition("</details>")[0]
    assert "3 sources report this story" in why
    assert "same title, 100 % alike (this report)" in " ".join(why.split())
    assert "it came first" in why


def test_hidden_report_is_not_named(pages: PageSite, told: list[int]) -> None:
    pages.stock.withdraw(told[1])
    assert f"/entry/{told[1]}" not in pages.text("/section/world")
    assert f"/entry/{told[1]}" not in pages.text(f"/entry/{told[0]}")
    pages.stock.withdraw(told[2])
    assert "Also reported by" not in pages.text(f"/entry/{told[0]}")


def test_explain_tells_the_story_of_an_entry(pages: PageSite, told: list[int]) -> None:
    config = Path(pages.stock.store.path).with_name("sources.yaml")
    sources = (f"{{id: {one.id}, url: '{one.url}'}}" for one in pages.stock.config.sources)
    config.write_text(
        f"storage: {{path: {pages.stock.store.path}}}\nsources: [{', '.join(sources)}]\n"
    )
    result = CliRunner().invoke(main, ["--config", str(config), "explain", str(told[1])])
    assert "story 1, 3 entries:" in result.output, result.output
    assert "* entry 2 of post: same title, similarity 1.00" in result.output
