from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import dates
from aggregator.parse.date_names import MONTHS, WEEKDAYS, ZONES
from tests.effort import effort
from tests.parse import rss_item

INSTANT = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    "sent",
    [
        # RFC 822 and its neighbours
        "Sat, 27 Jun 2009 21:26:00 GMT",
        "Sat, 27 Jun 2009 21:26 UT",
        "27 Jun 09 21:26 Z",
        "SAT,27 JUN 2009 21:26:00 GMT",
        "Sat , 27 Jun 2009  21:26:00 GMT",
        "Sat 27 Jun 2009, 21:26:00",
        "Mon, 27 Jun 2009 21:26:00 GMT",
        "Sa, 27 Jun 2009 21:26:00",
        "27 Saturday, Jun 2009 21:26",
        "Sat, 27, Jun 2009 21:26:0",
        "Saturday, 27-Jun-09 21:26:00 UTC",
        "Sat, 27th June 2009 21:26:00 GMT",
        "Sat, Jun 27 2009 21:26:00 +0000",
        "Jun 27, 2009 21:26 GMT",
        "Sat Jun 27 21:26:00 2009",
        "Sat Jun 27 21:26:00 +0000 2009",
        "21:26, 27 June 2009",
        "2009 June 27 21:26",
        # offsets
        "Sat, 27 Jun 2009 22:26:00 +0100",
        "Sun, 28 Jun 2009 02:56:00 +0530",
        "2009-06-28 02:56:00 +0530",
        "2009-06-27T17:56:00-0330",
        "Sat, 27 Jun 2009 14:26:00-0700",
        "Sat, 27 Jun 2009 14:26:00 --0700",
        "Sat, 27 Jun 2009 14:26:00 -700",
        "Sat, 27 Jun 2009 14:26:00 -07",
        "2009-06-27T14:26:00:-0700",
        "2009-06-27T14:26:00-07:00:00",
        "Sat, 27 Jun 2009 21:26:00 -0000",
        "Sat, 27 Jun 2009 21:26:00 0000",
        "Sat, 27 Jun 2009 23:26:00 GMT+2",
        "Sat, 27 Jun 2009 23:26:00 UTC + 2",
        "Sat, 27 Jun 2009 14:26:00 GMT-07:00",
        "Sat Jun 27 2009 23:26:00 GMT+0200 (Central European Summer Time)",
        "2009-06-27T16:26:00-05:00Z",
        "2009-06-27 21:26:00 +0000 UTC",
        "Sat, 27 Jun 2009 23:26:00 +0200 (CEST)",
        # names of zones
        "Sat, 27 Jun 2009 22:26:00 BST",
        "27 Jun 09 23:26 CEST",
        "Sat, 27 Jun 2009 23:26:00 (CEST)",
        "Sat, 27 Jun 2009 17:26:00EDT",
        "Sat Jun 27 17:26:00 EDT 2009",
        "Sun, 28 Jun 2009 02:56:00 IST",
        "Sun, 28 Jun 2009 06:26:00 JST",
        "Sat, 27 Jun 2009 17:26:00 ET",
        "Sat, 27 Jun 2009 14:26:00 PT",
        "Sat, 27 Jun 2009 14:26:00 MST-07:00",
        "Sat, 27 Jun 2009 14:26:00 America/Los_Angeles",
        "Sat, 27 Jun 2009 17:26:00 US/Eastern",
        "Sat, 27 Jun 2009 21:26:00 Etc/GMT",
        # clocks
        "Sat, 27 Jun 2009 09:26:00 PM",
        "Sat, 27 Jun 2009 05:26:00 PM EDT",
        "June 27th, 2009 at 9:26 pm",
        "Saturday, June 27, 2009 - 9:26pm",
        "June 27, 2009, 9:26 p.m.",
        "27 juin 2009 21h26",
        "27. Juni 2009 um 21.26 Uhr",
        "27. juni 2009 kl. 21.26",
        "Sat, 27 Jun 2009 21.26.00 GMT",
        "27.06.2009, 21.26 Uhr",
        # ISO 8601
        "2009-06-27T21:26:00Z",
        "2009-06-27t21:26:00z",
        "2009-06-27T23:26:00.000+02:00",
        "2009-06-27T21:26:00,123Z",
        "2009-06-27T21:26Z",
        "2009-06-27 21:26:00",
        "2009-06-27 21:26:00 UTC",
        "2009-06-27 at 21:26:00",
        "2009-6-27 21:26",
        "2009-006-27T21:26:00Z",
        "20090627T212600Z",
        "20090627T212600.5Z",
        "20090627T212600+0000",
        "20090627212600",
        "2009-178T21:26:00Z",
        "2009-W26-6T21:26:00Z",
        # numbers
        "2009/6/27 21:26:00",
        "2009.06.27 21:26",
        "27.06.2009 21:26:00",
        "27.6.09 21:26",
        "Sat, 27/06/2009 - 21:26",
        "06/27/2009 9:26 PM",
        "06/27/09 21:26:00",
        "27-06-2009 21:26:00",
        "1246137960",
        "1246137960.5",
        "1246137960000",
        # languages
        "sab, 27 giu 2009 21:26:00 GMT",
        "Samedi, 27 Juin, 2009 - 21:26",
        "sam., 27 juin 2009 23:26:00 +0200",
        "Samstag, 27. Juni 2009 um 21:26 Uhr",
        "sábado, 27 de junio de 2009 a las 21:26",
        "Sábado, 27 de junho de 2009, 21:26",
        "Суббота, 27 июня 2009 г., 21:26",
        "27 ИЮН 2009 21:26",
        "28 июня 2009 в 00:26 МСК",
        "sob., 27 cze 2009 21:26",
        "pt., 27 cze 2009 21:26",
        "27. lipnja 2009. u 21:26",
        "\u200e27/\u200e06/\u200e2009 21:26",
        "27 червня 2009 р. 21:26",
        "Σαβ, 27 Ιούν 2009 21:26:00 GMT",
        "27 Ιουνίου 2009 9:26 μμ",
        "sobota 27. června 2009 21:26",
        "27 czerwca 2009 21:26",
        "2009. június 27. 21:26",
        "2009-június-27T21:26Z",
        "27. kesäkuuta 2009 klo 21.26",
        "27 Haziran 2009 21:26",
        "2009年6月27日 21:26",
        "2009年6月27日(土) 21時26分",
        "2009年06月27日 午後9時26分",
        "2009年6月27日 星期六 下午9:26:00",
        "２００９年６月２７日２１時２６分",
        "2009-06-28 오전 6:26:00",
        "2009년 6월 28일 (일) 06:26",
        "2009. 6. 28. 오전 6:26",
    ],
)
def test_dates_are_parsed_to_their_instant(sent: str) -> None:
    assert dates.parse(sent) == INSTANT


@pytest.mark.parametrize(
    ("sent", "stated"),
    [
        ("Sat, 27 Jun 2009", "2009-06-27T00:00:00Z"),
        ("27 June, 2009 GMT", "2009-06-27T00:00:00Z"),
        ("2009-06-27+02:00", "2009-06-26T22:00:00Z"),
        ("2009-06", "2009-06-01T00:00:00Z"),
        ("2009", "2009-01-01T00:00:00Z"),
        ("Jun. 2009", "2009-06-01T00:00:00Z"),
        ("05/05/2009", "2009-05-05T00:00:00Z"),
        ("05.03.2009", "2009-03-05T00:00:00Z"),
        ("Fri, 05/03/2019 - 15:21", "2019-05-03T15:21:00Z"),
        ("Tue, 05/03/2019 - 15:21", "2019-03-05T15:21:00Z"),
        ("Sat, 11 04 2020 08:51:49 +0100", "2020-04-11T07:51:49Z"),
        ("sobota, 12 listopada 2022", "2022-11-12T00:00:00Z"),
        ("mar., 01 déc. 2020", "2020-12-01T00:00:00Z"),
        ("mar, 01/12/2020 - 10:00", "2020-12-01T10:00:00Z"),
        ("Sat, 27 Jun 2009 24:00:00 GMT", "2009-06-28T00:00:00Z"),
        ("2009-06-27T12:30 AM", "2009-06-27T00:30:00Z"),
        ("2009-06-27 12:30 pm", "2009-06-27T12:30:00Z"),
        ("2009年6月27日 午後0時30分", "2009-06-27T12:30:00Z"),
        ("2009年6月27日9時", "2009-06-27T09:00:00Z"),
        ("2008-12-31T23:59:60Z", "2008-12-31T23:59:59Z"),
        ("Wed, 31 Dec 2008 23:59:60 GMT", "2008-12-31T23:59:59Z"),
        ("Mon, 26 Jan 2004 16:31:00 ET", "2004-01-26T21:31:00Z"),
        ("Thu, 30 Apr 2015 08:57:00 MET", "2015-04-30T07:57:00Z"),
        ("27 Jun 49", "2049-06-27T00:00:00Z"),
        ("27 Jun 50", "1950-06-27T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_dates_with_missing_or_unusual_parts(sent: str, stated: str) -> None:
    assert dates.parse(sent) == datetime.fromisoformat(stated)


@pytest.mark.parametrize(
    "sent",
    [
        *["", "yesterday", "2 hours ago", "-1", "12", "22013", "013", "21:26", "--06-27"],
        *["03/04/2009", "03-04-2009 10:00", "27/06/09", "10/11/12", "03-12-31", "2009-27-06"],
        *["12 listopada 2022", "27 Jun 21:26", "June 27", "summer 2009", "June 2009 21:26"],
        *["0000-00-00 00:00:00", "2009-02-29", "2009-366", "2009-W54-1", "2009062721"],
        "Mon, 31 Feb 2026 25:61:00 GMT",
        "Sat, 27 Jun 0000 21:26:00 GMT",
        "Sat, 27 Jun 10000 21:26:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Sat, 01 Jan 0001 00:00:00 BST",
        "Sun, 16 Dec 2012 1:2:3:4 GMT",
        "Sun, 16 zzz 2012 11:47:32 GMT",
        "Sat, 27 Jun 2009 21:26:00 XYZ",
        "Sat, 27 Jun 2009 21:26:00 A",
        "Sat, 27 Jun 2009 21:26:00 EST CET",
        "Sat, 27 Jun 2009 21:26:00 Nowhere/Nothing",
        "Sat, 27 Jun 2009 21:26:00 Etc/GMT+5",
        "Sat, 27 Jun 2009 21:26:00 +2500",
        "Sat, 27 Jun 2009 21:26:00 +zz:00",
        "Sat, 27 Jun 2009 14:26:00 AM",
        "Sat, 27 Jun 2009 24:05:00 GMT",
        "Sat, 27 Jun 2009 21:60:00 GMT",
        "Sat, 27 Jun 2009 21:26:61 GMT",
        "2009-06-27T21:26:00ZZtop",
        "2009-06-27 10:00 - 11:00",
        "2009-06-27-28",
        "EST 27 Jun 2009 21:26",
        "Sat, 27 Jun 2009 21:26:00 GMT" + " " * 100 + "x",
    ],
)
def test_an_ambiguous_text_is_no_date(sent: str) -> None:
    assert dates.parse(sent) is None


def test_items_carry_their_dates_and_the_text_of_one_that_cannot_be_read() -> None:
    read = rss_item("<pubDate>27.06.2009 21:26</pubDate>")
    assert (read.published, read.unread_date) == (INSTANT, "")
    unread = rss_item("<pubDate>03/04/2009</pubDate>")
    assert (unread.published, unread.unread_date) == (None, "03/04/2009")
    other = rss_item("<pubDate>03/04/2009</pubDate><dc:date>2009-06-27T21:26Z</dc:date>")
    assert (other.published or other.updated, other.unread_date) == (INSTANT, "")


# --- every form of every instant --------------------------------------------------------------

ENGLISH = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2049, 12, 30)).map(
    lambda instant: instant.replace(microsecond=0)
)
Form = Callable[[datetime], str]


def _strftime(pattern: str) -> Form:
    return lambda local: local.strftime(pattern)


def _half(local: datetime) -> str:
    return f"{(local.hour + 11) % 12 + 1}:{local:%M:%S}"


FORMS: list[Form] = [
    *map(
        _strftime,
        [
            *["%Y-%m-%dT%H:%M:%S{}", "%Y-%m-%d %H:%M:%S {}", "%Y%m%dT%H%M%S{}", "%Y.%m.%d %X {}"],
            *["%a, %d %b %Y %H:%M:%S {}", "%d %b %y %H:%M:%S {}", "%A, %B %d, %Y %H:%M:%S {}"],
            *["%a %b %d %H:%M:%S {} %Y", "%A, %d-%b-%y %H:%M:%S {}", "%Y/%m/%d %H:%M:%S {}"],
            *["%d.%m.%Y %H:%M:%S {}", "%d.%m.%y %H:%M:%S {}", "%a, %d. %B %Y - %H:%M:%S {}"],
            *["%Y-%jT%H:%M:%S{}", "%G-W%V-%uT%H:%M:%S{}", "%Y年%m月%d日 %H时%M分%S秒 {}"],
            *["%Y %B %d %H:%M:%S {}", "%d de %b de %Y, %H:%M:%S {}", "%H:%M:%S {}, %d %b %Y"],
            "%a %b %d %Y %H:%M:%S GMT{} (Somewhere Standard Time)",
        ],
    ),
    lambda local: f"{local:%d %b %Y} {_half(local)} {local:%p} {{}}",
    lambda local: f"{local:%B} {local.day}th, {local.year} at {_half(local)} {local:%p} {{}}",
    lambda local: f"{local.year}年{local.month}月{local.day}日 {local:%H:%M:%S} {{}}",
]


@given(INSTANTS, OFFSETS, st.sampled_from(FORMS), st.sampled_from(["", ":"]))
def test_every_form_of_an_instant_is_that_instant(
    instant: datetime, offset: timedelta, form: Form, colon: str
) -> None:
    local = instant.replace(tzinfo=UTC).astimezone(timezone(offset))
    zone = local.strftime("%z")
    sent = form(local).format(f"{zone[:3]}{colon}{zone[3:]}")
    assert dates.parse(sent) == instant.replace(tzinfo=UTC), sent


@given(INSTANTS, st.sampled_from(sorted(ZONES)))
def test_every_named_zone_is_its_offset(instant: datetime, zone: str) -> None:
    utc = instant.replace(tzinfo=UTC) - timedelta(hours=ZONES[zone])
    assert dates.parse(f"{instant:%Y-%m-%d %H:%M:%S} {zone.upper()}") == utc


@given(st.dates(date(1999, 1, 1), date(2030, 12, 31)), st.sampled_from(sorted(MONTHS)))
def test_every_name_of_a_month_is_that_month(day: date, name: str) -> None:
    if day.month in MONTHS[name] and len(MONTHS[name]) == 1:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        assert dates.parse(f"{day.day} {name} {day.year}") == midnight
        assert dates.parse(f"x, {day.day}. {name.title()} {day.year}") == midnight


@given(st.dates(date(1999, 1, 1), date(2030, 12, 31)), st.sampled_from(sorted(WEEKDAYS)))
def test_numbers_that_mean_two_days_are_read_only_with_the_weekday(day: date, name: str) -> None:
    sent = f"{day:%d/%m/%Y}"
    other = f"{day:%m/%d/%Y}"
    read = dates.parse(f"{name}, {sent}")
    if read and day.day <= 12 and day.day != day.month:
        assert {day.weekday()} & WEEKDAYS[name] or read.strftime("%d/%m/%Y") == other
        assert dates.parse(sent) is dates.parse(other) is None
    elif day.day > 12:
        assert dates.parse(sent) == dates.parse(other) is not None


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from([*"0123456789:-/.,+ TZ年月日時午後()", "Jun", "2009", "GMT", "pm", "W26"]),
        max_size=30,
    ).map("".join)
)
def test_any_text_is_an_instant_or_none(text: str) -> None:
    read = dates.parse(text)
    assert read is None or (read.tzinfo is UTC and read.microsecond == 0)


@pytest.mark.parametrize("part", ["1", "1:", "a", "a ", "(", "-", "1-", "@", "年", "9 ", ".", "+1"])
def test_no_text_takes_long(part: str) -> None:
    with effort() as spent:
        for _ in range(20):
            dates.parse(part * (dates.LONGEST_DATE // len(part)))
    assert spent.times < 50


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


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2009-06-27 12:00:00", 3),
        ("27 Jun 2009 12:00:00", 3),
        ("2009-06-27T12:00:00Z", 12),
        ("Sat, 27 Jun 2009 12:00:00 GMT", 12),
        ("Sat, 27 Jun 2009 12:00:00 +0200", 10),
    ],
)
def test_zone_of_dates_that_name_none(text: str, hour: int) -> None:
    with dates.bare_dates_in("Asia/Tokyo"):
        assert dates.parse(text) == datetime(2009, 6, 27, hour, tzinfo=UTC)
    with dates.bare_dates_in(""):
        assert dates.parse("2009-06-27 12:00:00") == datetime(2009, 6, 27, 12, tzinfo=UTC)
