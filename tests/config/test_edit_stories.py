"""Pairs of entries are added to `stories` without changing other bytes."""

import pytest
import yaml

from aggregator.config import edit_stories, file
from aggregator.errors import ConfigError

SOURCES = "sources:\n  - {id: a, url: 'https://a.example/feed'}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "stories:\n  apart:\n    - [1, 'x']\n"),
        ("sources: []", "sources: []\n\nstories:\n  apart:\n    - [1, 'x']\n"),
        (
            "stories:\n  apart:\n    - [3, 4]  # wrong\nsources: []\n",
            "stories:\n  apart:\n    - [3, 4]  # wrong\n    - [1, 'x']\nsources: []\n",
        ),
        (
            "stories:\n    together: [[3, 4]]\n",
            "stories:\n    together: [[3, 4]]\n    apart:\n      - [1, 'x']\n",
        ),
        ("stories: {apart: [[3, 4]]}\n", "stories: {apart: [[3, 4], [1, 'x']]}\n"),
        (
            "stories: {together: [[3, 4]]}\n",
            "stories: {together: [[3, 4]], apart: [[1, 'x']]}\n",
        ),
        (
            "stories:\r\n  apart:\r\n  - [3, 4]\r\n",
            "stories:\r\n  apart:\r\n  - [3, 4]\r\n  - [1, 'x']\r\n",
        ),
        ("\ufeffsources: []\n", "\ufeffsources: []\n\nstories:\n  apart:\n    - [1, 'x']\n"),
    ],
    ids=["empty", "none", "block", "other kind", "flow", "other in flow", "CRLF", "BOM"],
)
def test_pair_is_added(before: str, after: str) -> None:
    assert edit_stories.add(before, "apart", ("1", "x")) == after


@pytest.mark.parametrize(
    "text", ["stories: {apart: []}\n", "stories:\n", "{sources: []}\n", "stories: 4\n"]
)
def test_other_forms_are_left_to_people(text: str) -> None:
    with pytest.raises(ConfigError, match=r"by hand: \[1, 'x'\]"):
        edit_stories.add(text, "apart", ("1", "x"))


@pytest.mark.parametrize("link", ["https://a.example/it's?a=1#b, c]", "010", "${HOME}", "- x: y"])
def test_keys_are_read_as_they_were_given(link: str) -> None:
    text = edit_stories.add(SOURCES, "together", (link, "7"))
    config = file.parse(text, "sources.yaml", {})
    assert config.stories.together == ((link, "7"),)
    assert yaml.safe_load(text)["sources"]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("[[1, 2, 3]]", "must be two entries in brackets, not a list"),
        ("[4711]", "must be two entries in brackets, not the number"),
        ("4711", "must be a list of pairs of entries"),
        ("[[1, true]]", "must be an entry's id, link or guid"),
        ("[[1, '']]", "is empty"),
    ],
)
def test_mistakes_are_named(pairs: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        file.parse(f"{SOURCES}stories: {{apart: {pairs}}}\n", "sources.yaml", {})
