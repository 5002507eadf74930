import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aggregator.models.entry import Author, Enclosure, Image, ParsedEntry, Text
from aggregator.parse import document, jsonfeed
from aggregator.parse.decode import NotAFeed

VERSION = "https://jsonfeed.org/version/1.1"


def feed(*items: object, **fields: object) -> bytes:
    return json.dumps({"version": VERSION, "title": "T", "items": items, **fields}).encode()


def entry(**fields: Any) -> ParsedEntry:
    (found,) = jsonfeed.parse(feed(fields)).entries
    return found


def test_the_feed() -> None:
    parsed = jsonfeed.parse(
        feed(
            title="T < U",
            description="D",
            home_page_url="https://e.org/",
            feed_url="https://e.org/feed.json",
            next_url="https://e.org/2.json",
            icon="https://e.org/i.png",
            favicon="https://e.org/f.ico",
            language="en",
            authors=[{"name": "N", "url": "https://n.org/"}],
            hubs=[{"type": "WebSub", "url": "https://h.org/"}, {"type": "rssCloud", "url": "x"}],
        )
    )
    assert parsed.version == "json1.1"
    assert (parsed.title, parsed.subtitle, parsed.link) == ("T &lt; U", "D", "https://e.org/")
    assert (parsed.image, parsed.language) == ("https://e.org/i.png", "en")
    assert parsed.authors == (Author(name="N", uri="https://n.org/"),)
    assert parsed.links == (
        ("self", "https://e.org/feed.json"),
        ("next", "https://e.org/2.json"),
        ("hub", "https://h.org/"),
    )
    assert parsed.problems == ()


def test_the_entry() -> None:
    found = entry(
        id="urn:1",
        url="https://e.org/1",
        external_url="https://x.org/",
        title="A < B",
        summary="S",
        content_html="<p>H</p>",
        content_text="H",
        image="https://e.org/i.png",
        banner_image="https://e.org/b.png",
        date_published="2009-06-27T22:26:00+01:00",
        date_modified="2009-06-28T00:00:00Z",
        tags=["a", "b", "a", 3, None],
        language="fr",
        attachments=[
            {
                "url": "https://e.org/1.mp3",
                "mime_type": "audio/mpeg",
                "size_in_bytes": 12,
                "duration_in_seconds": 61.5,
                "title": "M",
            },
            {"mime_type": "audio/mpeg"},
        ],
    )
    assert (found.guid, found.link) == ("urn:1", "https://e.org/1")
    assert found.links == (("related", "https://x.org/"),)
    assert found.title == Text(value="A < B", type="text", language="fr")
    assert found.summary == Text(value="S", type="text", language="fr")
    assert found.content == Text(value="<p>H</p>", type="html", language="fr")
    assert found.images == (Image(url="https://e.org/i.png"), Image(url="https://e.org/b.png"))
    assert found.published == datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
    assert found.updated == datetime(2009, 6, 28, tzinfo=UTC)
    assert found.categories == ("a", "b", "3")
    assert found.enclosures == (
        Enclosure(url="https://e.org/1.mp3", type="audio/mpeg", length=12, duration=61, title="M"),
    )


@pytest.mark.parametrize(
    ("sent", "read"),
    [(7, "7"), (7.5, "7.5"), ("x", "x"), (" x ", "x"), (True, ""), (None, ""), ([1], "")],
)
def test_an_id_of_any_type_is_text(sent: object, read: str) -> None:
    assert entry(id=sent).guid == read


def test_text_content_is_text() -> None:
    assert entry(content_text="1 < 2").content == Text(value="1 < 2", type="text")


def test_an_external_url_is_the_link_where_there_is_no_other() -> None:
    found = entry(external_url="https://x.org/")
    assert (found.link, found.links) == ("https://x.org/", ())


def test_the_one_author_of_version_1_0() -> None:
    assert entry(author={"name": "N"}).authors == (Author(name="N"),)
    assert entry(author={"name": "N"}, authors=[{"name": "M"}]).authors == (Author(name="M"),)
    body = feed(version="https://jsonfeed.org/version/1", author={"name": "N"})
    parsed = jsonfeed.parse(body)
    assert (parsed.version, parsed.authors) == ("json1", (Author(name="N"),))


@pytest.mark.parametrize(
    "fields",
    [
        {"id": {}, "url": 1, "title": [], "tags": 7, "attachments": {}, "authors": 3},
        {"attachments": [None, 1, {"url": "u", "size_in_bytes": "x"}], "authors": [None, {}]},
        {"attachments": [{"url": "u", "size_in_bytes": -1, "duration_in_seconds": True}]},
        {"date_published": 5, "date_modified": "soon", "author": [1], "image": {}},
    ],
)
def test_wrong_types_count_as_absent(fields: dict[str, object]) -> None:
    found = entry(**fields)
    assert (found.published, found.updated, found.authors, found.categories) == (None, None, (), ())
    assert all(each.length is None and each.duration is None for each in found.enclosures)


@pytest.mark.parametrize(
    ("fields", "authors"),
    [
        ({"authors": ["Ida Rask", "Bo"]}, (Author(name="Ida Rask"), Author(name="Bo"))),
        ({"authors": {"name": "Ida"}}, (Author(name="Ida"),)),
        ({"author": "Ida <ida@e.example>"}, (Author(name="Ida", email="ida@e.example"),)),
        ({"author": [{"name": "Ida", "url": "u"}]}, (Author(name="Ida", uri="u"),)),
    ],
)
def test_authors_of_other_types(fields: dict[str, object], authors: tuple[Author, ...]) -> None:
    assert entry(**fields).authors == authors


def test_authors_and_language_of_the_feed_are_those_of_items_without() -> None:
    body = feed({"id": "1"}, {"id": "2", "language": "da"}, authors=[{"name": "N"}], language="sv")
    first, second = jsonfeed.parse(body).entries
    assert first.authors == (Author(name="N"),)
    assert (first.language, second.language) == ("sv", "da")


@pytest.mark.parametrize(
    ("tags", "categories"),
    [
        ("sea", ("sea",)),
        ("sea, ships,", ("sea", "ships")),
        ([{"name": "sea"}, "wind, rain"], ("sea", "wind, rain")),
    ],
)
def test_tags_of_other_types(tags: object, categories: tuple[str, ...]) -> None:
    assert entry(tags=tags).categories == categories


@pytest.mark.parametrize(("size", "duration"), [("12", "61.5"), (12.0, "1:01"), (" 12 ", 61)])
def test_one_attachment_with_sizes_as_strings(size: object, duration: object) -> None:
    attachment = {"url": "u", "size_in_bytes": size, "duration_in_seconds": duration}
    assert entry(attachments=attachment).enclosures == (Enclosure(url="u", length=12, duration=61),)


def test_an_id_that_is_a_url_is_the_link_where_there_is_no_other() -> None:
    assert entry(id="https://e.example/1").link == "https://e.example/1"
    assert entry(id="tag:e.example,2020:1").link == ""
    assert entry(id="https://e.example/1", url="https://e.example/2").link == "https://e.example/2"


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Salt &amp; tar", Text(value="Salt &amp; tar", type="html")),
        ("The <head> element", Text(value="The <head> element", type="text")),
        ("Salt & tar", Text(value="Salt & tar", type="text")),
    ],
)
def test_references_in_titles_are_html(title: str, read: Text) -> None:
    assert entry(title=title).title == read
    shown = "Salt &amp; tar" if "Salt" in title else "The &lt;head&gt; element"
    assert jsonfeed.parse(feed(title=title)).title == shown


def test_relative_references_are_of_the_items_page_where_it_is_on_the_site() -> None:
    items = [{"url": f"https://{host}/a/", "content_html": "<p>x"} for host in ("e.org", "x.org")]
    contents = [
        each.content
        for each in jsonfeed.parse(feed(*items, home_page_url="https://e.org/")).entries
    ]
    assert [content.base for content in contents if content] == ["https://e.org/a/", ""]


def test_items_that_are_no_objects_are_skipped_with_a_problem() -> None:
    parsed = jsonfeed.parse(feed("x", {"id": "1"}))
    assert [each.guid for each in parsed.entries] == ["1"]
    assert parsed.problems == ("item 1 is no object; left out",)


def test_an_expired_feed_says_so() -> None:
    for expired in (True, "true"):
        assert "expired" in jsonfeed.parse(feed(expired=expired)).problems[0]
    assert jsonfeed.parse(feed(expired=False)).problems == ()


def test_a_wrong_version_is_a_problem_only() -> None:
    assert "version" in jsonfeed.parse(feed(version="2")).problems[0]


def test_characters_that_xml_forbids_are_taken_out() -> None:
    assert entry(title="a\0b\x1f\ud83dc\ud83d\ude00").title == Text(value="abc😀", type="text")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b'{"items": [\n1 2]}', "line 2, column 3", id="bad JSON, with the place"),
        pytest.param(b'{"items": [1 , ]}', "a comma stands before ]", id="a trailing comma"),
        pytest.param(b'{"items": [],\n}', "a comma stands before }", id="one in an object"),
        pytest.param(b'{"items": [1,, 2]}', "Expecting value", id="a value that is missing"),
        pytest.param(b'{"items": [', "too early", id="a document that was cut"),
        pytest.param(b"[]", "no JSON Feed", id="a list"),
        pytest.param(b'{"items": {}}', "no list", id="items that are no list"),
        pytest.param(b'{"items": [' + b"[" * 100_000, "can't be read", id="a deep one"),
        pytest.param(b'{"items": [' + b"9" * 5000 + b"]}", "can't be read", id="a long number"),
    ],
)
def test_documents_that_are_no_json_feed(body: bytes, said: str) -> None:
    with pytest.raises(NotAFeed) as caught:
        document.parse(body, content_type="application/feed+json", url="")
    assert said in caught.value.detail


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        pytest.param("<p>one\ttwo\r\nthree</p>", "<p>one\ttwo\r\nthree</p>", id="line ends, tabs"),
        pytest.param("a\x01b\0c", "abc", id="control characters"),
        pytest.param("it\x92s", "it’s", id="Windows-1252 that was taken for Latin-1"),
        pytest.param("\\udfc6cup", "cup", id="half a pair of surrogates"),
    ],
)
def test_characters_that_json_forbids_fail_nothing(sent: str, text: str) -> None:
    body = '{"items": [{"id": "1", "content_html": "|"}]}'.replace("|", sent)
    content = jsonfeed.parse(body.encode()).entries[0].content
    assert content is not None
    assert content.value == text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param('{"items": [{"id": "Zoë"}]}'.encode(), "", id="UTF-8"),
        pytest.param('\ufeff{"items": [{"id": "Zoë"}]}'.encode(), "", id="a byte order mark"),
        pytest.param('\ufeff{"items": [{"id": "Zoë"}]}'.encode("utf-16"), "", id="UTF-16"),
        pytest.param('{"items": [{"id": "Zoë"}]}'.encode("utf-16-be"), "", id="UTF-16, no mark"),
        pytest.param(
            '{"items": [{"id": "Zoë"}]}'.encode("cp1252"),
            "application/feed+json; charset=iso-8859-1",
            id="the charset parameter",
        ),
    ],
)
def test_json_in_any_encoding(body: bytes, content_type: str) -> None:
    assert document.parse(body, content_type=content_type, url="").entries[0].guid == "Zoë"


def test_a_bad_byte_in_json_is_one_replacement_and_a_problem() -> None:
    html = "<meta charset='windows-1251'>caf!"
    parsed = jsonfeed.parse(feed({"id": "1", "content_html": html}).replace(b"!", b"\xc3"))
    content = parsed.entries[0].content
    assert content is not None
    assert content.value.endswith("caf\ufffd")
    assert parsed.problems == ("bytes that are no UTF-8 were replaced by \ufffd",)


def test_numbers_that_json_does_not_have_are_absent() -> None:
    body = (
        b'{"items": [{"id": "1", "title": NaN, "attachments": [{"url": "u", "size": Infinity}]}]}'
    )
    assert jsonfeed.parse(body).entries[0].title is None


def test_dates_are_read_as_in_xml() -> None:
    instant = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
    assert entry(date_published="2009-06-27T22:26:00+01:00").published == instant
    assert entry(date_published="Sat, 27 Jun 2009 21:26:00 GMT").published == instant
    assert entry(date_modified=1246137960).updated == instant
    assert entry(date_published="03/04/2009").unread_date == "03/04/2009"
    assert entry(date_modified="soon", date_published="2009").unread_date == ""


@pytest.mark.parametrize(
    ("body", "content_type", "meant"),
    [
        (b' {"a": 1}', "", True),
        (b'\xef\xbb\xbf{"a": 1}', "text/plain", True),
        (b"oops", "application/feed+json; charset=utf-8", True),
        (b"<rss/>", "application/json", False),
        ('{"a": 1}'.encode("utf-16"), "", True),
        (b"oops", "text/xml", False),
    ],
)
def test_json_is_recognised_by_its_beginning_or_type(
    body: bytes, content_type: str, meant: bool
) -> None:
    assert jsonfeed.is_meant(body, content_type) is meant


def test_only_unknown_items_are_changes_whatever_the_order_of_their_keys() -> None:
    first = feed({"id": "1", "title": "a"})
    again = feed({"id": "2"}, {"title": "a", "id": "1"})
    known = document.parse_changes(first, url="").item_hashes
    found = document.parse_changes(again, url="", known=known)
    assert [each.guid for each in found.feed.entries] == ["2"]
    assert found.item_hashes.endswith(known)
    assert len(found.item_hashes) == 32
