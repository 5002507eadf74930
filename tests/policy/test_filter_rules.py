"""The effects of rules on an entry."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from aggregator.models.config import Rule
from aggregator.models.entry import Author, RuleResult
from aggregator.policy import filter_rules
from aggregator.policy.filter_rules import Rulebook
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
def test_each_field_ignores_case(field: str, pattern: str) -> None:
    assert filter_rules.verdict([drop(field, pattern)], ENTRY) == DROPPED.format(field, pattern)
    assert filter_rules.verdict([keep(field, pattern)], ENTRY) == ""
    assert filter_rules.verdict([drop(field, "xylophone")], ENTRY) == ""
    assert filter_rules.verdict([keep(field, "xylophone")], ENTRY) == NONE_MATCHES


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
    assert filter_rules.verdict(found, ENTRY) == verdict


def test_no_pattern_can_hang() -> None:
    """An expression that takes ages elsewhere is linear here."""
    entry = replace(ENTRY, text="a" * 50_000 + "!")
    assert filter_rules.verdict([drop("content", "(a+)+$")], entry) == ""


@pytest.mark.parametrize(
    ("words", "title", "matches"),
    [
        ("rome", "Rain in Rome", True),
        ("rom", "Rain in Rome", False),
        ("snow, in rome", "Rain in Rome", True),
        ("in, rain", "Rome", False),
        ("c++", "Better C++ today", True),
        ("école", "L’École du soir", True),
        ("пожар", "Большой пожар в порту", True),
        ("пожар", "Пожарные в порту", False),
        ("地震", "東京で地震があった", True),
        ("حريق", "حريق في الميناء", True),
        ("rome,", "Rain in Paris", False),
    ],
)
def test_whole_words_match_in_any_script(words: str, title: str, matches: bool) -> None:
    entry = replace(make_entry("a", title=title), summary="", text="")
    assert bool(filter_rules.verdict([drop("words", words)], entry)) is matches


# --- what else rules do --------------------------------------------------------------------------


def book(
    *, source: tuple[Rule, ...] = (), sections: Mapping[str, tuple[Rule, ...]] | None = None,
    views: Mapping[str, tuple[Rule, ...]] | None = None,
) -> Rulebook:  # fmt: skip
    return Rulebook({"a": source} if source else {}, sections or {}, views or {})


def does(action: str, value: str = "", pattern: str = "rain") -> Rule:
    return Rule(action=action, field="title", pattern=pattern, value=value)


WHERE = ("world", "europe")


def test_entry_without_rules_is_unchanged() -> None:
    assert book().evaluate("a", WHERE, ENTRY) == RuleResult()
    assert (
        book(source=(does("priority", pattern="snow"),)).evaluate("a", WHERE, ENTRY) == RuleResult()
    )
    assert book(source=(does("priority"),)).evaluate("b", WHERE, ENTRY) == RuleResult()


def test_source_rules_set_category_section_and_priority() -> None:
    rules_of_source = (does("category", "Storms"), does("section", "weather"), does("priority"))
    ruling = book(source=rules_of_source).evaluate("a", WHERE, ENTRY)
    assert ruling == RuleResult(
        sections=("weather",),
        categories=("Storms",),
        priority=True,
        reasons=(
            "given the category Storms by the rule title: rain",
            "moved to the section weather by the rule title: rain",
            "marked as important by the rule title: rain",
        ),
    )


def test_category_of_the_publisher_is_not_repeated() -> None:
    assert book(source=(does("category", "ITALY"),)).evaluate("a", WHERE, ENTRY).categories == ()


def test_section_rules_hide_an_entry_in_that_section_only() -> None:
    ruling = book(sections={"europe": (drop("title", "rain"),)}).evaluate("a", WHERE, ENTRY)
    assert (ruling.sections, ruling.dropped) == (("world",), "")
    assert ruling.reasons == ("not in section europe: dropped by the rule title: rain",)


def test_rules_of_the_section_moved_to_apply() -> None:
    sections = {"weather": (drop("title", "rome"),)}
    ruling = book(source=(does("section", "weather"),), sections=sections).evaluate(
        "a", WHERE, ENTRY
    )
    assert ruling.sections == ()


def test_section_rules_can_move_an_entry() -> None:
    moving = {"europe": (does("section", "weather"),)}
    assert book(sections=moving).evaluate("a", WHERE, ENTRY).sections == ("weather",)
    assert book(sections=moving).evaluate("a", ("world",), ENTRY).sections is None


def test_result_names_the_views_whose_rules_pass() -> None:
    views = {"dry": (drop("title", "rain"),), "wet": (keep("title", "rain"),)}
    ruling = book(views=views).evaluate("a", WHERE, ENTRY)
    assert (ruling.views, ruling.sections, ruling.dropped) == (("wet",), None, "")


def test_entry_dropped_by_its_source_is_in_no_section() -> None:
    dropping = book(source=(drop("title", "rain"), does("priority")), views={"wet": ()})
    dropped = DROPPED.format("title", "rain")
    assert dropping.evaluate("a", WHERE, ENTRY) == RuleResult(dropped=dropped, reasons=(dropped,))


def test_digest_of_a_source_changes_with_its_rules_only() -> None:
    one = book(source=(does("priority"),), sections={"sport": (drop("title", "x"),)})
    assert one.stamp("b", WHERE) == ""
    assert one.stamp("a", WHERE) == one.stamp("a", WHERE[::-1]) != ""
    assert one.stamp("b", ("sport",)) not in ("", one.stamp("a", WHERE))
    assert one.stamp("a", ("world",)) != one.stamp("a", WHERE)
