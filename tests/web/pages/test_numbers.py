"""Numbers and sizes, in each language of the interface."""

from collections.abc import Iterator

import pytest

from aggregator.web import i18n
from aggregator.web.pages.numbers import number, size


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """English again after each test."""
    yield
    i18n.use("en")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["0", "1,234,567", "1,234.5", "0.25"]),
        ("de", ["0", "1.234.567", "1.234,5", "0,25"]),
        ("fr", ["0", "1\u202f234\u202f567", "1\u202f234,5", "0,25"]),
    ],
)
def test_number(language: str, expected: list[str]) -> None:
    i18n.use(language)
    assert [number(0), number(1234567), number(1234.5, 1), number(0.25, 2)] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 Bytes"),
        (1, "1 Byte"),
        (999, "999 Bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (10_000_000, "10.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (3_000_000_000_000_000, "3,000.0 TB"),
    ],
)
def test_size(value: int, expected: str) -> None:
    assert size(value) == expected


def test_size_in_french() -> None:
    i18n.use("fr")
    assert [size(1), size(2), size(1_500)] == ["1 octet", "2 octets", "1,5 ko"]
