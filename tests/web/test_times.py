from datetime import UTC, datetime

import pytest

from aggregator.model import Zone
from aggregator.web import times

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
    assert times.in_zones(SEED, zones) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(7, "0:07"), (187, "3:07"), (3723, "1:02:03")])
def test_length(seconds: int, expected: str) -> None:
    assert times.length(seconds) == expected
