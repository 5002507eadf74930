"""The demo's publisher over HTTP, with a clock that tests set."""

import io
import json
import struct
import urllib.error
import urllib.request
import wave
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message

import feedparser
import pytest

from aggregator.demo import media, newsroom
from aggregator.demo.publisher import FEEDS, LEAVES_AFTER, Publisher
from aggregator.demo.weeklies import WEEKLIES

START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
XML_FEEDS = ["/world.rss", "/europe.atom", "/podcast.rss", "/leaving.rss"]


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(clock: Clock) -> Iterator[Publisher]:
    publisher = Publisher("127.0.0.1", 0, clock=clock)
    publisher.start()
    yield publisher
    publisher.stop()


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, Message, bytes]:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, headers=fields, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def titles(body: bytes) -> list[str]:
    return [entry.title for entry in feedparser.parse(io.BytesIO(body)).entries]


@pytest.mark.parametrize("path", XML_FEEDS)
def test_feed_is_read_whole(publisher: Publisher, path: str) -> None:
    status, headers, body = get(publisher.url + path)
    feed = feedparser.parse(
        io.BytesIO(body), response_headers={"content-type": headers["Content-Type"]}
    )
    assert (status, feed.bozo) == (200, False)
    assert feed.feed.title == FEEDS[path][1]
    assert feed.entries
    for entry in feed.entries:
        assert all(entry[key] for key in ("id", "title", "link", "author", "summary"))
        assert entry.published_parsed <= START.utctimetuple()


def test_jsonfeed_has_what_1_1_requires(publisher: Publisher) -> None:
    _, headers, body = get(publisher.url + "/science.json")
    feed = json.loads(body)
    assert headers["Content-Type"] == "application/feed+json"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["items"]
    assert all(item["id"] and item["content_html"] for item in feed["items"])


@pytest.mark.parametrize("path", [*XML_FEEDS, "/science.json"])
def test_unchanged_feed_answers_304(publisher: Publisher, path: str) -> None:
    etag = get(publisher.url + path)[1]["ETag"]
    status, headers, body = get(publisher.url + path, If_None_Match=f'"other", {etag}')
    assert (status, headers["ETag"], body) == (304, etag, b"")


def test_new_items_appear_every_few_seconds(publisher: Publisher, clock: Clock) -> None:
    paths = ["/world.rss", "/europe.atom"]
    before = {path: titles(get(publisher.url + path)[2]) for path in paths}
    clock.forward(seconds=60)
    after = {path: titles(get(publisher.url + path)[2]) for path in paths}
    for path in paths:
        assert len(set(after[path]) - set(before[path])) >= 2


def test_something_is_new_within_ten_seconds(publisher: Publisher, clock: Clock) -> None:
    before = {path: get(publisher.url + path)[2] for path in FEEDS}
    clock.forward(seconds=10)
    assert {path: get(publisher.url + path)[2] for path in FEEDS} != before


def test_broken_feed_is_broken_in_turns(publisher: Publisher, clock: Clock) -> None:
    seen = []
    for _ in range(3):
        status, _, body = get(publisher.url + "/broken.rss")
        seen.append((status, bool(feedparser.parse(io.BytesIO(body)).bozo)))
        clock.forward(seconds=20)
    assert seen[:2] == [(200, True), (200, True)]
    assert seen[2][0] == 500


def test_leaving_feed_is_gone_after_two_minutes(publisher: Publisher, clock: Clock) -> None:
    clock.forward(seconds=LEAVES_AFTER.total_seconds() - 1)
    assert get(publisher.url + "/leaving.rss")[0] == 200
    clock.forward(seconds=1)
    assert get(publisher.url + "/leaving.rss")[0] == 410


def test_enclosure_is_a_sound_of_the_stated_length(publisher: Publisher) -> None:
    feed = feedparser.parse(io.BytesIO(get(publisher.url + "/podcast.rss")[2]))
    enclosure = feed.entries[0].enclosures[0]
    _, headers, body = get(enclosure.href)
    assert headers["Content-Type"] == enclosure.type == "audio/wav"
    assert len(body) == int(enclosure.length)
    with wave.open(io.BytesIO(body)) as sound:
        assert sound.getnframes() / sound.getframerate() == int(feed.entries[0].itunes_duration)


def test_thumbnail_is_a_picture_of_the_stated_size(publisher: Publisher) -> None:
    feed = feedparser.parse(io.BytesIO(get(publisher.url + "/world.rss")[2]))
    thumbnail = feed.entries[0].media_thumbnail[0]
    _, headers, body = get(thumbnail["url"])
    assert headers["Content-Type"] == "image/png"
    width, height = struct.unpack(">II", body[16:24])
    assert (str(width), str(height)) == (thumbnail["width"], thumbnail["height"])
    pixels = body[body.index(b"IDAT") + 4 :]
    assert len(zlib.decompressobj().decompress(pixels)) == (width + 1) * height


def test_every_item_has_its_page(publisher: Publisher) -> None:
    for path in XML_FEEDS:
        for entry in feedparser.parse(io.BytesIO(get(publisher.url + path)[2])).entries[:5]:
            status, _, body = get(entry.link)
            assert status == 200
            assert b"<h1>" in body


@pytest.mark.parametrize("path", WEEKLIES)
def test_weekly_is_read_whole_and_stays_as_it_is(
    publisher: Publisher, clock: Clock, path: str
) -> None:
    status, _, body = get(publisher.url + path)
    feed = feedparser.parse(io.BytesIO(body))
    assert (status, feed.bozo) == (200, False)
    assert len(feed.entries) == len(WEEKLIES[path].pieces)
    for entry, piece in zip(feed.entries, WEEKLIES[path].pieces, strict=True):
        assert entry.get("title", "") == piece.title
        assert entry.published_parsed <= START.utctimetuple()
    clock.forward(hours=5)
    assert get(publisher.url + path)[2] == body


def test_picture_has_the_size_in_its_name(publisher: Publisher) -> None:
    body = get(f"{publisher.url}/pictures/tower-600x999.png?width=600")[2]
    assert struct.unpack(">II", body[16:24]) == (600, 999)


def test_head_and_unknown_paths(publisher: Publisher) -> None:
    status, headers, body = get(publisher.url + "/world.rss", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0
    assert get(publisher.url + "/")[0] == 200
    assert get(publisher.url + "/nothing")[0] == 404
    assert get(publisher.url + "/stories/none")[0] == 404


def test_stop_without_start_frees_the_port(clock: Clock) -> None:
    first = Publisher("127.0.0.1", 0, clock=clock)
    first.stop()
    Publisher("127.0.0.1", int(first.url.rpartition(":")[2]), clock=clock).stop()


# --- the newsroom ------------------------------------------------------------------------------


def latest_reports(feed: str, seed: int = 2009) -> dict[str, newsroom.Report]:
    """Return the last version of all items of `feed` in the first ten minutes, by guid."""
    last = {}
    for second in range(0, 600, 15):
        now = START + timedelta(seconds=second)
        for report in newsroom.reports(
            feed, now=now, since=START, every=timedelta(seconds=5), seed=seed
        ):
            last[report.guid] = report
    return last


def test_same_seed_and_moment_invent_the_same() -> None:
    assert latest_reports("world") == latest_reports("world")
    assert latest_reports("world") != latest_reports("world", seed=1)


@pytest.mark.parametrize("hours", range(0, 240, 7))
def test_no_feed_is_ever_empty(hours: int) -> None:
    now = START + timedelta(hours=hours, minutes=hours)
    every = timedelta(seconds=5)
    for feed in newsroom.DESKS:
        assert newsroom.reports(feed, now=now, since=now, every=every, seed=2009)


def test_stories_vary() -> None:
    headlines = [report.headline for report in latest_reports("world").values()]
    assert len(set(headlines)) > 0.9 * len(headlines)


def test_events_are_retold_by_another_feed() -> None:
    world, europe = latest_reports("world"), latest_reports("europe")
    shared = {guid.partition(":")[2] for guid in world} & {g.partition(":")[2] for g in europe}
    pairs = [(world[f"world:{key}"], europe[f"europe:{key}"]) for key in shared]
    assert any(one.headline != other.headline for one, other in pairs)
    assert any(one.path.split("?")[0] == other.path.split("?")[0] for one, other in pairs)


def test_some_headlines_are_edited_later() -> None:
    edited = [
        report for report in latest_reports("world").values() if report.updated > report.published
    ]
    assert edited


def test_a_restart_repeats_no_event() -> None:
    later = START + timedelta(minutes=5)
    first = latest_reports("world")
    again = newsroom.reports("world", now=later, since=later, every=timedelta(seconds=5), seed=2009)
    assert all(first[report.guid].lead == report.lead for report in again if report.guid in first)


def test_picture_and_tune_depend_on_their_name_alone() -> None:
    assert media.picture("s1") == media.picture("s1") != media.picture("s2")
    assert len(media.picture("icon-96x96")) > 100
    assert media.tune("s1") == media.tune("s1") != media.tune("s2")
