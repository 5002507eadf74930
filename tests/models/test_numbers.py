"""Numbers in the text of feeds and requests."""

import pytest

from aggregator.models.numbers import MAX_INTEGER, parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("07", 7),
        (str(MAX_INTEGER), MAX_INTEGER),
        (str(MAX_INTEGER + 1), None),
        ("9" * 5_000, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        (" 1", None),
        ("1_0", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_parse_number(text: str, number: int | None) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(("text", "number"), [("2", None), ("3", 3), ("12", 12), ("13", None)])
def test_number_outside_its_bounds_is_none(text: str, number: int | None) -> None:
    assert parse_number(text, least=3, most=12) == number
