"""URLs as they are requested and shown."""

import pytest

from aggregator.fetch import urls


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.org/a?key=secret#secret", "https://example.org/a?…"),
        ("https://example.org/", "https://example.org/"),
        ("https://example.org/" + "a" * 300, "https://example.org/" + "a" * 180 + "…"),
        ("https://example.org/\n\x1b[31m", "https://example.org/%1B[31m"),
        ("secret", "an unreadable URL"),
    ],
)
def test_display(url: str, shown: str) -> None:
    assert urls.display(url) == shown


def test_credentials_are_taken_out_and_decoded() -> None:
    target = urls.parse("https://me:p%40ss@example.org/a#b")
    assert target is not None
    assert target.credentials == "me:p@ss"
    assert target.href == "https://example.org/a"
    assert target.origin == "https://example.org"
