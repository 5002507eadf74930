"""One poll without database and network: the gates, and the barrier around each document."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    NotModified,
    ParsedDocument,
    PollResult,
    Request,
    Result,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.polling import parsing, stages
from aggregator.polling.stages import Body

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
URL = "https://a.example/feed"
TRANSFER = Transfer(status=200, received=99)
VALIDATORS = Validators(etag='"1"')


def item(name: str, title: str = "") -> str:
    return (
        f"<item><guid>{name}</guid><link>https://a.example/{name}</link>"
        f"<title>{title or name}</title></item>"
    )


def rss(*items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>A</title>{''.join(items)}</channel></rss>".encode()


def fetched(body: bytes, **fields: Any) -> Fetched:
    made: dict[str, Any] = {
        "url": URL,
        "body": body,
        "content_type": "application/rss+xml",
        "validators": VALIDATORS,
        "transfer": TRANSFER,
    }
    return Fetched(**made | fields)


def request(**fields: Any) -> Request:
    return Request(**{"source_id": "a", "url": URL} | fields)


def passed(body: bytes, of: Request | None = None, **fields: Any) -> Body:
    """Return a document that passed the gates."""
    judged = stages.check_fetch(of or request(), fetched(body, **fields))
    assert isinstance(judged, Body)
    return judged


def read(body: Body) -> PollResult:
    [result] = parsing.parse_documents([body], NOW)
    assert isinstance(result, PollResult)
    return result


def reading(body: Body) -> ParsedDocument:
    outcome = read(body).outcome
    assert isinstance(outcome, ParsedDocument)
    return outcome


def failure(result: Result) -> Failed:
    assert isinstance(result.outcome, Failed)
    return result.outcome


class TestGates:
    def test_304_needs_no_parser(self) -> None:
        outcome = NotModified(url=URL, validators=VALIDATORS, transfer=TRANSFER)
        assert stages.check_fetch(request(), outcome) == PollResult(
            source_id="a",
            outcome=Unchanged(url=URL, validators=VALIDATORS, transfer=TRANSFER),
        )

    def test_failure_is_returned(self) -> None:
        failed = Failed(kind=FailureKind.DNS, detail="x")
        assert stages.check_fetch(request(), failed) == PollResult(source_id="a", outcome=failed)

    def test_equal_body_needs_no_parser_and_brings_its_validators(self) -> None:
        known = reading(passed(rss(item("1")))).body_hash
        judged = stages.check_fetch(request(body_hash=known), fetched(rss(item("1"))))
        assert isinstance(judged, PollResult)
        assert judged.outcome == Unchanged(
            url=URL, validators=VALIDATORS, transfer=TRANSFER, equal_body=True
        )

    def test_another_body_is_read(self) -> None:
        known = reading(passed(rss(item("1")))).body_hash
        passed(rss(item("2")), request(body_hash=known))

    def test_partial_document_is_read_even_if_its_body_is_equal(self) -> None:
        known = reading(passed(rss(item("1")))).body_hash
        passed(rss(item("1")), request(body_hash=known), partial=True)

    def test_known_items_are_not_parsed_again(self) -> None:
        before = reading(passed(rss(item("1"))))
        known = request(body_hash=before.body_hash, item_hashes=before.item_hashes)
        after = reading(passed(rss(item("2"), item("1")), known))
        assert [entry.guid for entry in after.entries] == ["2"]
        assert after.item_hashes.endswith(before.item_hashes)

    def test_edited_item_is_parsed_again(self) -> None:
        before = reading(passed(rss(item("1"))))
        known = request(body_hash=before.body_hash, item_hashes=before.item_hashes)
        [entry] = reading(passed(rss(item("1", "Edited")), known)).entries
        assert entry.title == "Edited"

    def test_item_whose_hash_is_withheld_is_parsed_again(self) -> None:
        """Ingest withholds the hash of an item that repeats another."""
        known = request(body_hash=stages.READER_VERSION, item_hashes=bytes(16))
        [entry] = reading(passed(rss(item("1")), known)).entries
        assert entry.guid == "1"


def test_document_is_read_and_cleaned() -> None:
    document = reading(passed(rss(item("1", "&lt;b&gt;Bold&lt;/b&gt;"))))
    assert document.url == URL
    assert document.feed.title == "A"
    assert document.whole
    assert (document.validators, document.transfer) == (VALIDATORS, TRANSFER)
    [entry] = document.entries
    assert (entry.title, entry.link) == ("Bold", "https://a.example/1")


def test_items_without_anything_are_left_out() -> None:
    assert reading(passed(rss("<item></item>", item("1")))).entries[0].guid == "1"


def test_partial_document_has_neither_hashes_nor_known_items() -> None:
    known = reading(passed(rss(item("1")))).item_hashes
    part = reading(passed(rss(item("1")), request(item_hashes=known), partial=True))
    assert (part.whole, part.body_hash, part.item_hashes) == (False, b"", b"")
    assert [entry.guid for entry in part.entries] == ["1"]


def test_document_that_breaks_the_parser_is_its_own_failure_only() -> None:
    fault = Body(
        request=request(source_id="b"), fetched=fetched(cast("bytes", None)), body_hash=b""
    )
    results = parsing.parse_documents([passed(rss(item("1"))), fault, passed(rss(item("2")))], NOW)
    assert [result.key for result in results] == ["a", "b", "a"]
    assert [isinstance(result.outcome, ParsedDocument) for result in results] == [True, False, True]
    failed = failure(results[1])
    assert failed.kind is FailureKind.PARSE
    assert "the parser failed" in failed.detail
    assert failed.transfer == TRANSFER


PAGE = b"<html><head><link rel=alternate type='application/rss+xml' href='%s'></head><p>Hi</html>"


class TestDiscovery:
    def test_feed_of_a_page_is_found(self) -> None:
        result = read(passed(PAGE % b"/real", content_type="text/html"))
        assert result.discovered == "https://a.example/real"
        failed = failure(result)
        assert failed.kind is FailureKind.NOT_A_FEED
        assert result.discovered in failed.detail

    def test_feeds_of_a_page_are_searched_once(self) -> None:
        page = passed(PAGE % b"/real", request(discover=False), content_type="text/html")
        assert read(page).discovered == ""

    @pytest.mark.parametrize(
        "target",
        [
            pytest.param(b"/feed", id="the address that was asked"),
            pytest.param(b"/login", id="the page itself, after redirects"),
            pytest.param(b"javascript:alert(1)", id="a script"),
            pytest.param(b"file:///etc/passwd", id="a file"),
        ],
    )
    def test_link_to_the_page_itself_is_ignored(self, target: bytes) -> None:
        page = passed(PAGE % target, url="https://a.example/login", content_type="text/html")
        assert read(page).discovered == ""

    def test_page_without_a_feed_says_what_it_is(self) -> None:
        failed = failure(read(passed(b"<html><p>Sign in</html>", content_type="text/html")))
        assert failed.kind is FailureKind.NOT_A_FEED
        assert failed.detail.startswith(URL)


def test_result_that_can_not_be_stored_becomes_a_failure() -> None:
    result = read(passed(rss(item("1"))))
    failed = failure(stages.storage_failure(result))
    assert failed.kind is FailureKind.PARSE
    assert failed.transfer == TRANSFER


def test_entries_have_the_language_of_their_feed() -> None:
    body = rss(item("1")).replace(b"<item>", b"<language>fr-FR</language><item>")
    assert [entry.language for entry in reading(passed(body)).entries] == ["fr-fr"]


def test_items_of_an_earlier_reader_version_are_unknown() -> None:
    first = reading(passed(rss(item("1"), item("2"))))
    same = rss(item("1"), item("2"), "<!-- another body -->")
    for version, entries in ((b"1", 2), (stages.READER_VERSION, 0)):
        old = request(body_hash=version + first.body_hash[1:], item_hashes=first.item_hashes)
        assert len(reading(passed(same, old)).entries) == entries
