from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import edit, file
from aggregator.errors import ConfigError
from aggregator.models.config import Section, Source

NEW = Source(id="new", url="https://new.example/feed")
FULL = Source(
    id="new",
    url="https://new.example/feed?a=1&b=#x",
    title="News: the new, and [more]",
    sections=("europe", "world"),
    every=timedelta(minutes=90),
    enabled=False,
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "",
            "sources:\n  - id: new\n    url: https://new.example/feed\n",
            id="an empty file",
        ),
        pytest.param(
            "# mine",
            "# mine\nsources:\n  - id: new\n    url: https://new.example/feed\n",
            id="a comment without a line break",
        ),
        pytest.param(
            "site: {}\n# the end\n",
            "site: {}\n# the end\n\nsources:\n  - id: new\n    url: https://new.example/feed\n",
            id="no list yet",
        ),
        pytest.param(
            "sources:  # none yet\n\nviews: []\n",
            "sources:  # none yet\n  - id: new\n    url: https://new.example/feed\n\nviews: []\n",
            id="an empty list with a comment",
        ),
        pytest.param(
            "sources: []  # none\nviews: []\n",
            "sources:  # none\n  - id: new\n    url: https://new.example/feed\nviews: []\n",
            id="an empty list in brackets",
        ),
        pytest.param(
            "sources:\n  # - {id: off, url: 'http://off'}\n# views\n",
            "sources:\n  # - {id: off, url: 'http://off'}\n"
            "  - id: new\n    url: https://new.example/feed\n# views\n",
            id="a list all commented out",
        ),
        pytest.param(
            "sources: null", "sources:\n  - id: new\n    url: https://new.example/feed\n", id="null"
        ),
        pytest.param(
            "sources:\n    - id: a\n      url: http://a   # good\n      # every: 1m\n"
            "\n# views\nviews: []\n",
            "sources:\n    - id: a\n      url: http://a   # good\n      # every: 1m\n"
            "    - id: new\n      url: https://new.example/feed\n\n# views\nviews: []\n",
            id="a block list, before what follows it",
        ),
        pytest.param(
            "sources:\n- id: a\n  url: http://a\nviews: []",
            "sources:\n- id: a\n  url: http://a\n"
            "- id: new\n  url: https://new.example/feed\nviews: []",
            id="a list that is not indented",
        ),
        pytest.param(
            "sources:\n  - id: a\n    url: http://a\n\n  - id: b\n    url: http://b",
            "sources:\n  - id: a\n    url: http://a\n\n  - id: b\n    url: http://b\n"
            "\n  - id: new\n    url: https://new.example/feed\n",
            id="items with empty lines between them",
        ),
        pytest.param(
            "sources:\n  - {id: a, url: 'http://a'}  # a\n",
            "sources:\n  - {id: a, url: 'http://a'}  # a\n"
            "  - {id: new, url: 'https://new.example/feed'}\n",
            id="items on one line",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a'}, ]\n",
            "sources: [{id: a, url: 'http://a'}, {id: new, url: 'https://new.example/feed'}, ]\n",
            id="a list in brackets",
        ),
        pytest.param(
            "sources:\n- {id: a, url: http://a, headers: &h {}}\n"
            "- id: b\n  url: http://b\n  headers: *h\n# end\n",
            "sources:\n- {id: a, url: http://a, headers: &h {}}\n"
            "- id: b\n  url: http://b\n  headers: *h\n"
            "- id: new\n  url: https://new.example/feed\n# end\n",
            id="after an alias",
        ),
        pytest.param(
            "sources:\n  - &a\n    x: *a\n",
            "sources:\n  - &a\n    x: *a\n  - id: new\n    url: https://new.example/feed\n",
            id="after an item within itself",
        ),
        pytest.param(
            "\ufeffsources: []\n",
            "\ufeffsources:\n  - id: new\n    url: https://new.example/feed\n",
            id="a byte order mark",
        ),
        pytest.param(
            "sources:\r\n  - id: a\r\n    url: http://a\r\n",
            "sources:\r\n  - id: a\r\n    url: http://a\r\n"
            "  - id: new\r\n    url: https://new.example/feed\r\n",
            id="the line breaks of Windows",
        ),
        pytest.param(
            "sources:\n  - id: a\n    url: http://a\n    title: |\n      A\n      B\n\nviews: []\n",
            "sources:\n  - id: a\n    url: http://a\n    title: |\n      A\n      B\n\n"
            "  - id: new\n    url: https://new.example/feed\nviews: []\n",
            id="after a block of text",
        ),
    ],
)
def test_a_source_is_added_and_the_rest_is_unchanged(before: str, after: str) -> None:
    assert edit.append(before, [NEW]) == after


@pytest.mark.parametrize(
    "before",
    ["", "sources: [{id: a, url: 'http://a'}]", "sources:\n  - {id: a, url: 'http://a'}\n"],
)
def test_added_sources_are_parsed_back(before: str) -> None:
    sections = "sections: [{id: europe, title: E}, {id: world, title: W}]\n"
    found = file.parse(
        edit.append(sections + before, [NEW, FULL]).replace("id: new", "id: newer", 1),
        "news.yaml",
        {},
    )
    assert replace(found.sources[-1], line=0, yaml="") == FULL


def test_nothing_to_add_changes_nothing() -> None:
    assert edit.append("site: {}", []) == "site: {}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{site: {}}", id="a file in braces"),
        pytest.param("[]", id="no mapping"),
        pytest.param("sources: {}", id="sources that are no list"),
        pytest.param("a: &a [x]\nsources: *a", id="the list is an alias"),
        pytest.param("a: &a {url: x}\nsources:\n  - *a", id="the last item is an alias"),
        pytest.param("sources: &a []", id="an anchored empty list"),
        pytest.param("site: {}\n...\n", id="an end of the document"),
    ],
)
def test_other_forms_are_left_to_the_user(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        edit.append(text, [NEW], "my.yaml")
    assert str(caught.value).startswith("my.yaml:1:1: sources has a form that can't be extended")
    assert "- id: new\n  url: https://new.example/feed" in str(caught.value)


def test_bad_yaml_is_not_edited() -> None:
    with pytest.raises(ConfigError, match="a colon where no key is allowed"):
        edit.append("a: b: c", [NEW], "my.yaml")


titles = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=40
)


@given(
    titles,
    st.sampled_from(
        ["", "sources:\n- {id: a, url: 'http://a'}", "sources: [{id: a, url: 'http://a'}]"]
    ),
)
def test_any_title_is_kept(title: str, before: str) -> None:
    written = edit.append(before, [replace(NEW, title=title)])
    wanted = " ".join(title.split())
    if wanted:
        assert file.parse(written, "my.yaml", {}).sources[-1].title == wanted
    else:
        assert "title" not in written


def test_all_keys_of_a_source_are_written() -> None:
    assert edit.append("", [FULL]) == (
        "sources:\n"
        "  - id: new\n"
        "    url: https://new.example/feed?a=1&b=#x\n"
        "    title: 'News: the new, and [more]'\n"
        "    sections: [europe, world]\n"
        "    every: 1h30m\n"
        "    enabled: false\n"
    )


def test_sections_are_added_in_the_style_of_their_list() -> None:
    before = "sections:\n  - {id: world, title: World}  # all\nsources: []\n"
    tech = Section(id="tech", title="Tech: ${new}")
    assert edit.append(before, [replace(NEW, sections=("tech",))], sections=[tech]) == (
        "sections:\n"
        "  - {id: world, title: World}  # all\n"
        "  - {id: tech, title: 'Tech: $${new}'}\n"
        "sources:\n"
        "  - id: new\n"
        "    url: https://new.example/feed\n"
        "    sections: [tech]\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("{id: a, url: u}  # c", "{id: a, url: u, sections: [x, y]}  # c", id="no key"),
        pytest.param("{sections: [w], id: a}", "{sections: [w, x, y], id: a}", id="in braces"),
        pytest.param(
            "id: a\n    url: u  # c\n    # d",
            "id: a\n    url: u  # c\n    sections: [x, y]\n    # d",
            id="no key in a block",
        ),
        pytest.param(
            "id: a\n    sections: [w]  # c\n    url: u",
            "id: a\n    sections: [w, x, y]  # c\n    url: u",
            id="a list in brackets",
        ),
        pytest.param(
            "id: a\n    sections: [  # c\n      w,  # d\n    ]",
            "id: a\n    sections: [  # c\n      w, x, y,  # d\n    ]",
            id="brackets over several lines",
        ),
        pytest.param(
            "id: a\n    sections:  # c\n      - w  # d\n      # e\n    url: u",
            "id: a\n    sections:  # c\n      - w  # d\n      - x\n      - y\n      # e\n"
            "    url: u",
            id="a block list",
        ),
        pytest.param(
            "id: a\n    sections:\n    - w\n    url: u",
            "id: a\n    sections:\n    - w\n    - x\n    - y\n    url: u",
            id="a block list that is not indented",
        ),
        pytest.param(
            "id: a\n    sections: []  # c\n    url: u",
            "id: a\n    sections: [x, y]  # c\n    url: u",
            id="an empty list",
        ),
        pytest.param(
            "id: a\n    sections:  # c\n    url: u",
            "id: a\n    sections: [x, y]  # c\n    url: u",
            id="nothing",
        ),
        pytest.param("{id: a, sections: null}", "{id: a, sections: [x, y]}", id="null"),
    ],
)
@pytest.mark.parametrize(
    "around", ["sources:\n  - {id: z}\n  - %s\n  - {id: b}\n", "\ufeffsources:\n  - %s"]
)
def test_sections_of_a_source_are_extended(before: str, after: str, around: str) -> None:
    found = edit.extend_sections(around % before, {"a": ["x", "y"]})
    assert found.rstrip("\n") == (around % after).rstrip("\n")
    crlf = edit.extend_sections((around % before).replace("\n", "\r\n"), {"a": ["x", "y"]})
    assert crlf.rstrip("\r\n") == (around % after).replace("\n", "\r\n").rstrip("\r\n")


def test_sections_of_several_sources_are_extended_in_any_order() -> None:
    before = "sources:\n- {id: a}  # a\n- {id: b, sections: [w]}\n- id: c\n"
    after = (
        "sources:\n- {id: a, sections: [x]}  # a\n- {id: b, sections: [w, y]}\n"
        "- id: c\n  sections: [z]\n"
    )
    assert edit.extend_sections(before, {"c": ["z"], "a": ["x"], "b": ["y"]}) == after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("c: &c [w]\nsources:\n- {id: a, sections: *c}", id="the list is an alias"),
        pytest.param("sources:\n- {id: a, sections: &c [w]}\n- {id: b, sections: *c}", id="shared"),
        pytest.param("c: &c w\nsources:\n- {id: a, sections: [*c]}", id="the last is an alias"),
        pytest.param("sources:\n- {id: a, sections: w}", id="no list"),
        pytest.param("sources:\n- {id: a, sections: &c []}", id="an anchored empty list"),
    ],
)
def test_other_forms_of_a_source_are_left_to_the_user(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        edit.extend_sections(text, {"a": ["x", "y"]}, "my.yaml")
    assert "the source a has a form that can't be extended" in str(caught.value)
    assert "Add these to its sections by hand: x, y" in str(caught.value)
