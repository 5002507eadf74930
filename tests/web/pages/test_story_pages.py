"""Stories on pages: one entry in lists, all entries on the page of each."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.models.entry import Image
from tests.web.pages.test_pages import PageSite, headlines, pages
from tests.web.sample_store import make_entry

__all__ = ["pages"]

TITLE = "Ferry with 212 on board runs aground off Skerrow"


@pytest.fixture
def members(pages: PageSite) -> list[int]:
    """The entries of a story in herald, post and odd; post has another entry."""
    ids = [
        pages.sample.put(source, replace(make_entry(number), title=TITLE, summary=""))
        for number, source in enumerate(("herald", "post", "odd"), 1000)
    ]
    pages.sample.add("post")
    return ids


def test_list_shows_a_story_once_with_its_other_sources(
    pages: PageSite, members: list[int]
) -> None:
    page = pages.text("/section/world")
    assert headlines(page).count(TITLE) == 1
    assert (
        f'href="/entry/{members[0]}#reports" title="Also: Post"><span aria-hidden="true">+1<'
        in page
    )  # odd: no section
    [path] = re.findall(r'<a href="([^"]+)">Show every report</a>', page)
    expanded = pages.text(path)
    assert headlines(expanded).count(TITLE) == 2
    assert "#reports" not in expanded
    assert "Show every report" not in expanded


def test_first_of_a_list_names_the_other_sources(pages: PageSite) -> None:
    for source, number in (("herald", 1000), ("post", 1001)):
        pages.sample.put(source, replace(make_entry(number), title=TITLE, summary=""))
    page = pages.text("/section/world")
    others = page[page.index('class="others"') :].partition("</p>")[0]
    assert '<a href="/entry/2" dir="auto">Post</a>' in others


def test_search_shows_a_story_once(pages: PageSite, members: list[int]) -> None:
    page = pages.text("/search?q=skerrow")
    assert headlines(page).count(TITLE) == 1
    others = page[page.index('class="others"') :].partition("</p>")[0]
    assert [f"/entry/{member}" in others for member in members] == [False, True, True]
    assert headlines(pages.text("/search?q=skerrow&stories=expand")).count(TITLE) == len(members)


@pytest.mark.parametrize("lead", ["first", "longest"])
def test_paging_shows_every_entry_once(pages: PageSite, lead: str) -> None:
    pages.sample.put("herald", replace(make_entry(1000), title=TITLE, summary=""))
    pages.sample.add("post")
    long = replace(make_entry(1001), title=TITLE, summary="", text="long " * 50)
    assert pages.sample.put("post", long) == 3
    titles, path = list[str](), f"/section/world?limit=1&lead={lead}"
    while path:
        page = pages.text(path)
        titles += headlines(page[page.index("<main") :])
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert titles == ["Report 1", TITLE]


def test_front_page_shows_the_most_covered_stories(pages: PageSite, members: list[int]) -> None:
    two = replace(make_entry(2000), title="Parliament passes the budget after a long night")
    pages.sample.put("herald", two)
    pages.sample.put("post", replace(two, guid="x", canonical_url="https://post.example/2"))
    pages.sample.add("odd")  # the newest leads where no story has a picture
    page = pages.text("/")
    covered = page[page.index('id="covered"') :].partition("</ol>")[0]
    assert headlines(covered) == [TITLE, two.title]
    assert re.findall(r"(\d+) sources", covered) == ["3", "2"]
    pages.sample.withdraw(members[2])
    pages.sample.withdraw(members[1])
    assert TITLE not in pages.text("/").partition('id="covered"')[2].partition("</ol>")[0]


def test_front_page_leads_with_the_most_covered_story_with_a_wide_picture(
    pages: PageSite, members: list[int]
) -> None:
    small = Image(url="https://a.example/s.jpg", width=399, height=200)
    for number, (title, image) in enumerate(
        (("Parliament passes the budget", replace(small, width=400)), ("Too small", small)), 3000
    ):
        entry = replace(make_entry(number), title=title, image=image)
        pages.sample.put("herald", entry)
    shown = headlines(pages.text("/"))
    assert shown[0] == "Parliament passes the budget"
    assert len(shown) == len(set(shown))


def test_story_of_the_lead_is_not_repeated_in_sections(pages: PageSite) -> None:
    lead = replace(make_entry(1), title=TITLE, image=Image(url="https://a.example/p.jpg"))
    pages.sample.put("odd", lead)
    pages.sample.put("post", replace(make_entry(2), title=TITLE))
    page = pages.text("/")
    assert 'class="block"' not in page
    assert pages.text("/section/local").count(TITLE) > 0


def test_page_of_each_entry_links_to_the_rest_of_its_story(
    pages: PageSite, members: list[int]
) -> None:
    for entry_id in members:
        page = pages.text(f"/entry/{entry_id}")
        reports = page[page.index('id="reports"') :].partition("</section>")[0]
        assert re.findall(r'class="headline" href="/entry/(\d+)"', reports) == [
            str(other) for other in members if other != entry_id
        ]


def test_page_says_why_an_entry_belongs_to_its_story(pages: PageSite, members: list[int]) -> None:
    page = pages.text(f"/entry/{members[1]}")
    why = page[page.index('class="why"') :].partition("</details>")[0]
    assert "3 sources report this story" in why
    assert "same title, 100 % similar (this report)" in " ".join(why.split())
    assert "the first report" in why


def test_hidden_entry_is_not_shown_with_its_story(pages: PageSite, members: list[int]) -> None:
    pages.sample.withdraw(members[1])
    assert f"/entry/{members[1]}" not in pages.text("/section/world")
    assert f"/entry/{members[1]}" not in pages.text(f"/entry/{members[0]}")
    pages.sample.withdraw(members[2])
    assert "Also reported by" not in pages.text(f"/entry/{members[0]}")


def test_explain_shows_the_story_of_an_entry(pages: PageSite, members: list[int]) -> None:
    config = Path(pages.sample.store.path).with_name("sources.yaml")
    sources = (
        f"{{id: {source.id}, url: '{source.url}'}}" for source in pages.sample.config.sources
    )
    config.write_text(
        f"storage: {{path: {pages.sample.store.path}}}\nsources: [{', '.join(sources)}]\n"
    )
    result = CliRunner().invoke(main, ["--config", str(config), "explain", str(members[1])])
    assert "story 1, 3 entries:" in result.output, result.output
    assert "* entry 2 of post: same title, similarity 1.00" in result.output


def steps(page: str) -> dict[str, str]:
    return dict(re.findall(r'<a rel="(prev|next)" href="([^"]+)"', page))


def test_page_leads_to_the_entries_around_it_in_its_section(pages: PageSite) -> None:
    ids = [pages.sample.add(source)[0] for source in ("herald", "odd", "herald", "herald", "odd")]
    first, alone, second, third, last = (f"/entry/{id}" for id in ids)
    assert steps(pages.text(first)) == {"prev": second}
    assert steps(pages.text(second)) == {"prev": third, "next": first}
    assert steps(pages.text(third)) == {"next": second}
    assert steps(pages.text(alone)) == {"prev": last}  # in no section: those of its source
    assert "Newer in <bdi>World</bdi>" in pages.text(first)
    assert "Newer in <bdi>World" not in pages.text(alone)


@pytest.mark.parametrize(
    "path", ["/section/world", "/stories", "/search?q=report", "/stories?sort=updated"]
)
def test_newer_leads_back_over_the_same_pages(pages: PageSite, path: str) -> None:
    pages.sample.put("herald", replace(make_entry(1000), title=TITLE, summary=""))
    pages.sample.add("post", 4)
    pages.sample.put("post", replace(make_entry(1001), title=TITLE, summary=""))
    pages.sample.add("herald", 2)
    first = f"{path}{'&' if '?' in path else '?'}limit=2"
    shown, way = [first], first
    while way := steps(pages.text(way)).get("next", "").replace("&amp;", "&"):
        shown.append(way)
    assert len(shown) >= 3
    way, back = shown[-1], shown[-1:]
    while way := steps(pages.text(way)).get("prev", "").replace("&amp;", "&"):
        back.append(way)
    assert [headlines(pages.text(page)) for page in reversed(back)] == [
        headlines(pages.text(page)) for page in shown
    ]
    assert "prev" not in steps(pages.text(first))


def test_film_of_another_site_is_a_picture_that_links_to_it(pages: PageSite) -> None:
    film = "https://www.youtube.com/watch?v=abcdefghijk"
    image = Image(url="https://a.example/p.jpg")
    entry_id = pages.sample.put("herald", replace(make_entry(1), link=film, image=image))
    page = pages.text(f"/entry/{entry_id}")
    assert re.findall(r'<a class="(\w+)" href="https://www.youtube.com/watch[^"]*"', page) == [
        "film",
        "button",
    ]
    assert "Watch at youtube.com" in page
    assert "<iframe" not in page
    assert "Continue at" not in page


def test_page_says_where_reports_agree_and_why_else_they_would_be_apart(pages: PageSite) -> None:
    told = [
        (
            "Blaze destroys old theatre in Hollin",
            "A fire gutted the Meridian theatre in Hollin on Tuesday night. 140 people were brought"
            " out of the building, the fire brigade said.",
        ),
        (
            "Meridian theatre in Hollin burns down",
            "Flames swept through the stage of the Meridian on Tuesday evening. All 140 visitors of"
            " the old theatre in Hollin escaped the fire unhurt, the brigade said.",
        ),
    ]
    last = 0
    for number, (source, (title, lead)) in enumerate(zip(("herald", "post"), told, strict=True)):
        entry = replace(make_entry(1000 + number), title=title, summary=lead)
        last = pages.sample.put(source, entry)
    about = pages.text(f"/entry/{last}").partition('<details class="why">')[2]
    about = re.sub("<[^>]+>", "", about.partition("</details>")[0])
    assert "one event in other words" in about
    assert "both name Hollin, Meridian" in about
    assert "both give 140" in about
    assert re.search(r"score 0\.\d\d, from 0\.\d\d on one event", about)
    assert "as a preview, an opinion or a correction" in about
