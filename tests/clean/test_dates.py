from datetime import UTC, datetime, timedelta, timezone

import pytest

from aggregator.clean import dates

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
EAST = timezone(timedelta(hours=14))
WEST = timezone(timedelta(hours=-12))

CLAMPED = {
    "the past is believed": (NOW - timedelta(days=1), NOW - timedelta(days=1)),
    "another zone is the same moment": (
        datetime(2009, 6, 27, 22, 26, tzinfo=EAST),
        datetime(2009, 6, 27, 8, 26, tzinfo=UTC),
    ),
    "no zone is UTC": (datetime(2009, 6, 1), datetime(2009, 6, 1, tzinfo=UTC)),
    "fractions of a second go": (NOW - timedelta(seconds=1.5), NOW - timedelta(seconds=2)),
    "the future is now": (NOW + timedelta(seconds=1), NOW),
    "the epoch is no date": (datetime(1970, 1, 1, tzinfo=UTC), None),
    "the epoch in another zone is no date": (datetime(1970, 1, 1, tzinfo=WEST), None),
    "an archive may reach far back": (
        datetime(1970, 1, 2, tzinfo=UTC),
        datetime(1970, 1, 2, tzinfo=UTC),
    ),
    "year 1 is no date": (datetime.min, None),
    "year 1, which UTC can't say, is no date": (datetime.min.replace(tzinfo=EAST), None),
    "the end of days is now": (datetime.max, NOW),
    "the end of days, which UTC can't say, is now": (datetime.max.replace(tzinfo=WEST), NOW),
    "no date is none": (None, None),
}  # fmt: skip


@pytest.mark.parametrize(("published", "expected"), CLAMPED.values(), ids=CLAMPED.keys())
def test_clamp(published: datetime | None, expected: datetime | None) -> None:
    assert dates.clamp(published, NOW) == expected


def test_now_is_returned_in_utc_to_the_second() -> None:
    now = datetime(2009, 6, 28, 11, 26, 0, 500_000, tzinfo=EAST)
    clamped = dates.clamp(now, now)
    assert clamped is not None
    assert (clamped, clamped.tzinfo, clamped.microsecond) == (NOW, UTC, 0)
