import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.publish.addresses import (
    NeedsServer,
    entry_id,
    file_of,
    links,
    with_relative_links,
)


@pytest.mark.parametrize(
    ("address", "is_page", "file"),
    [
        ("/", True, "index.html"),
        ("/section/world", True, "section/world/index.html"),
        ("/entry/4711", True, "entry/4711/index.html"),
        ("/category/Caf%C3%A9%20%26%20bar", True, "category/Café & bar/index.html"),
        ("/category/node.js", True, "category/node.js/index.html"),
        ("/404.html", True, "404.html"),
        ("/feeds/section/world/archive/3.atom", False, "feeds/section/world/archive/3.atom"),
        ("/robots.txt", False, "robots.txt"),
        ("/search/index.json", False, "search/index.json"),
    ],
)
def test_the_file_of_an_address(address: str, is_page: bool, file: str) -> None:
    assert file_of(address, is_page=is_page) == file


@pytest.mark.parametrize(
    "address",
    ["/stories?before=1", "/category/..", "/category/%2E%2E", "/category/a%2Fb", "/a//b", "/a%00b"],
)
def test_addresses_without_a_file(address: str) -> None:
    with pytest.raises(NeedsServer):
        file_of(address, is_page=True)


@given(st.text())
def test_no_address_leaves_the_folder(text: str) -> None:
    try:
        file = file_of(f"/{text}", is_page=True)
    except NeedsServer:
        return
    assert not file.startswith("/")
    assert ".." not in file.split("/")


PAGE = b"""<link rel="stylesheet" href="/news/style.css?v=0123abcd">
<script src="/news/static/site.js"></script><a class="x" href="/news/entry/7#reports">A</a> <a href="https://other.example/news/x">B</a>
<a href="/newsroom">not ours</a><a href="//other.example/news/">C</a>
<p>href="/news/text" <b>d</b></p>
<form action="/news/search"><input value="/news/value"></form><a href="/news/feeds/all.atom">F</a>
<a href="/news/?a=1&amp;b=2">query</a><a href="/news/">front</a>"""


def test_the_links_of_a_page() -> None:
    assert set(links(PAGE, "/news")) == {
        "/style.css", "/static/site.js", "/entry/7", "/search", "/feeds/all.atom", "/?a=1&b=2", "/",
    }  # fmt: skip


def test_links_relative_to_the_file() -> None:
    page = with_relative_links(PAGE, "section/world/index.html", "/news").decode()
    assert 'href="../../style.css?v=0123abcd"' in page
    assert 'src="../../static/site.js"' in page
    assert 'href="../../entry/7/index.html#reports"' in page
    assert 'action="../../search/index.html"' in page
    assert 'href="../../feeds/all.atom"' in page
    assert 'href="../../index.html"' in page
    for kept in ("https://other.example/news/x", "/newsroom", "//other.example/news/"):
        assert f'href="{kept}"' in page
    assert '<p>href="/news/text" <b>' in page
    assert 'value="/news/value"' in page


def test_relative_links_on_the_front_page() -> None:
    page = with_relative_links(b'<a href="/entry/7">A</a>', "index.html", "")
    assert page == b'<a href="entry/7/index.html">A</a>'


def test_the_entry_of_an_address() -> None:
    assert entry_id("/entry/12") == 12
    assert entry_id("/entry/12/x") is None
    assert entry_id("/section/world") is None
