from datetime import UTC, datetime

import feedparser.datetimes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import dates
from tests.parse import rss_item

MOMENT = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent",
    [
        "Sat, 27 Jun 2009 21:26:00 GMT",
        "Sat, 27 Jun 2009 22:26:00 +0100",
        "Sat, 27 Jun 2009 22:26:00 BST",
        "27 Jun 09 23:26 CEST",
        "Sat, 27 Jun 2009 17:26:00 EDT",
        "Sun, 28 Jun 2009 02:56:00 IST",
        "2009-06-27T21:26:00Z",
        "2009-06-27T23:26:00.000+02:00",
        "2009-06-27 21:26:00",
    ],
)
def test_dates_of_feeds_with_their_zone(sent: str) -> None:
    assert rss_item(f"<pubDate>{sent}</pubDate>").published == MOMENT


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "yesterday",
        "-1",
        "--06-27",
        "12",
        "Mon, 31 Feb 2026 25:61:00 GMT",
        "Sat, 27 Jun 0000 21:26:00 GMT",
        "Sat, 27 Jun 10000 21:26:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Sat, 01 Jan 0001 00:00:00 BST",
    ],
)
def test_what_is_no_date_is_none(sent: str) -> None:
    assert rss_item(f"<pubDate>{sent}</pubDate>").published is None


def test_a_leap_second_is_the_one_before() -> None:
    parts = (2008, 12, 31, 23, 59, 60, 2, 366, 0)
    assert dates.moment("2008", parts) == datetime(2008, 12, 31, 23, 59, 59, tzinfo=UTC)


def numbers(most: int, width: int = 2) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(f"{{:0{width}}}".format)


YEARS, CLOCK = numbers(9999, 4), (numbers(25), numbers(61), numbers(62))
OFFSETS = (st.sampled_from("+-"), numbers(30), st.sampled_from([":", ""]), numbers(70))


@given(
    st.builds(
        "{} {} {} {} {}:{}:{} {}".format,
        st.sampled_from(["Sat,", "Tue,", "Wed,", "sat,", "Sam,"]),
        numbers(32),
        st.sampled_from(["Jan", "Feb", "Oct", "Dec", "dec", "December", "Mär"]),
        YEARS,
        *CLOCK,
        st.sampled_from(["GMT", "Z", "EST", "CET", ""]) | st.builds("{}{}{}{}".format, *OFFSETS),
    )
    | st.builds(
        "{}-{}-{}T{}:{}:{}{}{}".format,
        YEARS,
        numbers(13),
        numbers(32),
        *CLOCK,
        st.sampled_from(["", ".0", ".999999", ".9999999", ",5"]),
        st.sampled_from(["Z", "z", ""]) | st.builds("{}{}{}{}".format, *OFFSETS),
    )
)
def test_the_usual_forms_are_read_as_feedparser_reads_them(sent: str) -> None:
    assert dates.moment(sent, sent) == dates.moment(sent, feedparser.datetimes._parse_date(sent))


def test_feedparser_still_takes_the_zones_of_our_table_for_gmt() -> None:
    for zone in dates.ZONES:
        parsed = feedparser.datetimes._parse_date(f"Sat, 27 Jun 2009 21:26:00 {zone}")
        assert parsed[:5] == (2009, 6, 27, 21, 26)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2009-06-27T21:26:00Z", MOMENT),
        ("2009-06-27t22:26:00.5+01:00", MOMENT.replace(microsecond=500_000)),
        (" 2009-06-27T21:26:00 ", MOMENT),
        ("0001-01-01T00:00:00+14:00", None),
        ("27 June 2009", None),
        ("", None),
    ],
)
def test_rfc3339(sent: str, read: datetime | None) -> None:
    assert dates.rfc3339(sent) == read


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("1:02:03", 3723),
        ("02:03", 123),
        ("45", 45),
        ("45.9", 45),
        ("90:00", 5400),
        ("0", None),
        ("-5", None),
        ("1h", None),
        ("9999999999999", None),
        ("999999:00:00", None),
        ("", None),
    ],
)
def test_durations(sent: str, seconds: int | None) -> None:
    assert dates.seconds(sent) == seconds
