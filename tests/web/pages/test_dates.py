from datetime import UTC, date, datetime, timedelta

import pytest

from aggregator.models.config import Zone
from aggregator.web import i18n
from aggregator.web.pages import dates

SEED = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
UK = Zone(name="Europe/London", label="UK")


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        pytest.param((), "21:26 GMT, Saturday, 27 June 2009", id="GMT stands alone without zones"),
        pytest.param((UK,), "21:26 GMT, Saturday, 27 June 2009 · 22:26 UK", id="the seed's form"),
        pytest.param(
            (UK, Zone(name="Asia/Tokyo", label="Tokyo")),
            "21:26 GMT, Saturday, 27 June 2009 · 22:26 UK · 06:26 Tokyo, Sunday, 28 June 2009",
            id="a zone with another day names it",
        ),
    ],
)
def test_in_zones(zones: tuple[Zone, ...], expected: str) -> None:
    assert dates.in_zones(SEED, zones) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(7, "0:07"), (187, "3:07"), (3723, "1:02:03")])
def test_playtime(seconds: int, expected: str) -> None:
    assert dates.playtime(seconds) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(SEED, "21:26 GMT", id="today's is a time"),
        pytest.param(SEED + timedelta(days=1), "27 June, 21:26 GMT", id="yesterday's has its day"),
        pytest.param(SEED + timedelta(days=300), "27 June 2009, 21:26 GMT", id="an old one, all"),
    ],
)
def test_short_time(now: datetime, expected: str) -> None:
    assert dates.short_time(SEED, now) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "Samstag, 27. Juni 2009, 21:26 GMT · Sonntag, 28. Juni 2009, 06:26 Tokyo"),
        ("fr", "samedi 27 juin 2009 à 21:26 GMT · dimanche 28 juin 2009 à 06:26 Tokyo"),
    ],
)
def test_times_are_in_the_language_of_the_interface(language: str, expected: str) -> None:
    i18n.use(language)
    at = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
    try:
        assert dates.in_zones(at, [Zone(name="Asia/Tokyo", label="Tokyo")]) == expected
        first = dates.short_day(date(2009, 8, 1))
    finally:
        i18n.use("en")
    assert first == {"de": "1. August 2009", "fr": "1er août 2009"}[language]
