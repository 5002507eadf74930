"""robots.txt as RFC 9309 describes it."""

import pytest

from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    RobotsFile,
    Transfer,
)
from aggregator.parse import robots

SITE = "https://www.example.org"
ALL = "User-agent: *\n"


def rules_of(body: bytes) -> str:
    rules = robots.rules_of(RobotsFile(body=body))
    assert rules is not None
    return rules


def failed(kind: FailureKind, status: int = 0) -> Failed:
    return Failed(kind=kind, detail="", transfer=Transfer(status=status))


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
        ("<html>\0no rules", "/a", True),
    ],
)
def test_rules(text: str, path: str, allowed: bool) -> None:
    rules = rules_of(text.encode())
    assert robots.allows(rules, f"{SITE}{path}") is allowed
    refusal = robots.refusal(rules, f"{SITE}{path}")
    assert (refusal is None) is allowed
    assert refusal is None or refusal.kind is FailureKind.ROBOTS


def test_only_the_first_500_kib_are_read() -> None:
    filler = b"# " + b"x" * 100 + b"\n"
    body = b"User-agent: *\n" + filler * (robots.LONGEST // len(filler) + 1) + b"Disallow: /\n"
    assert robots.allows(rules_of(body), f"{SITE}/a")


def test_patterns_take_no_exponential_time() -> None:
    text = f"{ALL}Disallow: /" + "*a" * 200 + "*b$\n"
    assert robots.allows(text, f"{SITE}/" + "a" * 20_000)


@pytest.mark.parametrize(
    ("outcome", "rules"),
    [
        pytest.param(
            Fetched(url="", body=b"Disallow: /", content_type=""), "Disallow: /", id="a file"
        ),
        pytest.param(failed(FailureKind.HTTP_STATUS, 404), "", id="no such file"),
        pytest.param(failed(FailureKind.HTTP_STATUS, 403), "", id="forbidden"),
        pytest.param(failed(FailureKind.GONE, 410), "", id="gone"),
        pytest.param(failed(FailureKind.EMPTY, 200), "", id="empty"),
        pytest.param(failed(FailureKind.HTTP_STATUS, 500), None, id="broken server"),
        pytest.param(failed(FailureKind.RATE_LIMITED, 429), None, id="too many requests"),
        pytest.param(failed(FailureKind.TIMEOUT), None, id="no response"),
    ],
)
def test_without_a_file_all_is_allowed_and_without_a_response_nothing(
    outcome: FetchOutcome, rules: str | None
) -> None:
    assert robots.rules_of(outcome) == rules
    if rules is None:
        refusal = robots.refusal(rules, f"{SITE}/a")
        assert refusal
        assert refusal.detail.startswith(f"{SITE}/robots.txt could not be fetched")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{ALL}Disallow: /b\nDisallow: /a\nDisallow: /c", "Disallow: /a"),
        (f"{ALL}Disallow: /a/b\nDisallow: /\nAllow: /a/", "Disallow: /a/b"),
        (f"User-agent: x\nDisallow: /a/b/c\n\n{ALL} disallow : /a #", "disallow : /a #"),
        (f"User-agent: x\nDisallow: /a\nUser-agent: y\nDisallow: /a\n{ALL}Disallow: /b", ""),
        (f"{ALL}Disallow: /b", ""),
        ("", ""),
    ],
)
def test_line_that_forbids_a_page_is_named(text: str, line: str) -> None:
    assert robots.rule_against(text, f"{SITE}/a/b/c") == line
    assert robots.allows(text, f"{SITE}/a/b/c") is (line == "")
