"""Dates inside other words, and dates relative to now."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse.listings import dates

NOW = datetime(2026, 11, 27, 17, 30, 15, tzinfo=UTC)
MINUTE = NOW.replace(second=0)
TODAY = datetime(2026, 11, 27, tzinfo=UTC)
MARCH = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05",
        "5 March 2026",
        "Published on 5 March 2026 by Ada",
        "Posted: March 5, 2026 | News",
        "Town · 05.03.2026 · 3 comments",
        "(Donnerstag, 5. März 2026)",
        "Le 5 mars 2026",
        "5 مارس 2026",
        "٥ مارس ٢٠٢٦",
        "ב-5 במרץ 2026",
        "5 марта 2026",
        "2026年3月5日",
    ],
)
def test_date_inside_other_words(text: str) -> None:
    assert dates.find(text, NOW) == (MARCH, False)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("just now", timedelta()),
        ("5 minutes ago", timedelta(minutes=5)),
        ("an hour ago", timedelta(hours=1)),
        ("3h", timedelta(hours=3)),
        ("updated 2 hours ago", timedelta(hours=2)),
        ("vor 2 Stunden", timedelta(hours=2)),
        ("vor einer Stunde", timedelta(hours=1)),
        ("il y a 20 minutes", timedelta(minutes=20)),
        ("hace 5 minutos", timedelta(minutes=5)),
        ("há 2 horas", timedelta(hours=2)),
        ("3 часа назад", timedelta(hours=3)),
        ("منذ 3 ساعات", timedelta(hours=3)),
        ("לפני 3 שעות", timedelta(hours=3)),
        ("3小时前", timedelta(hours=3)),
        ("5分前", timedelta(minutes=5)),
        ("3시간 전", timedelta(hours=3)),
    ],
)
def test_minutes_and_hours_ago(text: str, ago: timedelta) -> None:
    expected = NOW if not ago else MINUTE - ago
    assert dates.find(text, NOW) == (expected, True)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("today", 0),
        ("yesterday", 1),
        ("Gestern", 1),
        ("avant-hier", None),
        ("1 day ago", 1),
        ("il y a 3 jours", 3),
        ("vor 2 Tagen", 2),
        ("2 d", 2),
        ("2 weeks ago", 14),
        ("2日前", 2),
        ("어제", 1),
        ("أمس", 1),
    ],
)
def test_days_ago_are_midnights(text: str, days: int | None) -> None:
    days = 2 if days is None else days
    assert dates.find(text, NOW) == (TODAY - timedelta(days=days), True)


def test_day_in_words_with_a_clock() -> None:
    expected = TODAY - timedelta(days=1) + timedelta(hours=14, minutes=5)
    assert dates.find("gestern, 14:05 Uhr", NOW) == (expected, True)
    assert dates.find("Today at 14:05", NOW) == (expected + timedelta(days=1), True)


@pytest.mark.parametrize(
    "text",
    [
        "", "12", "Top 10 books", "5 min read", "price 12", "Office 7", "9999 years ago",
        "a long time ago", "Ada Lovelace", "in 3 hours", "12 comments", "x" * 5_000,
    ],
)  # fmt: skip
def test_other_words_are_no_dates(text: str) -> None:
    assert dates.find(text, NOW) is None


@given(st.text(max_size=400))
def test_any_text_is_taken(text: str) -> None:
    found = dates.find(text, NOW)
    assert found is None or found.date.tzinfo is not None
