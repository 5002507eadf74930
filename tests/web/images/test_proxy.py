"""The image proxy serves the images of entries, and nothing else."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.models.config import Auth
from aggregator.models.entry import Image, SafeHtml
from tests.feedserver import FeedServer
from tests.web.pages.test_pages import SITE, PageSite
from tests.web.sample_store import make_entry, open_sample, proxied

PNG = b"\x89PNG\r\n\x1a\n" + b"." * 100


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageSite]:
    with open_sample(tmp_path, proxied(SITE, tmp_path)) as sample:
        yield PageSite(sample)


def put(pages: PageSite, url: str) -> None:
    inside = html.escape(url)
    content = SafeHtml(
        f'<p><img src="{inside}" alt="src=&quot;http://x/&quot; > x"></p>'
        f'<video src="https://v.example/v.mp4" controls="" poster="{inside}"></video>'
    )
    pages.sample.put("herald", replace(make_entry(1), image=Image(url=url), content=content))


def pictures(page: str) -> list[str]:
    return [html.unescape(url) for url in re.findall(r'(?:<img src|poster)="([^"]*)"', page)]


def test_every_image_of_a_page_is_proxied(pages: PageSite, feed_server: FeedServer) -> None:
    put(pages, feed_server.url("/p?a=1&b="))
    for path, count in (("/", 1), ("/section/world", 1), ("/entry/1", 2)):
        found = pictures(pages.text(path))
        assert len(found) == count
        assert all(url.startswith("/picture?url=http%3A%2F%2F127.0.0.1") for url in found)
    assert 'src="https://v.example/v.mp4"' in pages.text("/entry/1")
    assert "img-src 'self';" in pages.get("/").headers["Content-Security-Policy"]


def test_an_image_is_served_as_immutable(pages: PageSite, feed_server: FeedServer) -> None:
    feed_server.reply("/p", 200, {"Content-Type": "text/html"}, PNG)
    put(pages, feed_server.url("/p"))
    [url] = pictures(pages.text("/"))
    answer = pages.get(url)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, PNG, "image/png")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_failed_image_is_502_without_a_second_fetch(
    pages: PageSite, feed_server: FeedServer
) -> None:
    put(pages, feed_server.url("/missing"))
    [url] = pictures(pages.text("/"))
    for _ in range(3):
        answer = pages.get(url)
        assert answer.status_code == 502
        assert answer.headers["Cache-Control"] == "max-age=3600"
    assert len(feed_server.requests) == 1


@pytest.mark.parametrize("spoil", ["other", "none", "text"])
def test_unsigned_urls_are_not_fetched(
    pages: PageSite, feed_server: FeedServer, spoil: str
) -> None:
    put(pages, feed_server.url("/p"))
    [url] = pictures(pages.text("/"))
    address, _, key = url.rpartition("&key=")
    wrong = {
        "other": f"{address}2&key={key}",
        "none": address,
        "text": f"{address}&key=ü",
    }[spoil]
    assert pages.get(wrong).status_code == 403
    assert feed_server.requests == []


def test_the_key_survives_a_restart(pages: PageSite) -> None:
    put(pages, "https://pictures.example/p.jpg")
    assert pictures(PageSite(pages.sample).text("/")) == pictures(pages.text("/"))


def test_images_of_a_protected_site_are_private(tmp_path: Path, feed_server: FeedServer) -> None:
    auth = Auth(token="a-token-for-programs", protect="site")
    config = proxied(replace(SITE, auth=auth), tmp_path)
    feed_server.reply("/p", body=PNG)
    with open_sample(tmp_path, config) as sample:
        site = PageSite(sample)
        put(site, feed_server.url("/p"))
        bearer = {"Authorization": f"Bearer {auth.token}"}
        [url] = pictures(site.get("/", **bearer).text)
        assert site.get(url).status_code == 401
        assert site.get(url, **bearer).headers["Cache-Control"].startswith("private, ")


def test_without_the_proxy_images_come_from_publishers(tmp_path: Path) -> None:
    with open_sample(tmp_path, SITE) as sample:
        site = PageSite(sample)
        put(site, "https://pictures.example/p")
        assert pictures(site.text("/")) == ["https://pictures.example/p"]
        assert site.get("/picture?url=https://pictures.example/p&key=0").status_code == 404
