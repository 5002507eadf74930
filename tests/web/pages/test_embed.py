"""Lists for frames on other sites, and oEmbed."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import etree, html

from aggregator.models.config import Auth, View
from aggregator.models.query import parse
from tests.web.middleware.test_auth import HASH
from tests.web.pages.test_pages import SITE, PageSite
from tests.web.sample_store import BASE, make_entry, open_sample

SITES = ("https://blog.example", "https://*.example.org")
OPEN = replace(SITE, site=replace(SITE.site, embed=SITES))


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageSite]:
    with open_sample(tmp_path, OPEN) as sample:
        sample.add("herald", 12)
        sample.put("odd", replace(make_entry(50), categories=("AC/DC",)))
        yield PageSite(sample)


def headlines(page: str) -> list[str]:
    return [str(text) for text in html.fromstring(page).xpath("//a[@class='headline']/text()")]


@pytest.mark.parametrize(
    ("path", "first", "count"),
    [
        ("/embed", "Report 50", 10),
        ("/embed/section/world", "Report 12", 10),
        ("/embed/section/world?limit=3", "Report 12", 3),
        ("/embed/source/odd", "Report 50", 1),
        ("/embed/view/rain", "Report 11", 6),
        ("/embed/category?name=AC/DC", "Report 50", 1),
    ],
)
def test_a_list_shows_the_latest_headlines(
    pages: PageSite, path: str, first: str, count: int
) -> None:
    found = headlines(pages.text(path))
    assert (found[0], len(found)) == (first, count)


def test_listed_sites_may_show_it_and_no_others(pages: PageSite) -> None:
    answer = pages.get("/embed/section/world")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert f"frame-ancestors {' '.join(SITES)}" in policy
    assert "default-src 'none'" in policy
    assert "X-Frame-Options" not in answer.headers
    for path in ("/section/world", "/", "/login"):
        assert "frame-ancestors 'none'" in pages.get(path).headers["Content-Security-Policy"]


def test_links_leave_the_frame(pages: PageSite) -> None:
    page = html.fromstring(pages.text("/embed/section/world"))
    assert page.xpath("//base/@target") == ["_top"]
    assert page.xpath("//base/@href") == []
    assert page.xpath("//script | //*[@style] | //style") == []
    assert page.xpath("//h1/a/@href") == [f"{BASE}/section/world"]


def test_it_is_answered_with_304(pages: PageSite) -> None:
    etag = pages.get("/embed/section/world").headers["ETag"]
    again = pages.client.get("/embed/section/world", headers={"If-None-Match": etag})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/embed/search?q=rain", "/embed/author/Ann", "/embed/section/none", "/embed/x/y",
             "/embed/section", "/embed/view/secret", "/embed/view/secret?token=open-sesame"],
)  # fmt: skip
def test_other_lists_are_not_shown(pages: PageSite, path: str) -> None:
    secret = View(id="secret", title="Secret", query=parse("q=sun"), token="open-sesame")
    pages.sample.config = replace(OPEN, views=(*OPEN.views, secret))
    assert pages.get(path).status_code in (401, 404)


@pytest.mark.parametrize("path", ["/embed", "/embed/section/world", f"/oembed?url={BASE}/"])
def test_without_sites_there_are_no_lists(pages: PageSite, path: str) -> None:
    pages.sample.config = SITE
    answer = pages.get(path)
    assert answer.status_code == 404
    assert "The lists of this site can’t be shown on other sites." in answer.text
    assert "oembed" not in pages.text("/section/world")


def test_a_closed_site_shows_none(pages: PageSite) -> None:
    pages.sample.config = replace(OPEN, auth=Auth(password=HASH, protect="site"))
    assert pages.get("/embed/section/world").status_code in (303, 401)
    assert pages.get(f"/oembed?url={BASE}/section/world").status_code in (303, 401)


# --- oEmbed ----------------------------------------------------------------------------------


def ask(pages: PageSite, url: str, more: str = "") -> dict[str, object]:
    answer = pages.get(f"/oembed?url={quote(url, safe='')}{more}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    fields = answer.get_json()
    assert isinstance(fields, dict)
    return fields


@pytest.mark.parametrize(
    ("page", "frame"),
    [
        ("", "/embed"),
        ("/", "/embed"),
        ("/stories", "/embed"),
        ("/section/world", "/embed/section/world"),
        ("/section/world?utm_source=x&q=rain&before=1", "/embed/section/world?q=rain"),
        ("/source/odd", "/embed/source/odd"),
        ("/view/rain", "/embed/view/rain"),
        ("/category?name=AC%2FDC", "/embed/category?name=AC%2FDC"),
        ("/category/t%C3%BCr", "/embed/category/t%C3%BCr"),
    ],
)
def test_the_address_of_a_page_gives_its_frame(pages: PageSite, page: str, frame: str) -> None:
    fields = ask(pages, BASE + page)
    assert (fields["version"], fields["type"]) == ("1.0", "rich")
    element = html.fragment_fromstring(str(fields["html"]))
    assert element.get("src") == BASE + frame
    assert element.get("width") == str(fields["width"])
    assert pages.get(frame).status_code == 200


@pytest.mark.parametrize(
    ("more", "width", "height"),
    [
        ("", 480, 520),
        ("&maxwidth=300&maxheight=200", 300, 200),
        ("&maxwidth=481&maxheight=9999", 480, 520),
        ("&maxwidth=0&maxheight=-5", 480, 520),
        ("&maxwidth=wide", 480, 520),
    ],
)
def test_the_frame_fits(pages: PageSite, more: str, width: int, height: int) -> None:
    fields = ask(pages, f"{BASE}/section/world", more)
    assert (fields["width"], fields["height"]) == (width, height)


def test_xml_has_the_same_fields(pages: PageSite) -> None:
    url = quote(f"{BASE}/section/world?q=<&>", safe="")
    answer = pages.get(f"/oembed?url={url}&format=xml")
    assert answer.mimetype == "text/xml"
    fields = {element.tag: element.text for element in etree.fromstring(answer.data)}
    assert fields == {
        name: str(value) for name, value in pages.get(f"/oembed?url={url}").get_json().items()
    }


@pytest.mark.parametrize(
    ("args", "status"),
    [
        ("", 404),
        ("url=", 404),
        ("url=https://other.example/section/world", 404),
        (f"url={BASE}.evil.example/section/world", 404),
        (f"url={BASE}/section/none", 404),
        (f"url={BASE}/entry/1", 404),
        (f"url={BASE}/status", 404),
        (f"url={BASE}/search?q=rain", 404),
        (f"url={BASE}//[", 404),
        (f"url={BASE}/section/world&format=yaml", 501),
    ],
)
def test_other_addresses_and_formats(pages: PageSite, args: str, status: int) -> None:
    assert pages.get(f"/oembed?{args}").status_code == status


@pytest.mark.parametrize("path", ["/", "/stories", "/section/world", "/source/odd", "/view/rain"])
def test_pages_name_their_address(pages: PageSite, path: str) -> None:
    found = re.findall('<link rel="alternate" type="([a-z/]+)\\+oembed" .*href="(.*)">',
                       pages.text(path))  # fmt: skip
    assert [kind for kind, _ in found] == ["application/json", "text/xml"]
    for _, address in found:
        answer = pages.get(unescape(address).removeprefix(BASE))
        assert f"{BASE}/embed" in unescape(answer.text)


@pytest.mark.parametrize("path", ["/search?q=rain", "/entry/1", "/status", "/author/Ann",
                                  "/at/2009-06-27T21:40Z/section/world"])  # fmt: skip
def test_other_pages_name_none(pages: PageSite, path: str) -> None:
    assert "+oembed" not in pages.text(path)
