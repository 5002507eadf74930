"""Values of pages: defaults, texts, links, pictures, dates, and what is left out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aggregator.models.entry import ParsedEntry
from aggregator.models.listing import PageListing
from aggregator.parse.decode import NotAFeed
from aggregator.parse.document import Changes
from aggregator.parse.listings import document, page

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
URL = "https://town.example/news/"


def read(markup: str, known: bytes = b"", **listing: Any) -> Changes:
    return document.parse_changes(
        f"<html><body>{markup}</body></html>".encode(),
        content_type="text/html; charset=utf-8",
        url=URL,
        listing=PageListing(**({"items": "li"} | listing)),
        known=known,
        now=NOW,
    )


def entry(markup: str, **listing: Any) -> ParsedEntry:
    [only] = read(f"<ul><li>{markup}</li></ul>", **listing).feed.entries
    return only


def title(markup: str, **listing: Any) -> str:
    found = entry(markup, **listing).title
    return found.value if found else ""


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<h3>Fer<b>ry</b> <i>sails</i></h3><a href=a>more</a>", "Ferry sails"),
        ("<a href=a>Ferry</a><p>Text", "Ferry"),
        ("<a href=a><img src=x></a><a href=a>Ferry sails</a>", "Ferry sails"),
        ("<h2>Ferry<br>sails<script>x()</script><!-- y --> today</h2>", "Ferry sails today"),
        ("<h2>H<sub>2</sub>O &amp; more &lt;b&gt;</h2>", "H2O & more <b>"),
    ],
)
def test_title_without_a_selector(markup: str, expected: str) -> None:
    assert title(markup) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("b", "Bold"),
        ("a::attr(title)", "From an attribute"),
        ("p::text", "Direct"),
        ("./p/@class", "lead"),
        ("concat(./b, ' and ', ./p/@class)", "Bold and lead"),
        ("count(.//p)", "1.0"),
    ],
)
def test_title_by_css_xpath_and_functions(selector: str, expected: str) -> None:
    markup = (
        "<a href=a title='From an attribute'>A</a><b>Bold</b><p class=lead> Direct <i>x</i></p>"
    )
    assert title(markup, title=selector) == expected


@pytest.mark.parametrize(
    ("markup", "listing", "expected"),
    [
        ("<h2><a href='/b'>T</a></h2><a href='/a'>first</a>", {}, "https://town.example/b"),
        ("<a href='/a'>first</a><h2>T</h2>", {}, "https://town.example/a"),
        ("<a href='a?x=1'>T</a>", {}, "https://town.example/news/a?x=1"),
        ("<a href='#top'>T</a><a href='/b'>T</a>", {}, "https://town.example/b"),
        ("<a href='javascript:x()'>T</a>", {}, ""),
        ("<a href='https://[::'>T</a>", {}, ""),
        ("<a href='/a'>T</a><a class=x href='/b'>U</a>", {"link": "a.x"}, "https://town.example/b"),
        ("<b>T</b><i data-u='/b'>U</i>", {"title": "b", "link": "i::attr(data-u)"}, "https://town.example/b"),
        ("<p><a href='/a'>T</a><b>x</b></p>", {"link": "b", "title": "a"}, ""),
    ],
)  # fmt: skip
def test_link(markup: str, listing: dict[str, str], expected: str) -> None:
    assert entry(markup, **listing).link == expected


def test_link_of_items_that_are_links_or_inside_of_one() -> None:
    own = read(
        "<a class=c href='/1'><h2>One</h2></a><a class=c href='/2'><h2>Two</h2></a>", items="a.c"
    )
    around = read(
        "<a href='/1'><p class=c>One</p></a><a href='/2'><p class=c>Two</p></a>",
        items="p.c",
        title="./self::p",
    )
    for changes in (own, around):
        found = [(each.title and each.title.value, each.link) for each in changes.feed.entries]
        assert found == [("One", "https://town.example/1"), ("Two", "https://town.example/2")]


def test_base_element_holds_for_links_and_pictures() -> None:
    changes = read("<base href='https://cdn.example/x/'><li><a href=a>T</a><img src=b.jpg></li>")
    [only] = changes.feed.entries
    assert only.link == "https://cdn.example/x/a"
    assert only.images[0].url == "https://cdn.example/x/b.jpg"


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<img src=a.jpg>", "a.jpg"),
        ("<img data-src=a.jpg src=b.jpg>", "a.jpg"),
        ("<img src='data:image/gif;base64,R0' data-original=a.jpg>", "a.jpg"),
        ("<img srcset='s.jpg 320w, a.jpg 1280w, m.jpg 640w'>", "a.jpg"),
        ("<img data-srcset='s.jpg 1x, a.jpg 2x' src=placeholder.png>", "a.jpg"),
        ("<picture><source srcset='a.jpg 900w'><img src=b.jpg></picture>", "a.jpg"),
        ("<div style=\"background-image: url('a.jpg')\"></div>", "a.jpg"),
        ("<img src=/spacer.gif><img src=a.jpg>", "a.jpg"),
        ("<img src=a.jpg srcset='x.jpg 1.1.1w'>", "x.jpg"),
    ],
)
def test_picture(markup: str, expected: str) -> None:
    [image] = entry(f"<a href=x>T</a>{markup}").images
    assert image.url == URL + expected


@pytest.mark.parametrize(
    "markup", ["", "<img>", "<img src='data:image/png;base64,R0'>", "<img src=1x1.gif>"]
)
def test_item_without_a_picture(markup: str) -> None:
    assert entry(f"<a href=x>T</a>{markup}").images == ()


@pytest.mark.parametrize(
    ("markup", "listing"),
    [
        ("<time datetime='2026-03-05'>last week</time>", {}),
        ("<time>5 March 2026</time>", {}),
        ("<span class=d>on 5 March 2026, by Ada</span>", {"date": ".d"}),
        ("<span class=d data-x='2026-03-05'></span>", {"date": ".d::attr(data-x)"}),
        ("<div class=d><time datetime='2026-03-05T00:00:00Z'>x</time></div>", {"date": ".d"}),
        ("<meta itemprop=date content='2026-03-05'>", {"date": "meta"}),
    ],
)
def test_date(markup: str, listing: dict[str, str]) -> None:
    found = entry(f"<a href=x>T</a>{markup}", **listing)
    assert found.published == datetime(2026, 3, 5, tzinfo=UTC)
    assert found.unread_date == ""


def test_date_that_can_not_be_read_is_kept_as_text() -> None:
    found = entry("<a href=x>T</a><i>Palm Sunday</i>", date="i")
    assert (found.published, found.unread_date) == (None, "Palm Sunday")


def test_relative_date_is_no_part_of_the_hash_but_a_stated_one_is() -> None:
    markup = "<a href=x>T</a><i>{}</i>"
    one, two = (entry(markup.format(date), date="i") for date in ("1 hour ago", "2 hours ago"))
    assert one.item_hash == two.item_hash
    assert one.published != two.published
    one, two = (entry(markup.format(date), date="i") for date in ("2026-03-05", "2026-03-06"))
    assert one.item_hash != two.item_hash


def test_summary_has_its_markup_and_the_base_of_the_page() -> None:
    found = entry("<a href=x>T</a><p>A <b>bold</b> <a href='/b'>step</a></p>", summary="p").summary
    assert found
    assert (found.type, found.base) == ("html", URL)
    assert found.value == '<p>A <b>bold</b> <a href="/b">step</a></p>'
    plain = entry("<a href=x>T</a><p>1 &lt; 2</p>", summary="p").summary
    assert plain
    assert (plain.type, plain.value) == ("text", "1 < 2")


def test_metadata_of_the_page() -> None:
    changes = document.parse_changes(
        b"<html lang=cy><head><title> Town\n News </title>"
        b"<meta name=description content='All of it'></head><li><a href=a>T</a>",
        url=URL, listing=PageListing(items="li"), now=NOW,
    )  # fmt: skip
    feed = changes.feed
    assert (feed.title, feed.subtitle, feed.language, feed.link) == (
        "Town News",
        "All of it",
        "cy",
        URL,
    )


def test_items_without_title_and_link_and_repeated_ones_are_left_out() -> None:
    changes = read("<li><a href=a>T</a></li><li> </li><li><a href=a>T</a></li><li><img src=x></li>")
    assert len(changes.feed.entries) == 1


def test_known_items_are_left_out() -> None:
    first = read("<li><a href=a>A</a></li><li><a href=b>B</a></li>")
    second = read("<li><a href=c>C</a></li><li><a href=a>A</a></li>", known=first.item_hashes)
    assert [each.link for each in second.feed.entries] == [f"{URL}c"]
    assert len(second.item_hashes) == 32


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<a class=n href='?p=2'>", (f"{URL}?p=2",)),
        ("<p class=n><a href='/2'>", ("https://town.example/2",)),
        ("<a class=n href='/news/'>", ()),
        ("<a class=n>", ()),
        ("", ()),
    ],
)
def test_next_page(markup: str, expected: tuple[str, ...]) -> None:
    assert read(f"<li><a href=a>A</a></li>{markup}", next=".n").following == expected


def test_no_next_page_where_an_entry_is_known() -> None:
    markup = "<li><a href=a>A</a></li><a class=n href='?p=2'>"
    first = read(markup, next=".n")
    assert read(f"<li><a href=b>B</a></li>{markup}", first.item_hashes, next=".n").following == ()


@pytest.mark.parametrize(
    ("markup", "message"),
    [
        ("<p>x</p>", "`items: li` finds nothing"),
        ("<li></li><li></li>", "`items: li` finds 2 elements without a title and a link"),
    ],
)
def test_selector_without_entries_is_named(markup: str, message: str) -> None:
    with pytest.raises(document.NoEntries, match=message):
        read(markup)


def test_selector_of_a_field_that_finds_nothing_is_named() -> None:
    changes = read("<li><a href=a>A</a></li>", date=".d", summary="p", title="a")
    assert changes.feed.unmatched == ("date: .d", "summary: p")
    assert changes.feed.problems == (
        "`date: .d` finds nothing in any entry", "`summary: p` finds nothing in any entry",
    )  # fmt: skip


def test_only_so_many_items_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    markup = "".join(f"<li><a href={n}>A</a></li>" for n in range(page.MOST_ITEMS + 1))
    changes = read(markup)
    assert len(changes.feed.entries) == page.MOST_ITEMS
    assert changes.feed.problems == ("only the first 2,000 of 2,001 items are read",)


@pytest.mark.parametrize("body", [b"", b"   ", b"\0"])
def test_empty_document_is_no_page(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        document.parse_changes(body, url=URL, listing=PageListing(items="li"), now=NOW)
