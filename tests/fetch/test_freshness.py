"""When a server allows the next request, by its header alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.fetch import freshness
from aggregator.models.poll import Freshness

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
DAY = 86_400
DATE = {"date": ["Sat, 27 Jun 2009 21:00:00 GMT"]}
TEN = {"expires": ["Sat, 27 Jun 2009 21:10:00 GMT"]}


def _lifetime(fields: dict[str, list[str]]) -> float | None:
    lifetime = freshness.parse(fields, NOW).lifetime
    return None if lifetime is None else lifetime.total_seconds()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        pytest.param({}, None, id="no header"),
        pytest.param({"cache-control": ["public"]}, None, id="no time"),
        pytest.param({"cache-control": ["max-age=600"]}, 600, id="max-age"),
        pytest.param({"cache-control": ["MAX-AGE = 600 ,public"]}, 600, id="capitals and spaces"),
        pytest.param({"cache-control": ['max-age="600"']}, 600, id="quoted"),
        pytest.param({"cache-control": ["max-age=600"], **DATE, **TEN}, 600, id="before Expires"),
        pytest.param({"cache-control": ["max-age=600, max-age=60"]}, 60, id="the smallest"),
        pytest.param({"cache-control": ["max-age=600", "max-age=60"]}, 60, id="on two lines"),
        pytest.param({"cache-control": ["max-age=soon"]}, 0, id="a word is stale"),
        pytest.param({"cache-control": ["max-age=-1"]}, 0, id="negative is stale"),
        pytest.param({"cache-control": ["max-age=1.5"]}, 0, id="a fraction is stale"),
        pytest.param({"cache-control": ["max-age"]}, 0, id="no argument is stale"),
        pytest.param({"cache-control": ["max-age=600, max-age=x"]}, 0, id="one a word is stale"),
        pytest.param({"cache-control": ["max-age=" + "9" * 40]}, 2**31, id="beyond any number"),
        pytest.param({"cache-control": ["s-maxage=600"]}, None, id="for shared caches only"),
        pytest.param({"cache-control": ["no-cache, max-age=600"]}, 0, id="no-cache"),
        pytest.param(
            {"cache-control": ["no-cache=Set-Cookie, max-age=9"]}, 9, id="no-cache for one field"
        ),
        pytest.param({"cache-control": ["max-age=600"], "age": ["100"]}, 500, id="less Age"),
        pytest.param({"cache-control": ["max-age=600"], "age": ["700"]}, 0, id="never below 0"),
        pytest.param({"cache-control": ["max-age=600"], "age": ["-5"]}, 600, id="bad Age"),
        pytest.param({"cache-control": ["max-age=600"], "age": ["100, 9"]}, 500, id="Age list"),
        pytest.param({**DATE, **TEN}, 600, id="Expires - Date"),
        pytest.param({**DATE, **TEN, "age": ["60"]}, 540, id="Expires - Date less Age"),
        pytest.param({"expires": ["Sat, 27 Jun 2009 21:36:00 GMT"]}, 600, id="without Date: now"),
        pytest.param({**DATE, "expires": ["0"]}, 0, id="Expires 0 is past"),
        pytest.param({**DATE, "expires": ["-1"]}, 0, id="Expires -1 is past"),
        pytest.param({**DATE, "expires": [""]}, 0, id="an empty Expires is past"),
        pytest.param({**DATE, "expires": ["Thu, 01 Jan 1970 00:00:00 GMT"]}, 0, id="1970 is past"),
    ],
)
def test_lifetime(fields: dict[str, list[str]], seconds: float | None) -> None:
    assert _lifetime(fields) == seconds


@pytest.mark.parametrize(
    ("value", "fields", "seconds"),
    [
        pytest.param("3600", {}, 3600, id="seconds"),
        pytest.param("0", {}, 0, id="no wait"),
        pytest.param("604800", {}, 7 * DAY, id="a week"),
        pytest.param("604801", {}, 7 * DAY, id="no longer than a week"),
        pytest.param("1000000000000", {}, 7 * DAY, id="10^12"),
        pytest.param("9" * 30, {}, 7 * DAY, id="thirty digits"),
        pytest.param("9" * 5_000, {}, 7 * DAY, id="more digits than int takes"),
        pytest.param("1246140000", DATE, 3600, id="seconds since 1970"),
        pytest.param("1246140000000", DATE, 3600, id="milliseconds since 1970"),
        pytest.param("1246140000", {}, 2040, id="by our clock without Date"),
        pytest.param("1246136399", DATE, 0, id="a time that is past"),
        pytest.param("1248728400", DATE, 30 * DAY, id="a month since 1970"),
        pytest.param("1248728401", DATE, 30 * DAY, id="no longer than a month"),
        pytest.param("1277672399", DATE, 30 * DAY, id="a year ahead is a time"),
        pytest.param("1277672400", DATE, 7 * DAY, id="more is a number"),
        pytest.param("1214600401", DATE, 0, id="a year ago is a time"),
        pytest.param("1214600400", DATE, 7 * DAY, id="more is a number too"),
        pytest.param("Mon, 27 Jul 2009 21:00:00 GMT", DATE, 30 * DAY, id="a date in a month"),
        pytest.param("Mon, 27 Jul 2009 21:00:01 GMT", DATE, 30 * DAY, id="no later"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", DATE, 30 * DAY, id="the last of all days"),
        pytest.param("Sat, 27 Jun 2009 22:00:00 GMT", DATE, 3600, id="by the server's clock"),
        pytest.param("Sat, 27 Jun 2009 22:26:00 GMT", {}, 3600, id="by ours without Date"),
        pytest.param("Sat, 27 Jun 2009 22:26:00 GMT", {"date": ["?"]}, 3600, id="a bad Date"),
        pytest.param("Sat, 27 Jun 2009 20:00:00 GMT", DATE, 0, id="a date that is past"),
        pytest.param("Saturday, 27-Jun-09 22:00:00 GMT", DATE, 3600, id="the form of RFC 850"),
        pytest.param("Sat Jun 27 22:00:00 2009", DATE, 3600, id="the form of asctime"),
        pytest.param("Sat, 27 Jun 2009 23:00:00 +0100", DATE, 3600, id="with an offset"),
        pytest.param("", {}, None, id="empty"),
        pytest.param("-5", {}, None, id="negative"),
        pytest.param("1.5", {}, None, id="a fraction"),
        pytest.param("a while", {}, None, id="words"),
        pytest.param("٣", {}, None, id="digits of another script"),
    ],
)
def test_retry_after(value: str, fields: dict[str, list[str]], seconds: int | None) -> None:
    wait = freshness.parse({"retry-after": [value], **fields}, NOW).retry_after
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("value", "no_store"),
    [("no-store", True), ("No-Store, max-age=5", True), ("no-cache", False), ("", False)],
)
def test_no_store(value: str, no_store: bool) -> None:
    assert freshness.parse({"cache-control": [value]}, NOW).no_store is no_store


def test_dates_are_in_gmt() -> None:
    for value in ("Sat, 27 Jun 2009 23:00:00 +0100", "Sat Jun 27 22:00:00 2009"):
        date = freshness.date(value)
        assert date == datetime(2009, 6, 27, 22, tzinfo=UTC)
        assert date.utcoffset() == timedelta(0)


NAMES = ("cache-control", "expires", "date", "age", "retry-after")
VALUES = st.text(max_size=60) | st.sampled_from(
    (
        "max-age=600",
        "no-cache",
        "no-store",
        "max-age=-1, max-age",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Sat, 27 Jun 2009 21:26:00 -9999",
        "27 Jun 99999999999 25:61:61",
        "1" * 400,
    )
)


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(VALUES, min_size=1, max_size=3)))
@example({"expires": ["Fri, 31 Dec 9999 23:59:59 -2359"]})
def test_no_header_raises_or_gives_negative_times(fields: dict[str, list[str]]) -> None:
    parsed = freshness.parse(fields, NOW)
    assert isinstance(parsed, Freshness)
    for duration in (parsed.lifetime, parsed.retry_after):
        assert duration is None or duration >= timedelta(0)
