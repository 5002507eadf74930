"""The stylesheet and the scripts: small, and the same to a browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import brotli  # type: ignore[import-untyped]  # ships no types
import pytest

from aggregator.models.config import Section, Source
from aggregator.models.entry import Image
from aggregator.web.pages import assets
from aggregator.web.pages.assets import STATIC, compact_css, compact_script
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import CONFIG, make_entry, open_sample

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


@pytest.mark.parametrize("name", [*(f"style/{name}" for name in assets.SHEETS), "operations"])
def test_strings_of_the_stylesheet_stay(name: str) -> None:
    css = (STATIC / f"{name}.css").read_text(encoding="utf-8")
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


def busy_site(folder: Path) -> Iterator[PageSite]:
    """Yield a site of six sections, each of whose entries has a picture and words of its own."""
    random = Random(1)
    names = ("world", "home", "technology", "science", "culture", "sport")
    sections = tuple(Section(id=name, title=name.title()) for name in names)
    listed = tuple(
        Source(id=f"{name}-{n}", url=f"https://{name}{n}.example/feed", sections=(name,))
        for name in names
        for n in range(3)
    )

    def words(count: int) -> str:
        return " ".join(
            "".join(random.choices("aeiounrstlmdkp", k=random.randint(2, 10))) for _ in range(count)
        )

    with open_sample(folder, replace(CONFIG, sections=sections, sources=listed)) as sample:
        for source in listed * 4:
            entry = make_entry(len(source.id), sample.now)
            url = f"https://{source.id}.example/{words(2).replace(' ', '/')}"
            picture = Image(url=f"{url}.jpg", width=976, height=549)
            text = words(30)
            shown = replace(entry, title=words(9), summary=text, text=text, image=picture)
            sample.put(source.id, replace(shown, guid=url, link=url, canonical_url=url))
        yield PageSite(sample)


def test_front_page_is_light(tmp_path: Path) -> None:
    for site in busy_site(tmp_path):
        page = site.text("/")
        assert page.count('<h3 dir="ltr"') == 36, "six entries of each section"
        loaded = re.findall(
            r'<(?:link rel="(?:stylesheet|icon)"|script)[^>]* (?:href|src)="(/[^"]+)"', page
        )
        loaded = [path for path in loaded if "favicon.ico" not in path]  # for want of SVG only
        names = {path.partition("?")[0] for path in loaded}
        assert names == {"/style.css", "/static/theme.js", "/static/site.js", "/static/icon.svg"}
        answers = {path: site.get(path, Accept_Encoding="br") for path in ("/", *loaded)}
        assert {answer.content_encoding for answer in answers.values()} == {"br"}
        sizes = {path: len(answer.data) for path, answer in answers.items()}
        assert sum(sizes.values()) <= MAX_WEIGHT, sizes


def test_files_that_browsers_keep_for_good_are_compressed_the_most(pages: PageSite) -> None:
    [path] = re.findall(r'"(/static/site\.js\?v=[0-9a-f]{8})"', pages.text("/"))
    kept, named = (pages.get(url, Accept_Encoding="br") for url in (path, path.partition("?")[0]))
    assert "immutable" in kept.headers["Cache-Control"]
    assert "immutable" not in named.headers["Cache-Control"]
    assert brotli.decompress(kept.data) == brotli.decompress(named.data)
    assert len(kept.data) < len(named.data)
