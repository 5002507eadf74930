import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.parse import discover
from aggregator.parse.discover import FeedLink

URL = "https://e.org/blog/"
LINK = '<link rel="alternate" type="application/rss+xml" href="{}" title="{}">'


def urls(html: str) -> list[str]:
    return [candidate.url for candidate in discover.feeds(html.encode(), url=URL)]


def test_a_declared_feed() -> None:
    page = (
        '<html><head><LINK REL="Alternate" TYPE="application/atom+xml; x" HREF="a" TITLE=" A  B ">'
    )
    assert discover.feeds(page.encode(), url=URL) == (
        FeedLink(url="https://e.org/blog/a", title="A B", type="application/atom+xml"),
    )


@pytest.mark.parametrize(
    ("html", "paths"),
    [
        pytest.param(
            '<link rel="home alternate" type="text/xml" href="/x">', ["/x"], id="two rels"
        ),
        pytest.param('<link rel="feed" type="application/feed+json" href="/j">', ["/j"], id="JSON"),
        pytest.param('<link rel="alternate" hreflang="fr" href="/fr">', [], id="a translation"),
        pytest.param('<link rel="icon" type="text/xml" href="/x">', [], id="another rel"),
        pytest.param('<a href="/feed/">Feed</a>', ["/feed/"], id="an anchor to /feed/"),
        pytest.param('<a href="/index.rss#top">x</a>', ["/index.rss"], id="an anchor to .rss"),
        pytest.param('<a href="/?format=atom">x</a>', ["/?format=atom"], id="a query"),
        pytest.param('<a href="/feedback">x</a><a href="/sitemap.xml">x</a>', [], id="others"),
        pytest.param('<a href="javascript:feed()">x</a><a>x</a>', [], id="no web address"),
        pytest.param('<base href="/b/"><a href="rss">x</a>', ["/b/rss"], id="a base"),
        pytest.param('<base href="data:x"><a href="/rss">x</a>', ["/rss"], id="a base of no use"),
        pytest.param(LINK.format("/blog/", ""), [], id="the page itself"),
        pytest.param(LINK.format("http://[", "") + LINK.format("", ""), [], id="no addresses"),
    ],
)
def test_feeds_of_a_page(html: str, paths: list[str]) -> None:
    assert urls(html) == [f"https://e.org{path}" for path in paths]


def test_declared_feeds_come_before_anchors_and_comments_last() -> None:
    page = (
        '<a href="/rss">RSS</a>'
        + LINK.format("/comments/feed", "Comments")
        + LINK.format("/feed", "All")
        + LINK.format("/feed", "Again")
    )
    assert urls(page) == [
        "https://e.org/feed",
        "https://e.org/rss",
        "https://e.org/comments/feed",
    ]


def test_results_are_bounded() -> None:
    assert len(urls("".join(LINK.format(f"/{n}", "") for n in range(50)))) == 20


def test_a_page_of_another_encoding_is_read() -> None:
    page = LINK.format("/feed", "Zoë").encode("latin-1")
    (candidate,) = discover.feeds(page, url=URL, content_type="text/html; charset=iso-8859-1")
    assert candidate.title == "Zoë"
    page = b"<meta charset=windows-1251>" + LINK.format("/feed", "Причал").encode("cp1251")
    (candidate,) = discover.feeds(page, url=URL)
    assert candidate.title == "Причал"


@settings(max_examples=200)
@given(st.binary() | st.text().map(str.encode), st.text(), st.text())
def test_it_never_raises(body: bytes, url: str, content_type: str) -> None:
    for inside in (
        body,
        b"<a href='" + body + b"/feed'>",
        b"<base href='" + body + b"'><a href=rss>",
    ):
        discover.feeds(inside, url=url, content_type=content_type)
