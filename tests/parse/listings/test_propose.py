"""Proposed selectors find the entries of pages and JSON, and nothing where there are none."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.entry import ParsedEntry
from aggregator.models.listing import JsonListing, Listing, PageListing
from aggregator.parse.listings import document
from aggregator.parse.listings.propose import propose
from tests.layouts import DAYS, LAYOUTS, LEADS, TOPICS, Layout, page, slug

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
HOST = "https://town.example"
NUMBERS = range(len(TOPICS))


def proposed(body: bytes, content_type: str = "text/html", path: str = "/") -> tuple[Listing, ...]:
    return propose(body, content_type=content_type, url=HOST + path, now=NOW)


def entries(
    body: bytes, listing: Listing, content_type: str = "text/html", path: str = "/"
) -> tuple[ParsedEntry, ...]:
    changes = document.parse_changes(
        body, content_type=content_type, url=HOST + path, listing=listing, now=NOW
    )
    return changes.feed.entries


def titles(found: tuple[ParsedEntry, ...]) -> tuple[str, ...]:
    return tuple(each.title.value if each.title else "" for each in found)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_best_proposal_gives_the_right_entries(layout: Layout) -> None:
    best, *_ = proposed(layout.body, layout.content_type, layout.path)
    found = entries(layout.body, best, layout.content_type, layout.path)
    assert titles(found) == layout.titles
    assert tuple(each.link.removeprefix(HOST) for each in found) == layout.links
    assert tuple(each.published for each in found) == layout.dates
    if layout.summaries:
        begins = zip(found, layout.summaries, strict=True)
        assert all(each.summary and begin in each.summary.value for each, begin in begins)
    if layout.images:
        assert tuple(each.images[0].url.removeprefix(HOST) for each in found) == layout.images


def test_links_with_the_same_words_are_no_entries() -> None:
    markup = "".join(
        f"<div class=box><p>{LEADS[n]}</p><a href='/f/{n}'>Read the whole story</a></div>"
        for n in NUMBERS
    )
    assert proposed(f"<main>{markup}</main>".encode()) == ()


FLAT = "".join(
    f"<h3><a href='/f/{n}'>{TOPICS[n]}</a></h3><p>{DAYS[n]:%d %B %Y}</p><p>{LEADS[n]}</p>"
    for n in NUMBERS
)
RANKED = "".join(
    f"<tr class=athing id={n}><td>{n}.</td><td class=title><span class=line>"
    f"<a href='/f/{n}'>{TOPICS[n]}</a></span></td></tr><tr><td></td><td><span class=age>{n + 1} "
    f"hours ago</span> <a href='/i/{n}'>{n} comments</a></td></tr>"
    for n in NUMBERS
)
UTILITIES = "".join(
    f"<div class='rounded-lg p-4 bg-white'><div class='flex'><img src='/i/{n}.webp'></div>"
    f"<div class='mt-4'><a class='text-xl' href='/f/{n}'>{TOPICS[n]}</a><div class='text-sm'>"
    f"Mar {20 - n}, 2026</div><div class='prose line-clamp-3'>{LEADS[n]}</div></div></div>"
    for n in NUMBERS
)
ROWS = "".join(
    "<div class=row>"
    + "".join(
        f"<div class=col-4><div class=teaser><h2><a href='/f/{n}'>{TOPICS[n]}</a></h2>"
        f"<span class=date>{DAYS[n]:%d.%m.%Y}</span></div></div>"
        for n in range(first, min(first + 3, len(TOPICS)))
    )
    + "</div>"
    for first in range(0, len(TOPICS), 3)
)
ADVERTS = "".join(
    f"<div class=entry><h3><a href='/f/{n}'>{TOPICS[n]}</a></h3><p>{LEADS[n]}</p></div>"
    + "<div class=ad><a href='https://ads.example/x'>Buy this one thing now</a></div>" * (n % 2)
    for n in NUMBERS
)
EVENTS = "".join(
    f"<li><div class=when><b>{20 - n}</b> <i>Mar</i> <u>2026</u></div><div>"
    f"<a href='/f/{n}'>{TOPICS[n]}</a></div></li>"
    for n in NUMBERS
)


@pytest.mark.parametrize(
    ("markup", "dated"),
    [
        pytest.param(FLAT, True, id="headings without a box around an entry"),
        pytest.param(f"<table>{RANKED}</table>", False, id="two rows for an entry"),
        pytest.param(f"<div class=grid>{UTILITIES}</div>", True, id="classes of utilities"),
        pytest.param(ROWS, True, id="rows of three"),
        pytest.param(f"<div>{ADVERTS}</div>", False, id="adverts between entries"),
        pytest.param(f"<ul>{EVENTS}</ul>", True, id="a date in pieces"),
    ],
)
def test_other_layouts(markup: str, dated: bool) -> None:
    body = page(markup)
    best, *_ = proposed(body)
    found = entries(body, best)
    assert titles(found) == TOPICS
    assert [each.link for each in found] == [f"{HOST}/f/{n}" for n in NUMBERS]
    if dated:
        assert tuple(each.published for each in found) == DAYS


def test_titles_without_spaces() -> None:
    markup = "".join(
        f"<li><a href='/f/{n}'>市議会は新しい橋の建設を承認した第{n}回</a>"
        f"<span>2026年3月{20 - n}日</span></li>"
        for n in NUMBERS
    )
    body = page(f"<ul class=l>{markup}</ul>")
    best, *_ = proposed(body)
    assert best == PageListing(items="ul.l > li", title="a", date="span")
    assert len(entries(body, best)) == len(TOPICS)


def test_linked_data() -> None:
    items = [
        {"item": {"name": TOPICS[n], "url": f"/f/{n}", "datePublished": "2026-03-05"}}
        for n in NUMBERS
    ]
    body = page(
        "<div id=app></div><script type='application/ld+json'>"
        + json.dumps({"@type": "ItemList", "itemListElement": items})
        + "</script>"
    )
    best, *_ = proposed(body)
    assert best == JsonListing(
        script="script[type='application/ld+json']",
        items="itemListElement",
        title="item.name",
        link="item.url",
        date="item.datePublished",
    )
    assert titles(entries(body, best)) == TOPICS


def test_members_with_odd_names_and_nested_values() -> None:
    posts = [
        {
            "@id": n,
            "title": {"rendered": TOPICS[n]},
            "link": f"https://town.example/{slug(n)}",
            "date-gmt": f"{NOW - timedelta(days=n):%Y-%m-%d}",
        }
        for n in NUMBERS
    ]
    body = json.dumps({"the posts": posts}).encode()
    best, *_ = proposed(body, "application/json")
    assert best == JsonListing(
        items='"the posts"', title="title.rendered", link="link", date='"date-gmt"'
    )
    assert titles(entries(body, best, "application/json")) == TOPICS


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/html"),
        (b"<p>One <a href=/a>page of words</a> alone</p>", "text/html"),
        (b"<ul><li><a href=/a>Home</a><li><a href=/b>News</a><li><a href=/c>Sport</a></ul>", ""),
        (b"<ul><li>One two three</li><li>four five six</li><li>seven eight</li></ul>", "text/html"),
        (b"{}", "application/json"),
        (b"[1, 2, 3, 4]", "application/json"),
        (b'{"a": [{"b": 1}, {"b": 2}, {"b": 3}]}', "application/json"),
        (b"[" * 10_000, "application/json"),
        (b"{", "application/json"),
    ],
)
def test_nothing_is_proposed_where_nothing_repeats_as_entries_do(
    body: bytes, content_type: str
) -> None:
    assert proposed(body, content_type) == ()


_PIECES = (
    "<ul>", "</ul>", "<li class='a b1'>", "<a href=/x>", "</a>", "<dt>", "<dd>", "<td>", "<tr>",
    "<h2>", "<p>", "<time>", "one two three four", "5 March 2026", "<img src=a.jpg>", "<script>",
    '[{"title": "one two", "url": "/a"}]', "</script>", "<div id='q\\'\"'>", "<!--", "-->", "\0",
)  # fmt: skip
_MARKUP = st.lists(st.sampled_from(_PIECES), max_size=60)


@given(_MARKUP)
def test_any_page_is_taken(pieces: list[str]) -> None:
    for listing in proposed("".join(pieces).encode()):
        assert entries("".join(pieces).encode(), listing)
