"""Keep and drop rules: what a source shows."""

from dataclasses import replace

import pytest

from aggregator.dedupe import rules
from aggregator.model import Author, Rule
from tests.builders import make_entry

ENTRY = replace(
    make_entry("a", title="Rain in Rome"),
    summary="A wet day",
    text="It rains\nall day",
    authors=(Author(name="Ann Lee"), Author(name="Bob")),
    categories=("Weather", "Italy"),
    link="https://a.example/rain?x=1",
)
DROPPED = "dropped by the rule {}: {}"
NONE_MATCHES = "dropped: no keep rule matches"


def drop(field: str, pattern: str) -> Rule:
    return Rule(action="drop", field=field, pattern=pattern)


def keep(field: str, pattern: str) -> Rule:
    return Rule(action="keep", field=field, pattern=pattern)


@pytest.mark.parametrize(
    ("field", "pattern"),
    [
        ("title", "rain"),
        ("summary", "^a wet"),
        ("content", r"rains\s+all"),
        ("author", "^bob$"),
        ("category", "^italy$"),
        ("link", r"\?x="),
    ],
)
def test_each_field_is_read_without_regard_to_case(field: str, pattern: str) -> None:
    assert rules.verdict([drop(field, pattern)], ENTRY) == DROPPED.format(field, pattern)
    assert rules.verdict([keep(field, pattern)], ENTRY) == ""
    assert rules.verdict([drop(field, "xylophone")], ENTRY) == ""
    assert rules.verdict([keep(field, "xylophone")], ENTRY) == NONE_MATCHES


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        pytest.param([], "", id="without rules all is shown"),
        pytest.param([keep("title", "snow"), keep("title", "rain")], "", id="one keep is enough"),
        pytest.param(
            [keep("title", "rain"), drop("title", "rome")],
            DROPPED.format("title", "rome"),
            id="a drop counts more than a keep",
        ),
        pytest.param(
            [drop("title", "snow"), drop("title", "rome")],
            DROPPED.format("title", "rome"),
            id="one drop is enough",
        ),
    ],
)
def test_rules_together(found: list[Rule], verdict: str) -> None:
    assert rules.verdict(found, ENTRY) == verdict


def test_no_pattern_can_hang() -> None:
    """An expression that takes ages elsewhere is linear here."""
    entry = replace(ENTRY, text="a" * 50_000 + "!")
    assert rules.verdict([drop("content", "(a+)+$")], entry) == ""
