"""Dates and durations as feeds write them: the instant that is stated, or None.

Of the kept libraries, dateparser takes 3 to 20 ms for a date, and both it and dateutil fill in the
parts that are missing or ambiguous. So the forms are here: RFC 822 and RFC 3339 by one expression
each, all others by their parts. A part that is not understood makes the date None, and so does an
order of day and month that neither the numbers nor the weekday decide.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aggregator.parse.date_names import CITIES, FILLERS, MONTHS, WEEKDAYS, ZONES

LONGEST = 30 * 24 * 3600
"""Seconds; a longer duration of a recording is a mistake."""
LONGEST_DATE = 100
"""Characters; a longer text is not a date."""

_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name: f"{number:02}" for number, name in enumerate(_ENGLISH, 1)}
_RFC_822 = re.compile(
    rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d\d?) ({'|'.join(_ENGLISH)}) (\d{{4}})"
    r" (\d\d:\d\d:\d\d) (?:GMT|Z|UTC|([+-]\d{4}))",
    re.ASCII,
)
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,12})?(Z|[+-]\d\d:?\d\d)", re.ASCII
)
_UNIX = re.compile(
    r"(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3]))"  # 2009062721
    r"(\d{10})(?:\d{3}|\.\d{1,9})?",
    re.ASCII,
)

# The patterns below see lower case without accents, and one blank for any white space.
_ISO_BASIC = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:t? ?(\d\d)(\d\d)(?:(\d\d)(?:[.,]\d{1,12})?)?)?(?=$| |z|[+-])"
)
_ISO_WEEK = re.compile(r"(\d{4})-?w(\d\d)(?:-?(\d))?(?=$|t| )")
_ISO_ORDINAL = re.compile(r"(\d{4})-(\d{3})(?=$|t| )")
_COMMENT = re.compile(r"\(([^()]*)\)")

_BEFORE = r"(?<![\d.,:/+-])"
_HALF = r"([ap])\.? ?m\b\.?"
_DOTTED = r"(\d{1,2})\.(\d\d)(?:\.(\d\d))?()(?: uhr)?(?=$| [a-z+-])"
_CLOCKS = (
    re.compile(
        rf"{_BEFORE}(\d{{1,2}}) ?[:h] ?(\d{{1,2}})(?: ?[:m] ?(\d{{1,2}})(?:[.,]\d{{1,12}})?)?"
        rf"(?!\d|:\d)(?: ?{_HALF})?"
    ),
    re.compile(rf"{_BEFORE}(\d{{1,2}})()() ?(?:{_HALF}|h\b|uhr\b)"),
    re.compile(rf"(?:(?<=\d{{4}} )|(?<=\d{{4}}, )){_DOTTED}"),
    re.compile(rf"(?<= )(?:kl|klo|om|ora|ore|um)\.? {_DOTTED}"),
)
"""Times of day, the more certain ones first."""
_HOURS = r"(\d{1,2})(?::?(\d\d)(?::?\d\d)?)?(?![\d:])"
_OFFSET = re.compile(rf"(?<!\S):?[+-]?([+-]){_HOURS}")
_OFFSET_OF_A_NAME = re.compile(rf"(?<!\S)([+-]) ?{_HOURS}")  # GMT + 2
_DAY_AND_ZONE = re.compile(r"(.*\d)( [+-]\d{4}| ?[+-]\d\d:\d\d| ?\b[a-z]{3,4}| ?z)")

_WORD = re.compile(r"[^\W\d_]+(?:/[^\W\d]+)*")
_NUMERIC = re.compile(r"(\d{1,4})( ?[-/.] ?| )0?(\d{1,2})( ?[-/.] ?| )(\d{1,4})")
_YEAR_AND_MONTH = re.compile(r"(\d{4})(?:[-/.](\d\d?))?")
_DAY = re.compile(r"[\s\d.,'/º°ª@-]*")

_CJK = re.compile("[一-鿿가-힣]")
_HANGUL = re.compile("[가-힣]")
_CJK_WEEKDAY = re.compile(
    r"(?:星期|礼拜|禮拜|周|週)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일"
)
_CJK_UNITS = str.maketrans(
    {**dict.fromkeys("年년月월", "-"), **dict.fromkeys("日일号號秒초", " "),
     **dict.fromkeys("時时點点시分분", ":")}
)  # fmt: skip
_HALVES = {
    "午前": "a", "上午": "a", "오전": "a", "π.μ.": "a", "πμ": "a",
    "午後": "p", "下午": "p", "오후": "p", "μ.μ.": "p", "μμ": "p",
}  # fmt: skip
_ANY_HALF = re.compile("|".join(map(re.escape, _HALVES)))
_KOREA = timezone(timedelta(hours=9))
_NOON = 12
_MILITARY_ZONE = re.compile(r"(?<!\S)[a-y](?!\S)")
_DURATION = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,5}):)?(\d{1,9})(?:\.\d*)?")


_zone_of_bare_dates: ContextVar[tzinfo | None] = ContextVar("zone", default=None)


@contextmanager
def bare_dates_in(zone: str) -> Iterator[None]:
    """Read dates that name no zone in this one; `zone` is an IANA name, "" for the usual one."""
    token = _zone_of_bare_dates.set(ZoneInfo(zone) if zone else None)
    try:
        yield
    finally:
        _zone_of_bare_dates.reset(token)


class _Clock(NamedTuple):
    """A time of day, None when the date has none, and the text on both sides of it."""

    time: timedelta | None
    before: str
    after: str


def parse(text: str) -> datetime | None:
    """Return the instant that a date states, in UTC to the second, or None; never raises.

    A date without time is its midnight. One without zone is in UTC, or in Korea's zone if it has
    Korean letters. Years, and years with a month, are their first day, as in W3CDTF.

    Args:
        text: The text of the element.
    """
    text = text.strip()
    if len(text) > LONGEST_DATE:
        return None
    try:
        if usual := _usual(text):
            return usual
        if unix := _UNIX.fullmatch(text):
            return datetime.fromtimestamp(int(unix[1]), UTC)
        return _by_parts(_plain(text))
    except (ValueError, OverflowError):
        return None


def _usual(text: str) -> datetime | None:
    """Return the instant of a date in one of the two usual forms, in a tenth of the time."""
    if parts := _RFC_822.fullmatch(text):
        day, month, year, clock, zone = parts.groups("Z")
        text = f"{year}-{_NUMBERS[month]}-{day:>02}T{clock}{zone}"
    elif parts := _RFC_3339.fullmatch(text):
        text = parts[1] + parts[2]
    else:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None  # 24:00 or a leap second


def _plain(text: str) -> str:
    """Return a date in lower case, without accents, with plain blanks, dashes and digits."""
    text = unicodedata.normalize("NFKD", text.lower()).replace("ı", "i")
    kept = (each for each in text if unicodedata.category(each) not in ("Mn", "Cf"))
    text = unicodedata.normalize("NFC", "".join(kept))
    return re.sub("[‐-―−]", "-", " ".join(text.replace("’", "'").split()))


def _by_parts(text: str) -> datetime | None:
    is_korean = bool(_HANGUL.search(text))
    comment = _COMMENT.search(text)
    text, half = _without_half(_COMMENT.sub(" ", text, 1))
    clock = _clock(_in_numbers(text), half)
    zone, after = _zone(clock.after, comment[1] if comment else "")
    day = _day(f"{clock.before} {after}", has_clock=clock.time is not None)
    if day is None:
        return None
    if zone is None:
        zone = _KOREA if is_korean and clock.time is not None else UTC
        zone = _zone_of_bare_dates.get() or zone
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + (clock.time or timedelta())).astimezone(UTC)


def _in_numbers(text: str) -> str:
    """Return a date with calendar dates for ISO weeks and the like, and with `-` and `:` for 年."""
    if basic := _ISO_BASIC.match(text):
        year, month, day, *clock = basic.groups()
        return f"{year}-{month}-{day} {':'.join(filter(None, clock))}{text[basic.end() :]}"
    if week := _ISO_WEEK.match(text):
        monday = date.fromisocalendar(int(week[1]), int(week[2]), int(week[3] or 1))
        return f"{monday}{text[week.end() :]}"
    if ordinal := _ISO_ORDINAL.match(text):
        first = date(int(ordinal[1]), 1, 1)
        ordinal_day = first + timedelta(days=int(ordinal[2]) - 1)
        return f"{ordinal_day}{text[ordinal.end() :]}" if ordinal_day.year == first.year else ""
    if _CJK.search(text):
        text = _CJK_WEEKDAY.sub(" ", text).translate(_CJK_UNITS)
        text = re.sub(r"(:\s?\d\d?):(?=\s|$)", r"\1", text)
        return re.sub(r"(\d):(?=\s|$)", r"\1:00", text)
    return text


# --- time of day ------------------------------------------------------------------------------


def _without_half(text: str) -> tuple[str, str]:
    """Return a date without the word for one half of the day, and "a", "p" or ""."""
    half = _ANY_HALF.search(text)
    if not half:
        return text, ""
    return text[: half.start()] + " " + text[half.end() :], _HALVES[half[0]]


def _clock(text: str, half: str) -> _Clock:
    for pattern in _CLOCKS:
        if clock := pattern.search(text):
            time = _time_of_day(clock[1], clock[2], clock[3], clock[4] or half)
            return _Clock(time, text[: clock.start()], text[clock.end() :])
    if parts := _DAY_AND_ZONE.fullmatch(text):
        return _Clock(None, parts[1], parts[2])
    return _Clock(None, text, "")


def _time_of_day(hour: str, minute: str, second: str | None, half: str) -> timedelta:
    hours, minutes, seconds = int(hour), int(minute or 0), int(second or 0)
    if half and hours <= _NOON:
        hours = hours % _NOON + (_NOON if half == "p" else 0)
    elif half == "a":
        raise ValueError(hour)
    if hours > 23 and (hours, minutes, seconds) != (24, 0, 0):
        raise ValueError(hour)
    if minutes > 59 or seconds > 60:
        raise ValueError(minute)
    return timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59))  # no leap second


# --- zone -------------------------------------------------------------------------------------


def _zone(text: str, comment: str) -> tuple[tzinfo | None, str]:
    """Return the zone that follows the time, None when none does, and the rest of the text.

    A number goes before a name: machines write it, and people the name, all year the same.
    """
    if text.strip() in ("00", "0000"):
        return UTC, ""
    names = [name for name in _WORD.findall(text) if _is_zone(name)]
    rest = _WORD.sub(lambda word: " " if _is_zone(word[0]) else word[0], text)
    offset = (_OFFSET_OF_A_NAME if names else _OFFSET).search(rest)
    if offset and any(name.startswith("etc/") for name in names):
        raise ValueError(text)  # Etc/GMT+5 is west of Greenwich
    if offset and (offset[3] or names or not rest[offset.end() :].strip()):
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        rest = f"{rest[: offset.start()]} {rest[offset.end() :]}"
        return timezone(-east if offset[1] == "-" else east), rest
    if not names and _is_zone(comment):
        names = [comment]
    if len(set(names)) > 1 or _MILITARY_ZONE.search(rest):
        raise ValueError(text)
    return (_named_zone(names[0]) if names else None), rest


def _is_zone(word: str) -> bool:
    return word in ZONES or word in CITIES or "/" in word


@cache
def _named_zone(name: str) -> tzinfo:
    name = name.removeprefix("etc/")
    if name in ZONES:
        return timezone(timedelta(hours=ZONES[name]))
    city = CITIES.get(name) or name.title()
    try:
        return ZoneInfo(city.replace("Us/", "US/"))
    except (KeyError, OSError) as error:
        raise ValueError(name) from error


# --- day --------------------------------------------------------------------------------------


def _day(text: str, *, has_clock: bool) -> date | None:
    """Return the only day that the text can mean; the weekday decides where numbers do not."""
    names = _WORD.findall(text)
    months = [name for name in names if name in MONTHS]
    has_month = len(months) > 1 or len(re.findall(r"\d+", text)) > 2
    if months and names[0] in WEEKDAYS and has_month:  # mar., 16 nov
        del months[0]
    if len(months) > 1 or not all(map(_is_known, names[1:])) or not _may_begin(names):
        return None
    text = _WORD.sub(lambda word: "@" if word[0] in months else "", text)
    if not _DAY.fullmatch(text):
        return None
    if months:
        is_whole = not has_clock and len(names) == 1
        days = set(_days_of_month(re.findall(r"\d+|@", text), MONTHS[months[0]], is_whole))
    else:
        text = " ".join(text.split()).strip(" ,.-")
        days = set(_numeric_days(text, is_whole=not has_clock and not names))
    if len(days) > 1:
        weekdays = {day for name in names if name not in months for day in WEEKDAYS.get(name, ())}
        days = {day for day in days if day.weekday() in weekdays}
    return days.pop() if len(days) == 1 else None


def _is_known(name: str) -> bool:
    return name in MONTHS or name in WEEKDAYS or name in FILLERS


def _may_begin(names: list[str]) -> bool:
    """Return whether the first word is one that a date may begin with, such as any weekday."""
    return not names or _is_known(names[0]) or not (names[0] in ZONES or "/" in names[0])


def _days_of_month(parts: list[str], months: Iterable[int], is_whole: bool) -> Iterator[date]:
    """Yield the days that two numbers and the name of a month, here `@`, may mean."""
    numbers = [part for part in parts if part != "@"]
    if is_whole and len(numbers) == 1 and len(numbers[0]) == 4:
        numbers.append("1")
    if len(numbers) != 2:
        return
    years = [number for number in numbers if len(number) == 4]
    if len(years) == 1:
        numbers.remove(years[0])
        order = (years[0], numbers[0])
    elif not years and parts[-1] != "@":
        order = (numbers[1], numbers[0])
    else:
        return
    for month in months:
        yield from _valid_day(order[0], str(month), order[1])


def _numeric_days(text: str, *, is_whole: bool) -> Iterator[date]:
    """Yield the days that numbers may mean.

    Between dots the day goes first wherever people write so; slashes and dashes have three orders.
    """
    whole = _YEAR_AND_MONTH.fullmatch(text) if is_whole else None
    if whole:
        yield from _valid_day(whole[1], whole[2] or "1", "1")
    numeric = _NUMERIC.fullmatch(text)
    if not numeric or numeric[2].strip() != numeric[4].strip():
        return
    first, second, third = numeric[1], numeric[3], numeric[5]
    if len(first) == 4:
        yield from _valid_day(first, second, third)
        return
    yield from _valid_day(third, second, first)
    if "." not in numeric[2]:
        yield from _valid_day(third, first, second)
        if len(third) <= 2:
            yield from _valid_day(first, second, third)


def _valid_day(year: str, month: str, day: str) -> Iterator[date]:
    """Yield the day if it exists; a year of two digits is that of RFC 5322 §4.3."""
    if len(year) not in (2, 4) or len(day) > 2:
        return
    century = 0 if len(year) == 4 else 2000 if int(year) < 50 else 1900
    try:
        yield date(century + int(year), int(month), int(day))
    except ValueError:
        return


# --- durations --------------------------------------------------------------------------------


def seconds(text: str) -> int | None:
    """Return the seconds of `h:m:s`, `m:s` or `s`, the forms of itunes:duration."""
    clock = _DURATION.fullmatch(text.strip())
    if not clock:
        return None
    hours, minutes, rest = (int(part or 0) for part in clock.groups())
    total = hours * 3600 + minutes * 60 + rest
    return total if 0 < total <= LONGEST else None
