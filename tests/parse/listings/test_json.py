"""Values of JSON documents, alone and in script elements."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aggregator.models.entry import ParsedEntry
from aggregator.models.listing import JsonListing
from aggregator.parse.decode import NotAFeed
from aggregator.parse.document import Changes
from aggregator.parse.listings import document

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
URL = "https://town.example/api/"


def read(body: bytes, known: bytes = b"", **listing: Any) -> Changes:
    return document.parse_changes(
        body,
        content_type="application/json",
        url=URL,
        listing=JsonListing(**({"items": "@", "title": "t"} | listing)),
        known=known,
        now=NOW,
    )


def entry(item: object, **listing: Any) -> ParsedEntry:
    [only] = read(json.dumps([item]).encode(), **listing).feed.entries
    return only


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ferry", ("text", "Ferry")),
        ("A &amp; B", ("html", "A &amp; B")),
        ("A <b>B</b>", ("html", "A <b>B</b>")),
        (7, ("text", "7")),
        ({"rendered": "Ferry"}, ("text", "Ferry")),
        (["Ferry", "x"], ("text", "Ferry")),
        ([{"name": "Ferry"}], ("text", "Ferry")),
    ],
)
def test_title(value: object, expected: tuple[str, str]) -> None:
    title = entry({"t": value}).title
    assert title
    assert (title.type, title.value) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("u", "https://town.example/a"),
        ("o", "https://town.example/b"),
        ("join('', ['https://town.example/story/', s])", "https://town.example/story/ferry"),
        ("nothing", ""),
        ("length(n)", ""),
    ],
)
def test_link(expression: str, expected: str) -> None:
    item = {"t": "T", "u": "/a", "o": {"url": "/b"}, "s": "ferry", "n": 5}
    assert entry(item, link=expression).link == expected


@pytest.mark.parametrize(
    "value", ["2026-03-05T00:00:00Z", "5 March 2026", 1772668800, 1772668800000, "1772668800.5"]
)
def test_date(value: object) -> None:
    assert entry({"t": "T", "d": value}, date="d").published == datetime(2026, 3, 5, tzinfo=UTC)


def test_summary_and_image() -> None:
    found = entry(
        {"t": "T", "u": "/a", "s": "<p>One</p>", "i": [{"src": "/1.jpg"}]},
        link="u", summary="s", image="i",
    )  # fmt: skip
    assert found.summary
    assert (found.summary.type, found.summary.base) == ("html", "https://town.example/a")
    assert found.images[0].url == "https://town.example/1.jpg"


def test_items_of_an_object_and_its_pairs() -> None:
    body = b'{"b": {"t": "B"}, "a": {"t": "A"}}'
    titles = [each.title and each.title.value for each in read(body).feed.entries]
    assert titles == ["B", "A"]
    body = b'{"time": {"created": "2020-01-01", "1.0": "2026-03-05"}}'
    changes = read(body, items="items(time)[?[0] != 'created']", title="[0]", date="[1]")
    [only] = changes.feed.entries
    assert only.title
    assert (only.title.value, only.published) == ("1.0", datetime(2026, 3, 5, tzinfo=UTC))


def test_next_document() -> None:
    body = b'{"p": [{"t": "A"}], "next": "?page=2"}'
    first = read(body, items="p", next="next")
    assert first.following == (f"{URL}?page=2",)
    assert read(body, first.item_hashes, items="p", next="next").following == ()


@pytest.mark.parametrize(
    "script",
    [
        '<script id="s" type="application/json">[{"t": "A"}]</script>',
        '<script id="s">window.__STATE__ = [{"t": "A"}];</script>',
        '<script id="s">/* x */ var a = {}; var b = [{"t": "A"}]; f();</script>',
        '<script id="s">no</script><script id="s">[{"t": "A"}]</script>',
        '<script id="s">{"x": 1}</script><script id="s">[{"t": "A"}]</script>',
        '<div id="s">[{"t": "A &lt; B"}]</div>',
    ],
)
def test_json_in_a_page(script: str) -> None:
    body = f"<html><body><p>x</p>{script}</body></html>".encode()
    [only] = read(body, items="[?t]", script="#s").feed.entries
    assert only.title
    assert only.title.value.startswith("A")


@pytest.mark.parametrize(
    ("body", "listing", "message"),
    [
        (b'{"a": []}', {"items": "a"}, "`items: a` finds no list with entries"),
        (b'{"a": []}', {"items": "b.c"}, "`items: b.c` finds no list"),
        (b'{"a": 7}', {"items": "a"}, "`items: a` finds no list"),
        (b'[1, "x", null, [], {}]', {}, "`items: @` finds 5 items without a title"),
        (b"<p>x</p>", {"script": "#s"}, "`script: #s` finds nothing"),
        (b"<p id=s>x</p>", {"script": "#s"}, "`script: #s` finds elements without JSON"),
    ],
)
def test_expression_without_entries_is_named(
    body: bytes, listing: dict[str, Any], message: str
) -> None:
    with pytest.raises(document.NoEntries) as raised:
        read(body, **listing)
    assert message in str(raised.value)


def test_expression_of_a_field_that_finds_nothing_is_named() -> None:
    assert read(b'[{"t": "A", "d": ""}]', date="d").feed.unmatched == ("date: d",)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "not JSON: line 1, column 1"),
        (b"", "not JSON"),
        (b"[" * 100_000, "can't be read"),
        (b"[" + b"9" * 100_000 + b"]", "can't be read"),
    ],
)
def test_other_documents_are_refused(body: bytes, message: str) -> None:
    with pytest.raises(NotAFeed, match=message):
        read(body)
