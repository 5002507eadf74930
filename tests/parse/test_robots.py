"""robots.txt as RFC 9309 describes it."""

import pytest

from aggregator.parse import robots

ALL = "User-agent: *\n"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        (f"{ALL}Disallow:", "/a", True),
        (f"{ALL}Disallow: /", "/a", False),
        (f"{ALL}Disallow: /\nAllow: /news", "/news/a", True),
        (f"{ALL}Disallow: /*.pdf$", "/a.pdf", False),
        (f"{ALL}Disallow: /*.pdf$", "/a.pdf?page=1", True),
        (f"{ALL}Disallow: /*/print", "/news/print", False),
        (f"{ALL}\nDisallow: /x", "/x", False),
        (f"\ufeff{ALL}Disallow: /x", "/x", False),
        (f"User-agent: Feed-Aggregator\nDisallow: /a\n\n{ALL}Disallow: /", "/b", True),
        (f"User-agent: Feed-Aggregator\nDisallow: /a\n\n{ALL}Disallow: /", "/a", False),
        ("User-agent: SomeBot\nDisallow: /", "/a", True),
        ("<html>Not found</html>", "/a", True),
    ],
)
def test_rules(text: str, path: str, allowed: bool) -> None:
    read = robots.text_of(text.encode())
    assert robots.allows(read, f"https://www.example.org{path}") is allowed


def test_only_the_first_500_kib_are_read() -> None:
    filler = b"# " + b"x" * 100 + b"\n"
    body = b"User-agent: *\n" + filler * (robots.LONGEST // len(filler) + 1) + b"Disallow: /\n"
    assert robots.allows(robots.text_of(body), "https://www.example.org/a")


def test_patterns_take_no_exponential_time() -> None:
    text = f"{ALL}Disallow: /" + "*a" * 200 + "*b$\n"
    assert robots.allows(text, "https://www.example.org/" + "a" * 20_000)
