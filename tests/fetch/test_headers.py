"""Header sections as libcurl passes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import headers
from tests.effort import effort

BASE = "https://example.org/a/feed"


def test_the_last_section_counts_without_its_trailers() -> None:
    lines = [
        b"HTTP/1.1 103 Early Hints\r\n",
        b"ETag: early\r\n",
        b"\r\n",
        b"HTTP/1.1 200 OK: fine\r\n",
        b"eTAG:  1 \r\n",
        b"ETag: 2\r\n",
        b"X-Other: 3\r\n",
        b"\r\n",
        b"ETag: trailer\r\n",
    ]
    assert headers.parse(lines) == ({"etag": ["1", "2"]}, True)
    assert headers.parse(lines[:7]) == ({"etag": ["1", "2"]}, False)
    assert headers.parse([]) == ({}, False)


@given(st.lists(st.binary(max_size=30)))
def test_no_line_raises(lines: list[bytes]) -> None:
    fields, _ = headers.parse([b"Link: " + line for line in lines] + lines)
    headers.links(fields, BASE)
    headers.members(fields, "etag")


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("<https://hub.example/>; rel=hub", [("hub", "https://hub.example/")]),
        ('<../b>;rel="self"', [("self", "https://example.org/b")]),
        ('<b> ; REL = "HUB next"', [("hub", BASE[:-4] + "b"), ("next", BASE[:-4] + "b")]),
        ('<b>; title="a, <c>; rel=hub"; rel=self', [("self", BASE[:-4] + "b")]),
        ('<b>; title="\\"quoted\\""; rel="s\\elf"', [("self", BASE[:-4] + "b")]),
        ("<b>; rel=one; rel=two", [("one", BASE[:-4] + "b")]),
        ("<b>; rel=a, <c>; rel=b", [("a", BASE[:-4] + "b"), ("b", BASE[:-4] + "c")]),
        ("<b>; crossorigin; rel=a", [("a", BASE[:-4] + "b")]),
        ("<>; rel=self", [("self", BASE)]),
        ("</Ã¼>; rel=a", [("a", "https://example.org/%C3%BC")]),
        ("<b>", []),
        ("<b>; rel", []),
        ('<b>; rel=""', []),
        ("<b>; rel=self; anchor='#x'", []),
        ("<javascript:alert(1)>; rel=hub", []),
        ("<http://[/>; rel=hub", []),
        ("b; rel=hub", []),
        ("<b; rel=hub", []),
        ("", []),
    ],
)
def test_links(value: str, links: list[tuple[str, str]]) -> None:
    assert headers.links({"link": [value]}, BASE) == tuple(links)


def test_links_are_bounded() -> None:
    fields = {"link": ['<a>; rel="one two"', ", ".join(["<b>; rel=a"] * 200)]}
    assert len(headers.links(fields, BASE)) == 50


@pytest.mark.parametrize("part", ["<", "<a>;", "<a>;x=", '<a>;x="', '<a>;x="\\', ";", '"', "<>;a "])
def test_links_made_to_be_slow_are_not(part: str) -> None:
    with effort() as spent:
        headers.links({"link": [part * (65_000 // len(part))]}, BASE)
    assert spent.times < 50
