"""The stylesheet and the scripts: small, and the same to a browser."""

import re

import brotli  # type: ignore[import-untyped]  # ships no types
import pytest

from aggregator.web.pages import assets
from aggregator.web.pages.assets import STATIC, compact_css, compact_script
from tests.web.pages.test_pages import PageSite, pages

__all__ = ["pages"]

CSS = """/* a { } */
.a, .b > .c {
  color: red; content: " (" attr(href) ")";
}
@media (min-width: 46rem) { .d { width: calc(100% - 2rem) } }
"""


def test_stylesheet_loses_comments_and_line_breaks() -> None:
    assert compact_css(CSS) == (
        '.a,.b > .c{color: red;content: " (" attr(href) ")";}'
        "@media (min-width: 46rem){.d{width: calc(100% - 2rem)}}"
    )


@pytest.mark.parametrize("name", assets.SHEETS)
def test_strings_of_the_stylesheet_stay(name: str) -> None:
    css = (STATIC / "style" / f"{name}.css").read_text(encoding="utf-8")
    strings = r'"[^"\n]*"'
    found = re.findall(strings, re.sub(r"/\*.*?\*/", "", css, flags=re.S))
    assert re.findall(strings, compact_css(css)) == found


def test_script_keeps_its_lines_and_the_slashes_in_them() -> None:
    script = '// why\n"use strict";\n\n  let a = "//b"; // c\n  // d\n'
    assert compact_script(script) == '"use strict";\nlet a = "//b"; // c\n'


@pytest.mark.parametrize("name", ["site.js", "theme.js"])
def test_scripts_have_no_text_of_several_lines(name: str) -> None:
    """Its indentation would be lost."""
    script = compact_script((STATIC / name).read_text(encoding="utf-8"))
    assert all(line.count("`") % 2 == 0 for line in script.splitlines())


MAX_WEIGHT = 15_000
"""Bytes of a front page as a browser loads it for the first time, without pictures."""


def test_front_page_is_light(pages: PageSite) -> None:
    for source in ("herald", "post", "odd"):
        pages.sample.add(source, 30)
    page = pages.text("/")
    files = re.findall(r'"(/[^"]+\?v=[0-9a-f]{8})"', page)
    assert {path.partition("?")[0] for path in files} >= {"/style.css", "/static/site.js"}
    texts = [path for path in files if re.search(r"(css|js|svg)\?", path)]
    sizes = {path: len(pages.get(path, Accept_Encoding="br").data) for path in ("/", *texts)}
    assert pages.get("/", Accept_Encoding="br").content_encoding == "br"
    assert sum(sizes.values()) <= MAX_WEIGHT, sizes


def test_files_that_browsers_keep_for_good_are_compressed_the_most(pages: PageSite) -> None:
    [path] = re.findall(r'"(/static/site\.js\?v=[0-9a-f]{8})"', pages.text("/"))
    kept, named = (pages.get(url, Accept_Encoding="br") for url in (path, path.partition("?")[0]))
    assert "immutable" in kept.headers["Cache-Control"]
    assert "immutable" not in named.headers["Cache-Control"]
    assert brotli.decompress(kept.data) == brotli.decompress(named.data)
    assert len(kept.data) < len(named.data)
