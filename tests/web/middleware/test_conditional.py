"""Preconditions and content codings, by the cases of RFC 9110."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.middleware import conditional

WHEN = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
SAME = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        " Sun, 06 Nov 1994 08:49:37 GMT ",
    ],
)
def test_all_three_formats_of_dates_are_parsed(text: str) -> None:
    assert conditional.date(text) == WHEN


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "yesterday", "1994-11-06T08:49:37Z", "Sun, 6 Nov 1994 08:49:37 GMT"),
        *("Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"),
        *("Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +0000"),
        *("Sun, 00 Nov 1994 08:49:37 GMT", "Sun, ٠٦ Nov 1994 08:49:37 UTC"),
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    assert conditional.date(text) is None


def test_a_leap_second_is_parsed() -> None:
    assert conditional.date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(
        2016, 12, 31, 23, 59, 59, tzinfo=UTC
    )


def test_a_two_digit_year_of_this_century() -> None:
    read = conditional.date("Tuesday, 24-Nov-26 08:00:00 GMT")
    assert read == datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="no precondition"),
        pytest.param({"if-none-match": '"a"'}, 304, id="the tag"),
        pytest.param({"if-none-match": 'W/"a"'}, 304, id="weak comparison"),
        pytest.param({"if-none-match": '"b", "x,y" , W/"a"'}, 304, id="in a list"),
        pytest.param({"if-none-match": '"b","a"'}, 304, id="in a list without blanks"),
        pytest.param({"if-none-match": '"a-gzip"'}, 304, id="as Apache writes it"),
        pytest.param({"if-none-match": '"a;gzip"'}, 304, id="as Apache wrote it"),
        pytest.param({"if-none-match": 'W/"a--gzip"'}, 304, id="as Jetty writes it"),
        pytest.param({"if-none-match": '"a-gz-gzip"'}, 304, id="compressed by us and another"),
        pytest.param({"if-none-match": '"b-gzip"'}, 200, id="another tag with a suffix"),
        pytest.param({"if-none-match": '"a-gzi"'}, 200, id="an unknown suffix"),
        pytest.param({"if-none-match": "a"}, 304, id="without quotes"),
        pytest.param({"if-none-match": "b, W/a"}, 304, id="a list without quotes"),
        pytest.param({"if-none-match": "b"}, 200, id="another tag without quotes"),
        pytest.param({"if-none-match": '"b", a'}, 200, id="quotes around one tag of two"),
        pytest.param({"if-modified-since": f"{SAME}; length=1234"}, 304, id="a date with a length"),
        pytest.param({"if-modified-since": f"{BEFORE}; length=1"}, 200, id="an earlier one"),
        pytest.param({"if-none-match": "*"}, 304, id="anything"),
        pytest.param({"if-none-match": '"b"'}, 200, id="another tag"),
        pytest.param({"if-none-match": '"A"'}, 200, id="another case"),
        pytest.param({"if-none-match": '"a-gz"'}, 200, id="the tag of another coding"),
        pytest.param({"if-none-match": ""}, 200, id="an empty list"),
        pytest.param({"if-modified-since": SAME}, 304, id="the same date"),
        pytest.param({"if-modified-since": BEFORE}, 200, id="an earlier date"),
        pytest.param({"if-modified-since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304, id="RFC 850"),
        pytest.param({"if-modified-since": "garbage"}, 200, id="no date"),
        pytest.param(
            {"if-none-match": '"b"', "if-modified-since": SAME}, 200, id="the tag outranks the date"
        ),
        pytest.param(
            {"if-none-match": '"a"', "if-modified-since": BEFORE}, 304, id="also when it agrees"
        ),
        pytest.param({"if-match": '"a"'}, 200, id="if-match holds"),
        pytest.param({"if-match": "*"}, 200, id="if-match any"),
        pytest.param({"if-match": '"b"'}, 412, id="if-match fails"),
        pytest.param({"if-match": 'W/"a"'}, 412, id="if-match compares strongly"),
        pytest.param({"if-match": '"a"', "if-none-match": '"a"'}, 304, id="both hold"),
        pytest.param({"if-unmodified-since": SAME}, 200, id="unmodified since"),
        pytest.param({"if-unmodified-since": BEFORE}, 412, id="modified since"),
        pytest.param({"if-unmodified-since": "garbage"}, 200, id="unmodified since no date"),
        pytest.param(
            {"if-match": '"a"', "if-unmodified-since": BEFORE}, 200, id="if-match outranks the date"
        ),
    ],
)
def test_preconditions(headers: dict[str, str], status: int) -> None:
    assert conditional.status(headers, etag="a", last_modified=WHEN) == status


def test_without_a_date_only_the_etag_counts() -> None:
    headers = {"if-modified-since": SAME, "if-unmodified-since": BEFORE}
    assert conditional.status(headers, etag="a", last_modified=None) == 200


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        pytest.param(None, "identity", id="no field"),
        pytest.param("", "identity", id="an empty field"),
        pytest.param("gzip", "gzip", id="one"),
        pytest.param("x-gzip", "gzip", id="its old name"),
        pytest.param("GZIP", "gzip", id="in capitals"),
        pytest.param("gzip, deflate, br, zstd", "br", id="what a browser sends"),
        pytest.param("gzip, zstd", "zstd", id="zstd before gzip"),
        pytest.param("gzip;q=0", "identity", id="gzip refused"),
        pytest.param("gzip;q=0.0", "identity", id="gzip refused with decimals"),
        pytest.param("gzip; q=0, br ; q=0.1", "br", id="one refused, one liked little"),
        pytest.param("br;q=0.5, gzip;q=0.8", "gzip", id="the weights decide"),
        pytest.param("identity, gzip;q=0.5", "identity", id="identity preferred"),
        pytest.param("identity;q=0.5, gzip;q=0.5", "gzip", id="alike"),
        pytest.param("gzip;q=0.001", "gzip", id="liked little, but named"),
        pytest.param("*", "br", id="anything"),
        pytest.param("*;q=0", None, id="nothing at all"),
        pytest.param("identity;q=0", None, id="identity refused, nothing else named"),
        pytest.param("identity;q=0, gzip", "gzip", id="identity refused"),
        pytest.param("*;q=0, identity", "identity", id="nothing but identity"),
        pytest.param("br;q=0, *;q=0.3", "zstd", id="anything but br"),
        pytest.param("deflate", "identity", id="one we have not"),
        pytest.param("gzip;q=nonsense", "identity", id="a weight that is none"),
        pytest.param("gzip;level=9", "identity", id="an unknown parameter"),
    ],
)
def test_content_codings(accept: str | None, coding: str | None) -> None:
    assert conditional.coding(accept) == coding


@pytest.mark.parametrize(("spaces", "is_cached"), [(0, True), (1, False)])
def test_the_coding_of_a_long_field_is_not_cached(spaces: int, is_cached: bool) -> None:
    conditional._coding.cache_clear()
    field = f"br{' ' * (conditional.MAX_CACHED - 2 + spaces)}"
    assert conditional.coding(field) == "br"
    assert conditional._coding.cache_info().currsize == is_cached


@given(st.text(max_size=40))
def test_any_field_value_is_accepted(text: str) -> None:
    conditional.coding(text)
    headers = dict.fromkeys(
        ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since"), text
    )
    assert conditional.status(headers, etag="a", last_modified=WHEN) in (200, 304, 412)
    assert conditional.coding(text) in (*conditional.CODINGS, None)
