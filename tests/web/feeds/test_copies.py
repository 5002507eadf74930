"""Copies of the same feeds under different sources: one story each, every report shown.

pytest tests/web/test_copies.py --corpus FOLDER    with real feeds too
"""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from aggregator.models.config import Section, Source
from aggregator.models.query import Query, Stories
from aggregator.store.queries import collapse, select
from tests.web.conftest import FeedSite
from tests.web.feeds.test_round_trip import configure, poll_document
from tests.web.sample_store import CONFIG

COPIES = 3
NEWS = (
    "Ferry with 212 on board runs aground off Skerrow",
    "Parliament passes the budget after a long night",
    "Weekly update",
    "Storm tears roof off school in Marlow",
    "В Заречье открыли мост через Вельму",
    "渡轮在石角岛附近搁浅，全部乘客获救",
)


def document(feed: int, copy: int) -> bytes:
    """Return a feed as one of its mirrors serves it: with other ids and tracking parameters."""
    items = "".join(
        f"<item><title>{title} ({feed})</title><guid isPermaLink='false'>{copy}-{number}</guid>"
        f"<link>http://www.paper{feed}.example/{number}?utm_source=mirror{copy}</link>"
        f"<description>What happened, told by paper {feed}.</description></item>"
        for number, title in enumerate(NEWS)
    )
    title = f"<title>Paper {feed}</title><link>http://paper{feed}.example/</link>"
    return f"<rss version='2.0'><channel>{title}{items}</channel></rss>".encode()


def sources(feeds: int) -> tuple[Source, ...]:
    return tuple(
        Source(
            id=f"f{feed}-{copy}",
            url=f"https://mirror{copy}.example/{feed}",
            title=f"Mirror {copy} of {feed}",
            sections=(f"s{feed % 3}",),
        )
        for copy, feed in product(range(COPIES), range(feeds))
    )


def start(site: FeedSite, feeds: int) -> tuple[Source, ...]:
    named = sources(feeds)
    sections = tuple(Section(id=f"s{n}", title=f"S{n}") for n in range(3))
    configure(site, replace(CONFIG, sources=named, sections=sections, views=()))
    return named


def items(site: FeedSite, path: str) -> list[dict[str, Any]]:
    return list(json.loads(site.get(path).data)["items"])


def test_each_entry_is_one_story_with_all_mirrors_shown(site: FeedSite) -> None:
    named = start(site, feeds=4)
    for number, source in enumerate(named):
        assert poll_document(site, source.id, document(number % 4, number // 4), source.url, "")
    shown = items(site, "/feeds/all.json?limit=500")
    assert len(shown) == 4 * len(NEWS)
    for item in shown:
        also = {one["title"] for one in item["_aggregator"]["also_reported_by"]}
        feed = item["_aggregator"]["source"]["title"].rpartition(" ")[2]
        assert also | {item["_aggregator"]["source"]["title"]} == {
            f"Mirror {copy} of {feed}" for copy in range(COPIES)
        }
    expanded = items(site, "/feeds/all.json?limit=500&stories=expand")
    assert len(expanded) == COPIES * len(shown)


def test_copies_of_real_feeds_are_one_story_each(site: FeedSite, corpus: Path) -> None:
    files = [path for path in sorted(corpus.iterdir()) if path.is_file()][:60]
    named = start(site, len(files))
    site.sample.now = datetime.fromisoformat("2026-11-24T12:00:00Z")
    for number, source in enumerate(named):
        body = files[number % len(files)].read_bytes()
        # At one address, so that relative links in a copy lead to the same pages.
        url = f"https://mirror0.example/{number % len(files)}"
        poll_document(site, source.id, body, url, "")
    with site.sample.store.reading() as db:
        leads = select.select_ids(db, Query(), limit=1_000_000)
        expanded = select.select_ids(db, Query(stories=Stories.EXPAND), limit=1_000_000)
        shown = collapse.get_stories(db, Query(), leads)
    behind = [one.entry_id for story in shown.values() for one in story.entries]
    alone = [lead for lead in leads if lead not in shown]
    assert sorted([*behind, *alone]) == sorted(expanded)
    sizes = Counter(len(story.entries) for story in shown.values())
    # A page that one feed links to from several entries proves nothing; these may stand alone.
    assert sum(size * n for size, n in sizes.items() if size >= COPIES) > 0.9 * len(expanded)
