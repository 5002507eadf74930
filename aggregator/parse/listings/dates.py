"""Dates as pages write them: inside other words, or relative to now.

A relative date is counted back from the time of the poll, and only to its own precision: minutes
and hours to the minute, days and more to midnight. It changes at each poll, so it is no part of
the hash of an item, and an entry keeps the date that it was first seen with until its other words
change.
"""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import NamedTuple

from aggregator.parse import dates
from aggregator.parse.listings.date_units import AGO, DAY, HOUR, NAMED, NOW, ONE, UNITS

LONGEST_TEXT = 300
"""Characters of a text in which a date is looked for."""
MOST_WORDS = 8
"""Words of a date inside other words."""

_WORD = re.compile(r"\S+")
_PARTS = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)?")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3])[:h.]([0-5]\d)\b")
_EDGES = "|•·,;:()[]–—-/ "


class FoundDate(NamedTuple):
    """A date, and whether the page gives it relative to now."""

    date: datetime
    is_relative: bool = False


def find(text: str, now: datetime) -> FoundDate | None:
    """Return the date that a text states or has in it, None without one; never raises.

    Args:
        text: The text of an element, or the value of its `datetime`.
        now: The time of the poll, for dates relative to it.
    """
    text = " ".join(text.split())[:LONGEST_TEXT]
    if not text:
        return None
    if date := dates.parse(text):
        return FoundDate(date)
    if date := _relative(_plain(text), now, is_alone=True):
        return FoundDate(date, is_relative=True)
    return _inside(text, now)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(each for each in text if unicodedata.category(each) not in ("Mn", "Cf"))
    return unicodedata.normalize("NFC", kept).replace("’", "'").strip(_EDGES + ".")


def _inside(text: str, now: datetime) -> FoundDate | None:
    """Return the longest run of words that is a date and has a number, the first of several."""
    words = list(_WORD.finditer(text))[:40]
    for length in range(min(MOST_WORDS, len(words) - 1), 0, -1):
        for first in range(len(words) - length + 1):
            part = text[words[first].start() : words[first + length - 1].end()].strip(_EDGES)
            if not _may_be_a_date(part):
                continue
            if date := dates.parse(part):
                return FoundDate(date)
            if length > 1 and (date := _relative(_plain(part), now, is_alone=False)):
                return FoundDate(date, is_relative=True)
    return None


def _may_be_a_date(part: str) -> bool:
    """Return whether a part has a day and a month or year: `2026` alone is none."""
    return len(part) >= 6 and any(map(str.isdigit, part)) and not part.isdecimal()


def _relative(text: str, now: datetime, *, is_alone: bool) -> datetime | None:
    """Return the time of "3 hours ago", "gestern, 14:30" and, if it is alone, "2 d"."""
    if text in NOW:
        return now
    words = text.split()
    day = next((NAMED[word.strip(_EDGES)] for word in words if word.strip(_EDGES) in NAMED), None)
    if day is not None and len(words) <= 4:
        return _on_day(now - timedelta(days=day), text, has_clock=len(words) > 1)
    counted = _counted(text, is_alone=is_alone)
    if counted is None:
        return None
    number, unit = counted
    date = now - timedelta(seconds=number * unit)
    return date.replace(second=0, microsecond=0) if unit <= HOUR else _midnight(date)


def _on_day(day: datetime, text: str, *, has_clock: bool) -> datetime:
    clock = _CLOCK.search(text) if has_clock else None
    midnight = _midnight(day)
    return midnight + timedelta(hours=int(clock[1]), minutes=int(clock[2])) if clock else midnight


def _midnight(date: datetime) -> datetime:
    return date.replace(hour=0, minute=0, second=0, microsecond=0)


def _counted(text: str, *, is_alone: bool) -> tuple[int, int] | None:
    """Return the number and the unit in seconds that a text counts back, None without them."""
    number, unit, is_past, others = 0, 0, False, 0
    text = text.replace("il y a ", "ago ")
    has_digits = any(map(str.isdecimal, text))
    for part in _PARTS.findall(text):
        if part.isdecimal() and not number:
            number = int(part[:4])
        elif part in ONE and not has_digits and not number:
            number = 1
        elif part in UNITS and not unit:
            unit = UNITS[part]
        elif part in AGO:
            is_past = True
        elif cjk := _with_marker(part):
            unit, is_past = cjk, True
        else:
            others += 1
    is_short = is_alone and bool(re.fullmatch(r"\d{1,3} ?[^\W\d_]+", text))
    if others or not number or not unit or not (is_past or is_short):
        return None
    return (number, unit) if number * unit <= 100 * 366 * DAY else None


def _with_marker(part: str) -> int:
    """Return the unit of a word that ends in a marker of the past: 小时前, 시간전."""
    for marker in ("以前", "之前", "前", "전"):
        if part.endswith(marker):
            return UNITS.get(part.removesuffix(marker), 0)
    return 0
