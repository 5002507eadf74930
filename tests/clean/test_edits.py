"""The options of a source applied to its entries."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean import edits
from aggregator.models.config import Reading, Transform
from aggregator.models.entry import Author, SafeHtml
from tests.builders import make_entry

ENTRY = replace(
    make_entry("e1", title="Exclusive: Ferry | The Example"),
    content=SafeHtml("<p>The ferry sails.</p><p>Read more at the site.</p>"),
    text="The ferry sails. Read more at the site.",
    summary="The ferry sails. Read more at the site.",
    authors=(Author(name="Ann"), Author(name="Bo")),
    categories=("Travel", "Boats"),
)


def title(*pairs: tuple[str, str]) -> Reading:
    return Reading(transforms=tuple(Transform(field="title", pattern=p, replacement=r)
                                    for p, r in pairs))  # fmt: skip


def content(pattern: str, replacement: str = "") -> Reading:
    transform = Transform(field="content", pattern=pattern, replacement=replacement)
    return Reading(transforms=(transform,))


def test_transforms_of_titles_apply_in_order_and_are_named() -> None:
    edited = edits.apply(ENTRY, title((r"^exclusive: ", ""), (r"^(\w+) \| .*", r"\1!")), feed="F")
    assert edited.title == "Ferry!"
    assert edited.fingerprint == ENTRY.fingerprint
    assert edited.edits == (
        "title “Exclusive: Ferry | The Example” became “Ferry | The Example”"
        " (transforms: ^exclusive: )",
        r"title “Ferry | The Example” became “Ferry!” (transforms: ^(\w+) \| .*)",
    )


def test_transform_that_finds_nothing_changes_nothing() -> None:
    assert edits.apply(ENTRY, title(("football", "")), feed="F") == ENTRY


def test_transform_of_contents_changes_text_and_summary_too() -> None:
    edited = edits.apply(ENTRY, content(r"(<p>)?Read more.*?site\.(</p>)?"), feed="F")
    assert edited.content == "<p>The ferry sails.</p>"
    assert edited.text == "The ferry sails."
    assert edited.summary == "The ferry sails."
    assert edited.title == ENTRY.title
    assert edited.fingerprint == ENTRY.fingerprint
    assert edited.edits[0].startswith("content: 1 match replaced (transforms: ")


@pytest.mark.parametrize(
    "replacement",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe src='https://evil.example/'></iframe>",
    ],
)
def test_result_is_sanitised_again(replacement: str) -> None:
    edited = edits.apply(ENTRY, content("ferry", replacement), feed="F")
    for word in ("alert", "script", "onerror", "<iframe"):
        assert word not in edited.content


def test_replacement_keeps_other_scripts() -> None:
    entry = replace(ENTRY, title="Das Schiff – 船 kommt")
    edited = edits.apply(entry, title((r"(船) kommt", r"\1 fährt")), feed="F")
    assert edited.title == "Das Schiff – 船 fährt"


def test_matches_are_bounded() -> None:
    entry = replace(ENTRY, content=SafeHtml("<p>" + "a" * 5_000 + "</p>"))
    edited = edits.apply(entry, content("a", "bb"), feed="F")
    assert edited.content.count("b") == 2 * edits.MOST_MATCHES
    assert edited.edits == ("content: 1,000 matches replaced (transforms: a)",)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{author}: {title}", "Ann, Bo: Exclusive: Ferry | The Example"),
        ("{category} – {summary}", "Travel – The ferry sails. Read more at the site."),
        ("[{feed}] {title}", "[F] Exclusive: Ferry | The Example"),
        ("{title} {unknown}", "Exclusive: Ferry | The Example {unknown}"),
    ],
)
def test_title_template(template: str, expected: str) -> None:
    edited = edits.apply(ENTRY, Reading(title=template), feed="F")
    assert edited.title == expected
    assert edited.edits[-1].endswith("(title_template)")


def test_template_does_not_read_placeholders_of_the_publisher() -> None:
    entry = replace(ENTRY, title="{author}")
    assert edits.apply(entry, Reading(title="{title}!"), feed="F").title == "{author}!"


def test_language_is_that_of_the_configuration() -> None:
    entry = replace(ENTRY, language="en")
    edited = edits.apply(entry, Reading(language="pt-BR"), feed="F")
    assert edited.language == "pt-br"
    assert edited.edits == ()


@given(value=st.text(max_size=50), pattern=st.sampled_from(["", "x*", ".", r"\b", "$", "(a)|b"]))
def test_any_text_survives_any_expression(value: str, pattern: str) -> None:
    transform = Transform(field="title", pattern=pattern, replacement=r"\0")
    found: list[str] = []
    assert edits.transformed(value, (transform,), "title", found) == value
    assert found == []
