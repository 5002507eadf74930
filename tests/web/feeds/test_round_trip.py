"""The service reads its own feeds, and stores the same entries."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.ingest import batch
from aggregator.ingest.source_update import Context
from aggregator.models.config import Config, Section, Source
from aggregator.models.entry import Author, Enclosure, Image, Origin, SafeHtml, StoredEntry
from aggregator.models.poll import Fetched, ParsedDocument, Request
from aggregator.models.query import parse
from aggregator.policy.filter_rules import Rulebook
from aggregator.polling import parsing, stages
from aggregator.store.queries import select
from aggregator.store.sources import sync
from tests import validators
from tests.web.conftest import FeedSite
from tests.web.sample_store import BASE, CONFIG, make_entry

CHECKS = {
    "atom": validators.atom,
    "rss": validators.rss,
    "json": validators.json_feed,
    "opml": validators.opml,
}


def poll_document(site: FeedSite, source_id: str, body: bytes, url: str, content_type: str) -> bool:
    """Read and store a document as a poll of the source would; False when it is no feed."""
    site.sample.now += timedelta(minutes=1)
    now = site.sample.now
    fetched = Fetched(url=url, body=body, content_type=content_type)
    checked = stages.check_fetch(Request(source_id=source_id, url=url, discover=False), fetched)
    assert isinstance(checked, stages.Body)
    (result,) = parsing.parse_documents([checked], now)
    context = Context(
        config=site.config,
        sources={source.id: source for source in site.config.sources},
        rulebook=Rulebook.of(site.config),
        now=now,
        random=lambda: 0.0,
    )
    with site.sample.store.transaction() as db:
        batch.ingest(db, [result], context)
    site.later()
    return isinstance(result.outcome, ParsedDocument)


def stored(site: FeedSite, query: str = "") -> Sequence[StoredEntry]:
    with site.sample.store.reading() as db:
        return select.select(db, parse(query), limit=500)


def configure(site: FeedSite, config: Config) -> None:
    site.config = config
    with site.sample.store.transaction() as db:
        sync.apply(db, config.sources, now=site.sample.now, first_polls={})


def fill(site: FeedSite) -> None:
    """Store entries with every field set."""
    entry = replace(
        make_entry(1, site.sample.now - timedelta(hours=3)),
        title="Rain & <wind>: “storm”",
        content=SafeHtml(
            '<p>It <b>rains</b>, says <a href="https://a.example/"'
            ' rel="noopener noreferrer nofollow">she</a>.</p>'
        ),
        authors=(Author(name="Ann Ä"), Author(name="Bob")),
        categories=("Weather", "A & B"),
        enclosures=(
            Enclosure(url="https://a.example/1.mp3", type="audio/mpeg", length=123, duration=61),
            Enclosure(url="https://a.example/1.ogg", type="audio/ogg", length=99),
        ),
        image=Image(url="https://a.example/1.jpg"),
        comments="https://news.example/1#comments",
        language="en",
    )
    site.sample.put("herald", entry)
    tagged = replace(make_entry(2, site.sample.now - timedelta(days=2)), guid="2", link="")
    site.sample.put("post", tagged, uri="tag:site.example,2009-06-27:post/2")
    dateless = replace(
        make_entry(3), origin=Origin(id="urn:x", title="First", url="https://f.example/")
    )
    site.sample.put("post", dateless)
    site.sample.revise(3, "Report 3, corrected")


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
def test_a_served_feed_is_read_back_unchanged(
    site: FeedSite, fresh: Callable[[], FeedSite], format: str
) -> None:
    fill(site)
    response = site.get(f"/feeds/all.{format}")
    reader = fresh()
    reader.sample.now = site.now
    url = f"{BASE}/feeds/all.{format}"
    assert poll_document(reader, "odd", response.data, url, response.headers["Content-Type"])
    ours, theirs = stored(site), stored(reader)
    assert [_facts(e, format) for e in theirs] == [_facts(e, format, is_ours=True) for e in ours]
    for read, served in zip(theirs, ours, strict=True):
        assert (read.entry.updated or read.entry.published) == served.updated


def _shown(stored: StoredEntry) -> str:
    """Return the content as our feeds show it: below its source and its picture."""
    image = stored.entry.image
    picture = f'<p><img src="{image.url}" alt=""></p>' if image else ""
    return f"<p>From {_credited(stored)}</p>{picture}{stored.entry.content}"


def _facts(stored: StoredEntry, format: str, *, is_ours: bool = False) -> dict[str, object]:
    entry = stored.entry
    # the publication where no author is named, lest the feed's author apply
    authors = tuple(author.name for author in entry.authors) or (_credited(stored),)
    return {
        "uri": stored.uri,
        "link": entry.link or f"{BASE}/entry/{stored.id}",
        "title": entry.title,
        "summary": entry.summary,
        "content": _shown(stored) if is_ours else entry.content,
        "published": entry.published or stored.first_seen,
        "authors": authors,
        "categories": entry.categories,
        "enclosures": tuple((e.url, e.type, e.length, e.duration) for e in entry.enclosures),
        "image": entry.image.url if entry.image else "",
        "comments": "" if format == "json" else entry.comments,
        "origin": "" if format == "json" else _credited(stored),
    }


def _credited(stored: StoredEntry) -> str:
    names = {"herald": "Herald", "post": "Post"}
    return stored.entry.origin.title if stored.entry.origin else names[stored.source_id]


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
def test_nothing_is_doubled_when_the_site_reads_its_own_feed(site: FeedSite, format: str) -> None:
    fill(site)
    before = site.get("/feeds/all.json").data
    served = site.get(f"/feeds/all.{format}")
    url = f"{BASE}/feeds/all.{format}"
    assert poll_document(site, "odd", served.data, url, served.headers["Content-Type"])
    after = json.loads(site.get("/feeds/all.json").data)
    ids = [item["id"] for item in after["items"]]
    assert sorted(ids) == sorted(item["id"] for item in json.loads(before)["items"])
    sources_named = {item["_aggregator"]["source"]["id"] for item in after["items"]}
    assert sources_named == {"herald", "post"}


VIEWS = [
    *("all", "section/s0", "section/s1", "section/s2", "search?q=the", "search?q=a*", "lang/en"),
    *("search?has=audio", "search?has=image,video", "search?sort=updated", "search?since=365d"),
    *("search?not=the&limit=200", "all?limit=500", "category/news", "source/f000", "source/f001"),
    *("source/f002", "source/f003", "source/f005", "source/f008", "source/f013", "source/f021"),
]


def test_every_view_of_real_feeds_is_valid(fresh: Callable[[], FeedSite], corpus: Path) -> None:
    site = fresh()
    files = sorted(path for path in corpus.iterdir() if path.is_file())
    named = tuple(
        Source(id=f"f{n:03}", url=f"https://f{n}.example/feed", sections=(f"s{n % 3}",))
        for n, _ in enumerate(files)
    )
    sections = tuple(Section(id=f"s{n}", title=f"S{n}") for n in range(3))
    configure(site, replace(CONFIG, sources=named, sections=sections, views=()))
    site.sample.now = datetime.fromisoformat("2026-11-24T12:00:00Z")
    site.now = site.sample.now + timedelta(days=1)
    read = sum(
        poll_document(site, source.id, path.read_bytes(), source.url, "")
        for source, path in zip(named, files, strict=True)
    )
    assert read > len(files) * 0.9
    problems = {}
    for view in VIEWS:
        path, _, query = view.partition("?")
        for format, check in CHECKS.items():
            response = site.get(f"/feeds/{path}.{format}?{query}")
            found = check(response.data) if response.status_code == 200 else [response.text]
            if found:
                problems[f"{view} {format}"] = found[:5]
    assert problems == {}
    number = 1
    for format in ("atom", "rss", "json"):
        while (response := site.get(f"/feeds/all/archive/{number}.{format}")).status_code == 200:
            assert CHECKS[format](response.data) == []
            number += 1
        assert number > 5
        number = 1
