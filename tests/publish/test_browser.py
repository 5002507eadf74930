"""The site as files in a browser: from a plain server, and from the disk."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from tests.publish.conftest import Newsroom, files_served
from tests.web.server import Watched, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_search_looks_through_the_headlines(newsroom: Newsroom, browser: Browser) -> None:
    for number in range(30):
        newsroom.publish(("herald", "post")[number % 2])
    newsroom.sample.revise(7, "Déjà vu at the harbour")
    newsroom.folder.parent.joinpath("www").mkdir()
    with files_served(newsroom.folder.parent / "www") as address:
        site = replace(newsroom.config.site, base_url=f"{address}/planet")
        newsroom.config = replace(newsroom.config, site=site)
        newsroom.folder = newsroom.folder.parent / "www/planet"
        newsroom.build()
        page = browser.new_page()
        watched = Watched(page, address)
        page.goto(f"{address}/planet/")
        page.fill("#find", "DEJA harbour")
        page.press("#find", "Enter")
        expect(page.locator("#found li")).to_have_count(1)
        expect(page.locator("#q")).to_have_value("DEJA harbour")
        expect(page.locator("#search-note")).to_have_text("Headlines found: 1")
        page.click("#found a")
        expect(page.locator("h1")).to_have_text("Déjà vu at the harbour")
        page.goto(f"{address}/planet/search?q=post")
        expect(page.locator("#found li")).to_have_count(15)
        page.goto(f"{address}/planet/search?q=nothing-like-it")
        expect(page.locator("#search-note")).to_have_text("Headlines found: 0")
        assert watched.errors == []
        assert watched.outside == []
        page.close()


def test_relative_pages_work_from_the_disk(newsroom: Newsroom, browser: Browser) -> None:
    for _ in range(30):
        newsroom.publish("herald")
    newsroom.build(relative=True)
    page = browser.new_page()
    watched = Watched(page, "file://")
    page.goto(f"file://{newsroom.folder}/index.html")
    page.click("a.headline >> nth=0")
    page.click(".byline a >> nth=0")
    expect(page.locator("h1")).to_have_text("Herald")
    page.click("footer a >> text=Topics")
    page.click(".masthead .name a")
    page.wait_for_url(f"file://{newsroom.folder}/index.html")
    colour = page.evaluate("getComputedStyle(document.querySelector('.masthead')).display")
    assert colour != "inline"
    assert page.evaluate("document.styleSheets.length") == 1
    assert page.evaluate("document.documentElement.dataset.scripts") == ""
    assert watched.errors == []
    page.close()
