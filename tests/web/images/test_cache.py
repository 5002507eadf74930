"""Images are fetched once, recognised by their bytes, and kept in a bounded folder."""

import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.models.config import Config
from aggregator.web.images.cache import LIMITS, RETRY, SLOTS, Busy, CachedImage, ImageCache
from tests.feedserver import FeedServer
from tests.web.sample_store import CONFIG

PNG = b"\x89PNG\r\n\x1a\n" + b"." * 100


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(CONFIG, storage=str(tmp_path / "x.db"), allow=("127.0.0.0/8",))


@pytest.fixture
def pictures(config: Config) -> Iterator[ImageCache]:
    made = ImageCache(config)
    yield made
    made.close()


def kept(config: Config) -> list[os.DirEntry[str]]:
    return list(os.scandir(f"{config.storage}.pictures"))


def test_an_image_is_fetched_once(
    pictures: ImageCache, feed_server: FeedServer, now: datetime
) -> None:
    feed_server.reply("/a", body=PNG)
    for _ in range(3):
        assert pictures.get(feed_server.url("/a"), now) == CachedImage(type="image/png", body=PNG)
    [request] = feed_server.requests
    assert request.headers["accept"].startswith("image/")
    assert "feed-aggregator" in request.headers["user-agent"]
    assert "referer" not in request.headers


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<svg xmlns=''><script>alert(1)</script></svg>", {"Content-Type": "image/svg+xml"}),
        (b"<html>", {"Content-Type": "image/png"}),
        (PNG + bytes(LIMITS.body), {"Content-Type": "image/png"}),
        (b"", {}),
    ],
    ids=["svg", "a page that says it is a picture", "too large", "nothing"],
)
def test_other_types_are_not_served_and_not_fetched_again(
    pictures: ImageCache,
    feed_server: FeedServer,
    now: datetime,
    body: bytes,
    headers: dict[str, str],
) -> None:
    feed_server.reply("/a", 200, headers, body)
    for _ in range(3):
        assert pictures.get(feed_server.url("/a"), now) is None
    assert len(feed_server.requests) == 1


def test_a_failed_fetch_is_repeated_after_a_while(
    pictures: ImageCache, feed_server: FeedServer, now: datetime
) -> None:
    url = feed_server.url("/a")
    assert pictures.get(url, now) is None
    feed_server.reply("/a", body=PNG)
    assert pictures.get(url, now + RETRY / 2) is None
    assert pictures.get(url, now + RETRY + timedelta(seconds=1)) is not None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://[::1]/", "file:///etc/passwd", "gopher://x/", "", "x"]
)
def test_private_addresses_and_other_schemes_are_refused(
    config: Config, now: datetime, url: str
) -> None:
    closed = ImageCache(replace(config, allow=()))
    assert closed.get(url, now) is None
    closed.close()


def test_redirect_to_a_private_address_is_refused(
    config: Config, feed_server: FeedServer, now: datetime
) -> None:
    feed_server.redirect("/a", feed_server.url("/b", "127.0.0.2"))
    feed_server.reply("/b", body=PNG)
    narrow = ImageCache(replace(config, allow=("127.0.0.1",)))
    assert narrow.get(feed_server.url("/a"), now) is None
    assert [request.path for request in feed_server.requests] == ["/a"]
    narrow.close()


def test_the_folder_keeps_the_images_requested_last(
    config: Config, feed_server: FeedServer, now: datetime
) -> None:
    small = ImageCache(config, max_bytes=3 * 4_096)
    for number in range(6):
        feed_server.reply(f"/{number}", body=PNG + b"%d" % number)
        small.get(feed_server.url(f"/{number}"), now + timedelta(minutes=number))
    small.get(feed_server.url("/0"), now + timedelta(hours=1))
    small._shrink()
    assert len(kept(config)) == 3
    asked = len(feed_server.requests)
    small.get(feed_server.url("/0"), now + timedelta(hours=2))
    assert len(feed_server.requests) == asked
    small.close()


def test_images_are_served_when_the_folder_is_not_writable(
    config: Config, feed_server: FeedServer, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "x.db.pictures").write_text("in the way")
    feed_server.reply("/a", body=PNG)
    made = ImageCache(config)
    assert made.get(feed_server.url("/a"), now) is not None
    made.close()


def test_simultaneous_fetches_are_bounded(pictures: ImageCache, now: datetime) -> None:
    taken = [pictures._clients.get() for _ in range(SLOTS)]
    with pytest.raises(Busy):
        pictures.get("http://127.0.0.1/", now)
    for client in taken:
        pictures._clients.put(client)


def test_a_full_disk_is_not_filled_with_partial_files(
    pictures: ImageCache, config: Config, feed_server: FeedServer, now: datetime
) -> None:
    feed_server.reply("/a", body=PNG)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(PNG) - 1, limits[1]))
    try:
        assert pictures.get(feed_server.url("/a"), now) == CachedImage(type="image/png", body=PNG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert kept(config) == []
