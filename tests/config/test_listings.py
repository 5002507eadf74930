"""Sources without a feed in the configuration, and the messages for wrong selectors."""

import subprocess
import sys

import pytest

from aggregator.config import file
from aggregator.errors import ConfigError
from aggregator.models.listing import (
    JsonListing,
    Listing,
    PageListing,
    SitemapListing,
    is_xpath,
    key_of,
)

SOURCE = "sources:\n  - id: a\n    url: https://a.example/\n"


def listing(text: str) -> Listing | None:
    return file.parse(f"{SOURCE}    {text}\n", "x", {"TOKEN": "t"}).sources[0].listing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: A", None),
        ("sitemap: false", None),
        ("sitemap: true", SitemapListing()),
        ("page: {items: article}", PageListing(items="article")),
        (
            "page: {items: '//article', title: h2 a, link: './/a', date: 'time::attr(datetime)',"
            " summary: p, image: img, next: a.next, pages: 3}",
            PageListing(
                items="//article", title="h2 a", link=".//a", date="time::attr(datetime)",
                summary="p", image="img", next="a.next", pages=3,
            ),
        ),
        (
            "json: {items: a.b, title: c, post: '{\"token\": \"${TOKEN}\"}'}",
            JsonListing(items="a.b", title="c", post='{"token": "t"}'),
        ),
        (
            "json: {items: 'items(time)', title: '[0]', script: '#state'}",
            JsonListing(items="items(time)", title="[0]", script="#state"),
        ),
    ],
)  # fmt: skip
def test_listing_of_a_source(text: str, expected: Listing | None) -> None:
    assert listing(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("page: {items: 'a['}", "4:19", 'items: "a[" is not a CSS selector: Expected ident'),
        ("page: {items: 'a:foo'}", "4:19", "The pseudo-class :foo is unknown"),
        ("page: {items: 'a::before'}", "4:19", "The pseudo-element ::before is unknown"),
        ("page: {items: '//a['}", "4:19", "is not an XPath expression: Invalid expression"),
        ("page: {items: '//a[foo(.)]'}", "4:19", "is not an XPath expression: Unregistered"),
        ("page: {items: '//b:a'}", "4:19", "is not an XPath expression: Undefined namespace"),
        ("page: {items: a, title: '//h2'}", "4:29", "Begin with a dot, as in .//h2."),
        ("page: {title: a}", "4:11", "page without items"),
        ("page: {items: a, pages: 3}", "4:29", "pages without next"),
        ("page: {items: a, titel: h2}", "4:22", "Did you mean title?"),
        ("json: {items: a, title: 'b['}", "4:29", 'title: "b[" is not a JMESPath expression'),
        ("json: {items: 'foo(@)', title: b}", "4:19", "Unknown function: foo()"),
        ("json: {items: 'a.', title: b}", "4:19", "column 2"),
        ("json: {items: a, title: b, post: '{a: 1}'}", "4:38", "is not JSON: Expecting property"),
        ("json: {items: a}", "4:11", "json without title"),
        ("{page: {items: a}, sitemap: true}", "", ""),
    ],
)
def test_wrong_selector_is_named_with_line_and_column(text: str, place: str, message: str) -> None:
    if not place:
        text, place, message = (
            "page: {items: a}\n    sitemap: true",
            "5:14",
            "both page and sitemap",
        )
    with pytest.raises(ConfigError) as raised:
        listing(text)
    [line] = str(raised.value).splitlines()
    assert line.startswith(f"x:{place}: ")
    assert message in line


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("a", False),
        (".a > b", False),
        ("#a", False),
        ("a[href^='/x']", False),
        ("*", False),
        ("//a", True),
        ("./a", True),
        ("../a", True),
        ("(//a)[1]", True),
        ("@href", True),
        ("string(.//a)", True),
        ("substring-after(., ':')", True),
    ],
)
def test_xpath_is_told_from_css_by_its_begin(selector: str, expected: bool) -> None:
    assert is_xpath(selector) is expected


def test_key_differs_between_listings() -> None:
    listings = [None, SitemapListing(), PageListing(items="a"), PageListing(items="b")]
    assert key_of(None) == b""
    assert len({key_of(each) for each in listings}) == 4
    assert {len(key_of(each)) for each in listings[1:]} == {4}


def test_libraries_for_selectors_are_loaded_only_for_sources_that_need_them() -> None:
    script = (
        "import sys; from aggregator.config import file; import aggregator.polling.parsing;"
        "libraries = {'parsel', 'jmespath', 'cssselect', 'w3lib'};"
        f"file.parse({SOURCE!r}, 'x', {{}}); print(libraries & set(sys.modules));"
        f"file.parse({SOURCE + '    page: {items: a}'!r}, 'x', {{}});"
        "print('parsel' in sys.modules, 'jmespath' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["set()", "True True"]
